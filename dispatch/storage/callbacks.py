"""Call-backs: made when work is done, claimed, tried, settled; the ticket's row lock is the mutex of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, insert, or_, select, update

from dispatch.storage.callback_tables import CallbackRow, CallbackTryRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import CallRow, TicketRow

CALLBACKS, TRIES = table_of(CallbackRow), table_of(CallbackTryRow)
CALLS, TICKETS = table_of(CallRow), table_of(TicketRow)
_WAITING = CALLBACKS.c.state == "waiting"
_NUMBERED = select(CALLBACKS, TICKETS.c.number).join(TICKETS, TICKETS.c.id == CALLBACKS.c.ticket_id)


def callers(tx: Tx, ticket_id: int, number: str) -> list[dict[str, Any]]:
    """Return the calls of a ticket, of that whose rest it is, and of all merged into these, last one first."""
    first = _origin(ticket_id)
    ids, numbers = [ticket_id], [number]
    for row in tx.conn.execute(first):
        ids.append(row.id)
        numbers.append(row.number)
    while numbers:
        query = select(TICKETS.c.id, TICKETS.c.number).where(TICKETS.c.merged_into.in_(numbers))
        merged = tx.conn.execute(query).all()
        numbers = [row.number for row in merged]
        ids += [row.id for row in merged]
    calls = select(CALLS.c.id, CALLS.c.caller_phone).where(CALLS.c.ticket_id.in_(ids)).order_by(CALLS.c.id.desc())
    return [dict(row) for row in tx.conn.execute(calls).mappings()]


def _origin(ticket_id: int) -> Select[Any]:
    """Return the query for the ticket whose callers are those of its rest as well."""
    rest = TICKETS.alias("rest")
    return (
        select(TICKETS.c.id, TICKETS.c.number)
        .join(rest, rest.c.origin_id == TICKETS.c.id)
        .where(rest.c.id == ticket_id)
    )


def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the call-backs of a round."""
    if rows:
        tx.conn.execute(insert(CALLBACKS), list(rows))


def of_round(tx: Tx, ticket_id: int, round_: int) -> list[dict[str, Any]]:
    """Return the call-backs of one round of a ticket, which the caller has locked."""
    query = _NUMBERED.where(CALLBACKS.c.ticket_id == ticket_id, CALLBACKS.c.round == round_)
    return _dicts(tx, query.order_by(CALLBACKS.c.id))


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the call-backs of all rounds of a ticket."""
    return _dicts(tx, _NUMBERED.where(CALLBACKS.c.ticket_id == ticket_id).order_by(CALLBACKS.c.id))


def void(tx: Tx, ticket_id: int) -> int:
    """Take back what of a ticket still waits; return how many."""
    query = update(CALLBACKS).where(CALLBACKS.c.ticket_id == ticket_id, _WAITING)
    gone = query.values(state="void", next_try_at=None, claimed_by=None, claimed_until=None)
    return tx.conn.execute(gone).rowcount


def find(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return call-backs with the number of their ticket, by id."""
    return {row["id"]: row for row in _dicts(tx, _NUMBERED.where(CALLBACKS.c.id.in_(ids)))}


def by_token(tx: Tx, sha256: str) -> dict[str, Any] | None:
    """Return the call-back that a link belongs to."""
    found = _dicts(tx, _NUMBERED.where(CALLBACKS.c.token_sha256 == sha256))
    return found[0] if found else None


