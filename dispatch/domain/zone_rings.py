"""From the rings of a feature to a valid area, or what is wrong with them.

The numbers are checked before geometry is built: geometry libraries close open rings, read text as numbers and answer
"inside" for polygons of NaN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import shapely
from shapely import MultiPolygon, Polygon

from dispatch.domain import zone_checks
from dispatch.domain.errors import InvalidInput
from dispatch.domain.zone_checks import place_text
from dispatch.domain.zone_json import Feature, Problem, feature_of

# A whole number may be longer than any float; neither NaN nor infinity is below it.
_HUGE = 1e300
_FLAWS = {
    "Self-intersection": "边界自相交",
    "Ring Self-intersection": "边界自己碰到自己",
    "Hole lies outside shell": "洞在外环之外",
    "Nested holes": "洞套着洞",
    "Nested shells": "面套着面",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "不同的点太少",
}


def area_of(geometry: object, field: str) -> Polygon | MultiPolygon:
    """Return the area that GeoJSON of one Polygon or MultiPolygon tells of.

    Args:
        geometry: Whatever came in.
        field: What to call it.

    Raises:
        InvalidInput: with what is wrong in Chinese, and where.
    """
    problems: list[Problem] = []
    found = build(feature_of(1, {"type": "Feature", "properties": {}, "geometry": geometry}), problems)
    if found is None:
        place = f" (位置 {problems[0]['place']})" if problems[0]["place"] else ""
        raise InvalidInput(f"边界不可用: {problems[0]['reason']}{place}", field=field)
    return found


def flaw_of(area: Polygon | MultiPolygon) -> str | None:
    """Return what makes an area invalid, with its place, in Chinese, or None."""
    if shapely.is_valid(area):
        return None
    reason, place = _flaw(shapely.is_valid_reason(area))
    return f"{reason} (位置 {place})" if place else reason


def build(feature: Feature, problems: list[Problem]) -> Polygon | MultiPolygon | None:
    """Build the geometry of a feature, or add what is wrong to the problems and return None."""
    faults: list[tuple[str, str | None]] = [(feature.fault, None)] if feature.fault else []
    faults += [fault for polygon in feature.polygons for ring in polygon for fault in _ring_faults(ring)]
    if not faults:
        rings = [[[position[:2] for position in ring] for ring in polygon] for polygon in feature.polygons]
        parts = [Polygon(polygon[0], polygon[1:]) for polygon in rings]
        geometry = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        if shapely.is_valid(geometry):
            return geometry
        faults = [_flaw(shapely.is_valid_reason(geometry))]
    problems += [feature.problem(reason, place) for reason, place in faults]
    return None


def _ring_faults(ring: list[Any]) -> Iterator[tuple[str, str | None]]:
    bad = [n for n, position in enumerate(ring, 1) if not _is_position(position)]
    if bad:
        yield f"环的第 {bad[0]} 个点不是两个有限的数字 (共 {len(bad)} 处)", None
        return
    far = [(x, y) for x, y, *_ in ring if abs(x) > 180 or abs(y) > 90]
    if far:
        yield f"坐标超出 ±180, ±90 度{_range_hint(far)} (共 {len(far)} 处)", place_text(*far[0])
    if len(ring) < 4:
        yield f"环只有 {len(ring)} 个点, 至少要 4 个", place_text(*ring[0][:2]) if ring else None
    elif ring[0][:2] != ring[-1][:2]:
        yield f"环没有闭合: 末点是 {place_text(*ring[-1][:2])}, 应与首点相同", place_text(*ring[0][:2])


def _is_position(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(type(number) in (int, float) and abs(number) < _HUGE for number in value[:2])
    )


def _range_hint(far: Sequence[tuple[float, float]]) -> str:
    if all(abs(x) <= 90 and abs(y) <= 180 for x, y in far):
        return f", {zone_checks.SWAPPED}"
    return ", 疑似投影坐标 (需要经纬度)" if all(abs(x) > 180 and abs(y) > 90 for x, y in far) else ""


def _flaw(reason: str) -> tuple[str, str | None]:
    """What GEOS says, e.g. `Self-intersection[112.9 28.1]`, in Chinese, and the place."""
    found = re.fullmatch(r"(.*)\[(\S+) (\S+)\]", reason)
    words, place = (found[1], place_text(float(found[2]), float(found[3]))) if found else (reason, None)
    return f"几何无效: {_FLAWS.get(words, words)}", place
