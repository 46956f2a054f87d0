"""What callers think of the work: one row for each round of a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import RatingRow

RATINGS = table_of(RatingRow)
_LAST = select(RATINGS).where(RATINGS.c.ticket_id == bindparam("wanted")).order_by(RATINGS.c.round.desc()).limit(1)


@cache
def _insert(dialect: str) -> Any:
    # Without the option the count of an INSERT is -1 on PostgreSQL, which looks like a row.
    return upsert(dialect, RATINGS).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def add(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Insert a rating; False where the round has one."""
    return bool(tx.conn.execute(_insert(tx.dialect), row).rowcount)


def last(tx: Tx, ticket_id: int) -> dict[str, Any] | None:
    """Return the rating of the last round that was rated, or None."""
    row = tx.conn.execute(_LAST, {"wanted": ticket_id}).mappings().first()
    return dict(row) if row else None
