"""What the figures are made of: the clocks of the tickets that were received in a period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dispatch.domain.sla import Clock, ClockKind
from dispatch.storage.board import Filter, conditions
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import ClockRow, TicketRow

TICKETS, CLOCKS = table_of(TicketRow), table_of(ClockRow)
_FIELDS = tuple(f.name for f in fields(Clock))
_PLACE = ("received_at", "zone_id", "team_id", "branch")


def clocks(
    tx: Tx, wanted: Filter, kinds: tuple[ClockKind, ...], start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[dict[str, Any], Clock]]:
    """Yield time and place of each ticket received from `start` to before `end` with each of its clocks of `kinds`."""
    query = (
        select(*(TICKETS.c[name] for name in _PLACE), *(CLOCKS.c[name] for name in _FIELDS))
        .join(CLOCKS, CLOCKS.c.ticket_id == TICKETS.c.id)
        .where(TICKETS.c.received_at >= start, TICKETS.c.received_at < end, CLOCKS.c.kind.in_(kinds))
        .where(*conditions(tx, wanted, now))
    )
    split = len(_PLACE)
    for row in tx.conn.execute(query):
        kind, *rest = row[split:]
        yield dict(zip(_PLACE, row[:split], strict=True)), Clock(ClockKind(kind), *rest)
