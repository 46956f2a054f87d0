"""Where a notice holds: grids, what was drawn, and estates told in words; and whether a caller lies inside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.road_segment import House, Segment
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zone_rings import area_of

MOST_VERTICES = 2_000
_CIRCLE_SIDES = 8
# Rivers and hills may have no grid.
_MOST_OUTSIDE = 0.2


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a call comes from.

    Attributes:
        point: WGS-84, or None; `is_exact`: the caller's own place, not the middle of something larger.
        zone_id: Its grid, or None.
        estate: Its estate as the gazetteer reads it, empty where it tells none.
        district: The 区县 that the address tells, or empty.
        house: The house on a road that it tells, or None.
    """

    point: Wgs84Point | None
    is_exact: bool
    zone_id: str | None
    estate: str = ""
    district: str = ""
    house: House | None = None


def read_area(geometry: object, zones: ZoneIndex) -> Polygon | MultiPolygon:
    """Return the area of GeoJSON in WGS-84.

    Args:
        geometry: Whatever came in.
        zones: The grids, which are the city.

    Raises:
        InvalidInput: for what is no area, has too many points, or lies outside the city.
    """
    area = area_of(geometry, "area")
    if shapely.get_num_coordinates(area) > MOST_VERTICES:
        raise InvalidInput(f"范围的顶点超过 {MOST_VERTICES:,} 个, 请画得简单些", field="area")
    inside = shapely.union_all([shapely.intersection(area, zone.geometry) for zone in zones.zones]).area / area.area
    if inside == 0:
        raise InvalidInput("画出的范围不在任何网格内: 请核对位置和坐标系 (WGS-84)", field="area")
    if inside < 1 - _MOST_OUTSIDE:
        raise InvalidInput(f"画出的范围有 {1 - inside:.0%} 在本市网格之外, 请核对", field="area")
    return area


@lru_cache(maxsize=256)
def shape_of(wkb: bytes) -> BaseGeometry:
    """Return the shape of its kept form."""
    return shapely.from_wkb(wkb)


def covers(row: Mapping[str, Any], whence: Whence) -> bool:
    """Tell whether a notice, as it is kept, concerns a caller."""
    if whence.zone_id is not None and whence.zone_id in row["zone_ids"]:
        return True
    point = whence.point if whence.is_exact else None
    if point is not None and row["area"] is not None and _has(row["area"], point):
        return True
    return any(_is_estate(estate, whence, point) for estate in row["estates"])


def _has(wkb: bytes, point: Wgs84Point) -> bool:
    return bool(shapely.intersects_xy(shape_of(wkb), point.lon, point.lat))


def segment_in(estate: Mapping[str, Any]) -> Segment | None:
    """Return the stretch of a road that a place of a notice is, as it is kept, or None."""
    told = estate.get("segment")  # notices of before have none
    return Segment(**told) if told else None


def _is_estate(estate: Mapping[str, Any], whence: Whence, point: Wgs84Point | None) -> bool:
    segment = segment_in(estate)
    if segment is not None:
        return whence.house is not None and segment.has(whence.house)
    if estate["name"] and estate["name"] == whence.estate:
        return not estate["district"] or not whence.district or estate["district"] == whence.district
    if point is None or estate["lon"] is None or not estate["radius_m"]:
        return False
    east_m, north_m = metres_per_degree(estate["lat"])
    away = math.hypot((point.lon - estate["lon"]) * east_m, (point.lat - estate["lat"]) * north_m)
    return away <= float(estate["radius_m"])


def footprint(row: Mapping[str, Any], zones: ZoneIndex) -> BaseGeometry:
    """Return all that a notice covers, as far as it is known on the map; empty where it is known in words alone."""
    known = {zone.zone_id: zone.geometry for zone in zones.zones}
    parts: list[BaseGeometry] = [known[zone_id] for zone_id in row["zone_ids"] if zone_id in known]
    if row["area"] is not None:
        parts.append(shape_of(row["area"]))
    parts += [_circle(estate) for estate in row["estates"] if estate["lon"] is not None and estate["radius_m"]]
    return shapely.union_all(parts)


def _circle(estate: Mapping[str, Any]) -> BaseGeometry:
    east_m, north_m = metres_per_degree(estate["lat"])
    disc = shapely.Point(0, 0).buffer(float(estate["radius_m"]), quad_segs=_CIRCLE_SIDES)
    return shapely.transform(disc, lambda xy: xy / (east_m, north_m) + (estate["lon"], estate["lat"]))


def touched(row: Mapping[str, Any], zones: ZoneIndex) -> list[str]:
    """Return the ids of the grids that a notice covers any of."""
    shape = footprint(row, zones)
    shapely.prepare(shape)
    crossing = [zone.zone_id for zone in zones.zones if _shares(shape, zone.geometry)]
    return list(dict.fromkeys([*row["zone_ids"], *crossing]))


def _shares(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether the two have an area in common: neighbours share a line alone."""
    return bool(shapely.intersects(one, other)) and shapely.intersection(one, other).area > 0


def overlapping(
    row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], zones: ZoneIndex
) -> list[Mapping[str, Any]]:
    """Return those of `others` that hold at the same time and place in part."""
    shape = footprint(row, zones)
    names = {estate["name"] for estate in row["estates"] if estate["name"]}
    stretches = [segment for segment in map(segment_in, row["estates"]) if segment]

    def is_same_place(other: Mapping[str, Any]) -> bool:
        named = any(estate["name"] in names for estate in other["estates"])
        theirs = [segment for segment in map(segment_in, other["estates"]) if segment]
        named = named or any(one.meets(two) for one in stretches for two in theirs)
        return named or _shares(shape, footprint(other, zones))

    return [
        other
        for other in others
        if other["starts_at"] < row["ends_at"] and row["starts_at"] < other["ends_at"] and is_same_place(other)
    ]
