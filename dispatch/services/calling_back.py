"""Calling back: take a caller, note that nobody answered, settle what was said; one conversation, several tickets.

The ticket's row lock comes first, so an agent and the caller's own link never both settle the same call-back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.callback import (
    CLAIM,
    Answer,
    State,
    check_answer,
    check_free,
    check_pause,
    check_waiting,
)
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.states import Verb
from dispatch.domain.ticket import Command, Ticket
from dispatch.domain.times import shanghai_day
from dispatch.services import callback_rounds, live, rework
from dispatch.services.actions import Action, Scene, carry_out, unchanged
from dispatch.services.callback_queue import people
from dispatch.services.callback_rounds import TOPIC
from dispatch.services.desk import Desk
from dispatch.services.numbering import number_text
from dispatch.storage import callbacks, replies, tickets
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller says about one of the call-backs."""

    callback_id: int
    answer: Answer


def claim(desk: Desk, actor: Actor, callback_id: int, now: datetime) -> dict[str, Any]:
    """Take a caller with all that waits for that number, and return them with the number; who saw it is in the audit.

    Raises:
        NotPermitted: if the role calls nobody back.
        NotFound: if there is no such call-back.
        CallbackSettled: if it waits no more.
        CallbackTaken: if another agent is ringing the same person.
        CallbackTooSoon: if the caller did not answer a moment ago.
    """
    check_permitted(actor, Permission.CALLBACK)
    with desk.store.write() as tx:
        row = _find(tx, [callback_id])[callback_id]
        waiting = callbacks.lock_person(tx, row)
        row = _find(tx, [callback_id])[callback_id]
        _check_open(row)
        for one in waiting:
            check_free(one["claimed_by"], one["claimed_until"], actor.user_id, now)
            check_pause(one["next_try_at"], now)
        ids = [one["id"] for one in waiting]
        callbacks.save(tx, ids, claimed_by=actor.user_id, claimed_until=now + CLAIM)
        for one in waiting:
            tx.audit(now, actor, "callback_claim", one["number"], callback_id=one["id"])
            live.tell(tx, TOPIC, one["number"], now)
        return people(tx, desk, actor, list(callbacks.find(tx, ids).values()), now, is_shown=True)[0]


def release(desk: Desk, actor: Actor, callback_id: int, now: datetime) -> None:
    """Give a caller back unrung; what another has claimed stays theirs.

    Raises:
        NotPermitted: if the role calls nobody back.
        NotFound: if there is no such call-back.
    """
    check_permitted(actor, Permission.CALLBACK)
    with desk.store.write() as tx:
        waiting = callbacks.lock_person(tx, _find(tx, [callback_id])[callback_id])
        mine = [one for one in waiting if one["claimed_by"] == actor.user_id]
        callbacks.save(tx, [one["id"] for one in mine], claimed_by=None, claimed_until=None)
        for one in mine:
            tx.audit(now, actor, "callback_release", one["number"], callback_id=one["id"])
            live.tell(tx, TOPIC, one["number"], now)


def unreached(
    desk: Desk, actor: Actor, callback_id: int, note: str, body: Mapping[str, Any], now: datetime, key: str | None
) -> dict[str, Any]:
    """Note that a caller did not answer, for all that waits for that number: `{items}`, each with its state.

    Raises:
        NotPermitted: if the role calls nobody back.
        NotFound: if there is no such call-back.
        CallbackSettled: if it waits no more.
        CallbackTaken: if another agent is ringing the same person.
        CallbackTooSoon: if the last try was a moment ago.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.CALLBACK)
    check_text(note, "note")
    keys = _keys(actor, key)
    with desk.store.write() as tx:
        told = {"unreached": callback_id, **body}
        first = replies.claim(tx, keys, replies.fingerprint(told), now)
        if first is not None:
            return first
        row = _find(tx, [callback_id])[callback_id]
        _check_open(row)
        phones = [row["phone"]] if row["phone"] else []
        rows = _lock(tx, [one["id"] for one in callbacks.waiting_of(tx, phones)] or [callback_id])
        _check_open(rows.get(callback_id, row))
        open_ = [one for one in rows.values() if one["state"] == State.WAITING]
        for one in open_:
            check_free(one["claimed_by"], one["claimed_until"], actor.user_id, now)
            check_pause(one["next_try_at"], now)
        for one in open_:
            ring_out(tx, desk, actor, tickets.lock_id(tx, one["ticket_id"]), one["id"], note, now)
        reply = {"items": [_state(one) for one in _find(tx, [one["id"] for one in open_]).values()]}
        replies.keep(tx, keys, reply)
    return reply


def ring_out(tx: Tx, desk: Desk, actor: Actor, ticket: Ticket, callback_id: int, note: str, now: datetime) -> None:
    """Write one try that nobody answered; the ticket is locked, and what forbids it was asked."""
    action = Action(verb=Verb.CALLBACK, is_reached=False, note=note)

    def prepare(scene: Scene, command: Command) -> Command:
        return try_out(scene, callback_id, command)

    carry_out(Scene(tx, desk, actor, ticket, action), now, prepare)
    live.tell(tx, TOPIC, ticket.number, now)


def try_out(scene: Scene, callback_id: int, command: Command) -> Command:
    """Keep the try on its row, and let the decision know who waits after it."""
    rows = callbacks.of_round(scene.tx, scene.ticket.id, scene.ticket.round)
    row = next(one for one in rows if one["id"] == callback_id)
    settings, note, at = scene.desk.settings, scene.action.note, command.at
    again_at = at + timedelta(minutes=settings.callback_pause_min)
    state = callback_rounds.keep_try(scene.tx, row, again_at, settings.callback_tries, note, scene.actor, at)
    others = callback_rounds.heard(rows, row)
    return replace(command, callers=replace(others, waiting=others.waiting + (state is State.WAITING)))


def settle(
    desk: Desk, actor: Actor, told: Sequence[Told], body: Mapping[str, Any], now: datetime, key: str | None
) -> dict[str, Any]:
    """Settle what was said in one conversation: `{items}`, each with its state and the ticket of a rework.

    Raises:
        NotPermitted: if the role calls nobody back.
        NotFound: if one is not there.
        InvalidInput: if an answer contradicts itself, or the call-backs are of several persons.
        CallbackSettled: if one was settled before, by whom and when.
        CallbackTaken: if another agent is ringing the same person.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.CALLBACK)
    for one in told:
        check_answer(one.answer)
    return write_down(desk, actor, told, State.REACHED, body, now, _keys(actor, key))


