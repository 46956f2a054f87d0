"""Incidents: opened from tickets or from a proposal, confirmed by a person, closed. Who may, in one transaction each.

A ticket's row lock is the mutex of all that hangs on it, and an incident hangs on the ticket that leads it: whoever
changes who belongs to it has locked its lead (storage/tickets.lock_all).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.incident import ALIVE, IncidentChanged, IncidentStatus, InIncident, id_of, number_of
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.states import ACTIVE, RULES, STATUS_LABELS, Verb
from dispatch.domain.ticket import Ticket
from dispatch.services import incident_forms, live
from dispatch.services.actions import Action, Scene, carry_out, follow, unchanged
from dispatch.services.desk import Desk
from dispatch.storage import incidents, replies, tickets
from dispatch.storage.db import Tx

Row = Mapping[str, Any]
MOST_TICKETS = 500
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants something done: `told` is what came in, by which a repeated request under `key` is known."""

    desk: Desk
    actor: Actor
    told: Mapping[str, Any]
    now: datetime
    key: str | None = None


def once(wish: Wish, work: Callable[[Tx], int]) -> dict[str, Any]:
    """Do `work`, which returns the id of the incident it is about, and return that incident's public form.

    Raises:
        NotPermitted: if the role may not.
        IdempotencyMismatch: if the key came before with another wish.
    """
    check_permitted(wish.actor, Permission.INCIDENT)
    keys = [(f"incident:{wish.actor.user_id}:{wish.key}", "Idempotency-Key")] if wish.key else []
    with wish.desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(wish.told), wish.now)
        if first is not None:
            return first
        incident_id = work(tx)
        live.tell(tx, "incident", number_of(incident_id), wish.now)
        reply = incident_forms.detail(tx, wish.desk, find(tx, number_of(incident_id)), wish.now)
        replies.keep(tx, keys, reply)
    return reply


def find(tx: Tx, number: str, *, hold: bool = False) -> dict[str, Any]:
    """Return an incident by its number; on `hold` nobody else changes it before the end of the transaction.

    Raises:
        NotFound: if there is none.
    """
    incident_id = id_of(number)
    look = incidents.hold if hold else incidents.find
    row = look(tx, incident_id) if incident_id is not None else None
    if row is None:
        raise NotFound(f"没有事件 {number[:20]}")
    return row


def find_alive(tx: Tx, number: str, *statuses: IncidentStatus) -> dict[str, Any]:
    """Return an incident that is proposed or open, or in one of `statuses`.

    Raises:
        NotFound: if there is none.
        IncidentChanged: if it stands otherwise.
    """
    row = find(tx, number, hold=True)
    if row["status"] not in (statuses or ALIVE):
        label = incident_forms.label(row["status"])
        raise IncidentChanged(f"事件 {number} {label}, 不能这样操作", current_status=row["status"])
    return row


def ids_of(tx: Tx, numbers: Sequence[str], field: str = "tickets") -> list[int]:
    """Return the ids of tickets in the order of their numbers.

    Raises:
        InvalidInput: for an unknown one, or too many.
    """
    if len(numbers) > MOST_TICKETS:
        raise InvalidInput(f"一次最多 {MOST_TICKETS} 张工单", field=field)
    found = tickets.ids_of(tx, numbers)
    unknown = [number for number in numbers if number not in found]
    if unknown:
        raise InvalidInput(f"没有工单 {', '.join(unknown)[:80]}", field=field)
    return list(dict.fromkeys(found[number] for number in numbers))


def lock(tx: Tx, incident_id: int, others: Sequence[int] = ()) -> tuple[Ticket | None, dict[int, Ticket]]:
    """Lock the ticket that leads and some others; return it and all that are locked by id."""

    def wanted() -> set[int]:
        lead = incidents.lead_id(tx, incident_id)
        return {*others, lead} if lead is not None else set(others)

    locked = tickets.lock_all(tx, wanted)
    is_lead = (one for one in locked.values() if one.incident_id == incident_id and not one.is_carried)
    return next(is_lead, None), locked


def note(tx: Tx, wish: Wish, incident_id: int, kind: str, words: str) -> None:
    """Write a line of the incident's timeline, and the audit."""
    text = f"{wish.actor.label} {words}"
    incidents.note(tx, incident_id, kind, text, wish.actor.user_id, wish.now)
    tx.audit(wish.now, wish.actor, f"incident-{kind}", number_of(incident_id), text=text)


