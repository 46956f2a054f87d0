"""What crews ask for, until somebody decides: rows of `requests`, read with their ticket and the people's names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from dispatch.storage.board import of_team
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.screen_tables import RequestRow
from dispatch.storage.tables import TicketRow, UserRow

REQUESTS, TICKETS, USERS = table_of(RequestRow), table_of(TicketRow), table_of(UserRow)
_ASKER, _DECIDER = USERS.alias("asker"), USERS.alias("decider")
_TOLD = (
    select(
        REQUESTS,
        TICKETS.c.number,
        TICKETS.c.team_id,
        TICKETS.c.assisting,
        TICKETS.c.policy_version,
        _ASKER.c.name.label("asker"),
        _DECIDER.c.name.label("decider"),
    )
    .join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
    .join(_ASKER, _ASKER.c.id == REQUESTS.c.asked_by)
    .outerjoin(_DECIDER, _DECIDER.c.id == REQUESTS.c.decided_by)
)


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a request and return its id."""
    return int(tx.conn.execute(insert(REQUESTS).values(values).returning(REQUESTS.c.id)).scalar_one())


def find(tx: Tx, request_id: int) -> dict[str, Any] | None:
    """Return a request with its ticket and names."""
    row = tx.conn.execute(_TOLD.where(REQUESTS.c.id == request_id)).mappings().first()
    return dict(row) if row else None


def open_of(tx: Tx, ticket_id: int, verb: str) -> int | None:
    """Return the id of the undecided request for a verb on a ticket, which the caller has locked."""
    is_it = (REQUESTS.c.ticket_id == ticket_id) & (REQUESTS.c.verb == verb) & REQUESTS.c.decided_at.is_(None)
    return tx.conn.execute(select(REQUESTS.c.id).where(is_it)).scalar()


def page(
    tx: Tx, after: int, limit: int, *, is_open: bool, number: str | None, team_id: str | None
) -> list[dict[str, Any]]:
    """Return requests with id below `after` (0: from the newest), newest first; of open tickets where undecided."""
    query = _TOLD.order_by(REQUESTS.c.id.desc()).limit(limit)
    if after:
        query = query.where(REQUESTS.c.id < after)
    if is_open:
        query = query.where(REQUESTS.c.decided_at.is_(None), TICKETS.c.ended_at.is_(None))
    if number is not None:
        query = query.where(TICKETS.c.number == number)
    if team_id is not None:
        query = query.where(of_team(team_id))
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def decide(tx: Tx, request_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Write who decided what; the caller has locked the ticket and seen that nobody has."""
    tx.conn.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(decided_at=now, **values))
