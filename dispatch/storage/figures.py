"""Facts for the figures, read from the rows of tickets and calls; and those that are kept by day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, func, select

from dispatch.domain.facts import FORMAT, Facts, Gatherer
from dispatch.domain.sla import Clock, ClockKind
from dispatch.storage.callback_tables import CallbackRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.figures_tables import FiguresDayRow, FiguresMarkRow
from dispatch.storage.live import RUNNING
from dispatch.storage.tables import CallRow, ClockRow, EscalationRow, EventRow, TicketRow

TICKETS, CLOCKS, EVENTS = table_of(TicketRow), table_of(ClockRow), table_of(EventRow)
CALLBACKS, CALLS, STEPS = table_of(CallbackRow), table_of(CallRow), table_of(EscalationRow)
DAYS, MARK = table_of(FiguresDayRow), table_of(FiguresMarkRow)
_FIELDS = tuple(f.name for f in fields(Clock))
_DIMENSIONS = ("zone_id", "team_id", "branch", "steward", "level", "category")
# So many tickets in one statement: every database takes so many parameters.
_CHUNK = 1_000
# Who calls again within so long has called before.
REPEAT_WITHIN = timedelta(days=7)
_EARLIER = CALLS.alias("earlier")
_CALLED_BEFORE = (
    select(_EARLIER.c.called_at)
    .where(_EARLIER.c.caller_phone == CALLS.c.caller_phone, _EARLIER.c.id < CALLS.c.id)
    .order_by(_EARLIER.c.id.desc())
    .limit(1)
    .scalar_subquery()
)


# ---------------------------------------------------------------- facts of rows


def facts_of(tx: Tx, ticket_ids: Collection[int], call_ids: Collection[int]) -> Facts:
    """Return the facts of tickets and calls as their rows tell them now."""
    gathered = Gatherer()
    for ids in _chunks(ticket_ids):
        _tickets(tx, gathered, ids)
        query = select(CLOCKS.c.ticket_id, *(CLOCKS.c[name] for name in _FIELDS)).where(CLOCKS.c.ticket_id.in_(ids))
        for ticket_id, kind, *rest in tx.conn.execute(query):
            gathered.clock(ticket_id, Clock(ClockKind(kind), *rest))
        steps = select(STEPS.c.ticket_id, STEPS.c.fired_at, STEPS.c.acknowledged_at).where(STEPS.c.ticket_id.in_(ids))
        for ticket_id, fired_at, acknowledged_at in tx.conn.execute(steps):
            gathered.step(ticket_id, fired_at, acknowledged_at)
    for ids in _chunks(call_ids):
        columns = (CALLS.c.id, CALLS.c.called_at, CALLS.c.category, CALLS.c.outcome)
        query = select(*columns, _CALLED_BEFORE.label("before")).where(CALLS.c.id.in_(ids)).order_by(CALLS.c.id)
        for call_id, called_at, category, outcome, before in tx.conn.execute(query):
            is_repeat = before is not None and called_at - before <= REPEAT_WITHIN
            gathered.call(call_id, called_at, category, is_answered=outcome == "answered", is_repeat=is_repeat)
    return gathered.facts()


def _chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(ids)
    return (ordered[n : n + _CHUNK] for n in range(0, len(ordered), _CHUNK))


def _tickets(tx: Tx, gathered: Gatherer, ids: Sequence[int]) -> None:
    events, heard, reworks = _events(tx, ids), _heard(tx, ids), _reworks(tx, ids)
    columns = ("id", "received_at", "number", "status", "round", "is_carried", "outcome", *_DIMENSIONS)
    query = select(*(TICKETS.c[name] for name in columns)).where(TICKETS.c.id.in_(ids)).order_by(TICKETS.c.id)
    for ticket_id, received_at, number, status, round_, is_carried, outcome, *dimensions in tx.conn.execute(query):
        seen = events.get(ticket_id, {})
        rest = (
            status in ("done", "closed") or round_ > 1,
            is_carried,
            outcome == "temporary",
            seen.get("arrive", 0),
            seen.get("dispatch", 0) + seen.get("reassign", 0),
            round_,
            reworks.get(number, 0),
            seen.get("return", 0),
            *heard.get(ticket_id, (0, 0, 0, 0)),
        )
        gathered.ticket(ticket_id, received_at, dimensions, rest)


def _events(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how often each ticket was visited, assigned and returned."""
    query = (
        select(EVENTS.c.ticket_id, EVENTS.c.kind, func.count())
        .where(EVENTS.c.ticket_id.in_(ids), EVENTS.c.kind.in_(("arrive", "dispatch", "reassign", "return")))
        .group_by(EVENTS.c.ticket_id, EVENTS.c.kind)
    )
    found: dict[int, dict[str, int]] = {}
    for ticket_id, kind, count in tx.conn.execute(query):
        found.setdefault(ticket_id, {})[kind] = count
    return found


