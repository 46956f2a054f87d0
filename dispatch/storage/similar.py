"""Open tickets that a call may be about: near its point, of its address, of its caller; and what is known to differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from dispatch.domain.incident import IncidentStatus
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.incident_tables import IncidentRow
from dispatch.storage.similar_tables import NotSameRow
from dispatch.storage.tables import CallRow, TicketRow

TICKETS, CALLS, NOT_SAME = table_of(TicketRow), table_of(CallRow), table_of(NotSameRow)
INCIDENTS = table_of(IncidentRow)
_TOLD = (
    "id", "number", "status", "category", "received_at", "lon", "lat", "address", "description", "policy_version",
    "incident_id", "is_carried",
)  # fmt: skip


_MOST = bindparam("most", type_=Integer)
# A ticket with what is compared.
Candidate = Row[Any]


def candidates(
    tx: Tx, cells: Sequence[int], place_key: str, phone: str | None, categories: Sequence[str], most: int
) -> Sequence[Candidate]:
    """Return `most` open tickets of some categories in squares, at an address or of a caller, in no order.

    Those of the address and of the caller come before those that are only near, and of each the newest first. However
    many lie on one spot, no more is read: each part walks an index from its newest end; of a caller it is the newest
    `most` calls. `is_same_caller` says that the caller rang about it before.
    """
    if not (cells or place_key or phone):
        return []
    told: dict[str, Any] = {f"c{n}": cell for n, cell in enumerate(cells)}
    told |= {f"k{n}": category for n, category in enumerate(categories)}
    told |= {"place_key": place_key, "phone": phone, "most": most}
    return tx.conn.execute(_query(len(cells), len(categories), bool(place_key), phone is not None), told).all()


@cache
def _query(cells: int, categories: int, has_key: bool, has_phone: bool) -> Select[Any]:
    """The statement, in short names: one of more than 4,096 characters psycopg reads anew each time."""
    t = TICKETS.alias("t")
    # Told one by one: a list that grows would be written into the statement anew each time.
    wanted = t.c.category.in_([bindparam(f"k{n}", type_=Text) for n in range(categories)])
    is_open = and_(t.c.ended_at.is_(None), wanted)
    by_ticket = t.c.id.desc()
    one: Any = select(t.c.id)
    named, near = (literal_column(turn, Integer).label("turn") for turn in ("0", "1"))
    parts = [(near, one.where(t.c.cell == bindparam(f"c{n}"), is_open).order_by(by_ticket)) for n in range(cells)]
    if has_key:
        parts.append((named, one.where(t.c.place_key == bindparam("place_key"), is_open).order_by(by_ticket)))
    is_caller: Any = false()
    if has_phone:
        rung = CALLS.c.caller_phone == bindparam("phone")
        # The newest calls first, open or not: a number that rings all day has ten years of them.
        newest = select(CALLS.c.ticket_id).where(rung).order_by(CALLS.c.id.desc()).limit(_MOST).subquery("newest")
        parts.append((named, one.join(newest, newest.c.ticket_id == t.c.id).where(is_open)))
        is_caller = exists().where(CALLS.c.ticket_id == t.c.id, rung)
    # The few are chosen first and then looked up: the other way round PostgreSQL may walk ten years of tickets.
    few = [select(part.limit(_MOST).subquery(f"p{n}"), turn) for n, (turn, part) in enumerate(parts)]
    all_ = union_all(*few).subquery("found")
    in_turn = (func.min(all_.c.turn), all_.c.id.desc())
    chosen = select(all_.c.id).group_by(all_.c.id).order_by(*in_turn).limit(_MOST).subquery("chosen")
    columns = [t.c[name] for name in _TOLD]
    return select(*columns, is_caller.label("is_same_caller")).join(chosen, chosen.c.id == t.c.id)


def leads_with_area(tx: Tx) -> list[Row[*tuple[Any, ...]]]:
    """Return the tickets that lead open incidents whose area is known, with what is compared and `area`, GeoJSON."""
    columns = [TICKETS.c[name] for name in _TOLD]
    query = (
        select(*columns, literal(0).label("is_same_caller"), INCIDENTS.c.area)
        .join(INCIDENTS, INCIDENTS.c.id == TICKETS.c.incident_id)
        .where(INCIDENTS.c.status == IncidentStatus.OPEN, ~TICKETS.c.is_carried, TICKETS.c.ended_at.is_(None))
        .order_by(TICKETS.c.id.desc())
    )
    return [row for row in tx.conn.execute(query) if row.area is not None]


def incidents_of(tx: Tx, ticket_ids: Collection[int]) -> dict[int, bool]:
    """Return the incidents that some tickets belong to, and whether one of them leads it."""
    query = select(TICKETS.c.incident_id, TICKETS.c.is_carried).where(TICKETS.c.id.in_(ticket_ids))
    found: dict[int, bool] = {}
    for incident_id, is_carried in tx.conn.execute(query.where(TICKETS.c.incident_id.is_not(None))):
        found[incident_id] = found.get(incident_id, False) or not is_carried
    return found


def told_apart(tx: Tx, ticket_id: int) -> set[int]:
    """Return the ids of the tickets that somebody told apart from this one."""
    low, high = NOT_SAME.c.low_id, NOT_SAME.c.high_id
    query = select(low, high).where(or_(low == ticket_id, high == ticket_id))
    return {id_ for row in tx.conn.execute(query) for id_ in row} - {ticket_id}


def tell_apart(tx: Tx, ticket_id: int, others: Iterable[int], said_by: int, now: datetime) -> set[int]:
    """Remember that a ticket is of another problem than the others; return those that nobody had told apart."""
    fresh = set()
    for other in sorted(others):
        row = {"low_id": min(ticket_id, other), "high_id": max(ticket_id, other), "said_by": said_by, "said_at": now}
        if tx.conn.execute(_remember(tx.dialect), row).first() is not None:
            fresh.add(other)
    return fresh


@cache
def _remember(dialect: str) -> Any:
    return upsert(dialect, NOT_SAME).on_conflict_do_nothing().returning(NOT_SAME.c.low_id)


def numbered(tx: Tx, numbers: Sequence[str]) -> dict[str, int]:
    """Return the ids of tickets by number; one that is not there is missing."""
    query = select(TICKETS.c.number, TICKETS.c.id).where(TICKETS.c.number.in_(numbers))
    return {row.number: row.id for row in tx.conn.execute(query)}
