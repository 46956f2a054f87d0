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
from dispatch.domain.place import Point
from dispatch.domain.roles import Actor, Permission, check_owns, check_permitted, check_sees
from dispatch.domain.states import RULES, Verb
from dispatch.domain.ticket import Command, Ticket, decide
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import replies, tickets
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
        reason: Coded reason (return, hold, cancel).
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
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb's own preparation may look at."""

    tx: Tx
    desk: Desk
    actor: Actor
    ticket: Ticket
    action: Action


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
        if action.into is not None:
            tickets.lock_in_order(tx, (number, action.into))
        ticket = see(tx, actor, number)
        check_owns(actor, Permission(action.verb), ticket.team_id)
        if not _is_repeat(tx, ticket, action, actor, now):
            _check_version(tx, desk, ticket, action, now)
            carry_out(Scene(tx, desk, actor, ticket, action), now, prepare)
        reply = present.load(tx, desk, number, now)
        replies.keep(tx, keys, reply)
    return reply


def carry_out(scene: Scene, now: datetime, prepare: Prepare) -> None:
    """Decide and write one verb in the transaction of the caller, who has locked the ticket and asked who may."""
    tx, desk, actor, ticket = scene.tx, scene.desk, scene.actor, scene.ticket
    command = prepare(scene, command_of(scene.action, now))
    transition = decide(ticket, command, actor, desk.policy(tx, ticket.policy_version))
    version = tickets.apply(tx, ticket, transition, actor, now, desk.channels)
    replies.keep_press(tx, ticket.number, _press(actor, scene.action, version), now)


def see(tx: Tx, actor: Actor, number: str) -> Ticket:
    """Return the ticket, locked, if `actor` may see it; else raise NotFound."""
    ticket = tickets.lock(tx, number)
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
    )


def unchanged(_scene: Scene, command: Command) -> Command:
    """Prepare nothing: the verb needs no more than it came with."""
    return command


def with_detail(command: Command, detail: str) -> Command:
    """Return the command with `detail` in front of its note."""
    return replace(command, note="; ".join(part for part in (detail, command.note) if part))
