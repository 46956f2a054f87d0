"""Ways that were estimated at a dispatch, and how long they took."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Verb
from dispatch.storage.arrival_tables import RecommendationRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import ClockRow, EventRow, TicketRow

CLOCKS, EVENTS, TICKETS = table_of(ClockRow), table_of(EventRow), table_of(TicketRow)
RECOMMENDATIONS = table_of(RecommendationRow)
_WAY = ("id", "ticket_id", "assigned_at", "team_id")
_READ = ("zone_id", "branch", "made_at", "estimate_s", "estimate_kind", "observed_s")

_SET_OFF = (
    select(func.max(EVENTS.c.effective_at))
    .where(EVENTS.c.ticket_id == RECOMMENDATIONS.c.ticket_id, EVENTS.c.kind == Verb.DEPART)
    .scalar_subquery()
)
_ENDED = (
    select(
        *(RECOMMENDATIONS.c[name] for name in _WAY),
        TICKETS.c.team_id.label("has_it"),
        CLOCKS.c.met_at,
        _SET_OFF.label("set_off_at"),
    )
    .join(TICKETS, TICKETS.c.id == RECOMMENDATIONS.c.ticket_id)
    .join(CLOCKS, CLOCKS.c.ticket_id == RECOMMENDATIONS.c.ticket_id)
    .where(RECOMMENDATIONS.c.is_under_way, CLOCKS.c.kind == ClockKind.ARRIVE, CLOCKS.c.round == TICKETS.c.round)
    .where(or_(CLOCKS.c.met_at.is_not(None), CLOCKS.c.is_void))
    .order_by(RECOMMENDATIONS.c.id)
    .limit(bindparam("most"))
)
_OBSERVED = select(*(RECOMMENDATIONS.c[name] for name in _READ)).where(
    RECOMMENDATIONS.c.observed_s.is_not(None), RECOMMENDATIONS.c.made_at >= bindparam("since")
)


def ended(tx: Tx, most: int) -> list[dict[str, Any]]:
    """Return estimated ways that are over, with who has the ticket, when they set off, and when they arrived."""
    return [dict(row) for row in tx.conn.execute(_ENDED, {"most": most}).mappings()]


def keep(tx: Tx, way_id: int, observed_s: float | None) -> None:
    """Note how long a way took, or that nobody can say."""
    over = update(RECOMMENDATIONS).where(RECOMMENDATIONS.c.id == way_id)
    tx.conn.execute(over.values(observed_s=observed_s, is_under_way=False))


def observed(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    """Return the ways of a period whose length is known."""
    return [dict(row) for row in tx.conn.execute(_OBSERVED, {"since": since}).mappings()]
