"""Idempotency: the first answer to a key is kept and given again; of each ticket the last press is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, update

from dispatch.domain.errors import IdempotencyMismatch
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import ReplyRow

REPLIES = table_of(ReplyRow)
_FIND = select(REPLIES.c.body_sha256, REPLIES.c.reply).where(REPLIES.c.key == bindparam("wanted"))
_FILL = update(REPLIES).where(REPLIES.c.key == bindparam("wanted")).values(reply=bindparam("answer"))
_LAST_PRESS = select(REPLIES.c.body_sha256, REPLIES.c.created_at).where(REPLIES.c.key == bindparam("wanted"))


@dataclass(frozen=True, slots=True)
class Press:
    """The last thing that a person did to a ticket: its mark, and when."""

    sha256: str
    at: datetime


@cache
def _claim(dialect: str) -> Any:
    # Without the option the count of an INSERT is -1 on PostgreSQL, which looks like a claim.
    return upsert(dialect, REPLIES).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 by which a repeated request is told from another one, whatever the order of its members."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def claim(tx: Tx, keys: Sequence[tuple[str, str]], body_sha256: str, now: datetime) -> dict[str, Any] | None:
    """Claim (key, field) pairs for this transaction, or return the answer that was given to one before.

    A parallel request with the same key waits here until the first one has committed.

    Raises:
        IdempotencyMismatch: if a key was used with another body.
    """
    found, fresh = None, []
    for key, field in keys:
        new = {"key": key, "body_sha256": body_sha256, "created_at": now}
        if tx.conn.execute(_claim(tx.dialect), new).rowcount:
            fresh.append((key, field))
            continue
        first = tx.conn.execute(_FIND, {"wanted": key}).one()
        if first.body_sha256 != body_sha256:
            raise IdempotencyMismatch("该编号已用于另一份内容; 新的请求请换新的编号", field=field)
        found = first.reply
    if found is not None:
        keep(tx, fresh, found)
    return found


def is_claimed(tx: Tx, key: str) -> bool:
    """Tell whether a key was answered before; what is answered at this moment is not seen."""
    return tx.conn.execute(_FIND, {"wanted": key}).first() is not None


def keep(tx: Tx, keys: Sequence[tuple[str, str]], reply: dict[str, Any]) -> None:
    """Keep the answer under the claimed keys."""
    if keys:
        tx.conn.execute(_FILL, [{"wanted": key, "answer": reply} for key, _ in keys])


def last_press(tx: Tx, number: str) -> Press | None:
    """Return the last press on a ticket, which the caller has locked."""
    row = tx.conn.execute(_LAST_PRESS, {"wanted": _press_key(number)}).first()
    return Press(*row) if row else None


def keep_press(tx: Tx, number: str, sha256: str, now: datetime) -> None:
    """Keep the press in the place of the one before: a row for each ticket, without an answer of its own."""
    row = {"key": _press_key(number), "body_sha256": sha256, "created_at": now}
    tx.conn.execute(_put_press(tx.dialect), row)


def _press_key(number: str) -> str:
    return f"press:{number}"


@cache
def _put_press(dialect: str) -> Any:
    put = upsert(dialect, REPLIES).inline()
    changed = {name: put.excluded[name] for name in ("body_sha256", "created_at")}
    return put.on_conflict_do_update(index_elements=["key"], set_=changed)