def lock_person(tx: Tx, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all that waits for the caller of `row`, locked in the order of ids."""
    query = (
        select(CALLBACKS).where(CALLBACKS.c.phone == row["phone"], _WAITING).order_by(CALLBACKS.c.id).with_for_update()
    )
    ids = [found.id for found in tx.conn.execute(query)]
    return list(find(tx, ids).values())


def save(tx: Tx, ids: Sequence[int], **values: Any) -> None:
    """Write values over call-backs that the caller has locked."""
    tx.conn.execute(update(CALLBACKS).where(CALLBACKS.c.id.in_(ids)).values(**values))


def add_try(tx: Tx, values: Mapping[str, Any]) -> None:
    """Write down that somebody rang, or answered."""
    tx.conn.execute(insert(TRIES), values)


def tries(tx: Tx, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the tries of call-backs, by the id of the call-back, first one first."""
    found: dict[int, list[dict[str, Any]]] = {one: [] for one in ids}
    query = select(TRIES).where(TRIES.c.callback_id.in_(ids)).order_by(TRIES.c.id)
    for row in tx.conn.execute(query).mappings():
        found[row["callback_id"]].append(dict(row))
    return found


def calls_of(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return calls by id."""
    return {row["id"]: row for row in _dicts(tx, select(CALLS).where(CALLS.c.id.in_(ids)))}


def heads(
    tx: Tx, after: int, limit: int, *, number: str | None, branch: str | None, due_before: datetime | None,
    ready_at: datetime | None, claimed_by: int | None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return of each caller who waits the most pressing call-back, by due time; from behind the one with id `after`.

    Args:
        tx: The transaction.
        after: Id of the last one of the page before, or 0.
        limit: So many at most.
        number: Only those who wait for this ticket.
        branch: Only those of this branch.
        due_before: Only what is due by then.
        ready_at: Only those who may be rung at this moment.
        claimed_by: Only what this person has claimed.
    """
    earlier = CALLBACKS.alias("earlier")
    is_earlier = or_(
        earlier.c.due_at < CALLBACKS.c.due_at,
        and_(earlier.c.due_at == CALLBACKS.c.due_at, earlier.c.id < CALLBACKS.c.id),
    )
    same = exists().where(earlier.c.phone == CALLBACKS.c.phone, earlier.c.state == "waiting", is_earlier)
    query = _NUMBERED.where(_WAITING, ~same).order_by(CALLBACKS.c.due_at, CALLBACKS.c.id).limit(limit)
    if number is not None:
        of_ticket_ = select(earlier.c.phone).join(TICKETS, TICKETS.c.id == earlier.c.ticket_id)
        query = query.where(
            CALLBACKS.c.phone.in_(of_ticket_.where(TICKETS.c.number == number, earlier.c.state == "waiting"))
        )
    if branch is not None:
        query = query.where(TICKETS.c.branch == branch)
    if due_before is not None:
        query = query.where(CALLBACKS.c.due_at <= due_before)
    if ready_at is not None:
        query = query.where(or_(CALLBACKS.c.next_try_at.is_(None), CALLBACKS.c.next_try_at <= ready_at))
    if claimed_by is not None:
        query = query.where(CALLBACKS.c.claimed_by == claimed_by)
    return _dicts(tx, query.where(_behind(tx, after)) if after else query)


def _behind(tx: Tx, after: int) -> ColumnElement[bool]:
    due_at = select(CALLBACKS.c.due_at).where(CALLBACKS.c.id == after).scalar_subquery()
    return or_(CALLBACKS.c.due_at > due_at, and_(CALLBACKS.c.due_at == due_at, CALLBACKS.c.id > after))


def waiting_of(tx: Tx, phones: Sequence[str]) -> list[dict[str, Any]]:
    """Return all that waits for these callers, the most pressing first."""
    query = _NUMBERED.where(CALLBACKS.c.phone.in_(phones), _WAITING)
    return _dicts(tx, query.order_by(CALLBACKS.c.due_at, CALLBACKS.c.id))


def settled(tx: Tx, after: int, limit: int, number: str | None) -> list[dict[str, Any]]:
    """Return what waits no more with id below `after` (0: from the newest), newest first; of one ticket if given."""
    query = _NUMBERED.where(~_WAITING).order_by(CALLBACKS.c.id.desc()).limit(limit)
    if after:
        query = query.where(CALLBACKS.c.id < after)
    if number is not None:
        query = query.where(TICKETS.c.number == number)
    return _dicts(tx, query)


def closable(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """Return the rows of finished tickets for which nobody waits and of which nobody says that it is not solved."""
    waits = exists().where(CALLBACKS.c.ticket_id == TICKETS.c.id, _WAITING)
    query = select(TICKETS).where(TICKETS.c.status == "done", TICKETS.c.is_solved.is_not(False), ~waits)
    return _dicts(tx, query.order_by(TICKETS.c.id).limit(limit))


def reworked_by(tx: Tx, number: str) -> list[str]:
    """Return the numbers of the tickets under which the work of one is done again."""
    query = select(TICKETS.c.number).where(TICKETS.c.rework_of == number).order_by(TICKETS.c.id)
    return [row.number for row in tx.conn.execute(query)]


def _dicts(tx: Tx, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.conn.execute(query).mappings()]
