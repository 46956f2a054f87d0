"""Photos of tickets, one row each, named by the phone that took them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import PhotoRow
from dispatch.storage.tables import TicketRow

PHOTOS, TICKETS = table_of(PhotoRow), table_of(TicketRow)
# All but the pictures themselves.
TOLD = ("id", "ticket_id", "uuid", "stage", "taken_at", "time_source", "stored_at", "stored_by", "width", "height")
_SELECT = select(*(PHOTOS.c[name] for name in (*TOLD, "sha256")))
_BY_UUID = _SELECT.where(PHOTOS.c.uuid == bindparam("wanted"))
_OF_TICKET = _SELECT.where(PHOTOS.c.ticket_id == bindparam("wanted")).order_by(PHOTOS.c.taken_at, PHOTOS.c.id)


@cache
def _insert(dialect: str) -> Any:
    # Without the option the count of an INSERT is -1 on PostgreSQL, which looks like a row.
    once = upsert(dialect, PHOTOS).on_conflict_do_nothing(index_elements=["uuid"])
    return once.execution_options(preserve_rowcount=True)


def add(tx: Tx, row: Mapping[str, Any]) -> bool:
    """Insert a photo; False where its uuid is there already. A parallel one waits here for the first."""
    return bool(tx.conn.execute(_insert(tx.dialect), row).rowcount)


def by_uuid(tx: Tx, uuid: str) -> dict[str, Any] | None:
    """Return a photo without its bytes, by the phone's name for it."""
    row = tx.conn.execute(_BY_UUID, {"wanted": uuid}).mappings().first()
    return dict(row) if row else None


def named(tx: Tx, uuid: str) -> dict[str, Any]:
    """Return a photo that is there, as `by_uuid` does."""
    return dict(tx.conn.execute(_BY_UUID, {"wanted": uuid}).mappings().one())


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the photos of a ticket without their bytes, in the order in which they were taken."""
    return [dict(row) for row in tx.conn.execute(_OF_TICKET, {"wanted": ticket_id}).mappings()]


def picture(tx: Tx, photo_id: int, column: str) -> dict[str, Any] | None:
    """Return `jpeg` or `thumbnail` of a photo as `bytes`, and the ticket that it shows."""
    query = (
        select(PHOTOS.c[column].label("bytes"), TICKETS.c.team_id, TICKETS.c.assisting)
        .join(TICKETS, TICKETS.c.id == PHOTOS.c.ticket_id)
        .where(PHOTOS.c.id == photo_id)
    )
    row = tx.conn.execute(query).mappings().first()
    return dict(row) if row else None
