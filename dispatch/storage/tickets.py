"""Tickets: read one with its clocks, create one, apply a transition. Nothing else writes a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Update, bindparam, insert, select, update

from dispatch.domain.errors import StaleVersion
from dispatch.domain.policy import Area
from dispatch.domain.roles import Actor
from dispatch.domain.states import ENDED, STATUS_LABELS, Status
from dispatch.domain.ticket import Ticket, Transition
from dispatch.storage import clocks, escalations, live, outbox
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import DayNumberRow, EventRow, TicketRow

TICKETS = table_of(TicketRow)
EVENTS = table_of(EventRow)
NUMBERS = table_of(DayNumberRow)

# The columns that a decision needs; the rest is for people.
DECIDED = (
    "id", "number", "status", "version", "round", "level", "category", "area", "policy_version", "moved_at",
    "team_id", "branch", "pipe_dn", "appointment_at", "ruled_team_id", "assisting", "is_supervised", "urge_count",
    "callback_attempts", "is_solved", "merged_into",
)  # fmt: skip
_SELECT = select(*(TICKETS.c[name] for name in DECIDED))
_LOCK_BY_NUMBER = _SELECT.where(TICKETS.c.number == bindparam("number")).with_for_update()
_LOCK_BY_ID = _SELECT.where(TICKETS.c.id == bindparam("id")).with_for_update()
_INSERT = insert(TICKETS).returning(TICKETS.c.id)
_INSERT_EVENT = insert(EVENTS).inline()


def reserve_numbers(tx: Tx, day: date, block: int) -> int:
    """Take `block` ticket numbers of a Shanghai day and return the last of them."""
    return int(tx.conn.execute(_count_up(tx.dialect), {"day": day, "last": block}).scalar_one())


@cache
def _count_up(dialect: str) -> Any:
    count = upsert(dialect, NUMBERS)
    counted = count.on_conflict_do_update(
        index_elements=["day"], set_={"last": NUMBERS.c.last + count.excluded["last"]}
    )
    return counted.returning(NUMBERS.c.last)


def lock(tx: Tx, number: str) -> Ticket | None:
    """Return the ticket with all its clocks, locked until the end of the transaction; None where there is none."""
    row = tx.conn.execute(_LOCK_BY_NUMBER, {"number": number}).first()
    return None if row is None else _ticket(row, clocks.of_ticket(tx, row.id))


def lock_in_order(tx: Tx, numbers: Sequence[str]) -> None:
    """Lock several tickets, always in the same order, so that two who want the same pair cannot block each other."""
    query = select(TICKETS.c.id).where(TICKETS.c.number.in_(numbers)).order_by(TICKETS.c.id).with_for_update()
    tx.conn.execute(query).all()


def lock_id(tx: Tx, ticket_id: int) -> Ticket:
    """Return the ticket of a known id, locked."""
    row = tx.conn.execute(_LOCK_BY_ID, {"id": ticket_id}).one()
    return _ticket(row, clocks.of_ticket(tx, ticket_id))


def _ticket(row: Row[Any], clock_values: Iterable[Any]) -> Ticket:
    values = dict(row._mapping)
    values["status"] = Status(row.status)
    values["area"] = Area(row.area)
    values["assisting"] = tuple(row.assisting)
    return Ticket(**values, clocks=tuple(clock_values))


def create(tx: Tx, fresh: Ticket, told: Mapping[str, Any], dispatch: Transition | None) -> dict[str, Any]:
    """Insert the row of a received ticket, its first dispatch already applied; return it with its id."""
    row = {name: getattr(fresh, name) for name in DECIDED if name != "id"}
    row |= {**told, "assisting": []}
    if dispatch:
        row |= {**dispatch.changes, "status": dispatch.target, "version": fresh.version + 1}
    return {**row, "id": int(tx.conn.execute(_INSERT, row).scalar_one())}


def begin(
    tx: Tx,
    ticket: Ticket,
    received: Mapping[str, Any],
    taker: Actor,
    dispatch: Transition | None,
    dispatcher: Actor,
    now: datetime,
    channels: tuple[str, ...],
) -> None:
    """Write what belongs to a new ticket: its clocks, timeline, notices and audit."""
    tx.audit(now, taker, received["kind"], ticket.number, text=received["text"])
    if dispatch is None:
        clocks.save(tx, ticket.id, ticket.clocks)
        add_events(tx, [received])
        return
    as_dispatched = {(clock.kind, clock.round): clock for clock in (*ticket.clocks, *dispatch.clocks)}
    whole = replace(dispatch, clocks=tuple(as_dispatched.values()))
    _write_down(tx, ticket, whole, dispatcher, now, channels, before=(received,))


def apply(
    tx: Tx, ticket: Ticket, transition: Transition, actor: Actor, now: datetime, channels: tuple[str, ...]
) -> int:
    """Write a whole transition: guarded ticket row, clocks, timeline, outbox, audit.

    Returns:
        The new version of the ticket.

    Raises:
        StaleVersion: if the row is no longer in the state and version that was decided upon.
    """
    version = ticket.version + 1
    changes = {**transition.changes, "status": transition.target, "version": version}
    seen = {"seen_id": ticket.id, "seen_status": ticket.status, "seen_version": ticket.version}
    written = {f"new_{name}": value for name, value in changes.items()}
    if tx.conn.execute(_guarded(tuple(changes)), {**seen, **written}).rowcount != 1:
        raise StaleVersion("工单刚被他人更新, 请刷新后重试")
    if ticket.team_id and changes.get("team_id", ticket.team_id) != ticket.team_id:
        live.add_signals(tx, [live.gone(ticket.team_id, ticket.number, now)])
    _write_down(tx, ticket, transition, actor, now, channels)
    return version


def _write_down(
    tx: Tx,
    ticket: Ticket,
    transition: Transition,
    actor: Actor,
    now: datetime,
    channels: tuple[str, ...],
    before: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write all of a transition but the ticket's own row; `before` are events that come first."""
    clocks.save(tx, ticket.id, transition.clocks)
    if transition.target in ENDED:  # whoever ends it has acted: nothing is left to be answered
        escalations.answer_all(tx, ticket.id, f"{actor.label} {STATUS_LABELS[transition.target]}", now)
    add_events(tx, [*before, _event(ticket.id, transition, actor, now)])
    # The team after the transition is told, not the one before.
    moved = {name: transition.changes[name] for name in ("team_id", "branch") if name in transition.changes}
    place = replace(ticket, **moved)
    key = f"{ticket.id}:{ticket.version + 1}:{transition.verb}"
    rows = [
        row
        for n, notice in enumerate(transition.notices)
        for row in outbox.rows_of(ticket.id, place, notice, f"{key}:{n}", now, channels)
    ]
    outbox.put(tx, rows)
    tx.audit(now, actor, transition.verb, ticket.number, text=transition.text)


