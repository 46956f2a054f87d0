"""Calls as the telephone platform tells them: a row per call, each event merged in by one statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, exists, func, or_, select, update

from dispatch.storage.calls import CALLS
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import CtiCallRow
from dispatch.storage.tables import UserRow

CTI, USERS = table_of(CtiCallRow), table_of(UserRow)
_TOLD = ("caller_phone", "line", "seat", "rung_at", "answered_at", "hung_up_at")
_IS_SAVED = exists().where(CALLS.c.cti_call_id == CTI.c.call_id)
_WITH_NAME: Select[Any] = select(CTI, USERS.c.name.label("claimed_name"), _IS_SAVED.label("is_saved")).outerjoin(
    USERS, USERS.c.id == CTI.c.claimed_by
)
_FIND = _WITH_NAME.where(CTI.c.call_id == bindparam("wanted"))
_CLAIM = (
    update(CTI)
    .where(CTI.c.call_id == bindparam("wanted"), CTI.c.claimed_by.is_(None), CTI.c.hung_up_at.is_(None))
    .values(claimed_by=bindparam("who"), claimed_at=bindparam("at"))
)


@cache
def _merge(dialect: str) -> Any:
    put = upsert(dialect, CTI).inline()
    merged = {}
    for name in _TOLD:
        old, new = CTI.c[name], put.excluded[name]
        # The least value that was ever told, NULL apart: whatever the order, and however often it is told.
        merged[name] = case((or_(old.is_(None), new < old), func.coalesce(new, old)), else_=old)
    return put.on_conflict_do_update(index_elements=["call_id"], set_=merged)


def hear(tx: Tx, call_id: str, told: Mapping[str, Any], now: datetime) -> None:
    """Merge what an event tells into the row of its call."""
    tx.conn.execute(_merge(tx.dialect), {"call_id": call_id, "heard_at": now, **dict.fromkeys(_TOLD), **told})


def find(tx: Tx, call_id: str) -> dict[str, Any] | None:
    """Return a call with the name of who claimed it (`claimed_name`) and whether it `is_saved`, or None."""
    row = tx.conn.execute(_FIND, {"wanted": call_id}).mappings().first()
    return dict(row) if row else None


def claim(tx: Tx, call_id: str, user_id: int, now: datetime) -> bool:
    """Give a call that nobody has to a user, and return whether it was still to be had."""
    return tx.conn.execute(_CLAIM, {"wanted": call_id, "who": user_id, "at": now}).rowcount == 1


def waiting(tx: Tx, since: datetime, limit: int) -> list[dict[str, Any]]:
    """Return the calls that have not hung up and were first heard of after `since`, newest first."""
    query = _WITH_NAME.where(CTI.c.hung_up_at.is_(None), CTI.c.heard_at > since)
    newest = query.order_by(CTI.c.heard_at.desc(), CTI.c.call_id.desc()).limit(limit)
    return [dict(row) for row in tx.conn.execute(newest).mappings()]
