"""Zones (网格), what routing says about a point, and which points are never routed at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import shapely
from shapely import MultiPolygon, Polygon

from dispatch.domain.place import Wgs84Point, metres_per_degree

# What forms, telephones and converters write when they know nothing.
_PLACEHOLDERS = frozenset(
    [(0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (90.0, 90.0), (-90.0, -90.0)]
    + [(lon, lat) for lon in (-180.0, 180.0) for lat in (-90.0, 0.0, 90.0)]
)


@dataclass(frozen=True, slots=True)
class Zone:
    """One neighbourhood grid.

    Attributes:
        zone_id: Unique key; of two zones the lower one, by plain string order, owns the shared edge.
        name: What people call it.
        branch: 分公司, or None.
        team_id: The grid team (网格班组) that answers for it, or None.
        is_in_circle: Inside the 30-minute service circle (30分钟供水服务圈).
        geometry: Its area, WGS-84 degrees, x = lon, y = lat.
    """

    zone_id: str
    name: str
    branch: str | None
    team_id: str | None
    is_in_circle: bool
    geometry: Polygon | MultiPolygon


class RouteStatus(StrEnum):
    """How a point found its zone, or why it did not."""

    ROUTED = "routed"
    NEAREST = "nearest"
    NO_ZONE = "no_zone"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Route:
    """The answer for one point.

    Attributes:
        status: Routed (inside), nearest (outside, within tolerance), no_zone or quarantined.
        zone_id: The zone that answers for the point, or None.
        zone_name: Its name, or None.
        reason: Why, in Chinese words for people.
        boundary_m: Metres to the boundary of that zone, to a tenth, or None without a zone.
        neighbour_zone_id: The nearest other zone where that matters, or None.
        neighbour_m: Metres to that other zone, to a tenth, or None.
    """

    status: RouteStatus
    zone_id: str | None
    zone_name: str | None
    reason: str
    boundary_m: float | None = None
    neighbour_zone_id: str | None = None
    neighbour_m: float | None = None


@dataclass(frozen=True, slots=True)
class ServiceArea:
    """A box of WGS-84 degrees outside of which no call can be meant seriously."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, zones: Sequence[Zone], margin_m: float) -> ServiceArea:
        """The bounds of at least one zone, widened on every side by `margin_m` metres."""
        west, south, east, north = shapely.total_bounds([zone.geometry for zone in zones]).tolist()
        east_m, north_m = metres_per_degree((south + north) / 2)
        wide, high = margin_m / east_m, margin_m / north_m
        return cls(west - wide, south - high, east + wide, north + high)

    def has(self, lon: float, lat: float) -> bool:
        """Whether the place lies in the box."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


def quarantine_reason(point: Wgs84Point, area: ServiceArea) -> str | None:
    """Why this point must not be routed, in Chinese, or None where it may be.

    Args:
        point: The place, WGS-84.
        area: Where points are believed.
    """
    where = f"坐标 ({point.lon:.6f}, {point.lat:.6f})"
    if (point.lon, point.lat) in _PLACEHOLDERS:
        return f"{where} 是占位值, 不是真实位置"
    if area.has(point.lon, point.lat):
        return None
    if area.has(point.lat, point.lon):
        return f"{where} 在服务区外, 疑似经纬度颠倒"
    return f"{where} 远在服务区外"
