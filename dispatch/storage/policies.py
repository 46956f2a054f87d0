"""Versions of the policy with who wrote them and why, and the clocks of the past that a dry run asks about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from dispatch.domain.dry_run import Past
from dispatch.domain.policy import Area
from dispatch.storage import clocks
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import PolicyRow, TicketRow

POLICIES, TICKETS = table_of(PolicyRow), table_of(TicketRow)
_HEAD = tuple(POLICIES.c[name] for name in ("version", "valid_from", "loaded_at", "author", "reason"))
_ASKED = tuple(TICKETS.c[name] for name in ("id", "level", "category", "area", "pipe_dn", "branch", "appointment_at"))


def heads(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """Return the newest versions without their content, the one that is valid last first."""
    query = select(*_HEAD).order_by(POLICIES.c.valid_from.desc(), POLICIES.c.loaded_at.desc()).limit(limit)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def find(tx: Tx, version: str) -> dict[str, Any] | None:
    """Return a version with its content, or None."""
    row = tx.conn.execute(select(*_HEAD, POLICIES.c.raw).where(POLICIES.c.version == version)).mappings().first()
    return dict(row) if row else None


def count_since(tx: Tx, since: datetime) -> int:
    """Return how many tickets were received since then."""
    return int(tx.conn.execute(select(func.count()).where(TICKETS.c.received_at >= since)).scalar_one())


def past(tx: Tx, since: datetime, after: int, limit: int) -> tuple[list[Past], int, int | None]:
    """Return the clocks of a page of tickets that were received since then, in order of id.

    Returns:
        The clocks, how many tickets they are of, and the last ticket's id, or None where there are no more.
    """
    query = (
        select(*_ASKED).where(TICKETS.c.received_at >= since, TICKETS.c.id > after).order_by(TICKETS.c.id).limit(limit)
    )
    rows = tx.conn.execute(query).all()
    values = clocks.of_tickets(tx, [row.id for row in rows])
    found = [
        Past(clock, row.level, row.category, Area(row.area), row.pipe_dn, row.branch, row.appointment_at)
        for row in rows
        for clock in values[row.id]
    ]
    return found, len(rows), rows[-1].id if len(rows) == limit else None
