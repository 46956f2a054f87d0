"""Counting against limits in the database: every process sees them, and no restart forgets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dispatch.domain.limits import Limit
from dispatch.services.desk import Desk
from dispatch.storage import accounts

Bucket = tuple[str, Limit]


def count(desk: Desk, buckets: Sequence[Bucket], now: datetime) -> list[int]:
    """Count one more against each bucket, before it is looked at what was asked, and return what takes it back.

    Args:
        desk: The process's desk.
        buckets: Name and limit of each; always in the same order of kinds, so that no two wait for each other.
        now: The server's time.

    Raises:
        TooOften: where one is full; then nothing is counted.
    """
    with desk.store.write() as tx:
        for name, limit in buckets:
            accounts.line_up(tx, name)
            limit.check(accounts.attempts(tx, name, now - limit.within), now)
        return [accounts.add_attempt(tx, name, now) for name, _ in buckets]


def take_back(desk: Desk, counted: Sequence[int]) -> None:
    """Let what was counted not have been."""
    with desk.store.write() as tx:
        for attempt in counted:
            accounts.drop_attempt(tx, attempt)
