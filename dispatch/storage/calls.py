"""Calls, and the index that finds a ticket by any of their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, column, insert, literal, literal_column, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import CallRow, TicketRow

CALLS, TICKETS = table_of(CallRow), table_of(TicketRow)
_INSERT = insert(CALLS).returning(CALLS.c.id)

# SQLite: an FTS5 table whose rowid is the call. PostgreSQL: text[] under GIN. Both made by the first migration,
# both fed with the terms of domain/search.py, since neither knows Chinese words.
_SEARCH_SQLITE = text("INSERT INTO call_terms (rowid, terms) VALUES (:call_id, :terms)")
_SEARCH_PG = text("INSERT INTO call_terms (call_id, terms) VALUES (:call_id, :terms)")
_TERMS = table("call_terms", column("call_id"), column("rowid"), column("terms", ARRAY(Text)))


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a call and return its id."""
    return int(tx.conn.execute(_INSERT, values).scalar_one())


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the calls of a ticket, first one first; those of the work whose rest it is are its own as well."""
    origin = select(TICKETS.c.origin_id).where(TICKETS.c.id == ticket_id, TICKETS.c.origin_id.is_not(None))
    whose = select(literal(ticket_id)).union_all(origin)
    query = select(CALLS).where(CALLS.c.ticket_id.in_(whose)).order_by(CALLS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def index_terms(tx: Tx, call_id: int, terms: Sequence[str]) -> None:
    """Index a call under its terms."""
    if tx.dialect == "sqlite":
        tx.conn.execute(_SEARCH_SQLITE, {"call_id": call_id, "terms": " ".join(terms)})
    else:
        tx.conn.execute(_SEARCH_PG, {"call_id": call_id, "terms": list(terms)})


def tickets_with_terms(dialect: str, terms: Sequence[str]) -> ColumnElement[Any]:
    """Return a subquery of the ids of tickets that have a call with all `terms`."""
    if dialect == "sqlite":
        match = literal(" AND ".join(f'"{term}"' for term in terms))
        found = select(_TERMS.c.rowid).where(literal_column("call_terms").op("MATCH")(match))
    else:
        found = select(_TERMS.c.call_id).where(_TERMS.c.terms.contains(literal(list(terms), ARRAY(Text))))
    return select(CALLS.c.ticket_id).where(CALLS.c.id.in_(found)).scalar_subquery()
