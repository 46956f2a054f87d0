"""Notices that water is off, their versions, and the calls they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update

from dispatch.domain.call import Outcome
from dispatch.domain.outage import OutageStatus, OutageVerb
from dispatch.storage.calls import CALLS
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.outage_tables import OutageRow, OutageVersionRow

OUTAGES, VERSIONS = table_of(OutageRow), table_of(OutageVersionRow)
# As the partial index says it: a bound value would not be known to be the same.
_IS_PUBLISHED = text("status = 'published'")
_OPEN = select(OUTAGES).where(_IS_PUBLISHED, OUTAGES.c.ends_at >= bindparam("ended_after"))
_OPEN_IN_ORDER = _OPEN.order_by(OUTAGES.c.starts_at, OUTAGES.c.id)


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a notice and return its id."""
    return int(tx.conn.execute(insert(OUTAGES).returning(OUTAGES.c.id), values).scalar_one())


def find(tx: Tx, outage_id: int, *, is_locked: bool = False) -> dict[str, Any] | None:
    """Return a notice, or None; locked for a change if so told."""
    query = select(OUTAGES).where(OUTAGES.c.id == outage_id)
    row = tx.conn.execute(query.with_for_update() if is_locked else query).mappings().first()
    return dict(row) if row else None


def change(tx: Tx, outage_id: int, values: Mapping[str, Any]) -> None:
    """Change a notice that the caller has locked."""
    tx.conn.execute(update(OUTAGES).where(OUTAGES.c.id == outage_id).values(**values))


def hold(tx: Tx, outage_id: int) -> bool:
    """Tell whether a notice is still published, and keep it so until the end of the transaction."""
    query = select(OUTAGES.c.id).where(OUTAGES.c.id == outage_id, _IS_PUBLISHED)
    return tx.conn.execute(query.with_for_update(read=True)).first() is not None


def open_(tx: Tx, ended_after: datetime) -> list[dict[str, Any]]:
    """Return the published notices that nobody took back and that end after a moment, in order of their start."""
    return [dict(row) for row in tx.conn.execute(_OPEN_IN_ORDER, {"ended_after": ended_after}).mappings()]


def cancelled(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    """Return the notices that were cancelled since a moment, in order of their start."""
    late = select(VERSIONS.c.outage_id).where(VERSIONS.c.verb == OutageVerb.CANCEL.value, VERSIONS.c.at >= since)
    query = select(OUTAGES).where(OUTAGES.c.id.in_(late)).order_by(OUTAGES.c.starts_at, OUTAGES.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def alive(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """Return all that hold or may come to hold: drafts, approved and published ones whose end lies ahead."""
    states = (OutageStatus.DRAFT, OutageStatus.APPROVED, OutageStatus.PUBLISHED)
    query = select(OUTAGES).where(OUTAGES.c.ends_at > now, OUTAGES.c.status.in_([state.value for state in states]))
    return [dict(row) for row in tx.conn.execute(query.order_by(OUTAGES.c.starts_at, OUTAGES.c.id)).mappings()]


def page(tx: Tx, after: int, limit: int, statuses: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return notices with id below `after` (0: from the newest), newest first; of some states if any are told."""
    query = select(OUTAGES).order_by(OUTAGES.c.id.desc()).limit(limit)
    if after:
        query = query.where(OUTAGES.c.id < after)
    if statuses:
        query = query.where(OUTAGES.c.status.in_(statuses))
    return [dict(row) for row in tx.conn.execute(query).mappings()]


# ---------------------------------------------------------------- versions


def add_version(tx: Tx, values: Mapping[str, Any]) -> None:
    """Keep what was done to a notice."""
    tx.conn.execute(insert(VERSIONS), values)


def versions(tx: Tx, outage_id: int) -> list[dict[str, Any]]:
    """Return all that was done to a notice, first thing first."""
    query = select(VERSIONS).where(VERSIONS.c.outage_id == outage_id).order_by(VERSIONS.c.version)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


# ---------------------------------------------------------------- alarms


def is_due(tx: Tx, now: datetime) -> bool:
    """Tell whether an alarm is to ring."""
    return tx.conn.execute(select(OUTAGES.c.id).where(OUTAGES.c.alarm_at <= now).limit(1)).first() is not None


def lock_due(tx: Tx, now: datetime) -> dict[str, Any] | None:
    """Return the first notice whose alarm is to ring and that nobody else holds, locked."""
    query = select(OUTAGES).where(OUTAGES.c.alarm_at <= now).order_by(OUTAGES.c.alarm_at, OUTAGES.c.id).limit(1)
    row = tx.conn.execute(query.with_for_update(skip_locked=True)).mappings().first()
    return dict(row) if row else None


# ---------------------------------------------------------------- calls


def answered(tx: Tx, outage_id: int) -> int:
    """Return how many calls a notice answered."""
    query = select(func.count()).where(CALLS.c.outage_id == outage_id, CALLS.c.outcome == Outcome.ANSWERED)
    return int(tx.conn.execute(query).scalar_one())


def phones(tx: Tx, outage_id: int) -> list[str]:
    """Return the numbers of those who were answered by a notice, each once."""
    is_answered = (CALLS.c.outage_id == outage_id) & (CALLS.c.outcome == Outcome.ANSWERED)
    query = select(CALLS.c.caller_phone).where(is_answered, CALLS.c.caller_phone.is_not(None))
    return list(tx.conn.execute(query.distinct().order_by(CALLS.c.caller_phone)).scalars())
