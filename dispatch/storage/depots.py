"""Depots, and how many tickets of a period lie where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from dispatch.storage.arrival_tables import DepotRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import TicketRow

DEPOTS, TICKETS = table_of(DepotRow), table_of(TicketRow)
# Cells of tickets: a quarter of a hundredth of a degree, some 250 m.
_CELLS_PER_DEGREE = 400


def depots(tx: Tx) -> list[dict[str, Any]]:
    """Return all depots in order of id."""
    return [dict(row) for row in tx.conn.execute(select(DEPOTS).order_by(DEPOTS.c.id)).mappings()]


def replace(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put these depots in the place of all others."""
    tx.conn.execute(delete(DEPOTS))
    if rows:
        tx.conn.execute(insert(DEPOTS), list(rows))


def newest_ticket(tx: Tx) -> int:
    """Return the id of the newest ticket; 0 before the first."""
    return int(tx.conn.execute(select(func.max(TICKETS.c.id))).scalar() or 0)


def cells(tx: Tx, since: datetime) -> list[tuple[float, float, int]]:
    """Return lon, lat and count of the tickets received since then, by cells of some 250 m; without a place none."""
    cell = [func.round(TICKETS.c[name] * _CELLS_PER_DEGREE) for name in ("lon", "lat")]
    placed = (TICKETS.c.received_at >= since, TICKETS.c.lon.is_not(None))
    query = select(func.avg(TICKETS.c.lon), func.avg(TICKETS.c.lat), func.count()).where(*placed).group_by(*cell)
    return [(row[0], row[1], row[2]) for row in tx.conn.execute(query)]
