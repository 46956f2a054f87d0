"""Drafts of grid maps: the grids as they stand, and the last edits so that they can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import delete, insert, select, update

from dispatch.domain.zones import Zone
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import UserRow
from dispatch.storage.zoning_tables import DraftStepRow, DraftZoneRow, ZoneDraftRow

DRAFTS, GRIDS, STEPS = table_of(ZoneDraftRow), table_of(DraftZoneRow), table_of(DraftStepRow)
USERS = table_of(UserRow)
# So many edits can be taken back.
KEPT_STEPS = 100


@dataclass(frozen=True, slots=True)
class Step:
    """An edit that can be taken back: the version that it made, the grids that it made, and those before it."""

    version: int
    op: str
    made: tuple[str, ...]
    before: tuple[Zone, ...]


def add(tx: Tx, values: Mapping[str, Any], zones: Sequence[Zone]) -> int:
    """Store a new draft and return its id."""
    draft_id = int(tx.conn.execute(insert(DRAFTS).returning(DRAFTS.c.id), values).scalar_one())
    _put(tx, draft_id, zones)
    return draft_id


def listed(tx: Tx) -> list[dict[str, Any]]:
    """Return all drafts without their grids, each with the name of its `creator`, the last one first."""
    query = select(DRAFTS, USERS.c.name.label("creator")).join(USERS, USERS.c.id == DRAFTS.c.created_by)
    return [dict(row) for row in tx.conn.execute(query.order_by(DRAFTS.c.id.desc())).mappings()]


def lock(tx: Tx, draft_id: int) -> dict[str, Any] | None:
    """Return a draft without its grids, locked until the end of the transaction, or None."""
    row = tx.conn.execute(select(DRAFTS).where(DRAFTS.c.id == draft_id).with_for_update()).mappings().first()
    return dict(row) if row else None


def read(tx: Tx, draft_id: int) -> dict[str, Any] | None:
    """Return a draft without its grids, or None."""
    row = tx.conn.execute(select(DRAFTS).where(DRAFTS.c.id == draft_id)).mappings().first()
    return dict(row) if row else None


def zones_of(tx: Tx, draft_id: int) -> tuple[Zone, ...]:
    """Return the grids of a draft in order of id."""
    rows = tx.conn.execute(select(GRIDS).where(GRIDS.c.draft_id == draft_id).order_by(GRIDS.c.zone_id)).all()
    shapes = shapely.from_wkb([row.wkb for row in rows])
    return tuple(
        Zone(row.zone_id, row.name, row.branch, row.team_id, row.is_in_circle, shape)
        for row, shape in zip(rows, shapes, strict=True)
    )


def exchange(tx: Tx, draft_id: int, gone: Sequence[str], made: Sequence[Zone]) -> None:
    """Take grids out of a draft and put others in."""
    # SQLite takes no more than some thousand parameters at once.
    for first in range(0, len(gone), 500):
        ids = list(gone[first : first + 500])
        tx.conn.execute(delete(GRIDS).where(GRIDS.c.draft_id == draft_id, GRIDS.c.zone_id.in_(ids)))
    _put(tx, draft_id, made)


def add_step(tx: Tx, draft_id: int, step: Step) -> None:
    """Note how to take an edit back; the oldest ones are forgotten."""
    told = [_row(zone) | {"wkb": shapely.to_wkb(zone.geometry, hex=True)} for zone in step.before]
    values = {"draft_id": draft_id, "version": step.version, "op": step.op, "made": list(step.made), "before": told}
    tx.conn.execute(insert(STEPS), values)
    tx.conn.execute(delete(STEPS).where(STEPS.c.draft_id == draft_id, STEPS.c.version <= step.version - KEPT_STEPS))


def last_step(tx: Tx, draft_id: int) -> Step | None:
    """Return the last edit that can be taken back, or None."""
    last = select(STEPS).where(STEPS.c.draft_id == draft_id).order_by(STEPS.c.version.desc()).limit(1)
    row = tx.conn.execute(last).first()
    if row is None:
        return None
    before = tuple(Zone(geometry=shapely.from_wkb(told.pop("wkb")), **told) for told in row.before)
    return Step(row.version, row.op, tuple(row.made), before)


def drop_step(tx: Tx, draft_id: int, version: int) -> None:
    """Forget an edit that was taken back."""
    tx.conn.execute(delete(STEPS).where(STEPS.c.draft_id == draft_id, STEPS.c.version == version))


def mark(tx: Tx, draft_id: int, *, version: int, zones: int, problems: int, now: datetime) -> None:
    """Write how a draft stands after an edit."""
    values = {"version": version, "zones": zones, "problems": problems, "changed_at": now}
    tx.conn.execute(update(DRAFTS).where(DRAFTS.c.id == draft_id).values(**values))


def drop(tx: Tx, draft_id: int) -> None:
    """Delete a draft with all that belongs to it."""
    for table in (STEPS, GRIDS):
        tx.conn.execute(delete(table).where(table.c.draft_id == draft_id))
    tx.conn.execute(delete(DRAFTS).where(DRAFTS.c.id == draft_id))


def _put(tx: Tx, draft_id: int, zones: Sequence[Zone]) -> None:
    rows = [_row(zone) | {"draft_id": draft_id, "wkb": shapely.to_wkb(zone.geometry)} for zone in zones]
    if rows:
        tx.conn.execute(insert(GRIDS), rows)


def _row(zone: Zone) -> dict[str, Any]:
    return {name: getattr(zone, name) for name in ("zone_id", "name", "branch", "team_id", "is_in_circle")}
