"""What the desk does: dispatch, reassign, hold, extend, urge, supervise, merge, cancel, call back, close, relevel."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.call import check_text
from dispatch.domain.callback import Answer, State, check_free, check_pause, check_waiting
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees
from dispatch.domain.states import ACTIVE, Status, Verb
from dispatch.domain.ticket import Command, Ticket, illegal
from dispatch.domain.times import shanghai_text
from dispatch.services import callback_rounds, calling_back, care, live, present
from dispatch.services.actions import Action, Prepare, Scene, perform, see, unchanged, with_detail
from dispatch.services.desk import Desk
from dispatch.services.routing import assign, place_call
from dispatch.storage import callbacks, calls, directory, escalations, places, tickets

VERBS = (
    Verb.DISPATCH, Verb.REASSIGN, Verb.HOLD, Verb.EXTEND, Verb.URGE, Verb.SUPERVISE, Verb.ASSIST, Verb.MERGE,
    Verb.CANCEL, Verb.CALLBACK, Verb.CLOSE, Verb.REWORK, Verb.RELEVEL,
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
    return replace(command, assignment=assign(scene.desk.rules(scene.tx, command.at), team, "人工指派"))


def _merge(scene: Scene, command: Command) -> Command:
    """Bring the target in, and tell its timeline."""
    into = scene.action.into or ""
    target = tickets.lock(scene.tx, into)
    if target is None:
        raise InvalidInput(f"没有工单“{into[:40]}”", field="into")
    text = f"{scene.actor.label} 将 {scene.ticket.number} 并入"
    tickets.note(scene.tx, target, "merge", text, scene.actor, command.at, at=command.at)
    return replace(command, target=_cared_for(scene, target, command.at))


def _cared_for(scene: Scene, target: Ticket, at: datetime) -> Ticket:
    """Whom one must take care of goes along into the other ticket, where that can still change."""
    labels = tickets.flags_of(scene.tx, scene.ticket.id)
    if not labels or target.id == scene.ticket.id or target.status not in ACTIVE:
        return target
    flags = care.named(scene.desk.policy(scene.tx, target.policy_version), labels)
    return care.join(scene.tx, scene.desk, target, flags, f"{target.id}:merge:{scene.ticket.id}", at, at)


def _relevel(scene: Scene, command: Command) -> Command:
    """In a surge the clocks of the new level are as wide as those of new tickets."""
    return replace(command, widenings=tuple(scene.desk.widenings(scene.tx)))


def _callback(scene: Scene, command: Command) -> Command:
    """Of a ticket with one caller: the conversation is kept as that caller's; with several it must say whose it was."""
    ticket = scene.ticket
    if ticket.merged_into:
        raise illegal(ticket, f"工单已并入 {ticket.merged_into}, 请在那张工单上回访")
    rows = callbacks.of_round(scene.tx, ticket.id, ticket.round)
    if ticket.status is not Status.DONE or not rows:
        return command
    if len(rows) > 1:
        ids = [row["id"] for row in rows if row["state"] == State.WAITING]
        detail = f"工单有 {len(rows)} 位来电人, 请在回访队列中逐位记录 (/api/v1/callbacks)"
        raise InvalidInput(detail, field="callback_id", callbacks=ids)
    return _one_caller(scene, command, rows[0])


def _one_caller(scene: Scene, command: Command, row: dict[str, Any]) -> Command:
    """Keep what came of it; a caller's word by telephone may come late, or be put right, until the ticket is closed."""
    state = State(row["state"])
    if state is not State.REACHED and not (state is State.UNREACHED and command.is_reached):
        check_waiting(state, row["settled_by"], row["settled_at"])
    check_free(row["claimed_by"], row["claimed_until"], scene.actor.user_id, command.at)
    live.tell(scene.tx, callback_rounds.TOPIC, scene.ticket.number, command.at)
    if not command.is_reached:
        check_pause(row["next_try_at"], command.at)
        return calling_back.try_out(scene, row["id"], command)
    if command.is_solved is not None:
        answer = Answer(is_solved=command.is_solved, is_satisfied=command.is_satisfied, note=scene.action.note)
        callback_rounds.keep_answer(scene.tx, row, answer, State.REACHED, scene.actor, command.at)
    return command


_PREPARE: dict[Verb, Prepare] = {
    Verb.DISPATCH: _dispatch,
    Verb.REASSIGN: _dispatch,
    Verb.ASSIST: _named_team,
    Verb.MERGE: _merge,
    Verb.CALLBACK: _callback,
    Verb.RELEVEL: _relevel,
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