@cache
def _guarded(columns: tuple[str, ...]) -> Update:
    """Return the UPDATE that writes only over the state and version that were decided upon."""
    return (
        update(TICKETS)
        .where(TICKETS.c.id == bindparam("seen_id"))
        .where(TICKETS.c.status == bindparam("seen_status"), TICKETS.c.version == bindparam("seen_version"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )


def _event(ticket_id: int, transition: Transition, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "ticket_id": ticket_id,
        "at": now,
        "effective_at": transition.at,
        "time_source": transition.time_source,
        "kind": transition.verb,
        "from_status": transition.source,
        "to_status": transition.target,
        "actor_id": actor.user_id,
        "text": transition.text,
    }


def note(tx: Tx, ticket: Ticket, kind: str, text: str, actor: Actor, now: datetime, at: datetime) -> None:
    """Write a timeline row and an audit entry that move nothing: a call joined, another ticket merged in."""
    add_events(tx, [note_row(ticket, kind, text, actor, now, at)])
    tx.audit(now, actor, kind, ticket.number, text=text)


def note_row(ticket: Ticket, kind: str, text: str, actor: Actor, now: datetime, at: datetime) -> dict[str, Any]:
    """Return the timeline row of something that moves nothing; `at` is when it happened."""
    return {
        "ticket_id": ticket.id,
        "at": now,
        "effective_at": at,
        "time_source": "server",
        "kind": kind,
        "from_status": ticket.status,
        "to_status": ticket.status,
        "actor_id": actor.user_id,
        "text": text,
    }


def add_events(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append timeline rows."""
    if rows:
        tx.has_news = True
        tx.conn.execute(_INSERT_EVENT, list(rows))
