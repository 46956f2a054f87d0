"""Follow-ups of cases: the owner is reminded once for each due time, and a watch that nobody broke ends.

Law 2: the deadline is a column. Whoever looks moves the case past it in the transaction that writes the reminder, so
that each is told once however many look; after a downtime it is one reminder that says how late it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dispatch.domain import case as rules_of
from dispatch.domain.case import EntryKind
from dispatch.domain.roles import SYSTEM
from dispatch.services import case_log
from dispatch.services.desk import Desk
from dispatch.storage import cases, watched

BATCH = 100


def remind(desk: Desk, clock: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Work off all cases that are due, in transactions of at most BATCH, and return how many there were.

    Args:
        desk: The process's desk.
        clock: Reads the time.
        is_stopped: Asked before each batch.
    """
    count = 0
    while not is_stopped() and _is_due(desk, clock()):
        done = _batch(desk, clock)
        count += done
        if not done:  # another holds what is left
            break
    return count


def _is_due(desk: Desk, now: datetime) -> bool:
    with desk.store.read() as tx:
        at = cases.next_due(tx)
    return at is not None and at <= now


def _batch(desk: Desk, clock: Callable[[], datetime]) -> int:
    with desk.store.write() as tx:
        now = clock()
        rows = cases.lock_due(tx, now, BATCH)
        for row in rows:
            change = rules_of.due(cases.case_of(row), now)
            case_log.write(tx, desk, row, change, SYSTEM, now)
            if change.kind is EntryKind.CLOSED:
                watched.forget_case(tx, row["id"])
    return len(rows)
