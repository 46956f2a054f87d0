"""An area on the map: drawn, round about some places, or made of grids. WGS-84 degrees (lon, lat), metres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapely import MultiPoint, Polygon, make_valid, union_all
from shapely.affinity import scale
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Wgs84Point, metres_per_degree

MOST_POINTS = 500
LONGEST_M = 5_000
_DIGITS = 6


def drawn(ring: Sequence[Sequence[float]]) -> Polygon:
    """Return the polygon of a ring of [lon, lat] that somebody drew; it need not be closed.

    Raises:
        InvalidInput: for less than three corners, a ring that crosses itself, or what is no place on earth.
    """
    corners = [(float(lon), float(lat)) for lon, lat in ring]
    if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in corners):
        raise InvalidInput("范围的坐标超出经纬度", field="ring")
    if len(set(corners)) < 3:
        raise InvalidInput("范围至少要三个不同的点", field="ring")
    polygon = Polygon(corners)
    if not polygon.is_valid or polygon.area == 0:
        raise InvalidInput("范围的边线自相交, 请重画", field="ring")
    return polygon


def around(points: Sequence[Wgs84Point], metres: float) -> BaseGeometry:
    """Return what lies within `metres` of the hull of some places.

    Raises:
        InvalidInput: without a place.
    """
    if not points:
        raise InvalidInput("工单都没有坐标, 不能按距离生成范围", field="metres")
    east_m, north_m = metres_per_degree(points[0].lat)
    flat = MultiPoint([(point.lon * east_m, point.lat * north_m) for point in points])
    return scale(flat.convex_hull.buffer(metres), 1 / east_m, 1 / north_m, origin=(0, 0))


def together(parts: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return the union of some areas."""
    return make_valid(union_all(list(parts)))


def area_km2(shape: BaseGeometry) -> float:
    """Return the size of an area of a city in square kilometres."""
    east_m, north_m = metres_per_degree(shape.centroid.y)
    return float(shape.area * east_m * north_m / 1e6)


def geojson(shape: BaseGeometry) -> dict[str, Any]:
    """Return the GeoJSON geometry, to a tenth of a metre."""
    told = mapping(shape)
    return {"type": told["type"], "coordinates": _rounded(told["coordinates"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, float | int):
        return round(value, _DIGITS)
    return [_rounded(item) for item in value]
