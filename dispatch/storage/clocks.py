"""Clock rows: the values of domain/sla.py, and the sweep's two questions about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update

from dispatch.domain.sla import Clock, ClockKind
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import ClockRow, TicketRow

CLOCKS = table_of(ClockRow)
TICKETS = table_of(TicketRow)
_FIELDS = tuple(f.name for f in fields(Clock))
# What follows from a clock and is kept beside it, so that an index can be asked for it.
_STORED = (*_FIELDS, "rescue_at")
_COLUMNS = tuple(CLOCKS.c[name] for name in _FIELDS)
_KEY = ("ticket_id", "kind", "round")

_OF_TICKET = select(*_COLUMNS).where(CLOCKS.c.ticket_id == bindparam("ticket_id")).order_by(CLOCKS.c.id)
_NEXT = select(func.min(CLOCKS.c.next_fire_at)).where(CLOCKS.c.next_fire_at.is_not(None))
_DUE = (
    select(
        CLOCKS.c.id.label("clock_id"),
        CLOCKS.c.ticket_id,
        *_COLUMNS,
        TICKETS.c.number,
        TICKETS.c.status,
        TICKETS.c.level,
        TICKETS.c.policy_version,
        TICKETS.c.team_id,
        TICKETS.c.branch,
        TICKETS.c.is_supervised,
        TICKETS.c.notify,
        TICKETS.c.incident_id,
    )
    .join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id)
    .where(CLOCKS.c.next_fire_at <= bindparam("now"))
    .order_by(CLOCKS.c.next_fire_at, CLOCKS.c.id)
    .limit(bindparam("batch"))
    # Both rows: whoever acts on a ticket locks its row first, so a ticket in work is left for the next look.
    .with_for_update(skip_locked=True, of=[CLOCKS, TICKETS])
)
_FIRE = (
    update(CLOCKS)
    .where(CLOCKS.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in ("next_step", "next_fire_at", "breached_at", "noticed_at")})
    .values(stuck_since=None)
)


@dataclass(frozen=True, slots=True)
class Due:
    """A clock whose time has come, with what the ladder needs of its ticket."""

    clock_id: int
    ticket_id: int
    number: str
    status: str
    level: str
    policy_version: str
    team_id: str | None
    branch: str | None
    is_supervised: bool
    notify: list[str] | None
    incident_id: int | None
    clock: Clock


def _clock(values: Sequence[Any]) -> Clock:
    """Make a clock of its columns, in the order of its fields; boards read hundreds."""
    kind, *rest = values
    return Clock(ClockKind(kind), *rest)


def of_ticket(tx: Tx, ticket_id: int) -> list[Clock]:
    """Return the clocks of all rounds in order of their start."""
    return [_clock(row) for row in tx.conn.execute(_OF_TICKET, {"ticket_id": ticket_id})]


def of_tickets(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, list[Clock]]:
    """Return the clocks of several tickets by ticket id."""
    found: dict[int, list[Clock]] = {ticket_id: [] for ticket_id in ticket_ids}
    query = select(CLOCKS.c.ticket_id, *_COLUMNS).where(CLOCKS.c.ticket_id.in_(ticket_ids)).order_by(CLOCKS.c.id)
    for row in tx.conn.execute(query):
        found[row[0]].append(_clock(row[1:]))
    return found


def save(tx: Tx, ticket_id: int, values: Sequence[Clock]) -> None:
    """Insert new clocks and replace known ones, by ticket, kind and round."""
    if not values:
        return
    rows = [{"ticket_id": ticket_id, **{name: getattr(clock, name) for name in _STORED}} for clock in values]
    tx.conn.execute(_put(tx.dialect), rows)
    for clock in values:
        tx.wake_at(clock.next_fire_at)


@cache
def _put(dialect: str) -> Any:
    put = upsert(dialect, CLOCKS).inline()
    changed = {name: put.excluded[name] for name in _STORED if name not in _KEY}
    return put.on_conflict_do_update(index_elements=_KEY, set_={**changed, "stuck_since": None})


def next_due(tx: Tx) -> datetime | None:
    """Return when the next step or resumption is due, over all tickets; one look at the partial index."""
    return tx.conn.execute(_NEXT).scalar()


def stuck_since(tx: Tx) -> datetime | None:
    """Return when the oldest step was due that cannot be fired, or None."""
    return tx.conn.execute(select(func.min(CLOCKS.c.stuck_since)).where(CLOCKS.c.stuck_since.is_not(None))).scalar()


def lock_due(tx: Tx, now: datetime, batch: int) -> list[Due]:
    """Return up to `batch` due clocks, oldest first, locked; rows that others hold are passed over."""
    return [
        Due(
            **{f.name: getattr(row, f.name) for f in fields(Due) if f.name != "clock"},
            clock=_clock(row[2 : 2 + len(_FIELDS)]),
        )
        for row in tx.conn.execute(_DUE, {"now": now, "batch": batch})
    ]


def save_fired(tx: Tx, fired: Iterable[tuple[int, Clock]]) -> None:
    """Store how far up the ladder each clock (by row id) has come."""
    rows = [
        {
            "row_id": row_id,
            "new_next_step": clock.next_step,
            "new_next_fire_at": clock.next_fire_at,
            "new_breached_at": clock.breached_at,
            "new_noticed_at": clock.noticed_at,
        }
        for row_id, clock in fired
    ]
    if rows:
        tx.conn.execute(_FIRE, rows)


def put_off(tx: Tx, due: Due, until: datetime) -> None:
    """Look at a clock that cannot be handled again at `until`, and keep since when it is stuck.

    One that has moved meanwhile is left as it is.
    """
    seen = (CLOCKS.c.next_step == due.clock.next_step, CLOCKS.c.next_fire_at == due.clock.next_fire_at)
    stuck = {"next_fire_at": until, "stuck_since": func.coalesce(CLOCKS.c.stuck_since, CLOCKS.c.next_fire_at)}
    tx.conn.execute(update(CLOCKS).where(CLOCKS.c.id == due.clock_id, *seen).values(**stuck))
