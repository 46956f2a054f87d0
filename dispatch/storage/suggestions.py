"""Questions to online geocoders: written with the ticket, leased by whoever asks, then marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import func, insert, select, update

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.geocode_tables import GeocoderRow, SuggestionRow
from dispatch.storage.tickets import TICKETS

SUGGESTIONS = table_of(SuggestionRow)
GEOCODERS = table_of(GeocoderRow)
_INSERT = insert(SUGGESTIONS).inline()


@dataclass(frozen=True, slots=True)
class Question:
    """A leased question."""

    id: int
    ticket_id: int
    text: str
    attempts: int
    leased_until: datetime


def put(tx: Tx, ticket_id: int, text: str, now: datetime) -> None:
    """Queue the question where the address of a new ticket is."""
    asked = {"ticket_id": ticket_id, "text": text, "state": "waiting", "attempts": 0, "asked_at": now}
    tx.conn.execute(_INSERT, {**asked, "next_try_at": now, "note": ""})


def next_try(tx: Tx) -> datetime | None:
    """Return when the next question is due."""
    return tx.conn.execute(
        select(func.min(SUGGESTIONS.c.next_try_at)).where(SUGGESTIONS.c.next_try_at.is_not(None))
    ).scalar()


def lease(tx: Tx, now: datetime, lease_s: float) -> Question | None:
    """Take the question that has waited longest (or whose asker died) for a time."""
    waiting = (
        select(SUGGESTIONS.c.id)
        .where(SUGGESTIONS.c.next_try_at <= now)
        .order_by(SUGGESTIONS.c.next_try_at, SUGGESTIONS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    until = now + timedelta(seconds=lease_s)
    take = (
        update(SUGGESTIONS)
        .where(SUGGESTIONS.c.id.in_(select(waiting.c.id)))
        .values(state="leased", attempts=SUGGESTIONS.c.attempts + 1, next_try_at=until)
        .returning(SUGGESTIONS.c.id, SUGGESTIONS.c.ticket_id, SUGGESTIONS.c.text, SUGGESTIONS.c.attempts)
    )
    row = tx.conn.execute(take).first()
    return None if row is None else Question(**row._mapping, leased_until=until)


def mark(tx: Tx, question: Question, values: Mapping[str, Any]) -> bool:
    """Write what came of a leased question; False if the lease was lost."""
    # The lease is the ticket to mark: an asker that came back too late finds another lease and marks nothing.
    marked = (
        update(SUGGESTIONS)
        .where(SUGGESTIONS.c.id == question.id, SUGGESTIONS.c.state == "leased")
        .where(SUGGESTIONS.c.next_try_at == question.leased_until)
        .values(**values)
    )
    return bool(tx.conn.execute(marked).rowcount)


def is_wanted(tx: Tx, ticket_id: int) -> bool:
    """Tell whether a ticket is still open and nobody has pinned it."""
    query = select(TICKETS.c.id).where(TICKETS.c.id == ticket_id, TICKETS.c.lon.is_(None), TICKETS.c.ended_at.is_(None))
    return tx.conn.execute(query).first() is not None


def of_ticket(tx: Tx, ticket_id: int) -> dict[str, Any] | None:
    """Return what came of the question about a ticket, or None where none was put."""
    row = tx.conn.execute(select(SUGGESTIONS).where(SUGGESTIONS.c.ticket_id == ticket_id)).mappings().first()
    return dict(row) if row else None


def geocoders(tx: Tx) -> dict[str, dict[str, Any]]:
    """Return how each geocoder stood last, by name."""
    return {row["name"]: dict(row) for row in tx.conn.execute(select(GEOCODERS)).mappings()}


def tell_geocoders(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write how geocoders stand."""
    if rows:
        tx.conn.execute(_tell(tx.dialect), list(rows))


@cache
def _tell(dialect: str) -> Any:
    told = upsert(dialect, GEOCODERS)
    kept = {name: told.excluded[name] for name in ("state", "fault", "since")}
    return told.on_conflict_do_update(index_elements=["name"], set_=kept)
