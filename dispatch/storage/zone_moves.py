"""Tickets as a grid map has placed them, and the orders to move those that are open to a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update

from dispatch.domain.states import RULES, Verb
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.directory import ZONES
from dispatch.storage.tickets import TICKETS
from dispatch.storage.zoning_tables import ZoneMoveRow

MOVES = table_of(ZoneMoveRow)
_MOVABLE = tuple(sorted(RULES[Verb.REASSIGN].sources))
# Whom the map of its day has sent a ticket to, and nobody has sent it elsewhere since.
_BY_MAP = and_(
    ZONES.c.set_id == TICKETS.c.zone_set_id,
    ZONES.c.zone_id == TICKETS.c.zone_id,
    ZONES.c.team_id == TICKETS.c.team_id,
)
_NOT_RULED = or_(TICKETS.c.ruled_team_id.is_(None), TICKETS.c.ruled_team_id != TICKETS.c.team_id)
# Whoever is carried goes with the ticket that leads its incident.
_IS_OPEN = and_(
    TICKETS.c.ended_at.is_(None),
    ~TICKETS.c.is_carried,
    TICKETS.c.status.in_(_MOVABLE),
    TICKETS.c.lon.is_not(None),
    _NOT_RULED,
)


def _placed(*columns: str) -> Select[Any]:
    return select(*(TICKETS.c[name] for name in columns)).join(ZONES, _BY_MAP)


def open_by_map(tx: Tx, after: int, limit: int) -> Sequence[Row[Any]]:
    """Return open tickets that the map has given to their team and that can be reassigned, by id after `after`."""
    columns = ("id", "number", "lon", "lat", "team_id", "address")
    query = _placed(*columns).where(_IS_OPEN, TICKETS.c.id > after).order_by(TICKETS.c.id).limit(limit)
    return tx.conn.execute(query).all()


def since_by_map(tx: Tx, since: datetime) -> Sequence[Row[Any]]:
    """Return place and team of all tickets since a time that the map has given to their team."""
    query = _placed("lon", "lat", "team_id").where(TICKETS.c.received_at >= since, TICKETS.c.lon.is_not(None))
    return tx.conn.execute(query).all()


def add(tx: Tx, set_id: int, due_at: datetime, ordered_by: str) -> None:
    """Order that open tickets go over to a version once it is valid."""
    values = {"set_id": set_id, "due_at": due_at, "ordered_by": ordered_by, "after": 0, "moved": 0, "refused": 0}
    tx.conn.execute(insert(MOVES), {**values, "done_at": None})


def is_due(tx: Tx, now: datetime) -> bool:
    """Tell whether there is something to move."""
    query = select(MOVES.c.set_id).where(MOVES.c.done_at.is_(None), MOVES.c.due_at <= now).limit(1)
    return tx.conn.execute(query).first() is not None


def lock_due(tx: Tx, now: datetime) -> dict[str, Any] | None:
    """Return the first order that is due and that nobody else works on, locked."""
    query = select(MOVES).where(MOVES.c.done_at.is_(None), MOVES.c.due_at <= now).order_by(MOVES.c.due_at)
    row = tx.conn.execute(query.limit(1).with_for_update(skip_locked=True)).mappings().first()
    return dict(row) if row else None


def mark(tx: Tx, set_id: int, values: Mapping[str, Any]) -> None:
    """Write how far an order is."""
    tx.conn.execute(update(MOVES).where(MOVES.c.set_id == set_id).values(**values))


def of_sets(tx: Tx) -> dict[int, dict[str, Any]]:
    """Return all orders by the version that they move to."""
    return {row["set_id"]: dict(row) for row in tx.conn.execute(select(MOVES)).mappings()}


def sizes(tx: Tx) -> dict[int, int]:
    """Return how many grids each version has."""
    rows = tx.conn.execute(select(ZONES.c.set_id, func.count()).group_by(ZONES.c.set_id)).all()
    return {set_id: count for set_id, count in rows}
