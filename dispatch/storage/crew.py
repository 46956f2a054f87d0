"""What a crew's screen shows of its tickets besides the tickets: a number to call, photos, requests, what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from dispatch.storage.calls import CALLS
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.photos import PHOTOS
from dispatch.storage.screen_tables import RequestRow
from dispatch.storage.tickets import EVENTS, TICKETS

REQUESTS = table_of(RequestRow)


def phones(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, str]:
    """Return the caller's number of each ticket that has one: that of its first call, or of the work it follows."""
    of_call = func.coalesce(TICKETS.c.origin_id, TICKETS.c.id)
    query = (
        select(TICKETS.c.id, CALLS.c.caller_phone)
        .join(CALLS, CALLS.c.ticket_id == of_call)
        .where(TICKETS.c.id.in_(ticket_ids), CALLS.c.caller_phone.is_not(None))
        .order_by(CALLS.c.id.desc())
    )
    return {row.id: row.caller_phone for row in tx.conn.execute(query)}


def photo_counts(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how many photos of each stage each ticket has."""
    columns = (PHOTOS.c.ticket_id, PHOTOS.c.stage)
    query = select(*columns, func.count().label("n")).where(PHOTOS.c.ticket_id.in_(ticket_ids)).group_by(*columns)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in tx.conn.execute(query):
        found[row.ticket_id][row.stage] = row.n
    return found


def asked(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the verbs that were asked for on each ticket and are not decided yet."""
    is_open = REQUESTS.c.ticket_id.in_(ticket_ids) & REQUESTS.c.decided_at.is_(None)
    query = select(REQUESTS.c.ticket_id, REQUESTS.c.verb).where(is_open).order_by(REQUESTS.c.id)
    found: dict[int, list[str]] = defaultdict(list)
    for row in tx.conn.execute(query):
        found[row.ticket_id].append(row.verb)
    return found


def history(tx: Tx, ticket_ids: Sequence[int], most: int) -> dict[int, list[tuple[datetime, str]]]:
    """Return the last lines of each ticket's timeline, newest first: when it happened, and what."""
    columns = (EVENTS.c.ticket_id, EVENTS.c.effective_at, EVENTS.c.text)
    query = select(*columns).where(EVENTS.c.ticket_id.in_(ticket_ids)).order_by(EVENTS.c.id.desc())
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for row in tx.conn.execute(query):
        if len(found[row.ticket_id]) < most:
            found[row.ticket_id].append((row.effective_at, row.text))
    return found
