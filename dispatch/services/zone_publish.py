"""What a draft would change, and its publishing as a new version of the grid map."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_export, zone_gaps
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.times import shanghai_text
from dispatch.domain.tracking import hide_room
from dispatch.domain.zone_export import Form
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zone_problems import Kind
from dispatch.services import present, zone_drafts, zone_moves
from dispatch.services.desk import Desk
from dispatch.services.zone_drafts import Draft
from dispatch.storage import directory, drafts
from dispatch.storage import zone_moves as moves
from dispatch.storage.db import Tx

LOOKED_BACK = timedelta(days=90)
_LISTED = 200
_BLOCK = 10_000
# A clock of a screen may be slow, and a form takes a while to be filled in.
_LATE = timedelta(minutes=10)


class OpenTickets(StrEnum):
    """What becomes of open tickets whose grid goes to another team."""

    KEEP = "keep"
    MOVE = "move"


class UnsolvedProblems(InvalidInput):
    """A draft with problems that must be mended first; they are in `problems`."""

    code = "unsolved-problems"


class NotSure(InvalidInput):
    """A draft with doubts that somebody must take upon themselves; they are in `doubts`."""

    code = "not-sure"


@dataclass(frozen=True, slots=True)
class Order:
    """How a draft is to be published."""

    version: int
    valid_from: datetime
    open_tickets: OpenTickets
    is_sure: bool = False


# ---------------------------------------------------------------- preview


def preview(desk: Desk, actor: Actor, draft_id: int, now: datetime) -> dict[str, Any]:
    """Tell which tickets that the map has given to their team a draft would give to another one.

    Raises:
        NotPermitted: if the role manages no grids.
        NotFound: if there is no such draft.
    """
    check_permitted(actor, Permission.ZONES)
    with desk.store.snapshot() as tx:
        if drafts.read(tx, draft_id) is None:
            raise NotFound(f"没有网格草稿 {draft_id}")
        zones = drafts.zones_of(tx, draft_id)
        names = {team["id"]: team["name"] for team in directory.teams(tx)}
        now_open = list(_all_open(tx))
        past = moves.since_by_map(tx, now - LOOKED_BACK)
    index = ZoneIndex(zones)
    changes = [(row, team) for row, team in zip(now_open, _teams_at(index, now_open), strict=True) if team != row[4]]
    moved: Counter[tuple[str, str | None]] = Counter(
        (row.team_id, team) for row, team in zip(past, _teams_at(index, past), strict=True) if team != row.team_id
    )
    return {
        "open": {"count": len(changes), "changes": [_change(row, team, names) for row, team in changes[:_LISTED]]},
        "last_90_days": {
            "count": moved.total(),
            "changes_by_team": [_flow(*teams, count, names) for teams, count in moved.most_common()],
        },
        "compared": len(past),
        "open_compared": len(now_open),
    }


def _all_open(tx: Tx) -> Any:
    after = 0
    while rows := moves.open_by_map(tx, after, _BLOCK):
        yield from rows
        after = rows[-1].id


def _teams_at(index: ZoneIndex, rows: Sequence[Any]) -> list[str | None]:
    """The team that a map knows for each place, in bulk; only what lies outside all grids is asked one by one."""
    lons, lats = np.array([row.lon for row in rows]), np.array([row.lat for row in rows])
    found = index.locate_many(lons, lats).tolist() if rows else []
    return [
        index.zones[position].team_id if position >= 0 else _team_outside(index, row)
        for position, row in zip(found, rows, strict=True)
    ]


def _team_outside(index: ZoneIndex, row: Any) -> str | None:
    zone_id = index.route(Wgs84Point(row.lon, row.lat)).zone_id
    return index.zone(zone_id).team_id if zone_id else None


def _change(row: Any, team: str | None, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "number": row.number,
        "address": hide_room(row.address),
        "from_team": row.team_id,
        "from_team_name": names.get(row.team_id),
        "to_team": team,
        "to_team_name": names.get(team or ""),
    }


def _flow(source: str, target: str | None, count: int, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "from_team": source,
        "from_team_name": names.get(source),
        "to_team": target,
        "to_team_name": names.get(target or ""),
        "count": count,
    }


# ---------------------------------------------------------------- publish


def publish(
    desk: Desk, actor: Actor, draft_id: int, order: Order, outlines: Mapping[str, BaseGeometry], now: datetime
) -> dict[str, Any]:
    """Make a draft the grid map from a time on; the draft is gone then, and old versions stay.

    Raises:
        NotPermitted: if the role manages no grids.
        NotFound: if there is no such draft.
        StaleVersion: if it was edited since, with the draft in `extra`.
        InvalidInput: for a time in the past, or a draft without grids.
        UnsolvedProblems: if grave problems are left.
        NotSure: if there are doubts and `is_sure` is not told.
    """
    check_permitted(actor, Permission.ZONES)
    draft = zone_drafts.load(desk, draft_id)
    if draft.row["version"] != order.version:
        raise zone_drafts.stale(desk, draft_id)
    if order.valid_from < now - _LATE:
        raise InvalidInput(f"生效时间 {shanghai_text(order.valid_from)} 已过", field="valid_from")
    _check(draft)
    if not order.is_sure and (doubts := _doubts(desk, draft, outlines, now)):
        raise NotSure("发布前请确认: " + "; ".join(doubts), field="is_sure", doubts=doubts)
    start = max(order.valid_from, now)
    set_id = _write(desk, actor, draft, order, start, now)
    is_moving = order.open_tickets is OpenTickets.MOVE
    done = zone_moves.carry_on(desk, lambda: now) if is_moving and start <= now else None
    return {
        "zone_set_id": set_id,
        "valid_from": present.time(start),
        "zones": len(draft.zones),
        "moved": done.moved if done else None,
    }


def _check(draft: Draft) -> None:
    if not draft.zones:
        raise InvalidInput("草稿里没有网格, 不能发布", field="version")
    grave = [zone_drafts.problem(found) for found in draft.problems if found.is_grave]
    if grave:
        detail = f"还有 {len(grave)} 处问题要先解决; 第一处: {grave[0]['reason']}"
        raise UnsolvedProblems(detail, problems=grave)


def _doubts(desk: Desk, draft: Draft, outlines: Mapping[str, BaseGeometry], now: datetime) -> list[str]:
    """What somebody must take upon themselves, in Chinese."""
    doubts = [warning["reason"] for warning in draft.row["warnings"]]
    lone = sum(found.kind is Kind.MISSING_TEAM for found in draft.problems)
    if lone:
        doubts.append(f"{lone} 个网格没有班组, 其工单要等调度员派单")
    union = shapely.union_all([zone.geometry for zone in draft.zones])
    for covered in zone_gaps.coverage(union, outlines):
        area_km2 = sum(area for area, *_ in covered.missing)
        if area_km2:
            doubts.append(f"“{covered.name}”有 {area_km2:,.2f} km² 没有网格覆盖")
    with desk.store.read() as tx:
        live = desk.rules(tx, now).zone_set_id
    if draft.row["base_set_id"] not in (None, live):
        doubts.append(f"草稿从 v{draft.row['base_set_id']} 复制, 现在生效的是 v{live}: 其间的修改会被盖掉")
    return doubts


def _write(desk: Desk, actor: Actor, draft: Draft, order: Order, start: datetime, now: datetime) -> int:
    data = zone_export.written(draft.zones, Form.GEOJSON)
    draft_id, name, base = (draft.row[key] for key in ("id", "name", "base_set_id"))
    with desk.store.write() as tx:
        row = drafts.lock(tx, draft_id)
        is_same = row is not None and row["version"] == order.version
        if is_same:
            values = {
                "source": f"草稿 {name}",
                "sha256": hashlib.sha256(data).hexdigest(),
                # An edited sample is a sample still.
                "is_sample": base is not None and directory.is_sample(tx, base),
                "valid_from": start,
                "imported_at": now,
            }
            set_id = directory.add_zone_set(tx, values, draft.zones)
            drafts.drop(tx, draft_id)
            if order.open_tickets is OpenTickets.MOVE:
                moves.add(tx, set_id, start, actor.label)
            told = {"draft": name, "zones": len(draft.zones), "open_tickets": order.open_tickets.value}
            tx.audit(now, actor, "publish-zones", f"zones v{set_id}", valid_from=present.time(start), **told)
    if not is_same:
        raise zone_drafts.stale(desk, draft_id)
    return set_id


# ---------------------------------------------------------------- versions


def versions(desk: Desk, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return the published versions, the newest first, with what is still to be moved to each."""
    check_permitted(actor, Permission.ZONES)
    with desk.store.snapshot() as tx:
        rows, sizes, orders = directory.zone_sets(tx), moves.sizes(tx), moves.of_sets(tx)
    valid = [(row["valid_from"], row["id"]) for row in rows if row["valid_from"] <= now]
    live = max(valid)[1] if valid else None
    return [
        {
            "id": row["id"],
            "source": row["source"],
            "is_sample": row["is_sample"],
            "is_live": row["id"] == live,
            "zones": sizes[row["id"]],
            "valid_from": present.time(row["valid_from"]),
            "imported_at": present.time(row["imported_at"]),
            "move": _move(orders.get(row["id"])),
        }
        for row in rows
    ]


def _move(order: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {"moved": order["moved"], "refused": order["refused"], "done_at": present.time(order["done_at"])}


def export(desk: Desk, actor: Actor, set_id: int, form: Form, datum: Datum) -> bytes:
    """Return a published version as a file in a datum.

    Raises:
        NotPermitted: if the role manages no grids.
        NotFound: if there is no such version.
    """
    check_permitted(actor, Permission.ZONES)
    with desk.store.snapshot() as tx:
        zones = directory.zones_of(tx, set_id)
        if not zones:
            raise NotFound(f"没有网格版本 v{set_id}")
        is_sample = directory.is_sample(tx, set_id)
    return zone_export.written(zones, form, datum=datum, is_sample=is_sample)
