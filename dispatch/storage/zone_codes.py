"""Which grid a 街道 or 社区 belongs to, where people have said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select

from dispatch.storage import places
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.zoning_tables import ZoneCodeRow

CODES = table_of(ZoneCodeRow)


def replace_all(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store a table in the place of the one before."""
    tx.conn.execute(delete(CODES))
    if rows:
        tx.conn.execute(insert(CODES), list(rows))
    places.turn(tx)


def all_(tx: Tx) -> list[dict[str, Any]]:
    """Return the whole table."""
    return [dict(row) for row in tx.conn.execute(select(CODES)).mappings()]


def find(tx: Tx, street: str, district: str | None) -> list[dict[str, Any]]:
    """Return what is known of a 街道 and its 社区, in one district or in all."""
    query = select(CODES).where(CODES.c.street == street)
    if district is not None:
        query = query.where(CODES.c.district == district)
    return [dict(row) for row in tx.conn.execute(query.order_by(CODES.c.district, CODES.c.community)).mappings()]