def write_down(
    desk: Desk,
    actor: Actor,
    told: Sequence[Told],
    state: State,
    body: Mapping[str, Any],
    now: datetime,
    keys: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Settle call-backs of one person in one transaction; see settle. Who may was asked before."""
    day = shanghai_day(now)
    counts = [desk.numbers.take(day) for one in told if one.answer.is_rework]
    numbers = [number_text(day, count) for count in counts]
    spent: set[str] = set()
    try:
        with desk.store.write() as tx:
            first = replies.claim(tx, keys, replies.fingerprint(body), now)
            if first is not None:
                return first
            rows = _lock(tx, [one.callback_id for one in told])
            if len({row["phone"] or row["id"] for row in rows.values()}) > 1:
                raise InvalidInput("一次只能记录同一位来电人的回访", field="items")
            used = [_settle(tx, desk, actor, one, state, numbers, now) for one in told]
            reply = {"items": [_state(row) for row in _find(tx, list(rows)).values()]}
            replies.keep(tx, keys, reply)
        spent = {number for number in used if number}
    finally:
        for count in counts:
            if number_text(day, count) not in spent:
                desk.numbers.give_back(day, count)
    return reply


def _settle(
    tx: Tx, desk: Desk, actor: Actor, told: Told, state: State, numbers: list[str], now: datetime
) -> str | None:
    """Settle one; return the number of the ticket that was opened for it."""
    row = _find(tx, [told.callback_id])[told.callback_id]
    _check_open(row)
    if state is State.REACHED:
        check_free(row["claimed_by"], row["claimed_until"], actor.user_id, now)
    ticket = tickets.lock_id(tx, row["ticket_id"])
    rows = callbacks.of_round(tx, ticket.id, ticket.round)
    answer, own = told.answer, None
    # The lead of an incident stands for others as well; whoever it carries goes on as a job of its own.
    is_single = len(rows) == 1 and (ticket.incident_id is None or ticket.is_carried)
    if answer.is_rework and not is_single:
        own = rework.open_own(tx, desk, actor, ticket, row, answer.words, numbers.pop(), now)
    again = own or (ticket.number if answer.is_rework else None)
    callback_rounds.keep_answer(tx, row, answer, state, actor, now, again)
    follow_up = f"另开工单 {own}" if own else "已转返工" if answer.is_rework else ""
    action = Action(verb=Verb.CALLBACK, is_solved=answer.is_solved, is_satisfied=answer.is_satisfied, note=answer.words)

    def prepare(_scene: Scene, command: Command) -> Command:
        callers = replace(callback_rounds.heard(rows, row), follow_up=follow_up, has_own_ticket=own is not None)
        return replace(command, callers=callers)

    carry_out(Scene(tx, desk, actor, ticket, action), now, prepare)
    if answer.is_rework and own is None:
        note = f"回访: {answer.words or '用户不满意'}"
        carry_out(
            Scene(tx, desk, actor, tickets.lock_id(tx, ticket.id), Action(verb=Verb.REWORK, note=note)), now, unchanged
        )
    live.tell(tx, TOPIC, ticket.number, now)
    return own


def _keys(actor: Actor, key: str | None) -> list[tuple[str, str]]:
    return [(f"callback:{actor.user_id}:{key}", "Idempotency-Key")] if key else []


def _find(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    found = callbacks.find(tx, ids)
    for one in ids:
        if one not in found:
            raise NotFound(f"没有回访 {one}")
    return found


def _lock(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Lock the tickets of call-backs, in order, and return the rows as they are behind the locks."""
    wanted = {row["ticket_id"] for row in _find(tx, ids).values()}
    tickets.lock_all(tx, lambda: wanted)
    return _find(tx, ids)


def _check_open(row: Mapping[str, Any]) -> None:
    check_waiting(State(row["state"]), row["settled_by"], row["settled_at"])


def _state(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "number", "state", "tries", "rework")}
