"""Customers with flags: a list that is imported, and taken out of one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from dispatch.storage.case_tables import CustomerRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx

CUSTOMERS = table_of(CustomerRow)
_HELD = CUSTOMERS.c.removed_at.is_(None)


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a customer and return the id."""
    return int(tx.conn.execute(insert(CUSTOMERS).returning(CUSTOMERS.c.id), values).scalar_one())


def find(tx: Tx, customer_id: int) -> dict[str, Any] | None:
    """Return a customer who was not taken out, or None."""
    row = tx.conn.execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id, _HELD)).mappings().first()
    return dict(row) if row else None


def find_all(tx: Tx, customer_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return customers in order of id."""
    query = select(CUSTOMERS).where(CUSTOMERS.c.id.in_(customer_ids), _HELD).order_by(CUSTOMERS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def page(tx: Tx, flag: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Return customers with id below `after` (0: from the newest), newest first."""
    query = select(CUSTOMERS).where(_HELD).order_by(CUSTOMERS.c.id.desc()).limit(limit)
    if flag is not None:
        query = query.where(CUSTOMERS.c.flag == flag)
    if after:
        query = query.where(CUSTOMERS.c.id < after)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def remove(tx: Tx, customer_ids: Sequence[int], now: datetime) -> None:
    """Take customers out."""
    tx.conn.execute(update(CUSTOMERS).where(CUSTOMERS.c.id.in_(customer_ids), _HELD).values(removed_at=now))


def of_source(tx: Tx, source: str) -> list[int]:
    """Return the ids of those that came with a file of this name."""
    return list(tx.conn.execute(select(CUSTOMERS.c.id).where(CUSTOMERS.c.source == source, _HELD)).scalars())
