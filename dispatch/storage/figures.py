"""What the figures are made of: clocks and stories of the tickets that were received in a period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select

from dispatch.domain.measures import Story
from dispatch.domain.sla import Clock, ClockKind
from dispatch.storage.board import Filter, conditions
from dispatch.storage.callback_tables import CallbackRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import ClockRow, EventRow, TicketRow

TICKETS, CLOCKS = table_of(TicketRow), table_of(ClockRow)
EVENTS, CALLBACKS = table_of(EventRow), table_of(CallbackRow)
_FIELDS = tuple(f.name for f in fields(Clock))
_PLACE = ("received_at", "zone_id", "team_id", "branch")


def clocks(
    tx: Tx, wanted: Filter, kinds: tuple[ClockKind, ...], start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[dict[str, Any], Clock]]:
    """Yield time and place of each ticket received from `start` to before `end` with each of its clocks of `kinds`."""
    query = (
        select(*(TICKETS.c[name] for name in _PLACE), *(CLOCKS.c[name] for name in _FIELDS))
        .join(CLOCKS, CLOCKS.c.ticket_id == TICKETS.c.id)
        .where(TICKETS.c.received_at >= start, TICKETS.c.received_at < end, CLOCKS.c.kind.in_(kinds))
        .where(*conditions(tx, wanted, now))
    )
    split = len(_PLACE)
    for row in tx.conn.execute(query):
        kind, *rest = row[split:]
        yield dict(zip(_PLACE, row[:split], strict=True)), Clock(ClockKind(kind), *rest)


def stories(
    tx: Tx, wanted: Filter, start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[dict[str, Any], Story]]:
    """Yield time and place of each ticket received from `start` to before `end` and finished once, with its story."""
    meant = (
        TICKETS.c.received_at >= start,
        TICKETS.c.received_at < end,
        or_(TICKETS.c.status.in_(("done", "closed")), TICKETS.c.round > 1),
        *conditions(tx, wanted, now),
    )
    events, callers, reworks = _events(tx, meant), _callers(tx, meant), _reworks(tx, meant)
    columns = ("id", "number", "round", "is_carried", "outcome", *_PLACE)
    for row in tx.conn.execute(select(*(TICKETS.c[name] for name in columns)).where(*meant)).mappings():
        seen = events.get(row["id"], {})
        yield (
            {name: row[name] for name in _PLACE},
            Story(
                visits=seen.get("arrive", 0),
                assignments=seen.get("dispatch", 0) + seen.get("reassign", 0),
                rounds=row["round"],
                own_reworks=reworks.get(row["number"], 0),
                is_temporary=row["outcome"] == "temporary",
                is_carried=row["is_carried"],
                **callers.get(row["id"], {}),
            ),
        )


def _events(tx: Tx, meant: Sequence[ColumnElement[bool]]) -> dict[int, dict[str, int]]:
    """Return how often each ticket was visited and assigned."""
    query = (
        select(EVENTS.c.ticket_id, EVENTS.c.kind, func.count())
        .join(TICKETS, TICKETS.c.id == EVENTS.c.ticket_id)
        .where(EVENTS.c.kind.in_(("arrive", "dispatch", "reassign")), *meant)
        .group_by(EVENTS.c.ticket_id, EVENTS.c.kind)
    )
    found: dict[int, dict[str, int]] = {}
    for ticket_id, kind, count in tx.conn.execute(query):
        found.setdefault(ticket_id, {})[kind] = count
    return found


def _callers(tx: Tx, meant: Sequence[ColumnElement[bool]]) -> dict[int, dict[str, int]]:
    """Return what the call-backs of each ticket brought."""
    counted = {
        "ringable": CALLBACKS.c.state != "void",
        "heard": CALLBACKS.c.state.in_(("reached", "answered_by_link")),
        "judged": CALLBACKS.c.is_satisfied.is_not(None),
        "satisfied": CALLBACKS.c.is_satisfied.is_(True),
    }
    sums = [func.sum(case((that, 1), else_=0)).label(name) for name, that in counted.items()]
    query = (
        select(CALLBACKS.c.ticket_id, *sums)
        .join(TICKETS, TICKETS.c.id == CALLBACKS.c.ticket_id)
        .where(CALLBACKS.c.phone.is_not(None), *meant)
        .group_by(CALLBACKS.c.ticket_id)
    )
    return {row.ticket_id: {name: int(getattr(row, name)) for name in counted} for row in tx.conn.execute(query)}


def _reworks(tx: Tx, meant: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    """Return how many tickets of single callers each ticket has left."""
    own = TICKETS.alias("own")
    query = (
        select(own.c.rework_of, func.count())
        .join(TICKETS, TICKETS.c.number == own.c.rework_of)
        .where(*meant)
        .group_by(own.c.rework_of)
    )
    return {row[0]: row[1] for row in tx.conn.execute(query)}
