"""Steps of the ladder whose notices wait for a digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.surge_tables import DigestItemRow

ITEMS = table_of(DigestItemRow)
_INSERT = insert(ITEMS).inline()
# Before the login, where a recipient is a single person.
USER = "user:"


@dataclass(frozen=True, slots=True)
class Item:
    """A step that waited for a digest to one recipient."""

    recipient: str
    ticket_id: int
    number: str
    level: str
    clock: str
    ratio: float
    label: str
    at: datetime


def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Let steps wait; who does so keeps their surge open until the transaction ends."""
    if rows:
        tx.conn.execute(_INSERT, rows)


def item(surge_id: int, recipient: str, number: str, level: str, escalation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of one recipient of an escalation."""
    told = {name: escalation[name] for name in ("ticket_id", "clock", "round", "step", "ratio", "label")}
    at: datetime = escalation["fired_at"]
    return {"surge_id": surge_id, "recipient": recipient, "number": number, "level": level, **told, "at": at}


def key(surge_id: int, digest: int, recipient: str) -> str:
    """Return the idempotency key of a digest, before the name of its channel."""
    return f"digest:{surge_id}:{digest}:{recipient}"


def take(tx: Tx, surge_id: int, digest: int) -> list[Item]:
    """Return all that waits in a surge, whose row the caller has locked, and mark it as told by this digest."""
    waiting = (ITEMS.c.surge_id == surge_id, ITEMS.c.digest.is_(None))
    rows = tx.conn.execute(select(ITEMS).where(*waiting).order_by(ITEMS.c.id)).all()
    if rows:
        tx.conn.execute(update(ITEMS).where(*waiting, ITEMS.c.id <= rows[-1].id).values(digest=digest))
    return [Item(*(getattr(row, name) for name in Item.__slots__)) for row in rows]


def waiting(tx: Tx, surge_id: int) -> int:
    """Return how many notices wait."""
    query = select(func.count()).where(ITEMS.c.surge_id == surge_id, ITEMS.c.digest.is_(None))
    return int(tx.conn.execute(query).scalar_one())
