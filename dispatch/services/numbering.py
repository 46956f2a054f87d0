"""Ticket numbers: `GD20261124-000123`, unique over all processes, counted for each Shanghai day.

A number is no part of the call's transaction, else each call would wait for the commit of the one before. A process
takes a block from the database and gives back what it did not use; what a dead process held stays a gap.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import date

from dispatch.storage import tickets
from dispatch.storage.db import Store

BLOCK = 20


class Numbers:
    """The numbers that one process holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._day: date | None = None
        self._free: deque[int] = deque()

    def take(self, day: date) -> int:
        """Return a number of `day` that nobody else has."""
        with self._lock:
            if day != self._day:
                self._day, self._free = day, deque()
            if not self._free:
                with self._store.write() as tx:
                    last = tickets.reserve_numbers(tx, day, BLOCK)
                self._free.extend(range(last - BLOCK + 1, last + 1))
            return self._free.popleft()

    def give_back(self, day: date, count: int) -> None:
        """Return a number that no ticket got."""
        with self._lock:
            if day == self._day:
                self._free.appendleft(count)


def number_text(day: date, count: int) -> str:
    """Return the number as people read it."""
    return f"GD{day:%Y%m%d}-{count:06d}"
