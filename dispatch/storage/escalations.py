"""Steps of the ladder that fired, and who answered them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, text, update

from dispatch.storage.board import of_team
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import UNANSWERED, ClockRow, EscalationRow, TicketRow

ESCALATIONS = table_of(EscalationRow)
TICKETS, CLOCKS = table_of(TicketRow), table_of(ClockRow)
_INSERT = insert(ESCALATIONS)
# Word for word as in its index, or no database sees that it fits.
WAITING = text(UNANSWERED)
_ANSWER_ALL = (
    update(ESCALATIONS)
    .where(ESCALATIONS.c.ticket_id == bindparam("ticket"), ESCALATIONS.c.acknowledged_at.is_(None))
    .values(acknowledged_at=bindparam("at"), acknowledged_by=bindparam("by"), ask_at=None)
)
_WITH_TICKET = select(ESCALATIONS, TICKETS.c.number, TICKETS.c.team_id, TICKETS.c.assisting).join(
    TICKETS, TICKETS.c.id == ESCALATIONS.c.ticket_id
)

_OF_CLOCK = and_(
    CLOCKS.c.ticket_id == ESCALATIONS.c.ticket_id,
    CLOCKS.c.kind == ESCALATIONS.c.clock,
    CLOCKS.c.round == ESCALATIONS.c.round,
)
_SILENT = (
    select(
        ESCALATIONS,
        *(TICKETS.c[name] for name in ("number", "status", "level", "policy_version")),
        *(CLOCKS.c[name] for name in ("next_step", "met_at", "is_void", "paused_at")),
    )
    .join(TICKETS, TICKETS.c.id == ESCALATIONS.c.ticket_id)
    .join(CLOCKS, _OF_CLOCK)
    .where(ESCALATIONS.c.ask_at <= bindparam("now"))
    .order_by(ESCALATIONS.c.ask_at, ESCALATIONS.c.id)
    .limit(bindparam("batch"))
    # Whoever answers takes the ticket first: one in work is left for the next look.
    .with_for_update(skip_locked=True, of=[ESCALATIONS, TICKETS])
)
_NEXT = select(func.min(ESCALATIONS.c.ask_at)).where(ESCALATIONS.c.ask_at.is_not(None))


def add(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Insert fired steps; the unique key refuses a second one."""
    if rows:
        tx.conn.execute(_INSERT, rows)


def open_supervision(tx: Tx, ticket_ids: Sequence[int]) -> None:
    """Open 督办 on tickets whose ladder says so."""
    if ticket_ids:
        tx.conn.execute(update(TICKETS).where(TICKETS.c.id.in_(ticket_ids)).values(is_supervised=True))


def page(tx: Tx, after: int, limit: int, *, is_unanswered: bool, team_id: str | None) -> list[dict[str, Any]]:
    """Return fired steps with id below `after` (0: from the newest), newest first; for one team if given."""
    query = _WITH_TICKET.order_by(ESCALATIONS.c.id.desc()).limit(limit)
    if after:
        query = query.where(ESCALATIONS.c.id < after)
    if is_unanswered:
        query = query.where(ESCALATIONS.c.acknowledged_at.is_(None))
    if team_id is not None:
        query = query.where(of_team(team_id))
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def find(tx: Tx, escalation_id: int) -> dict[str, Any] | None:
    """Return one fired step with number and team of its ticket."""
    row = tx.conn.execute(_WITH_TICKET.where(ESCALATIONS.c.id == escalation_id)).mappings().first()
    return dict(row) if row else None


def acknowledge(tx: Tx, escalation_id: int, by: str, now: datetime) -> bool:
    """Mark a step as answered; False where somebody did before."""
    mark = (
        update(ESCALATIONS)
        .where(ESCALATIONS.c.id == escalation_id, ESCALATIONS.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=by, ask_at=None)
    )
    return bool(tx.conn.execute(mark).rowcount)


def answer_all(tx: Tx, ticket_id: int, by: str, now: datetime) -> None:
    """Mark all steps of a ticket as answered that nobody has answered before."""
    tx.conn.execute(_ANSWER_ALL, {"ticket": ticket_id, "at": now, "by": by})


def unanswered(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, int]:
    """Return how many steps at the breach or beyond wait for an answer, by ticket id; none are left out."""
    query = select(ESCALATIONS.c.ticket_id, func.count()).where(ESCALATIONS.c.ticket_id.in_(ticket_ids), WAITING)
    return {row[0]: row[1] for row in tx.conn.execute(query.group_by(ESCALATIONS.c.ticket_id))}


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the steps of one ticket in the order in which they fired."""
    query = select(ESCALATIONS).where(ESCALATIONS.c.ticket_id == ticket_id).order_by(ESCALATIONS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def next_ask(tx: Tx) -> datetime | None:
    """Return when somebody else is to be told next, over all steps; one look at the partial index."""
    return tx.conn.execute(_NEXT).scalar()


def lock_silent(tx: Tx, now: datetime, batch: int) -> list[dict[str, Any]]:
    """Return up to `batch` steps that nobody has answered in time, with ticket and clock, locked, oldest first."""
    return [dict(row) for row in tx.conn.execute(_SILENT, {"now": now, "batch": batch}).mappings()]


def ask_again(tx: Tx, escalation_id: int, at: datetime | None) -> None:
    """Set when the next one is told of a step; None where nobody is."""
    tx.conn.execute(update(ESCALATIONS).where(ESCALATIONS.c.id == escalation_id).values(ask_at=at))
