"""One verb on one ticket: may they, what does it do, write it.

What a verb needs of its own is made ready by the two services that people know: fieldwork and supervision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import NotFound, StaleVersion
from dispatch.domain.following import after, steps
from dispatch.domain.incident import JOB, LEAVING, number_of
from dispatch.domain.place import Point
from dispatch.domain.roles import Actor, Permission, check_owns, check_permitted, check_sees
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import RULES, Verb
from dispatch.domain.temporary import Temporary
from dispatch.domain.ticket import Command, Ticket, Transition, decide, illegal
from dispatch.services import callback_rounds, present
from dispatch.services.desk import Desk
from dispatch.services.routing import assign
from dispatch.storage import directory, incidents, replies, tickets
from dispatch.storage.db import Tx

# Doing one of these again is one more, and nothing about the ticket says no: only time tells a double click, or the
# retry of a lost answer, from a caller who rings again. To hear a caller out, or let it ring, takes most of a minute.
COUNTED = frozenset({Verb.URGE, Verb.CALLBACK})
ONE_PRESS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody wants done, as it came in.

    Attributes:
        verb: What.
        version: The version of the ticket that they saw, or None to act on whatever it is now.
        key: Idempotency key; the phone's UUID of this action.
        device_at: The phone's own time of it, aware.
        reason: Coded reason (return, hold, extend, cancel).
        note: Free text.
        team_id: Team to dispatch, reassign or ask for assistance.
        point: Where: the pin of a dispatch, or the phone at arrival.
        accuracy_m: Accuracy of that pin in metres.
        is_ruled: A dispatch that may not be returned.
        until: End of a hold, or the new due time of an extension.
        asked_at: When a crew asked for it, aware; None where nobody had to.
        into: Number of the ticket to merge into.
        is_reached: Whether the call-back was answered.
        is_solved: What the caller said.
        is_satisfied: And whether content.
        level: The level that a ticket is to have.
        temporary: What was done for now, where 完工 leaves something to do; None where all is mended.
    """

    verb: Verb
    version: int | None = None
    key: str | None = None
    device_at: datetime | None = None
    reason: str | None = None
    note: str = ""
    team_id: str | None = None
    point: Point | None = None
    accuracy_m: float | None = None
    is_ruled: bool = False
    until: datetime | None = None
    asked_at: datetime | None = None
    into: str | None = None
    is_reached: bool = True
    is_solved: bool | None = None
    is_satisfied: bool | None = None
    temporary: Temporary | None = None
    level: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb's own preparation may look at. `carried` are the tickets that follow this one, locked as well."""

    tx: Tx
    desk: Desk
    actor: Actor
    ticket: Ticket
    action: Action
    carried: tuple[Ticket, ...] = ()


Prepare = Callable[[Scene, Command], Command]


def perform(desk: Desk, actor: Actor, number: str, action: Action, now: datetime, prepare: Prepare) -> dict[str, Any]:
    """Do `action` to ticket `number` in one transaction and return the ticket's public form.

    A repeated key gets the first answer again; a second press of a button gets the ticket as it is.

    Raises:
        NotPermitted: if the role may not do it, or only the ticket's own team may.
        NotFound: if there is no such ticket for this actor.
        StaleVersion: if somebody was faster, with the ticket's current state in `extra`.
        IllegalTransition: if the verb does not fit the state.
        InvalidInput: if something is missing or wrong.
        IdempotencyMismatch: if the key came before with another action.
    """
    check_permitted(actor, Permission(action.verb))
    check_text(action.note, "note")
    keys = [(f"act:{actor.user_id}:{action.key}", "Idempotency-Key")] if action.key else []
    told = {"number": number, "verb": action.verb, "body": action.body}
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(told), now)
        if first is not None:
            return first
        ticket, *carried = see_job(tx, actor, number, action)
        check_owns(actor, Permission(action.verb), ticket.team_id)
        if not _is_repeat(tx, ticket, action, actor, now):
            _check_version(tx, desk, ticket, action, now)
            carry_out(Scene(tx, desk, actor, ticket, action, tuple(carried)), now, prepare)
        reply = present.load(tx, desk, number, now)
        replies.keep(tx, keys, reply)
    return reply


def carry_out(scene: Scene, now: datetime, prepare: Prepare) -> Ticket:
    """Decide and write one verb in the transaction of the caller, who has locked the ticket and asked who may.

    Whoever the ticket carries follows it. Return the ticket as it is then.
    """
    tx, desk, actor, ticket = scene.tx, scene.desk, scene.actor, scene.ticket
    if scene.carried and scene.action.verb in LEAVING:
        raise illegal(ticket, f"工单牵头事件 {number_of(ticket.incident_id)}, 请先换一张牵头工单")
    command = prepare(scene, callback_rounds.count_callers(tx, ticket, command_of(scene.action, now)))
    transition = decide(ticket, command, actor, desk.policy(tx, ticket.policy_version))
    version = tickets.apply(tx, ticket, transition, actor, now, desk.channels)
    callback_rounds.follow(tx, desk, ticket, transition, now)
    replies.keep_press(tx, ticket.number, _press(actor, scene.action, version), now)
    lead = after(ticket, transition, version)
    if transition.verb is Verb.ISOLATE and not ticket.is_carried and ticket.incident_id is not None:
        incidents.isolated(tx, ticket.incident_id, transition.at)
    for member in scene.carried if scene.action.verb in JOB else ():
        follow(scene, lead, member, transition, now)
    return lead


