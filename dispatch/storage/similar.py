"""Open tickets that a call may be about: near its point, of its address, of its caller; and what is known to differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, Row, Select, bindparam, exists, false, or_, select, union

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.similar_tables import NotSameRow
from dispatch.storage.tables import CallRow, TicketRow

TICKETS, CALLS, NOT_SAME = table_of(TicketRow), table_of(CallRow), table_of(NotSameRow)
_TOLD = (
    "id", "number", "status", "category", "received_at", "lon", "lat", "address", "description", "policy_version",
    "incident_id", "is_carried",
)  # fmt: skip


# A ticket with what is compared.
Candidate = Row[Any]
_ONE_OF = TICKETS.c.category.in_(bindparam("categories", expanding=True))


def candidates(
    tx: Tx, cells: Sequence[int], place_key: str, phone: str | None, categories: Sequence[str], most: int
) -> Sequence[Candidate]:
    """Return the newest `most` open tickets of some categories in squares, at an address or of a caller.

    However many lie on one spot, no more is read: each part walks an index from its newest end. `is_same_caller` says
    that the caller rang about it before.
    """
    if not (cells or place_key or phone):
        return []
    told: dict[str, Any] = {f"cell_{n}": cell for n, cell in enumerate(cells)}
    told |= {"place_key": place_key, "phone": phone, "categories": categories, "most": most}
    return tx.conn.execute(_query(len(cells), bool(place_key), phone is not None), told).all()


@cache
def _query(cells: int, has_key: bool, has_phone: bool) -> Select[Any]:
    parts = [_newest(TICKETS.c.cell == bindparam(f"cell_{n}"), f"s{n}") for n in range(cells)]
    if has_key:
        parts.append(_newest(TICKETS.c.place_key == bindparam("place_key"), "k"))
    is_caller: Any = false()
    if has_phone:
        rung = CALLS.c.caller_phone == bindparam("phone")
        newest = select(CALLS.c.ticket_id.label("id")).where(rung, CALLS.c.ticket_id.is_not(None))
        newest = newest.order_by(CALLS.c.id.desc()).limit(bindparam("most"))
        parts.append(select(newest.subquery("p").c.id))
        is_caller = exists().where(CALLS.c.ticket_id == TICKETS.c.id, rung)
    ids: CompoundSelect[Any] | Select[Any] = union(*parts) if len(parts) > 1 else parts[0]
    query = select(*(TICKETS.c[name] for name in _TOLD), is_caller.label("is_same_caller"))
    query = query.where(TICKETS.c.id.in_(ids), TICKETS.c.ended_at.is_(None), _ONE_OF)
    return query.order_by(TICKETS.c.id.desc()).limit(bindparam("most"))


def _newest(condition: Any, name: str) -> Select[Any]:
    query = select(TICKETS.c.id).where(condition, TICKETS.c.ended_at.is_(None), _ONE_OF)
    newest = query.order_by(TICKETS.c.id.desc()).limit(bindparam("most")).subquery(name)
    return select(newest.c.id)


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
