"""Who has called before, from one number; and what is open near a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from dispatch.domain.place import Wgs84Point
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import CallRow, TicketRow

CALLS, TICKETS = table_of(CallRow), table_of(TicketRow)
_OPEN = TICKETS.c.ended_at.is_(None)
_REST = TICKETS.alias("rest")


def last_calls(tx: Tx, phone: str, limit: int) -> list[dict[str, Any]]:
    """Return the calls of a number with `number` and `status` of their tickets, newest first."""
    joined = select(CALLS, TICKETS.c.number, TICKETS.c.status).outerjoin(TICKETS, TICKETS.c.id == CALLS.c.ticket_id)
    query = joined.where(CALLS.c.caller_phone == phone).order_by(CALLS.c.id.desc()).limit(limit)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def count_since(tx: Tx, phone: str, since: datetime) -> int:
    """Return how often a number has called since a time."""
    query = select(func.count()).where(CALLS.c.caller_phone == phone, CALLS.c.called_at >= since)
    return int(tx.conn.execute(query).scalar_one())


def open_tickets(tx: Tx, phone: str, limit: int) -> list[dict[str, Any]]:
    """Return the rows of the open tickets that a number has called about, their follow-ups too, newest first."""
    ids = select(CALLS.c.ticket_id).where(CALLS.c.caller_phone == phone, CALLS.c.ticket_id.is_not(None))
    theirs = ids.union_all(select(_REST.c.id).where(_REST.c.origin_id.in_(ids)))
    query = select(TICKETS).where(TICKETS.c.id.in_(theirs), _OPEN).order_by(TICKETS.c.id.desc()).limit(limit)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def open_in_box(tx: Tx, south_west: Wgs84Point, north_east: Wgs84Point) -> list[tuple[int, Wgs84Point]]:
    """Return id and place of every open ticket in a box of degrees, by the index over places."""
    rows = tx.conn.execute(_in_box(south_west, north_east))
    return [(row.id, Wgs84Point(row.lon, row.lat)) for row in rows]


def _in_box(south_west: Wgs84Point, north_east: Wgs84Point) -> Select[Any]:
    return select(TICKETS.c.id, TICKETS.c.lon, TICKETS.c.lat).where(
        _OPEN,
        TICKETS.c.lat.between(south_west.lat, north_east.lat),
        TICKETS.c.lon.between(south_west.lon, north_east.lon),
    )


def tickets(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the rows of tickets by id."""
    query = select(TICKETS).where(TICKETS.c.id.in_(ids))
    return {row["id"]: dict(row) for row in tx.conn.execute(query).mappings()}