def follow(scene: Scene, lead: Ticket, member: Ticket, done: Transition | None, now: datetime) -> None:
    """Bring a carried ticket to where the one that leads stands, at the same time as far as it can have been.

    Args:
        scene: What was done, by whom.
        lead: The ticket that leads, as it is now.
        member: The one that follows, locked.
        done: What the lead has just done; None where the member joins it.
        now: The server's time.
    """
    for verb in steps(member, lead):
        if verb is not Verb.HOLD or _rests_until(lead, now):
            member = _step(scene, lead, member, verb, done, now)
    if done is not None and done.verb is Verb.ISOLATE and _can_isolate(member):
        _step(scene, lead, member, Verb.ISOLATE, done, now)


def _can_isolate(member: Ticket) -> bool:
    return member.status in RULES[Verb.ISOLATE].sources and member.running(ClockKind.ISOLATE) is not None


def _rests_until(lead: Ticket, now: datetime) -> datetime | None:
    """Return when the hold of the one that leads ends, where that lies ahead."""
    clock = lead.running(ClockKind.FIX)
    return clock.resume_at if clock and clock.resume_at and clock.resume_at > now else None


def _step(scene: Scene, lead: Ticket, member: Ticket, verb: Verb, done: Transition | None, now: datetime) -> Ticket:
    until = _rests_until(lead, now) if verb is Verb.HOLD else None
    action = Action(verb=verb, until=until, note=f"随事件 {number_of(lead.incident_id)}, 牵头工单 {lead.number}")
    is_offline = done is not None and done.time_source == "device"

    def prepare(_scene: Scene, command: Command) -> Command:
        device_at = max(done.at, member.moved_at) if done is not None and is_offline else None
        team = directory.team(scene.tx, lead.team_id or "") if verb in (Verb.DISPATCH, Verb.REASSIGN) else None
        to = assign(scene.desk.rules(scene.tx, now), team, "随牵头工单") if team else None
        told = scene.action.temporary  # its rest is the lead's alone
        return replace(command, device_at=device_at, assignment=to, with_lead=True, temporary=told)

    return carry_out(Scene(scene.tx, scene.desk, scene.actor, member, action), now, prepare)


def see(tx: Tx, actor: Actor, number: str) -> Ticket:
    """Return the ticket, locked, if `actor` may see it; else raise NotFound."""
    return _seen(actor, number, tickets.lock(tx, number))


def see_job(tx: Tx, actor: Actor, number: str, action: Action) -> list[Ticket]:
    """Return the ticket, and after it those that follow it in what is to be done, all locked; see `see`."""
    job = _lock_job(tx, number, action.into) if action.verb in JOB | LEAVING else [tickets.lock(tx, number)]
    return [_seen(actor, number, job[0]), *(ticket for ticket in job[1:] if ticket is not None)]


def _lock_job(tx: Tx, number: str, into: str | None) -> list[Ticket | None]:
    ids = tickets.ids_of(tx, [number, into or ""])
    return [*tickets.lock_job(tx, ids[number], set(ids.values()))] if number in ids else [None]


def _seen(actor: Actor, number: str, ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise NotFound(f"没有工单 {number}")
    check_sees(actor, number, ticket.team_id, ticket.assisting)
    return ticket


def _is_repeat(tx: Tx, ticket: Ticket, action: Action, actor: Actor, now: datetime) -> bool:
    """A button pressed twice: this person did just this, and the ticket has not changed since.

    What is counted must also come within a minute, and without a key: two keys are two wishes.
    """
    if RULES[action.verb].target not in (None, ticket.status):
        return False  # it does not stand where the verb leads: no need to ask
    last = replies.last_press(tx, ticket.number)
    if last is None or last.sha256 != _press(actor, action, ticket.version):
        return False
    return action.verb not in COUNTED or (action.key is None and now - last.at < ONE_PRESS)


def _press(actor: Actor, action: Action, version: int) -> str:
    """Return the mark of who wanted what and which version came of it.

    The version that was seen, the phone's time and its place are not what is wanted: they differ from press to press.
    """
    wish = replace(
        action,
        version=version,
        key=None,
        device_at=None,
        until=action.until and action.until.astimezone(UTC),
        point=None if action.verb is Verb.ARRIVE else action.point,
        accuracy_m=None,
        body={},
    )
    return replies.fingerprint({"actor": actor.user_id, "wish": repr(wish)})


def _check_version(tx: Tx, desk: Desk, ticket: Ticket, action: Action, now: datetime) -> None:
    if action.version is not None and action.version != ticket.version:
        raise StaleVersion(
            f"工单已更新到第 {ticket.version} 版, 您看到的是第 {action.version} 版",
            field="version",
            ticket=present.load(tx, desk, ticket.number, now),
        )


def command_of(action: Action, now: datetime) -> Command:
    """Return what `action` asks of the rules, at the server's time `now`."""
    return Command(
        verb=action.verb,
        at=now,
        device_at=action.device_at.astimezone(UTC) if action.device_at else None,
        reason=action.reason,
        note=action.note,
        is_ruled=action.is_ruled,
        until=action.until.astimezone(UTC) if action.until else None,
        asked_at=action.asked_at,
        is_reached=action.is_reached,
        is_solved=action.is_solved,
        is_satisfied=action.is_satisfied,
        level=action.level,
    )


def unchanged(_scene: Scene, command: Command) -> Command:
    """Prepare nothing: the verb needs no more than it came with."""
    return command


def with_detail(command: Command, detail: str) -> Command:
    """Return the command with `detail` in front of its note."""
    return replace(command, note="; ".join(part for part in (detail, command.note) if part))
