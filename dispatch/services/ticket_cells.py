"""Where the tickets of a year lie, counted anew now and then: at a million a year that takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.storage import depots
from dispatch.storage.db import Tx

A_YEAR = timedelta(days=365)
# A count so old, or that lacks such a share of the tickets, is made again.
_KEPT_FOR = timedelta(minutes=10)
_LACKING = 0.01
Cells = Sequence[tuple[float, float, int]]


@dataclass(frozen=True, slots=True)
class _Count:
    at: datetime
    newest: int
    total: int
    cells: Cells


class TicketCells:
    """One per process; shared by its threads, which may count at once where there is nothing yet."""

    def __init__(self) -> None:
        self._kept: _Count | None = None

    def current(self, tx: Tx, now: datetime) -> Cells:
        """Return lon, lat and count of each cell of some 250 m with tickets of the year before `now`."""
        kept, newest = self._kept, depots.newest_ticket(tx)
        if kept is None or abs(now - kept.at) > _KEPT_FOR or newest - kept.newest > kept.total * _LACKING:
            cells = depots.cells(tx, now - A_YEAR)
            kept = self._kept = _Count(now, newest, sum(count for *_, count in cells), cells)
        return kept.cells