def _heard(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return of each ticket's callers how many can be rung, were heard, judged, and are content."""
    counted: Iterable[ColumnElement[bool]] = (
        CALLBACKS.c.state != "void",
        CALLBACKS.c.state.in_(("reached", "answered_by_link")),
        CALLBACKS.c.is_satisfied.is_not(None),
        CALLBACKS.c.is_satisfied.is_(True),
    )
    sums = [func.sum(case((that, 1), else_=0)) for that in counted]
    query = (
        select(CALLBACKS.c.ticket_id, *sums)
        .where(CALLBACKS.c.ticket_id.in_(ids), CALLBACKS.c.phone.is_not(None))
        .group_by(CALLBACKS.c.ticket_id)
    )
    return {ticket_id: tuple(int(count) for count in counts) for ticket_id, *counts in tx.conn.execute(query)}


def _reworks(tx: Tx, ids: Sequence[int]) -> dict[str, int]:
    """Return how many tickets of single callers each ticket has left, by its number."""
    own = TICKETS.alias("own")
    query = (
        select(own.c.rework_of, func.count())
        .join(TICKETS, TICKETS.c.number == own.c.rework_of)
        .where(TICKETS.c.id.in_(ids))
        .group_by(own.c.rework_of)
    )
    return {number: count for number, count in tx.conn.execute(query)}


# ---------------------------------------------------------------- what is kept, and how far it is true


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the kept days are true; see FiguresMarkRow."""

    event_id: int = 0
    call_id: int = 0
    seen_event: int = 0
    seen_call: int = 0
    seen_until: int = 0
    seen_at: datetime | None = None


_MARK = tuple(f.name for f in fields(Mark))


def mark(tx: Tx) -> Mark:
    """Return how far the kept days are true; nowhere where they were packed in another format."""
    query = select(*(MARK.c[name] for name in _MARK)).where(MARK.c.id == 1, MARK.c.format == FORMAT)
    row = tx.conn.execute(query).first()
    return Mark() if row is None else Mark(*row)


def days(tx: Tx, known: Mark, first: date, last: date) -> list[bytes]:
    """Return the packed facts of the days from `first` to `last`, as far as they are kept and true."""
    if known.event_id == known.call_id == 0:
        return []
    query = select(DAYS.c.facts).where(DAYS.c.day >= first, DAYS.c.day <= last).order_by(DAYS.c.day)
    return list(tx.conn.execute(query).scalars())


def put_day(tx: Tx, day: date, facts: bytes) -> None:
    """Keep the facts of a day."""
    put = upsert(tx.dialect, DAYS).values(day=day, facts=facts)
    tx.conn.execute(put.on_conflict_do_update(index_elements=["day"], set_={"facts": put.excluded["facts"]}))


def move_mark(tx: Tx, before: Mark, after: Mark) -> bool:
    """Say that the days are true up to `after`; False where somebody else has moved the mark since it was read.

    The row's lock is held from here on: what follows in the transaction is written by one process alone.
    """
    values = {name: getattr(after, name) for name in _MARK}
    put = upsert(tx.dialect, MARK).values(id=1, format=0, **{**values, "event_id": -1}).on_conflict_do_nothing()
    tx.conn.execute(put)
    held = tx.conn.execute(select(MARK).where(MARK.c.id == 1).with_for_update()).mappings().one()
    is_old = held["format"] != FORMAT
    if (Mark() if is_old else Mark(*(held[name] for name in _MARK))) != before:
        return False
    if is_old:
        tx.conn.execute(delete(DAYS))
    tx.conn.execute(MARK.update().where(MARK.c.id == 1).values(format=FORMAT, **values))
    return True


def newest(tx: Tx) -> tuple[int, int]:
    """Return the newest ids of events and calls that can be seen."""
    first, second = (tx.conn.execute(select(func.max(table.c.id))).scalar() or 0 for table in (EVENTS, CALLS))
    return int(first), int(second)


def transactions(tx: Tx) -> tuple[int, int]:
    """Return below which number all transactions are over, and from which on none had begun; SQLite has none beside."""
    if tx.dialect == "sqlite":
        return 0, 0
    running = tx.conn.execute(RUNNING).one()
    return int(running.oldest), int(running.next)


# ---------------------------------------------------------------- what has moved


def moved_tickets(tx: Tx, after: int, until: int, limit: int) -> tuple[dict[int, datetime], int]:
    """Return tickets with an event above `after`, up to `until`, and when each was received; and up to which event.

    At most `limit` events are read.
    """
    ids = select(EVENTS.c.id, EVENTS.c.ticket_id).where(EVENTS.c.id > after, EVENTS.c.id <= until)
    some = ids.order_by(EVENTS.c.id).limit(limit).subquery()
    query = select(some.c.id, some.c.ticket_id, TICKETS.c.received_at).join(TICKETS, TICKETS.c.id == some.c.ticket_id)
    rows = tx.conn.execute(query).all()
    last = max(row.id for row in rows) if len(rows) == limit else until
    return {row.ticket_id: row.received_at for row in rows}, last


def moved_calls(tx: Tx, after: int, until: int, limit: int) -> tuple[dict[int, datetime], int]:
    """Return calls with an id above `after`, up to `until`, `limit` at most, and when they came; and up to which id."""
    query = select(CALLS.c.id, CALLS.c.called_at).where(CALLS.c.id > after, CALLS.c.id <= until)
    rows = tx.conn.execute(query.order_by(CALLS.c.id).limit(limit)).all()
    return {row.id: row.called_at for row in rows}, rows[-1].id if len(rows) == limit else until


def moved_since(tx: Tx, known: Mark, start: datetime, end: datetime, most: int) -> tuple[list[int], list[int]]:
    """Return the tickets received, and the calls made, from `start` to before `end` that the kept days do not know yet.

    Of each `most` at most.
    """

    def ids(query: Select[Any]) -> list[int]:
        return [row[0] for row in tx.conn.execute(query.limit(most))]

    tickets = (
        select(EVENTS.c.ticket_id)
        .join(TICKETS, TICKETS.c.id == EVENTS.c.ticket_id)
        .where(EVENTS.c.id > known.event_id, TICKETS.c.received_at >= start, TICKETS.c.received_at < end)
        .distinct()
    )
    calls = select(CALLS.c.id).where(CALLS.c.id > known.call_id, CALLS.c.called_at >= start, CALLS.c.called_at < end)
    return ids(tickets), ids(calls)
