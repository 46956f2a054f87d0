"""A round of call-backs: it begins in the transaction that brings 完工, and ends where the work goes on.

Made here, below actions.carry_out, so that every way to 完工 makes it: a crew's press, a phone's queue, an incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.callback import NO_NUMBER, Answer, Callers, State, after_try, together
from dispatch.domain.roles import Actor
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.domain.ticket import Command, Ticket, Transition
from dispatch.services import live
from dispatch.services.desk import Desk
from dispatch.services.links import new_token, sha256_of
from dispatch.storage import callbacks, outbox
from dispatch.storage.db import Tx

TOPIC = "callback"


def count_callers(tx: Tx, ticket: Ticket, command: Command) -> Command:
    """Let the decision know how many can be rung once the work is done, or still wait where it is to be closed."""
    if command.verb is Verb.DONE:
        return replace(command, callers=Callers(can_ring=sum(phone is not None for phone, _ in _distinct(tx, ticket))))
    if command.verb is Verb.CLOSE:
        rows = callbacks.of_round(tx, ticket.id, ticket.round)
        return replace(command, callers=Callers(waiting=sum(row["state"] == State.WAITING for row in rows)))
    return command


def follow(tx: Tx, desk: Desk, ticket: Ticket, transition: Transition, now: datetime) -> None:
    """Make the call-backs that a transition brings, or take back those that it makes void."""
    if transition.verb is Verb.DONE:
        _begin(tx, desk, ticket, transition, now)
        return
    is_left = transition.source is Status.DONE and transition.target is not Status.DONE
    if is_left and callbacks.void(tx, ticket.id):
        live.tell(tx, TOPIC, ticket.number, now)


def _distinct(tx: Tx, ticket: Ticket) -> list[tuple[str | None, int]]:
    """Return phone and last call of each caller; a call without a number is a caller of its own."""
    found: dict[object, tuple[str | None, int]] = {}
    for call in callbacks.callers(tx, ticket.id, ticket.number):
        phone = call["caller_phone"]
        found.setdefault(call["id"] if phone is None else phone, (phone, call["id"]))
    return list(found.values())


def _begin(tx: Tx, desk: Desk, ticket: Ticket, transition: Transition, now: datetime) -> None:
    clock = next((clock for clock in transition.clocks if clock.kind is ClockKind.CALLBACK), None)
    due_at = clock.due_at if clock else now
    callers = _distinct(tx, ticket)
    tokens: dict[int, str] = {}
    if desk.settings.public_url and outbox.to_callers(desk.channels):
        tokens = {call_id: new_token() for phone, call_id in callers if phone}
    callbacks.add(tx, [_row(ticket, phone, call_id, due_at, tokens.get(call_id), now) for phone, call_id in callers])
    if tokens:
        _send_links(tx, desk, ticket, tokens, now)
    live.tell(tx, TOPIC, ticket.number, now)


def _row(
    ticket: Ticket, phone: str | None, call_id: int, due_at: datetime, token: str | None, now: datetime
) -> dict[str, Any]:
    """Return a fresh row; whoever left no number is settled at once, and says why."""
    is_known = phone is not None
    return {
        "ticket_id": ticket.id,
        "round": ticket.round,
        "call_id": call_id,
        "phone": phone,
        "state": State.WAITING if is_known else State.UNREACHED,
        "made_at": now,
        "due_at": due_at,
        "tries": 0,
        "note": "",
        "reason": None if is_known else NO_NUMBER,
        "settled_at": None if is_known else now,
        "token_sha256": sha256_of(token) if token else None,
    }


def _send_links(tx: Tx, desk: Desk, ticket: Ticket, tokens: Mapping[int, str], now: datetime) -> None:
    """Send each caller a link of one's own, to the number; the text names the ticket, and no person."""
    rows = []
    for row in callbacks.of_round(tx, ticket.id, ticket.round):
        token = tokens.get(row["call_id"])
        if token:
            link = f"{desk.settings.address}/answer/{token}"
            text = f"您反映的供水问题已处理完毕 ({ticket.number})。是否解决, 请点此答复: {link}"
            key = f"{ticket.id}:callback:{row['id']}"
            rows += outbox.rows_to_caller(row["phone"], text, key, now, desk.channels, ticket.id)
    outbox.put(tx, rows)


def heard(rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> Callers:
    """Return what the other callers of the round said, and how many of them wait."""
    others = [other for other in rows if other["id"] != row["id"]]
    words = [None if other["rework"] else other["is_solved"] for other in others]
    return Callers(
        waiting=sum(other["state"] == State.WAITING for other in others),
        is_heard=any(other["state"] in (State.REACHED, State.ANSWERED_BY_LINK) for other in others),
        solved=together(words),
        satisfied=together(other["is_satisfied"] for other in others),
    )


def keep_answer(
    tx: Tx, row: Mapping[str, Any], answer: Answer, state: State, actor: Actor, now: datetime, rework: str | None = None
) -> None:
    """Settle a row by what its caller says."""
    callbacks.save(
        tx,
        [row["id"]],
        state=state,
        is_solved=answer.is_solved,
        is_satisfied=answer.is_satisfied,
        reason=answer.reason,
        note=answer.note,
        rework=rework,
        settled_at=now,
        settled_by=actor.label,
        tries=row["tries"] + 1,
        next_try_at=None,
        claimed_by=None,
        claimed_until=None,
    )
    _add_try(tx, row, state, answer.words, actor, now)


def keep_try(
    tx: Tx, row: Mapping[str, Any], next_try_at: datetime, most: int, note: str, actor: Actor, now: datetime
) -> State:
    """Write down a try that nobody answered, one of at most so many, and return where the row stands after it.

    What was heard before stays.
    """
    if row["state"] == State.REACHED:
        _add_try(tx, row, State.UNREACHED, note, actor, now)
        return State.REACHED
    state = after_try(row["tries"] + 1, most)
    is_over = state is not State.WAITING
    callbacks.save(
        tx,
        [row["id"]],
        state=state,
        tries=row["tries"] + 1,
        next_try_at=None if is_over else next_try_at,
        settled_at=now if is_over else None,
        settled_by=actor.label if is_over else None,
        note=note,
        claimed_by=None,
        claimed_until=None,
    )
    _add_try(tx, row, State.UNREACHED, note, actor, now)
    return state


def _add_try(tx: Tx, row: Mapping[str, Any], state: State, note: str, actor: Actor, now: datetime) -> None:
    told = {"at": now, "user_id": actor.user_id, "by": actor.label, "state": state, "note": note}
    callbacks.add_try(tx, {"callback_id": row["id"], **told})
