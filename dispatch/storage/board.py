"""Reading tickets for lists and details: filters, keyset pages, full-text search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import Text

from dispatch.domain.place import Wgs84Point
from dispatch.storage import calls
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import ClockRow, EventRow, TicketRow

TICKETS = table_of(TicketRow)
CLOCKS = table_of(ClockRow)
EVENTS = table_of(EventRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to; None or empty means all. `team_id` counts assisting teams in."""

    statuses: Sequence[str] = ()
    levels: Sequence[str] = ()
    categories: Sequence[str] = ()
    zone_id: str | None = None
    branch: str | None = None
    route_status: str | None = None
    team_id: str | None = None
    visible_to_team: str | None = None
    is_breached: bool | None = None
    is_open: bool | None = None
    is_carried: bool | None = None
    terms: Sequence[str] = ()


def find(tx: Tx, number: str) -> dict[str, Any] | None:
    """Return the whole row of a ticket."""
    row = tx.conn.execute(select(TICKETS).where(TICKETS.c.number == number)).mappings().first()
    return dict(row) if row else None


def point_of(tx: Tx, ticket_id: int) -> Wgs84Point | None:
    """Return where a ticket lies, or None where only words are known."""
    row = tx.conn.execute(select(TICKETS.c.lon, TICKETS.c.lat).where(TICKETS.c.id == ticket_id)).one()
    return None if row.lon is None else Wgs84Point(row.lon, row.lat)


def page(tx: Tx, wanted: Filter, after: int, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Return tickets with id below `after` (0: from the newest), newest first."""
    query = select(TICKETS).where(*conditions(tx, wanted, now)).order_by(TICKETS.c.id.desc()).limit(limit)
    if after:
        query = query.where(TICKETS.c.id < after)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def conditions(tx: Tx, wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """Return what a ticket must fulfil to be in a list; nothing where all are wanted."""
    found: list[ColumnElement[bool]] = []
    for name, values in (
        ("status", wanted.statuses),
        ("level", wanted.levels),
        ("category", wanted.categories),
    ):
        if values:
            found.append(TICKETS.c[name].in_(values))
    for name in ("zone_id", "branch", "route_status"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(TICKETS.c[name] == value)
    found += [of_team(team) for team in (wanted.team_id, wanted.visible_to_team) if team is not None]
    if wanted.is_open is not None:
        found.append(TICKETS.c.ended_at.is_(None) if wanted.is_open else TICKETS.c.ended_at.is_not(None))
    if wanted.is_carried is not None:
        found.append(TICKETS.c.is_carried if wanted.is_carried else ~TICKETS.c.is_carried)
    if wanted.is_breached is not None:
        broken = _broken(now)
        found.append(broken if wanted.is_breached else ~broken)
    if wanted.terms:
        found.append(TICKETS.c.id.in_(calls.tickets_with_terms(tx.dialect, wanted.terms)))
    return found


def of_team(team_id: str) -> ColumnElement[bool]:
    """Return the condition that a ticket is a team's own, or one that it assists with."""
    # Team ids are slugs without quotes, so the quoted id in the JSON text is the list member.
    return or_(
        TICKETS.c.team_id == team_id, sql_cast(TICKETS.c.assisting, Text).contains(f'"{team_id}"', autoescape=True)
    )


def _broken(now: datetime) -> ColumnElement[bool]:
    # The sweep may be some milliseconds behind: a clock that is due and unmet is broken already.
    due = (CLOCKS.c.due_at <= now) & CLOCKS.c.met_at.is_(None) & CLOCKS.c.paused_at.is_(None) & ~CLOCKS.c.is_void
    of_ticket = CLOCKS.c.ticket_id == TICKETS.c.id
    return exists().where(of_ticket, or_(CLOCKS.c.breached_at.is_not(None), due))


def timeline(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the events of a ticket, oldest first."""
    query = select(EVENTS).where(EVENTS.c.ticket_id == ticket_id).order_by(EVENTS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]
