"""Who belongs to an incident: a ticket is let out again, another one leads, two incidents become one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.incident import IncidentChanged, IncidentStatus
from dispatch.domain.states import ACTIVE, STATUS_LABELS, Status, Verb
from dispatch.domain.ticket import Assignment, Command, Notice, Ticket, illegal
from dispatch.services.actions import Action, Scene, carry_out
from dispatch.services.incidents import Wish, find, find_alive, ids_of, join_locked, lock, note, once, say
from dispatch.services.routing import assign
from dispatch.storage import board, directory, incidents, outbox, tickets
from dispatch.storage.db import Tx


def split(wish: Wish, number: str, of: str, team_id: str | None, why: str) -> dict[str, Any]:
    """Let a ticket out of an incident: it keeps its clocks and its history and gets a crew job of its own.

    Args:
        wish: Who wants it.
        number: The incident.
        of: The ticket's number.
        team_id: The team that gets it; None for the one of its grid, or else the one that has it now.
        why: In words; needed.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it is not open.
        IllegalTransition: if the ticket is done or ended.
        InvalidInput: with the field at fault.
    """
    check_text(why, "note")
    if not why.strip():
        raise InvalidInput("请写明移出的理由", field="note")

    def work(tx: Tx) -> int:
        incident_id, (ticket_id,) = find(tx, number)["id"], ids_of(tx, [of], "ticket")
        lead, locked = lock(tx, incident_id, [ticket_id])
        row = find_alive(tx, number, IncidentStatus.OPEN)
        ticket = locked[ticket_id]
        if lead is None or ticket.incident_id != incident_id:
            raise InvalidInput(f"工单 {of} 不在事件 {number} 中", field="ticket")
        if not ticket.is_carried:
            raise InvalidInput(f"工单 {of} 牵头本事件, 请先换一张牵头工单", field="ticket")
        if ticket.status not in ACTIVE:
            raise illegal(ticket, f"工单 {of} 已{STATUS_LABELS[ticket.status]}, 不能移出; 未解决的请返工")
        words = f"移出事件 {number}: {why}"
        _on_its_own(tx, wish, ticket, _team(tx, wish, ticket, team_id), words)
        note(tx, wish, incident_id, "split", f"移出 {of}: {why}")
        say(tx, wish, lead, f"将 {of} 移出事件 {number}: {why}")
        incidents.change(tx, row, {"suggested": [one for one in row["suggested"] if one != ticket_id]})
        return int(incident_id)

    return once(wish, work)


def _team(tx: Tx, wish: Wish, ticket: Ticket, team_id: str | None) -> Assignment | None:
    """Return to whom the ticket goes: the team that is named, that of its grid, or the one that has it."""
    if team_id is not None and directory.team(tx, team_id) is None:
        raise InvalidInput("请指定存在的班组 (team_id)", field="team_id")
    rules = wish.desk.rules(tx, wish.now)
    zone_id = (board.find(tx, ticket.number) or {}).get("zone_id")
    of_zone = next((zone.team_id for zone in rules.zones.zones if zone.zone_id == zone_id), None)
    found = next((rules.teams[one] for one in (team_id, of_zone, ticket.team_id) if one and one in rules.teams), None)
    return None if found is None else assign(rules, found, "移出事件后单独派单")


def _on_its_own(tx: Tx, wish: Wish, ticket: Ticket, to: Assignment | None, words: str) -> None:
    if to is None:  # nobody had it, and nobody answers for its place: it waits for a dispatcher
        say(tx, wish, tickets.bind(tx, ticket, None, is_carried=False), words)
        return
    verb = Verb.DISPATCH if ticket.status in (Status.RECEIVED, Status.RETURNED) else Verb.REASSIGN

    def prepare(_scene: Scene, command: Command) -> Command:
        return replace(command, assignment=to, is_split=True)

    carry_out(Scene(tx, wish.desk, wish.actor, ticket, Action(verb=verb, note=words)), wish.now, prepare)


def lead(wish: Wish, number: str, of: str) -> dict[str, Any]:
    """Let another ticket of the incident lead it: the crew's one job is that one from now on.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it is not open.
        InvalidInput: if the ticket is not in it, or has ended.
    """

    def work(tx: Tx) -> int:
        incident_id, (ticket_id,) = find(tx, number)["id"], ids_of(tx, [of], "ticket")
        old, locked = lock(tx, incident_id, [ticket_id])
        row = find_alive(tx, number, IncidentStatus.OPEN)
        new = locked[ticket_id]
        if new.incident_id != incident_id or new.status not in ACTIVE:
            raise InvalidInput(f"工单 {of} 不在事件 {number} 中, 或已完工", field="ticket")
        if old is not None and old.id != new.id:
            # The old one first: two leads there never are.
            say(tx, wish, tickets.bind(tx, old, incident_id, is_carried=True), f"改由 {of} 牵头事件 {number}")
        bound = tickets.bind(tx, new, incident_id, is_carried=False)
        say(tx, wish, bound, f"本工单牵头事件 {number}")
        note(tx, wish, incident_id, "lead", f"改由 {of} 牵头")
        told = Notice(("crew",), f"事件 {number} 改由 {of} 牵头")
        key = f"{bound.id}:{bound.version}:lead"
        outbox.put(tx, outbox.rows_of(bound.id, bound, told, key, wish.now, wish.desk.channels))
        incidents.change(tx, row, {})
        return int(incident_id)

    return once(wish, work)


def absorb(wish: Wish, number: str, other: str) -> dict[str, Any]:
    """Make two open incidents one: all tickets of `other` go over, and it ends. They had one cause.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if one of them is not open, or the work of the lead is done.
        InvalidInput: if both are the same.
    """

    def work(tx: Tx) -> int:
        here, there = find(tx, number)["id"], find(tx, other)["id"]
        if here == there:
            raise InvalidInput("请给出另一个事件", field="incident")
        locked = tickets.lock_all(tx, lambda: {*incidents.ticket_ids(tx, there), *_lead_of(tx, here)})
        for one in sorted((here, there)):
            incidents.hold(tx, one)
        row = find_alive(tx, number, IncidentStatus.OPEN)
        gone = find_alive(tx, other, IncidentStatus.OPEN)
        first = next((one for one in locked.values() if one.incident_id == here and not one.is_carried), None)
        if first is None or first.status not in ACTIVE:
            raise IncidentChanged(f"事件 {number} 的牵头工单已完工, 不能再并入", current_status=row["status"])
        moving = [one for one in locked.values() if one.incident_id == there and one.status in ACTIVE]
        freed = [tickets.bind(tx, one, None, is_carried=False) for one in moving]
        join_locked(tx, wish, here, first, freed)
        said = {"status": IncidentStatus.DISMISSED, "decided_by": wish.actor.user_id, "decided_at": wish.now}
        incidents.change(tx, gone, said)
        note(tx, wish, there, "absorbed", f"并入事件 {number}")
        note(tx, wish, here, "absorb", f"并入事件 {other}, {len(freed)} 张工单")
        incidents.change(tx, row, {})
        return int(here)

    return once(wish, work)


def _lead_of(tx: Tx, incident_id: int) -> list[int]:
    found = incidents.lead_id(tx, incident_id)
    return [] if found is None else [found]