def say(tx: Tx, wish: Wish, ticket: Ticket, words: str) -> None:
    """Write a line of a ticket's timeline."""
    tickets.note(tx, ticket, "incident", f"{wish.actor.label} {words}", wish.actor, wish.now, at=wish.now)


def named(numbers: Sequence[str]) -> str:
    """Return some ticket numbers in words, the first few by name."""
    rest = f" 等 {len(numbers)} 张" if len(numbers) > _NAMED else ""
    return ", ".join(numbers[:_NAMED]) + rest


# ---------------------------------------------------------------- beginning


def open_(wish: Wish, lead: str, others: Sequence[str], title: str) -> dict[str, Any]:
    """Open an incident: one ticket leads it, others go along.

    Args:
        wish: Who wants it.
        lead: Number of the ticket that stays the crew's one job.
        others: Numbers of tickets that join.
        title: What happened, in words; empty for category and address of the one that leads.

    Raises:
        InIncident: if one belongs to another incident.
        InvalidInput: with the field at fault.
    """
    check_text(title, "title")

    def work(tx: Tx) -> int:
        ids = ids_of(tx, [lead], "lead") + [one for one in ids_of(tx, others) if one not in ids_of(tx, [lead])]
        locked = tickets.lock_all(tx, lambda: ids)
        first = locked[ids[0]]
        _check_free(first, "lead")
        values = _fresh(wish, title or incident_forms.title_of(tx, wish.desk, first), first.category, "人工开立")
        incident_id = incidents.add(tx, values | {"status": IncidentStatus.OPEN})
        _begin(tx, wish, incident_id, first, [locked[one] for one in ids[1:]], "开立事件")
        return incident_id

    return once(wish, work)


def _fresh(wish: Wish, title: str, category: str, reason: str) -> dict[str, Any]:
    return {
        "version": 1,
        "title": title,
        "category": category,
        "reason": reason,
        "suggested": [],
        "created_by": wish.actor.user_id,
        "created_at": wish.now,
        "decided_by": wish.actor.user_id,
        "decided_at": wish.now,
    }


def _check_free(ticket: Ticket, field: str) -> None:
    if ticket.incident_id is not None:
        raise InIncident(f"工单 {ticket.number} 已属于事件 {number_of(ticket.incident_id)}", field=field)
    if ticket.status not in ACTIVE:
        raise InvalidInput(f"工单 {ticket.number} 已{STATUS_LABELS[ticket.status]}, 不能加入事件", field=field)


def _begin(tx: Tx, wish: Wish, incident_id: int, first: Ticket, others: Sequence[Ticket], words: str) -> None:
    number = number_of(incident_id)
    bound = tickets.bind(tx, first, incident_id, is_carried=False)
    say(tx, wish, bound, f"{words} {number}, 本工单牵头")
    note(tx, wish, incident_id, "open", f"{words}, 牵头工单 {first.number}")
    join_locked(tx, wish, incident_id, bound, others)


def confirm(wish: Wish, number: str, lead: str | None, others: Sequence[str]) -> dict[str, Any]:
    """Confirm a proposal: these tickets are one incident. Without `lead` the one received first leads.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it is no proposal any more.
        InIncident: if a ticket belongs to another incident by now.
        InvalidInput: with the field at fault.
    """

    def work(tx: Tx) -> int:
        ids = ids_of(tx, [*([lead] if lead else []), *others])
        if not ids:
            raise InvalidInput("请至少选一张工单", field="tickets")
        locked = tickets.lock_all(tx, lambda: ids)
        row = find_alive(tx, number, IncidentStatus.PROPOSED)  # behind the locks: another may have been faster
        first = locked[ids[0] if lead else min(ids)]
        _check_free(first, "lead")
        said = {"status": IncidentStatus.OPEN, "category": first.category}
        incidents.change(tx, row, {**said, "decided_by": wish.actor.user_id, "decided_at": wish.now})
        _begin(tx, wish, row["id"], first, [locked[one] for one in ids if one != first.id], "确认事件")
        return int(row["id"])

    return once(wish, work)


def dismiss(wish: Wish, number: str, why: str) -> dict[str, Any]:
    """Say that a proposal is no incident, or take back one in which there is no ticket but its lead.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it has ended, or carries tickets.
        InvalidInput: without a reason.
    """
    check_text(why, "note")
    if not why.strip():
        raise InvalidInput("请写明理由", field="note")

    def work(tx: Tx) -> int:
        lead, _ = lock(tx, find(tx, number)["id"])
        row = find_alive(tx, number)
        if lead is not None:
            if len(incidents.ticket_ids(tx, row["id"])) > 1:
                raise IncidentChanged(f"事件 {number} 还有其他工单, 请先移出", current_status=row["status"])
            say(tx, wish, lead, f"撤销事件 {number}")
            tickets.bind(tx, lead, None, is_carried=False)
        said = {"status": IncidentStatus.DISMISSED, "decided_by": wish.actor.user_id, "decided_at": wish.now}
        incidents.change(tx, row, said)
        note(tx, wish, row["id"], "dismiss", f"认定不成立: {why}")
        return int(row["id"])

    return once(wish, work)


