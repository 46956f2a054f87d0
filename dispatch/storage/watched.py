"""By what a call is known: one look for a case, a customer, and how often this caller or this house was heard of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, bindparam, cast, delete, func, insert, literal, null, select, union_all

from dispatch.storage.case_tables import WatchedRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import CallRow, TicketRow

WATCHED, CALLS, TICKETS = table_of(WatchedRow), table_of(CallRow), table_of(TicketRow)
# A switchboard rings a thousand times: more than this is not counted.
MOST = 100
KEYS = 3

_NO_ID, _NO_CATEGORY = cast(null(), BigInteger), cast(null(), Text)
_OF_CALLER = (
    select(literal(1).label("one"))
    .where(CALLS.c.caller_phone == bindparam("phone"), CALLS.c.called_at >= bindparam("since"))
    .limit(MOST)
    .subquery()
)
_OF_SPOT = (
    select(TICKETS.c.category)
    .where(TICKETS.c.spot == bindparam("spot"), TICKETS.c.received_at >= bindparam("since"))
    .limit(MOST)
    .subquery()
)
_LOOK = union_all(
    select(WATCHED.c.case_id, WATCHED.c.customer_id, _NO_CATEGORY.label("category"), literal(0).label("count_")).where(
        WATCHED.c.key.in_([bindparam(f"key{n}") for n in range(KEYS)])
    ),
    select(_NO_ID, _NO_ID, _NO_CATEGORY, func.count()).select_from(_OF_CALLER),
    select(_NO_ID, _NO_ID, _OF_SPOT.c.category, func.count()).select_from(_OF_SPOT).group_by(_OF_SPOT.c.category),
)


@dataclass(slots=True)
class Look:
    """What is known of a call: ids, and counts before it (of MOST at the most)."""

    case_ids: set[int] = field(default_factory=set)
    customer_ids: set[int] = field(default_factory=set)
    of_caller: int = 0
    of_spot: dict[str, int] = field(default_factory=dict)


def look(tx: Tx, keys: Sequence[str], phone: str | None, spot: str | None, since: datetime) -> Look:
    """Ask all at once, by three indexes.

    Args:
        tx: The transaction.
        keys: At most KEYS that the call may be watched by.
        phone: The caller's number.
        spot: The house.
        since: From when on calls of the caller and tickets of the house count, these by category.
    """
    named = {f"key{n}": keys[n] if n < len(keys) else "" for n in range(KEYS)}
    found = Look()
    for row in tx.conn.execute(_LOOK, {**named, "phone": phone, "spot": spot, "since": since}):
        if row.case_id is not None:
            found.case_ids.add(row.case_id)
        elif row.customer_id is not None:
            found.customer_ids.add(row.customer_id)
        elif row.category is not None:
            found.of_spot[row.category] = row.count_
        else:
            found.of_caller = row.count_
    return found


def watch(tx: Tx, keys: Iterable[str], **owner: int) -> None:
    """Watch keys for a case (`case_id`) or a customer (`customer_id`)."""
    rows = [{"key": key, **owner} for key in dict.fromkeys(keys)]
    if rows:
        tx.conn.execute(insert(WATCHED), rows)


def watch_all(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Watch many keys (`key`, `customer_id`) at once."""
    if rows:
        tx.conn.execute(insert(WATCHED), list(rows))


def forget_case(tx: Tx, case_id: int) -> None:
    """Watch no more for a case."""
    tx.conn.execute(delete(WATCHED).where(WATCHED.c.case_id == case_id))


def forget_customers(tx: Tx, customer_ids: Sequence[int]) -> None:
    """Watch no more for customers."""
    tx.conn.execute(delete(WATCHED).where(WATCHED.c.customer_id.in_(customer_ids)))
