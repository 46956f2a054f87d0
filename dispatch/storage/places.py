"""Names of places that staff import, and addresses that confirmed tickets teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, insert, or_, select, update

from dispatch.domain.address import PlacedBy
from dispatch.domain.place import Wgs84Point
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.place_tables import LearnedRow, PlaceRow
from dispatch.storage.tables import RevisionRow, TicketRow

PLACES, LEARNED = table_of(PlaceRow), table_of(LearnedRow)
TICKETS, REVISIONS = table_of(TicketRow), table_of(RevisionRow)
_KEY = ("kind", "name", "district", "street")

_REVISION = select(REVISIONS.c.revision).where(REVISIONS.c.id == 2)
_ALIKE = (
    select(LEARNED)
    .where(
        or_(
            LEARNED.c.key == bindparam("key"),
            LEARNED.c.name == bindparam("name"),
            LEARNED.c.sound == bindparam("sound"),
        )
    )
    .order_by(LEARNED.c.last_at.desc(), LEARNED.c.id.desc())
    .limit(50)
)
_PLACED = select(
    TICKETS.c.number, TICKETS.c.address, TICKETS.c.lon, TICKETS.c.lat, TICKETS.c.placed_by, TICKETS.c.placed_entry
).where(TICKETS.c.id == bindparam("ticket_id"))


@dataclass(frozen=True, slots=True)
class Placed:
    """How a ticket came to its place."""

    number: str
    address: str
    point: Wgs84Point | None
    placed_by: PlacedBy | None
    entry_id: int | None


# ---------------------------------------------------------------- imported


def revision(tx: Tx) -> int:
    """Return the number that moves with each change of the imported places and of the codes."""
    return int(tx.conn.execute(_REVISION).scalar_one())


def turn(tx: Tx) -> None:
    """Let every process read names and codes anew."""
    tx.conn.execute(update(REVISIONS).where(REVISIONS.c.id == 2).values(revision=REVISIONS.c.revision + 1))


def all_(tx: Tx) -> list[dict[str, Any]]:
    """Return all imported places in order of id."""
    return [dict(row) for row in tx.conn.execute(select(PLACES).order_by(PLACES.c.id)).mappings()]


@cache
def _put(dialect: str) -> Any:
    put = upsert(dialect, PLACES)
    changed = {column.name: put.excluded[column.name] for column in PLACES.c if column.name not in ("id", *_KEY)}
    return put.on_conflict_do_update(index_elements=list(_KEY), set_=changed)


def put(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert places, or replace those of the same kind, name, district and street; the last of equal ones counts.

    They are read as names after a `turn`.
    """
    if rows:
        unique = {tuple(row[name] for name in _KEY): row for row in rows}
        tx.conn.execute(_put(tx.dialect), [unique[key] for key in sorted(unique)])


def page(tx: Tx, after: int, limit: int) -> list[dict[str, Any]]:
    """Return imported places with id below `after` (0: from the newest), newest first."""
    return _newest_first(tx, PLACES, after, limit)


def _newest_first(tx: Tx, table: Table, after: int, limit: int, *only: ColumnElement[bool]) -> list[dict[str, Any]]:
    query = select(table).where(*only).order_by(table.c.id.desc()).limit(limit)
    if after:
        query = query.where(table.c.id < after)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def remove(tx: Tx, place_id: int) -> str | None:
    """Remove an imported place and return its name, or None where there is none."""
    name: str | None = tx.conn.execute(delete(PLACES).where(PLACES.c.id == place_id).returning(PLACES.c.name)).scalar()
    if name is not None:
        turn(tx)
    return name


# ---------------------------------------------------------------- learned


def alike(tx: Tx, key: str, name: str, sound: str) -> list[dict[str, Any]]:
    """Return what was learned of an address, its estate, or one that sounds so; the newest first."""
    found = tx.conn.execute(_ALIKE, {"key": key, "name": name, "sound": sound})
    return [dict(row) for row in found.mappings()]


def of_key(tx: Tx, key: str, district: str) -> list[dict[str, Any]]:
    """Return what was learned of just this address, locked."""
    query = select(LEARNED).where(LEARNED.c.key == key, LEARNED.c.district == district).order_by(LEARNED.c.id)
    return [dict(row) for row in tx.conn.execute(query.with_for_update()).mappings()]


def add_learned(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert an address that was learned and return its id."""
    return int(tx.conn.execute(insert(LEARNED).returning(LEARNED.c.id), values).scalar_one())


def change_learned(tx: Tx, entry_id: int, **values: Any) -> None:
    """Change an entry."""
    tx.conn.execute(update(LEARNED).where(LEARNED.c.id == entry_id).values(**values))


def remove_learned(tx: Tx, entry_id: int) -> dict[str, Any] | None:
    """Remove an entry and return it, or None where there is none."""
    row = tx.conn.execute(delete(LEARNED).where(LEARNED.c.id == entry_id).returning(*LEARNED.c)).mappings().first()
    return dict(row) if row else None


def learned_page(tx: Tx, after: int, limit: int, is_disputed: bool) -> list[dict[str, Any]]:
    """Return entries with id below `after` (0: from the newest), newest first.

    Args:
        tx: The transaction.
        after: An id.
        limit: How many.
        is_disputed: Only addresses that have several places.
    """
    other = LEARNED.alias()
    same = (other.c.key == LEARNED.c.key, other.c.district == LEARNED.c.district, other.c.id != LEARNED.c.id)
    only = (select(func.count()).select_from(other).where(*same).scalar_subquery() > 0,) if is_disputed else ()
    return _newest_first(tx, LEARNED, after, limit, *only)


# ---------------------------------------------------------------- tickets


def placed(tx: Tx, ticket_id: int) -> Placed:
    """Return how a ticket came to its place."""
    row = tx.conn.execute(_PLACED, {"ticket_id": ticket_id}).one()
    point = None if row.lon is None else Wgs84Point(row.lon, row.lat)
    return Placed(row.number, row.address, point, row.placed_by and PlacedBy(row.placed_by), row.placed_entry)


def doubt(tx: Tx, ticket_id: int) -> None:
    """Note that the crew found the place elsewhere: its pin teaches nothing."""
    tx.conn.execute(update(TICKETS).where(TICKETS.c.id == ticket_id).values(placed_by=PlacedBy.DOUBTED))
