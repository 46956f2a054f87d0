"""The boards' questions: what breaks first, what is in danger, how much of what there is.

Each is answered from an index that holds running clocks or open tickets alone, whatever the number of ended ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, bindparam, exists, func, literal_column, select, text

from dispatch.domain.states import OPEN, Status
from dispatch.storage.board import Filter, conditions
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.escalations import ESCALATIONS, WAITING
from dispatch.storage.screen_tables import PositionRow, RequestRow
from dispatch.storage.tables import CARRIED, RUNNING, ClockRow, TicketRow, UserRow

TICKETS, CLOCKS = table_of(TicketRow), table_of(ClockRow)
REQUESTS, POSITIONS, USERS = table_of(RequestRow), table_of(PositionRow), table_of(UserRow)
# Nobody has them: a dispatcher must act first.
UNASSIGNED = (Status.RECEIVED, Status.RETURNED)
_RESTING = (Status.ON_HOLD, Status.DONE)
_FIRST = CLOCKS.alias("first")


def _running(name: str) -> TextClause:
    """Return the condition of the indices over running clocks, word for word, for a table of this name."""
    words = {"met_at", "is_void", "paused_at"}
    return text(" ".join(f"{name}.{word}" if word in words else word for word in RUNNING.split()))


_IS_RUNNING = _running("clocks")
# Grouped by the plain column, SQLite would walk all clocks in its order rather than the few in danger.
_TICKET_ID: ColumnElement[int] = literal_column("clocks.ticket_id + 0")
# Who has no crew job: the ticket that leads its incident stands in the queue for it. An index holds them alone.
_CARRIED = TICKETS.alias("carried")
_HAS_JOB = _TICKET_ID.not_in(select(_CARRIED.c.id).where(text(CARRIED)))
# The clock by which a ticket stands in the queue: of those that can break the one that is due first.
_LEADING = (
    select(_FIRST.c.id)
    .where(_FIRST.c.ticket_id == CLOCKS.c.ticket_id, _running("first"))
    .order_by(_FIRST.c.due_at, _FIRST.c.id)
    .limit(1)
    .scalar_subquery()
)


def unassigned(tx: Tx, wanted: Filter, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Return open tickets that no team has, oldest first."""
    query = select(TICKETS).where(TICKETS.c.status.in_(UNASSIGNED), ~TICKETS.c.is_carried, *conditions(tx, wanted, now))
    return _rows(tx, query.order_by(TICKETS.c.id).limit(limit))


def running(tx: Tx, wanted: Filter, after: int, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Return tickets of teams by the time of their next breach, the overdue ones first.

    Args:
        tx: The transaction.
        wanted: The filter.
        after: `clock_id` of the last row of the page before, 0 for the first page.
        limit: Rows at most.
        now: For the filter.

    Returns:
        The columns of the tickets, each with the `clock_id` by which it stands there.
    """
    query = (
        select(CLOCKS.c.id.label("clock_id"), TICKETS)
        .join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id)
        .where(_IS_RUNNING, CLOCKS.c.id == _LEADING)
        .where(TICKETS.c.status.not_in(UNASSIGNED), ~TICKETS.c.is_carried, *conditions(tx, wanted, now))
        .order_by(CLOCKS.c.due_at, CLOCKS.c.id)
        .limit(limit)
    )
    if after:
        last_due = select(_FIRST.c.due_at).where(_FIRST.c.id == after).scalar_subquery()
        query = query.where(
            (CLOCKS.c.due_at > last_due) | ((CLOCKS.c.due_at == last_due) & (CLOCKS.c.id > after)),
            CLOCKS.c.due_at >= last_due,
        )
    return _rows(tx, query)


def resting(tx: Tx, wanted: Filter, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Return open tickets against which no time runs: on hold, or done and called back; oldest first."""
    runs = exists().where(_FIRST.c.ticket_id == TICKETS.c.id, _running("first"))
    is_resting = (TICKETS.c.status.in_(_RESTING), ~TICKETS.c.is_carried, ~runs)
    query = select(TICKETS).where(*is_resting, *conditions(tx, wanted, now))
    return _rows(tx, query.order_by(TICKETS.c.id).limit(limit))


def rescuable(tx: Tx, wanted: Filter, limit: int, now: datetime) -> list[dict[str, Any]]:
    """Return tickets of which a clock has used 80 % and none is overdue, the most pressing first."""
    due_at = func.min(CLOCKS.c.due_at)
    # Cut off before the tickets are fetched: in a freeze there are thousands.
    first = _in_danger(tx, wanted, now).having(due_at > now).order_by(due_at, _TICKET_ID).limit(limit).subquery()
    query = select(TICKETS).join(first, first.c.ticket_id == TICKETS.c.id)
    return _rows(tx, query.order_by(first.c.due_at, TICKETS.c.id))


def _in_danger(tx: Tx, wanted: Filter, now: datetime) -> Select[*tuple[Any, ...]]:
    """Tickets with a clock past 80 %, each with the first due time of these clocks."""
    query: Select[*tuple[Any, ...]] = select(_TICKET_ID.label("ticket_id"), func.min(CLOCKS.c.due_at).label("due_at"))
    narrowed = conditions(tx, wanted, now)
    if narrowed:
        query = query.join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id).where(*narrowed)
    return query.where(_IS_RUNNING, CLOCKS.c.rescue_at <= now, _HAS_JOB).group_by(_TICKET_ID)


