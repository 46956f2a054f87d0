"""Notices that water is off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.screen_tables import OutageRow

OUTAGES = table_of(OutageRow)


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a notice and return its id."""
    return int(tx.conn.execute(insert(OUTAGES).returning(OUTAGES.c.id), values).scalar_one())


def find(tx: Tx, outage_id: int) -> dict[str, Any] | None:
    """Return a notice, or None."""
    row = tx.conn.execute(select(OUTAGES).where(OUTAGES.c.id == outage_id)).mappings().first()
    return dict(row) if row else None


def restore(tx: Tx, outage_id: int, now: datetime) -> bool:
    """Write down that water is back, and tell whether nobody had done so."""
    back = update(OUTAGES).where(OUTAGES.c.id == outage_id, OUTAGES.c.restored_at.is_(None)).values(restored_at=now)
    return tx.conn.execute(back).rowcount == 1


def open_(tx: Tx, ended_after: datetime) -> list[dict[str, Any]]:
    """Return the notices that nobody took back and that end after a moment, in order of their start."""
    query = select(OUTAGES).where(OUTAGES.c.restored_at.is_(None), OUTAGES.c.ends_at >= ended_after)
    return [dict(row) for row in tx.conn.execute(query.order_by(OUTAGES.c.starts_at, OUTAGES.c.id)).mappings()]


def page(tx: Tx, after: int, limit: int) -> list[dict[str, Any]]:
    """Return notices with id below `after` (0: from the newest), newest first."""
    query = select(OUTAGES).order_by(OUTAGES.c.id.desc()).limit(limit)
    if after:
        query = query.where(OUTAGES.c.id < after)
    return [dict(row) for row in tx.conn.execute(query).mappings()]
