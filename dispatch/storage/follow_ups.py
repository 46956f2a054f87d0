"""Tickets for the rest of the work that a temporary fix has left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from dispatch.storage.db import Tx
from dispatch.storage.tickets import TICKETS

_SHOWN = (TICKETS.c.number, TICKETS.c.status, TICKETS.c.appointment_at, TICKETS.c.ended_at)


def of(tx: Tx, number: str) -> list[dict[str, Any]]:
    """Return number, status and times of the tickets that follow one, the first first."""
    query = select(*_SHOWN).where(TICKETS.c.follow_up_of == number).order_by(TICKETS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def open_of(tx: Tx, number: str) -> int | None:
    """Return the id of the open ticket that follows one, or None."""
    query = select(TICKETS.c.id).where(TICKETS.c.follow_up_of == number, TICKETS.c.ended_at.is_(None))
    return tx.conn.execute(query.order_by(TICKETS.c.id).limit(1)).scalar()