def _rows(tx: Tx, query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def counts(tx: Tx, wanted: Filter, day_start: datetime, now: datetime) -> dict[str, int]:
    """Return the counters of the boards, over open tickets, and those closed since `day_start`."""
    narrowed = conditions(tx, wanted, now)
    by_status = select(TICKETS.c.status, func.count()).where(TICKETS.c.status.in_(OPEN), *narrowed)
    found = {row[0]: row[1] for row in tx.conn.execute(by_status.group_by(TICKETS.c.status))}
    danger = _in_danger(tx, wanted, now).subquery()
    is_broken = danger.c.due_at <= now
    broken, all_ = tx.conn.execute(select(func.count().filter(is_broken), func.count()).select_from(danger)).one()
    return {
        "open": sum(found.values()),
        "unassigned": sum(found.get(status, 0) for status in UNASSIGNED),
        "near_breach": all_ - broken,
        "breached": broken,
        "unanswered": _unanswered(tx, narrowed),
        "on_hold": found.get(Status.ON_HOLD, 0),
        "requests": _count(tx, _of_tickets(REQUESTS, narrowed).where(REQUESTS.c.decided_at.is_(None))),
        "closed_today": _closed_since(tx, narrowed, day_start),
    }


def _unanswered(tx: Tx, narrowed: Sequence[ColumnElement[bool]]) -> int:
    """Count what waits for an answer; an ended ticket has nothing of the kind, so that the index alone will do."""
    query = select(func.count()).select_from(ESCALATIONS).where(WAITING)
    return _count(tx, _of_tickets(ESCALATIONS, narrowed).where(WAITING) if narrowed else query)


def _of_tickets(table: Any, narrowed: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    query = select(func.count()).select_from(table)
    return query.join(TICKETS, TICKETS.c.id == table.c.ticket_id).where(TICKETS.c.ended_at.is_(None), *narrowed)


def _closed_since(tx: Tx, narrowed: Sequence[ColumnElement[bool]], day_start: datetime) -> int:
    ended = TICKETS.c.ended_at.is_not(None), TICKETS.c.ended_at >= day_start
    # Compared as it stands, SQLite would rather walk all closed tickets by the index of the states.
    is_closed = TICKETS.c.status.concat("") == Status.CLOSED
    return _count(tx, select(func.count()).where(*ended, is_closed, *narrowed))


def _count(tx: Tx, query: Select[*tuple[Any, ...]]) -> int:
    return int(tx.conn.execute(query).scalar_one())


def load(tx: Tx, now: datetime) -> dict[str, tuple[int, int]]:
    """Return by team how many open tickets it has, and how many of them are overdue."""
    open_ = select(TICKETS.c.team_id, func.count()).where(TICKETS.c.ended_at.is_(None), TICKETS.c.team_id.is_not(None))
    carried = select(_CARRIED.c.team_id, func.count()).where(text(CARRIED)).group_by(_CARRIED.c.team_id)
    along = {row[0]: row[1] for row in tx.conn.execute(carried)}
    found = {row[0]: row[1] for row in tx.conn.execute(open_.group_by(TICKETS.c.team_id))}
    late = (
        select(TICKETS.c.team_id, func.count(CLOCKS.c.ticket_id.distinct()))
        .join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id)
        .where(_IS_RUNNING, CLOCKS.c.due_at <= now, ~TICKETS.c.is_carried)
        .group_by(TICKETS.c.team_id)
    )
    overdue = {row[0]: row[1] for row in tx.conn.execute(late)}
    return {team_id: (count - along.get(team_id, 0), overdue.get(team_id, 0)) for team_id, count in found.items()}


_POSITIONS = (
    select(POSITIONS, USERS.c.name, USERS.c.team_id)
    .join(USERS, USERS.c.id == POSITIONS.c.user_id)
    .where(POSITIONS.c.at > bindparam("since"), USERS.c.is_active)
    .order_by(USERS.c.team_id, POSITIONS.c.user_id)
)


def positions(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    """Return where crew members were last, of those who told it after `since`."""
    return [dict(row) for row in tx.conn.execute(_POSITIONS, {"since": since}).mappings()]
