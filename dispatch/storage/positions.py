"""Where crew members were last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import delete

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import PositionRow

POSITIONS = table_of(PositionRow)


@cache
def _put(dialect: str) -> Any:
    put = upsert(dialect, POSITIONS)
    changed = {name: put.excluded[name] for name in ("lon", "lat", "accuracy_m", "at")}
    return put.on_conflict_do_update(
        index_elements=["user_id"], set_=changed, where=POSITIONS.c.at < put.excluded["at"]
    ).execution_options(preserve_rowcount=True)


def put(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Keep a position in the place of the one before; False where that one is newer."""
    return bool(tx.conn.execute(_put(tx.dialect), row).rowcount)


def forget(tx: Tx, before: datetime) -> int:
    """Remove the positions that were told before then, and return how many."""
    return tx.conn.execute(delete(POSITIONS).where(POSITIONS.c.at < before)).rowcount
