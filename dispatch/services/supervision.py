"""What the desk does: dispatch, reassign, hold, extend, urge, supervise, assist, merge, cancel, call back, close."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees
from dispatch.domain.states import Verb
from dispatch.domain.ticket import Command
from dispatch.domain.times import shanghai_text
from dispatch.services import present
from dispatch.services.actions import Action, Prepare, Scene, perform, see, unchanged, with_detail
from dispatch.services.desk import Desk
from dispatch.services.routing import assign, place_call
from dispatch.storage import calls, directory, escalations, places, tickets

VERBS = (
    Verb.DISPATCH, Verb.REASSIGN, Verb.HOLD, Verb.EXTEND, Verb.URGE, Verb.SUPERVISE, Verb.ASSIST, Verb.MERGE,
    Verb.CANCEL, Verb.CALLBACK, Verb.CLOSE, Verb.REWORK,
)  # fmt: skip


def act(desk: Desk, actor: Actor, number: str, action: Action, now: datetime) -> dict[str, Any]:
    """Do a verb of the desk; see actions.perform for what it raises."""
    return perform(desk, actor, number, action, now, _PREPARE.get(action.verb, unchanged))


def _dispatch(scene: Scene, command: Command) -> Command:
    """To the team that is named, or else to the one that answers for the pin; the pin is kept either way."""
    action = scene.action
    if action.point is None:
        return _named_team(scene, command)
    rules = scene.desk.rules(scene.tx, command.at)
    address = places.placed(scene.tx, scene.ticket.id).address
    placing = place_call(scene.desk, scene.tx, rules, action.point, address, PlacedBy.PIN)
    if placing.point is None:
        raise InvalidInput(placing.reason, field="location")
    to = _named_team(scene, command).assignment if action.team_id else placing.assignment
    if to is None:
        raise InvalidInput(f"该位置没有可派的班组, 请同时指定 team_id: {placing.reason}", field="location")
    changes = {**placing.columns(rules), **to.changes}
    area = placing.area if placing.zone else None
    if placing.note and action.team_id:
        command = with_detail(command, placing.note)
    return replace(command, assignment=replace(to, changes=changes, area=area))


def _named_team(scene: Scene, command: Command) -> Command:
    team = directory.team(scene.tx, scene.action.team_id) if scene.action.team_id else None
    if team is None:
        raise InvalidInput("请指定存在的班组 (team_id), 或给出位置 (location)", field="team_id")
    return replace(command, assignment=assign(team, "人工指派"))


def _merge(scene: Scene, command: Command) -> Command:
    """Bring the target in, and tell its timeline."""
    into = scene.action.into or ""
    target = tickets.lock(scene.tx, into)
    if target is None:
        raise InvalidInput(f"没有工单“{into[:40]}”", field="into")
    text = f"{scene.actor.label} 将 {scene.ticket.number} 并入"
    tickets.note(scene.tx, target, "merge", text, scene.actor, command.at, at=command.at)
    return replace(command, target=target)


_PREPARE: dict[Verb, Prepare] = {
    Verb.DISPATCH: _dispatch,
    Verb.REASSIGN: _dispatch,
    Verb.ASSIST: _named_team,
    Verb.MERGE: _merge,
}


def acknowledge(desk: Desk, actor: Actor, escalation_id: int, now: datetime) -> dict[str, Any]:
    """Answer a step of the ladder: "I have seen it and I act". The first answer stays.

    Raises:
        NotPermitted: if the role answers none.
        NotFound: if there is no such step for this actor.
    """
    check_permitted(actor, Permission.ACKNOWLEDGE)
    with desk.store.write() as tx:
        found = escalations.find(tx, escalation_id)
        if found is None:
            raise NotFound(f"没有升级记录 {escalation_id}")
        # The ticket first, as everywhere; and whose it is now counts, not whose it was before the wait for it.
        ticket = tickets.lock_id(tx, found["ticket_id"])
        check_sees(actor, ticket.number, ticket.team_id, ticket.assisting)
        if escalations.acknowledge(tx, escalation_id, actor.label, now):
            text = f"{actor.label} 确认升级“{found['label']}” ({shanghai_text(now)})"
            tickets.note(tx, ticket, "acknowledge", text, actor, now, at=now)
        found = escalations.find(tx, escalation_id) or found
    return present.escalation(found)


def reveal(desk: Desk, actor: Actor, number: str, reason: str, now: datetime) -> list[dict[str, Any]]:
    """Show the callers' phone numbers of a ticket; who saw them and why is in the audit.

    Raises:
        NotPermitted: if the role may not.
        NotFound: if there is no such ticket for this actor.
        InvalidInput: without a reason.
    """
    check_permitted(actor, Permission.REVEAL)
    if not reason.strip():
        raise InvalidInput("请写明查看原因", field="reason")
    check_text(reason, "reason")
    with desk.store.write() as tx:
        ticket = see(tx, actor, number)
        tx.audit(now, actor, "reveal", number, reason=reason)
        return [
            {"call_id": call["id"], "caller_name": call["caller_name"], "caller_phone": call["caller_phone"]}
            for call in calls.of_ticket(tx, ticket.id)
        ]
