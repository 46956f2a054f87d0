"""What is known of an incident: its area, how many it may touch and on what ground, when water stops and comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shapely.geometry import shape as shape_of
from shapely.geometry.base import BaseGeometry

from dispatch.domain import shape
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.incident import IncidentStatus
from dispatch.domain.place import Wgs84Point
from dispatch.domain.times import shanghai_text
from dispatch.services.desk import Rules
from dispatch.services.incidents import Wish, find_alive, note, once
from dispatch.storage import incidents
from dispatch.storage.db import Tx

_TIMES = {"isolated_at": "止水", "restore_expected_at": "预计恢复", "restored_at": "恢复供水"}
# Nobody promises water for a later day than this: it is a slip of the pen.
_LONGEST = timedelta(days=30)
_STATES = (IncidentStatus.PROPOSED, IncidentStatus.OPEN, IncidentStatus.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """How an area is told, one of: a ring of [lon, lat] that was drawn, metres round the tickets, grids."""

    ring: Sequence[Sequence[float]] | None = None
    metres: float | None = None
    zone_ids: Sequence[str] | None = None


class How(StrEnum):
    """On what an estimate stands: a count of households, so many for a square kilometre, so many for each caller."""

    COUNT = "count"
    PER_KM2 = "per_km2"
    PER_CALLER = "per_caller"


def outline(wish: Wish, number: str, told: Outline) -> dict[str, Any]:
    """Set the area of an incident.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it was dismissed.
        InvalidInput: with the field at fault: what is no area, or lies outside the city.
    """

    def work(tx: Tx) -> int:
        row = find_alive(tx, number, *_STATES)
        rules = wish.desk.rules(tx, wish.now)
        found, how, words = _made(tx, rules, row, told)
        if not any(found.intersects(zone.geometry) for zone in rules.zones.zones):
            raise InvalidInput("范围不在本市网格内, 请核对坐标", field="ring")
        incidents.change(tx, row, {"area": shape.geojson(found), "area_how": how})
        note(tx, wish, row["id"], "area", f"影响范围: {words}, {shape.area_km2(found):.2f} km²")
        return int(row["id"])

    return once(wish, work)


def _made(tx: Tx, rules: Rules, row: Mapping[str, Any], told: Outline) -> tuple[BaseGeometry, dict[str, Any], str]:
    if told.ring is not None:
        return shape.drawn(told.ring), {"kind": "drawn"}, "手绘"
    if told.metres is not None:
        places = incidents.tickets(tx, row["id"]) or incidents.rows(tx, row["suggested"])
        points = [Wgs84Point(one["lon"], one["lat"]) for one in places if one["lon"] is not None]
        words = f"工单周边 {told.metres:g} m"
        return shape.around(points, told.metres), {"kind": "around", "metres": told.metres}, words
    known = {zone.zone_id: zone for zone in rules.zones.zones}
    ids = list(dict.fromkeys(told.zone_ids or ()))
    unknown = [one for one in ids if one not in known]
    if not ids or unknown:
        raise InvalidInput(f"没有网格 {', '.join(unknown)[:80]}" if unknown else "请给出范围", field="zone_ids")
    found = shape.together([known[one].geometry for one in ids])
    return found, {"kind": "grids", "zone_ids": ids}, "网格 " + ", ".join(ids)


def estimate(wish: Wish, number: str, how: How, value: float, basis: str) -> dict[str, Any]:
    """Set how many households an incident may touch, and on what ground: an estimate, and shown as one.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it was dismissed.
        InvalidInput: without a ground, or for so many a square kilometre where there is no area.
    """
    check_text(basis, "basis")
    if not basis.strip():
        raise InvalidInput("请写明估计的依据", field="basis")

    def work(tx: Tx) -> int:
        row = find_alive(tx, number, *_STATES)
        users, words = _estimated(tx, row, how, value)
        told = f"{words}: {basis}" if words else basis
        incidents.change(tx, row, {"affected_users": users, "affected_basis": told})
        note(tx, wish, row["id"], "estimate", f"估计影响 {users} 户 ({told})")
        return int(row["id"])

    return once(wish, work)


def _estimated(tx: Tx, row: Mapping[str, Any], how: How, value: float) -> tuple[int, str]:
    if how is How.COUNT:
        return round(value), ""
    if how is How.PER_CALLER:
        callers = incidents.summaries(tx, [row["id"]])[row["id"]].callers
        return round(callers * value), f"{callers} 位来电人 × {value:g} 户"
    if row["area"] is None:
        raise InvalidInput("请先画出影响范围", field="how")
    size = shape.area_km2(shape_of(row["area"]))
    return round(size * value), f"{size:.2f} km² × {value:g} 户/km²"


def times(wish: Wish, number: str, told: Mapping[str, datetime]) -> dict[str, Any]:
    """Set when water was stopped, is expected back, or came back; what is not told stays.

    Args:
        wish: Who wants it.
        number: The incident.
        told: `isolated_at`, `restore_expected_at`, `restored_at`, each aware.

    Raises:
        NotFound: if there is no such incident.
        IncidentChanged: if it was dismissed.
        InvalidInput: for what happened in the future, or water that came back before it was stopped.
    """

    def work(tx: Tx) -> int:
        row = find_alive(tx, number, *_STATES)
        _check_times({**row, **told}, told, wish.now)
        incidents.change(tx, row, told)
        words = ", ".join(f"{_TIMES[name]} {shanghai_text(at)}" for name, at in told.items())
        note(tx, wish, row["id"], "times", words)
        return int(row["id"])

    return once(wish, work)


def _check_times(whole: Mapping[str, Any], told: Mapping[str, datetime], now: datetime) -> None:
    if not told:
        raise InvalidInput("请至少给出一个时间", field="isolated_at")
    for name in ("isolated_at", "restored_at"):
        if name in told and told[name] > now:
            raise InvalidInput("时间在将来, 请核对", field=name)
    if whole["isolated_at"] and whole["restored_at"] and whole["restored_at"] < whole["isolated_at"]:
        raise InvalidInput("恢复供水早于止水, 请核对", field="restored_at")
    expected = told.get("restore_expected_at")
    if expected is None:
        return
    if whole["isolated_at"] and expected <= whole["isolated_at"]:
        raise InvalidInput("预计恢复不能早于止水, 请核对", field="restore_expected_at")
    if not now - _LONGEST <= expected <= now + _LONGEST:
        raise InvalidInput(f"预计恢复离现在超过 {_LONGEST.days} 天, 请核对", field="restore_expected_at")
