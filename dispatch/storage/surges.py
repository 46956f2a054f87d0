"""Surges, and the wider clocks that were agreed in them.

Whoever needs both locks the surge first, then its widenings, then tickets: a sweep that gathers notices holds the surge
open before it takes its clocks, so that nothing is gathered behind its last digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from dispatch.domain.errors import StaleVersion
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import Gathering, Widening
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.surge_tables import SurgeRow, WideningRow
from dispatch.storage.tables import CallRow, ClockRow, TicketRow

SURGES, WIDENINGS = table_of(SurgeRow), table_of(WideningRow)
CALLS, CLOCKS, TICKETS = table_of(CallRow), table_of(ClockRow), table_of(TicketRow)
_LATEST = select(SURGES).order_by(SURGES.c.id.desc()).limit(1)


def calls_between(tx: Tx, since: datetime, until: datetime) -> int:
    """Return how many calls were logged after `since`, up to `until`."""
    query = select(func.count()).select_from(CALLS).where(CALLS.c.logged_at > since, CALLS.c.logged_at <= until)
    return int(tx.conn.execute(query).scalar_one())


def latest(tx: Tx, *, is_locked: bool = False) -> dict[str, Any] | None:
    """Return the newest surge, open or not; no other one can be open."""
    row = tx.conn.execute(_LATEST.with_for_update() if is_locked else _LATEST).mappings().first()
    return dict(row) if row else None


def page(tx: Tx, after: int, limit: int) -> list[dict[str, Any]]:
    """Return surges with id below `after` (0: from the newest), newest first."""
    query = select(SURGES).order_by(SURGES.c.id.desc()).limit(limit)
    if after:
        query = query.where(SURGES.c.id < after)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def open_new(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Open a surge and return its id; None where one is open, be it opened a moment ago."""
    put = upsert(tx.dialect, SURGES).values(**values).on_conflict_do_nothing()
    found = tx.conn.execute(put.returning(SURGES.c.id)).scalar()
    return None if found is None else int(found)


def change(tx: Tx, surge_id: int, seen_version: int, values: Mapping[str, Any]) -> None:
    """Write a change that people see, over the version that was seen.

    Raises:
        StaleVersion: if somebody was faster.
    """
    seen = (SURGES.c.id == surge_id, SURGES.c.version == seen_version)
    written = tx.conn.execute(update(SURGES).where(*seen).values(**values, version=seen_version + 1))
    if written.rowcount != 1:
        raise StaleVersion("刚被他人更新, 请刷新后重试")


def note(tx: Tx, surge_id: int, **values: Any) -> None:
    """Write what the watch keeps for itself: since when it is calm, when the next digest is due."""
    tx.conn.execute(update(SURGES).where(SURGES.c.id == surge_id).values(**values))


def stays_open(tx: Tx, surge_id: int) -> bool:
    """Tell whether a surge is open, and keep it so until the end of the transaction."""
    query = select(SURGES.c.id).where(SURGES.c.id == surge_id, SURGES.c.is_open).with_for_update(read=True)
    return tx.conn.execute(query).first() is not None


def gathering(tx: Tx) -> Gathering | None:
    """Return what the open surge does to notices, or None where none is open."""
    row = tx.conn.execute(select(SURGES).where(SURGES.c.is_open)).first()
    if row is None:
        return None
    return Gathering(row.id, tuple(row.digest_to), tuple(row.at_once), timedelta(seconds=row.digest_every_s))


# ---------------------------------------------------------------- wider clocks


def holding(tx: Tx) -> tuple[Widening, ...]:
    """Return the widenings that hold in the open surge, the last one last."""
    query = select(WIDENINGS).join(SURGES, SURGES.c.id == WIDENINGS.c.surge_id)
    rows = tx.conn.execute(query.where(SURGES.c.is_open, WIDENINGS.c.state == "approved").order_by(WIDENINGS.c.id))
    return tuple(_widening(row._mapping) for row in rows)


def _widening(row: Mapping[Any, Any]) -> Widening:
    kinds = tuple(map(ClockKind, row["clocks"]))
    return Widening(row["id"], tuple(row["levels"]), kinds, row["factor"], row["word"])


def add_widening(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a proposal and return its id."""
    return int(tx.conn.execute(insert(WIDENINGS).returning(WIDENINGS.c.id), values).scalar_one())


def lock_widening(tx: Tx, widening_id: int) -> dict[str, Any] | None:
    """Return a widening, locked, or None."""
    query = select(WIDENINGS).where(WIDENINGS.c.id == widening_id).with_for_update()
    row = tx.conn.execute(query).mappings().first()
    return dict(row) if row else None


def change_widening(tx: Tx, widening_id: int, **values: Any) -> None:
    """Write a decision, or how far the running tickets are done."""
    tx.conn.execute(update(WIDENINGS).where(WIDENINGS.c.id == widening_id).values(**values))


def end_widenings(tx: Tx, surge_id: int) -> None:
    """End what was proposed or holds: it ends with the surge."""
    ended = update(WIDENINGS).where(WIDENINGS.c.surge_id == surge_id, WIDENINGS.c.state.in_(("proposed", "approved")))
    tx.conn.execute(ended.values(state="ended", after=None))


def widenings(tx: Tx, surge_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return all widenings of some surges in order."""
    query = select(WIDENINGS).where(WIDENINGS.c.surge_id.in_(surge_ids)).order_by(WIDENINGS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def is_widening_to_do(tx: Tx) -> bool:
    """Tell whether running tickets wait for a widening."""
    query = select(WIDENINGS.c.id).where(WIDENINGS.c.after.is_not(None)).limit(1)
    return tx.conn.execute(query).first() is not None


def lock_to_do(tx: Tx) -> tuple[Widening, int, int] | None:
    """Return a widening whose running tickets are to be done and nobody else does, after which id, and how many were.

    Its surge stays open until the end of the transaction.
    """
    query = select(WIDENINGS).where(WIDENINGS.c.after.is_not(None)).order_by(WIDENINGS.c.id).limit(1)
    seen = tx.conn.execute(query).first()
    if seen is None or not stays_open(tx, seen.surge_id):
        return None
    locked = query.where(WIDENINGS.c.id == seen.id).with_for_update(skip_locked=True)
    row = tx.conn.execute(locked).mappings().first()
    return None if row is None else (_widening(row), row["after"], row["widened"])


def running_tickets(tx: Tx, by: Widening, after: int, limit: int) -> Sequence[int]:
    """Return open tickets with a clock that a widening covers and none has moved, by id after `after`."""
    query = (
        select(TICKETS.c.id)
        .join(CLOCKS, CLOCKS.c.ticket_id == TICKETS.c.id)
        .where(TICKETS.c.ended_at.is_(None), TICKETS.c.id > after, TICKETS.c.level.in_(by.levels))
        .where(CLOCKS.c.kind.in_(by.clocks), CLOCKS.c.met_at.is_(None), ~CLOCKS.c.is_void)
        .where(CLOCKS.c.widening_id.is_(None))
        .distinct()
        .order_by(TICKETS.c.id)
        .limit(limit)
    )
    return tx.conn.execute(query).scalars().all()