# ---------------------------------------------------------------- joining


def join(wish: Wish, number: str, numbers: Sequence[str]) -> dict[str, Any]:
    """Let tickets join an open incident; one that is in it already stays as it is.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it is not open, or the work of its lead is done.
        InIncident: if a ticket belongs to another incident.
        InvalidInput: with the field at fault.
    """

    def work(tx: Tx) -> int:
        incident_id = find(tx, number)["id"]
        ids = ids_of(tx, numbers)
        lead, locked = lock(tx, incident_id, ids)
        row = find_alive(tx, number, IncidentStatus.OPEN)
        join_locked(tx, wish, incident_id, _working(lead, number), [locked[one] for one in ids])
        left = [one for one in row["suggested"] if one not in ids]
        incidents.change(tx, row, {"suggested": left})
        return int(incident_id)

    return once(wish, work)


def _working(lead: Ticket | None, number: str) -> Ticket:
    if lead is None or lead.status not in ACTIVE:
        label = STATUS_LABELS[lead.status] if lead else "移出"
        raise IncidentChanged(
            f"事件 {number} 的牵头工单已{label}, 不能再加入; 请另行处理", current_status=IncidentStatus.OPEN
        )
    return lead


def join_locked(tx: Tx, wish: Wish, incident_id: int, lead: Ticket, joining: Sequence[Ticket]) -> None:
    """Let tickets follow the one that leads; all of them are locked."""
    number, fresh = number_of(incident_id), [one for one in joining if one.incident_id != incident_id]
    for one in fresh:
        _check_free(one, "tickets")
    scene = Scene(tx, wish.desk, wish.actor, lead, Action(verb=Verb.REASSIGN))
    for one in fresh:
        bound = tickets.bind(tx, one, incident_id, is_carried=True)
        say(tx, wish, bound, f"加入事件 {number}, 牵头工单 {lead.number}")
        follow(scene, lead, bound, None, wish.now)
    if fresh:
        words = named([one.number for one in fresh])
        note(tx, wish, incident_id, "join", f"加入 {words}")
        say(tx, wish, lead, f"将 {words} 加入事件 {number}")


# ---------------------------------------------------------------- the end


def close(wish: Wish, number: str, words: str, *, is_done: bool) -> dict[str, Any]:
    """Close an open incident. The work of its lead is done, or is said to be done by this (`is_done`).

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it is not open, or there is work left.
        IllegalTransition: if the lead stands where nothing can be done.
    """
    check_text(words, "note")

    def work(tx: Tx) -> int:
        found = find(tx, number)
        lead = _lock_to_close(tx, wish, found, words, is_done=is_done)
        row = find_alive(tx, number, IncidentStatus.OPEN)
        if lead is not None and lead.status in ACTIVE:
            state = f"牵头工单 {lead.number} 现在是“{STATUS_LABELS[lead.status]}”, 完工后方可关闭"
            raise IncidentChanged(state, current_status=row["status"])
        incidents.change(tx, row, {"status": IncidentStatus.CLOSED, "closed_at": wish.now})
        told = incidents.summaries(tx, [row["id"]])[row["id"]]
        count = f"{told.tickets} 张工单, {told.callers} 位来电人"
        note(tx, wish, row["id"], "close", "; ".join(filter(None, (f"关闭事件: {count}", words))))
        return int(row["id"])

    return once(wish, work)


def _lock_to_close(tx: Tx, wish: Wish, row: Row, words: str, *, is_done: bool) -> Ticket | None:
    lead_id = incidents.lead_id(tx, row["id"])
    if lead_id is None:
        return None
    lead, *carried = tickets.lock_job(tx, lead_id)
    if not is_done or lead.status not in RULES[Verb.DONE].sources or row["status"] != IncidentStatus.OPEN:
        return lead
    action = Action(verb=Verb.DONE, note=words or "随事件关闭")
    return carry_out(Scene(tx, wish.desk, wish.actor, lead, action, tuple(carried)), wish.now, unchanged)
