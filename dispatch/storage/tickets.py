"""Tickets: read one with its clocks, create one, apply a transition. Nothing else writes a status."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    "callback_attempts", "is_solved", "merged_into", "incident_id", "is_carried",
    "notify",
)  # fmt: skip
# What a new ticket is told; it belongs to no incident yet.
_FRESH = tuple(name for name in DECIDED if name not in ("id", "incident_id", "is_carried"))
_SELECT = select(*(TICKETS.c[name] for name in DECIDED))
_LOCK_BY_NUMBER = _SELECT.where(TICKETS.c.number == bindparam("number")).with_for_update()
_LOCK_BY_ID = _SELECT.where(TICKETS.c.id == bindparam("id")).with_for_update()
_LOCK_ALL = _SELECT.where(TICKETS.c.id.in_(bindparam("ids", expanding=True))).order_by(TICKETS.c.id).with_for_update()
_LEAD = TICKETS.alias("lead")
_CARRIED_BY = (
    select(TICKETS.c.id)
    .join(_LEAD, _LEAD.c.incident_id == TICKETS.c.incident_id)
    .where(_LEAD.c.id.in_(bindparam("ids", expanding=True)), ~_LEAD.c.is_carried)
    .where(TICKETS.c.is_carried, TICKETS.c.ended_at.is_(None))
)
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


def lock_all(tx: Tx, wanted: Callable[[], Collection[int]]) -> dict[int, Ticket]:
    """Lock several tickets and return them by id. The only way to lock more than one.

    All who want more than one take them here, before any other ticket, in the order of their ids: so two who want the
    same tickets wait for each other and never in a circle. Which ones are wanted may change while one waits (a ticket
    joins an incident): it is asked again behind the locks, and where one is missing all are let go and taken anew.

    Args:
        tx: The transaction, in which no ticket is locked yet.
        wanted: Returns the ids that are wanted now. It must be stable once they are locked.
    """
    while True:
        ids = sorted(set(wanted()))
        # On SQLite whoever writes is alone. On PostgreSQL what was locked after a savepoint is let go with it.
        mark = None if tx.dialect == "sqlite" else tx.conn.begin_nested()
        rows = tx.conn.execute(_LOCK_ALL, {"ids": ids}).all()
        if set(wanted()) <= set(ids):
            if mark is not None:
                mark.commit()
            values = clocks.of_tickets(tx, ids)
            return {row.id: _ticket(row, values[row.id]) for row in rows}
        if mark is not None:
            mark.rollback()


def lock_job(tx: Tx, ticket_id: int, others: Collection[int] = ()) -> list[Ticket]:
    """Lock a ticket, all that it carries and some `others`; return the ticket and after it those that it carries.

    A ticket that leads an incident carries the others of it; all others carry nobody.
    """
    locked = lock_all(tx, lambda: {*with_carried(tx, [ticket_id]), *others})
    first = locked.pop(ticket_id)
    return [first, *carried_by(first, locked.values())]


def carried_by(first: Ticket, locked: Iterable[Ticket]) -> tuple[Ticket, ...]:
    """Return those of some locked tickets that are open and follow one of them."""
    if first.incident_id is None or first.is_carried:
        return ()
    same = (one for one in locked if one.is_carried and one.incident_id == first.incident_id)
    return tuple(one for one in same if one.status not in ENDED)


def with_carried(tx: Tx, ticket_ids: Collection[int]) -> set[int]:
    """Return the ids of some tickets and of the open tickets that they carry."""
    return {*ticket_ids, *tx.conn.execute(_CARRIED_BY, {"ids": sorted(ticket_ids)}).scalars()}


def ids_of(tx: Tx, numbers: Sequence[str]) -> dict[str, int]:
    """Return the ids of tickets by number; unknown ones are left out."""
    query = select(TICKETS.c.number, TICKETS.c.id).where(TICKETS.c.number.in_(numbers))
    return {row.number: row.id for row in tx.conn.execute(query)}


def bind(tx: Tx, ticket: Ticket, incident_id: int | None, *, is_carried: bool) -> Ticket:
    """Let a locked ticket belong to an incident, or to none; return it as it is then."""
    version = ticket.version + 1
    values = {"incident_id": incident_id, "is_carried": is_carried, "version": version}
    if tx.conn.execute(update(TICKETS).where(TICKETS.c.id == ticket.id).values(values)).rowcount != 1:
        raise StaleVersion("工单刚被他人更新, 请刷新后重试")
    return replace(ticket, incident_id=incident_id, is_carried=is_carried, version=version)


def take_care(tx: Tx, ticket: Ticket, labels: Sequence[str], notify: Sequence[str]) -> Ticket | None:
    """Add customer flags and whom they tell to a locked ticket, and return it; None where it has them all already."""
    known = flags_of(tx, ticket.id)
    if set(labels) <= set(known):
        return None
    told, version = tuple(dict.fromkeys((*ticket.notify, *notify))), ticket.version + 1
    values = {"flags": list(dict.fromkeys((*known, *labels))), "notify": list(told), "version": version}
    tx.conn.execute(update(TICKETS).where(TICKETS.c.id == ticket.id).values(values))
    return replace(ticket, notify=told, version=version)


def flags_of(tx: Tx, ticket_id: int) -> list[str]:
    """Return what the customer flags of a ticket are called."""
    return list(tx.conn.execute(select(TICKETS.c.flags).where(TICKETS.c.id == ticket_id)).scalar() or ())


def lock_id(tx: Tx, ticket_id: int) -> Ticket:
    """Return the ticket of a known id, locked."""
    row = tx.conn.execute(_LOCK_BY_ID, {"id": ticket_id}).one()
    return _ticket(row, clocks.of_ticket(tx, ticket_id))


def _ticket(row: Row[Any], clock_values: Iterable[Any]) -> Ticket:
    values = dict(row._mapping)
    values["status"] = Status(row.status)
    values["area"] = Area(row.area)
    values["assisting"] = tuple(row.assisting)
    values["notify"] = tuple(row.notify or ())
    return Ticket(**values, clocks=tuple(clock_values))


def create(tx: Tx, fresh: Ticket, told: Mapping[str, Any], dispatch: Transition | None) -> dict[str, Any]:
    """Insert the row of a received ticket, its first dispatch already applied; return it with its id."""
    row = {name: getattr(fresh, name) for name in _FRESH}
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
