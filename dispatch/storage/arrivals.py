"""Who could be at a ticket in time: positions and load of crews, estimates on the arrival clocks, recommendations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, update

from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.storage.arrival_tables import RecommendationRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import PositionRow
from dispatch.storage.tables import ClockRow, EventRow, TicketRow, UserRow

CLOCKS, EVENTS, TICKETS = table_of(ClockRow), table_of(EventRow), table_of(TicketRow)
POSITIONS, USERS = table_of(PositionRow), table_of(UserRow)
RECOMMENDATIONS = table_of(RecommendationRow)
# What keeps a crew busy now: sent to it, or in work.
IN_HAND = (Status.DISPATCHED, Status.ACCEPTED, Status.EN_ROUTE, Status.ON_SITE, Status.WORKING)

_FIELDS = tuple(f.name for f in fields(Clock))
_PLACE = ("number", "status", "team_id", "lon", "lat")
_PEOPLE = (
    select(USERS.c.id, USERS.c.login, USERS.c.name, USERS.c.team_id, POSITIONS.c.lon, POSITIONS.c.lat, POSITIONS.c.at)
    .join(POSITIONS, POSITIONS.c.user_id == USERS.c.id)
    .where(POSITIONS.c.at > bindparam("since"), USERS.c.is_active, USERS.c.team_id.is_not(None))
    .order_by(USERS.c.id)
)
_DUE = (
    select(
        CLOCKS.c.id.label("clock_id"),
        CLOCKS.c.ticket_id,
        *(TICKETS.c[name] for name in _PLACE),
        *(CLOCKS.c[name] for name in _FIELDS),
    )
    .join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id)
    # Nobody drives to a ticket that goes along with another one.
    .where(CLOCKS.c.travel_due_at <= bindparam("now"), ~TICKETS.c.is_carried)
    .order_by(CLOCKS.c.travel_due_at, CLOCKS.c.id)
    .limit(bindparam("most"))
)
_ESTIMATE = (
    update(CLOCKS)
    .where(CLOCKS.c.id == bindparam("row_id"), CLOCKS.c.met_at.is_(None), ~CLOCKS.c.is_void)
    .where(CLOCKS.c.travel_due_at == bindparam("seen_travel_due_at"), CLOCKS.c.due_at == bindparam("seen_due_at"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("travel_s", "travel_kind", "travel_due_at", "rescue_at")},
    )
)
_LAST = (
    select(RECOMMENDATIONS)
    .where(RECOMMENDATIONS.c.ticket_id == bindparam("ticket_id"))
    .order_by(RECOMMENDATIONS.c.assigned_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Way:
    """An arrival clock whose way is to be estimated, with what is needed of its ticket."""

    clock_id: int
    ticket_id: int
    number: str
    status: str
    team_id: str | None
    lon: float | None
    lat: float | None
    clock: Clock


def people(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    """Return who of the crews told their place after `since`, and where."""
    return [dict(row) for row in tx.conn.execute(_PEOPLE, {"since": since}).mappings()]


def in_hand(tx: Tx, team_ids: Iterable[str]) -> dict[str, int]:
    """Return how many tickets each of these teams has in hand; a team with none is left out."""
    of_these = (TICKETS.c.team_id.in_(list(team_ids)), TICKETS.c.ended_at.is_(None), TICKETS.c.status.in_(IN_HAND))
    query = select(TICKETS.c.team_id, func.count()).where(*of_these, ~TICKETS.c.is_carried).group_by(TICKETS.c.team_id)
    return {row[0]: row[1] for row in tx.conn.execute(query)}


def due(tx: Tx, now: datetime, most: int) -> list[Way]:
    """Return the clocks whose way is to be estimated by `now`, the oldest first: a look at a partial index."""
    names = ("clock_id", "ticket_id", *_PLACE)
    split = len(names)
    rows = tx.conn.execute(_DUE, {"now": now, "most": most}).all()
    return [
        Way(**dict(zip(names, row[:split], strict=True)), clock=Clock(ClockKind(row[split]), *row[split + 1 :]))
        for row in rows
    ]


def save_estimate(tx: Tx, way: Way, clock: Clock) -> bool:
    """Keep an estimate; False where the clock has moved since it was read, or somebody else was faster."""
    seen = {"seen_travel_due_at": way.clock.travel_due_at, "seen_due_at": way.clock.due_at}
    new = {name: getattr(clock, name) for name in ("travel_s", "travel_kind", "travel_due_at", "rescue_at")}
    told = {f"new_{name}": value for name, value in new.items()}
    return bool(tx.conn.execute(_ESTIMATE, {"row_id": way.clock_id, **seen, **told}).rowcount)


def assigned_at(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each ticket was last given to a team."""
    given = EVENTS.c.kind.in_((Verb.DISPATCH, Verb.REASSIGN)) & EVENTS.c.ticket_id.in_(ticket_ids)
    query = select(EVENTS.c.ticket_id, func.max(EVENTS.c.at)).where(given).group_by(EVENTS.c.ticket_id)
    return {row[0]: row[1] for row in tx.conn.execute(query)}


def recommended(tx: Tx, ticket_ids: Sequence[int]) -> set[tuple[int, datetime]]:
    """Return for which assignments of these tickets a recommendation is kept."""
    columns = (RECOMMENDATIONS.c.ticket_id, RECOMMENDATIONS.c.assigned_at)
    query = select(*columns).where(RECOMMENDATIONS.c.ticket_id.in_(ticket_ids))
    return {(row[0], row[1]) for row in tx.conn.execute(query)}


def add(tx: Tx, row: Mapping[str, Any]) -> None:
    """Keep a recommendation; a second one for the same assignment changes nothing."""
    tx.conn.execute(_add(tx.dialect), row)


@cache
def _add(dialect: str) -> Any:
    return upsert(dialect, RECOMMENDATIONS).inline().on_conflict_do_nothing(index_elements=["ticket_id", "assigned_at"])


def last(tx: Tx, ticket_id: int) -> dict[str, Any] | None:
    """Return the recommendation of a ticket's last assignment, or None."""
    row = tx.conn.execute(_LAST, {"ticket_id": ticket_id}).mappings().first()
    return dict(row) if row else None
