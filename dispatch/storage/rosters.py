"""Rosters with the leave and swaps on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, delete, insert, or_, select, update

from dispatch.domain.roster import Leave, Swap
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.roster_tables import LeaveRow, RosterRow, SwapRow

ROSTERS, LEAVES, SWAPS = table_of(RosterRow), table_of(LeaveRow), table_of(SwapRow)
_HEAD = [column for column in ROSTERS.c if column.name != "body"]


def published(tx: Tx) -> Sequence[tuple[datetime, int]]:
    """Return (valid_from, id) of all published rosters, the one that wins last."""
    query = select(ROSTERS.c.valid_from, ROSTERS.c.id).where(ROSTERS.c.valid_from.is_not(None))
    return [(row.valid_from, row.id) for row in tx.conn.execute(query.order_by(ROSTERS.c.valid_from, ROSTERS.c.id))]


def heads(tx: Tx) -> list[dict[str, Any]]:
    """Return all rosters without their bodies, the last one first."""
    return [dict(row) for row in tx.conn.execute(select(*_HEAD).order_by(ROSTERS.c.id.desc())).mappings()]


def read(tx: Tx, roster_id: int, *, is_locked: bool = False) -> dict[str, Any] | None:
    """Return a roster, or None."""
    query = select(ROSTERS).where(ROSTERS.c.id == roster_id)
    row = tx.conn.execute(query.with_for_update() if is_locked else query).mappings().first()
    return dict(row) if row else None


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Store a draft and return its id."""
    return int(tx.conn.execute(insert(ROSTERS).returning(ROSTERS.c.id), values).scalar_one())


def publish(tx: Tx, roster_id: int, values: Mapping[str, Any]) -> None:
    """Make a draft hold."""
    tx.conn.execute(update(ROSTERS).where(ROSTERS.c.id == roster_id).values(**values))


def drop(tx: Tx, roster_id: int) -> None:
    """Throw a draft away."""
    tx.conn.execute(delete(ROSTERS).where(ROSTERS.c.id == roster_id))


def leave_rows(tx: Tx, start_at: datetime, end_at: datetime) -> list[dict[str, Any]]:
    """Return the leave that stands and touches a time, in the order in which it was entered."""
    query = select(LEAVES).where(
        LEAVES.c.cancelled_at.is_(None), LEAVES.c.end_at > start_at, LEAVES.c.start_at < end_at
    )
    return [dict(row) for row in tx.conn.execute(query.order_by(LEAVES.c.id)).mappings()]


def swap_rows(tx: Tx, first: date, last: date) -> list[dict[str, Any]]:
    """Return the swaps that stand with a day from `first` to `last`, in the order in which they were entered."""
    query = select(SWAPS).where(
        SWAPS.c.cancelled_at.is_(None),
        or_(SWAPS.c.day.between(first, last), SWAPS.c.back_day.between(first, last)),
    )
    return [dict(row) for row in tx.conn.execute(query.order_by(SWAPS.c.id)).mappings()]


def leave_of(row: Mapping[str, Any]) -> Leave:
    """Return a row of leave as a value."""
    return Leave(row["person_id"], row["start_at"], row["end_at"], row["reason"], row["cover_id"])


def swap_of(row: Mapping[str, Any]) -> Swap:
    """Return a row of a swap as a value."""
    return Swap(row["unit_id"], row["owner_id"], row["day"], row["taker_id"], row["back_day"])


def add_leave(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert leave and return its id."""
    return int(tx.conn.execute(insert(LEAVES).returning(LEAVES.c.id), values).scalar_one())


def add_swap(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a swap and return its id."""
    return int(tx.conn.execute(insert(SWAPS).returning(SWAPS.c.id), values).scalar_one())


def cancel_leave(tx: Tx, leave_id: int, who: str, now: datetime) -> dict[str, Any] | None:
    """Take leave back and return it, or None where none stands under the id."""
    return _cancel(tx, LEAVES, leave_id, who, now)


def cancel_swap(tx: Tx, swap_id: int, who: str, now: datetime) -> dict[str, Any] | None:
    """Take a swap back and return it, or None where none stands under the id."""
    return _cancel(tx, SWAPS, swap_id, who, now)


def _cancel(tx: Tx, table: Table, id_: int, who: str, now: datetime) -> dict[str, Any] | None:
    query = update(table).where(table.c.id == id_, table.c.cancelled_at.is_(None))
    row = tx.conn.execute(query.values(cancelled_by=who, cancelled_at=now).returning(table)).mappings().first()
    return dict(row) if row else None
