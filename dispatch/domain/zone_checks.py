"""What zones do to each other and to trusted outlines: overlaps, swapped axes, a doubtful datum. Gaps: zone_gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Datum, Floats, Wgs84Point, lonlats_to_wgs84, metres_between, metres_per_degree
from dispatch.domain.progress import Track, untold

Geometries = NDArray[np.object_]

# Coordinates cut to five decimals leave slivers along shared borders: up to 315 m² at 0.6 m mean width in the
# borough file of New York. What overlaps there in earnest has up to 1,142 m² at 8 m. 400 m² is one building.
SLIVER_M2 = 400.0
SWAPPED = "疑似经纬度颠倒 (应为 经度, 纬度)"
_NOISE_M2 = 0.01
_MOST_OVERLAPS = 1_000
# In the right datum outlines lie some 30 m off the simplified districts of Changsha, else 190 m and more.
_DOUBT_M, _DOUBT_FACTOR = 60.0, 3.0
_SPOTS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """An overlap or a gap.

    Attributes:
        area_m2: Area in m², of an overlap its largest piece.
        position: Position of the first zone concerned.
        place: `lon,lat` inside it.
        reason: Chinese words with the whole area and the other zones.
        shape: What it covers, in degrees as the zones.
        others: Positions of the other zones concerned.
    """

    area_m2: float
    position: int
    place: str
    reason: str
    shape: BaseGeometry
    others: tuple[int, ...] = ()


def overlaps(labels: Sequence[str], geometries: Geometries, track: Track = untold) -> Iterator[Finding]:
    """Every two zones that share an area; an end is made after 1,000.

    Args:
        labels: What to call each zone.
        geometries: Valid areas in degrees, lon and lat; None is passed over.
        track: Iterates over the zones.
    """
    tree, count = shapely.STRtree(geometries), 0
    # Zone by zone, so that a file of a thousand equal zones ends early and not after half a million overlaps.
    for position, geometry in enumerate(track("核对重叠", geometries.tolist())):
        near = np.sort(tree.query(geometry))
        near = near[near > position]
        others = near[shapely.intersects(geometry, geometries[near])]
        for other, shared in zip(others, shapely.intersection(geometry, geometries[others]), strict=True):
            largest = max(shapely.get_parts(shared), key=square_metres, default=shared)
            area_m2 = square_metres(largest)
            if area_m2 <= _NOISE_M2:
                continue
            count += 1
            reason = f"与 {labels[other]} 重叠 {square_metres(shared):,.1f} m²"
            if count == _MOST_OVERLAPS:
                reason += "; 重叠太多, 其余不再列出"
            yield Finding(area_m2, position, inside(largest), reason, shared, (int(other),))
            if count == _MOST_OVERLAPS:
                return


def swapped(geometries: Geometries, reference: Mapping[str, BaseGeometry]) -> list[tuple[int, str]]:
    """Position and place of zones out of the reference's bounds, but in them with lon and lat exchanged."""
    if not reference:
        return []
    area = shapely.box(*shapely.total_bounds(list(reference.values())))
    mirrored = shapely.transform(area, lambda lonlats: lonlats[:, ::-1])
    is_swapped = ~shapely.intersects(geometries, area) & shapely.intersects(geometries, mirrored)
    return [(int(n), inside(geometries[n])) for n in np.flatnonzero(is_swapped)]


def datum_doubt(union: BaseGeometry, declared: Datum, reference: Mapping[str, BaseGeometry]) -> str | None:
    """Chinese words where the outline of all zones fits the reference much better in another datum, or None.

    Args:
        union: Of all zones, in degrees of the declared datum.
        declared: What they are said to be measured against.
        reference: Trusted outlines by name, WGS-84.
    """
    if not reference:
        return None
    borders = shapely.union_all([outline.boundary for outline in reference.values()])
    outline: Any = union.boundary
    spots = shapely.line_interpolate_point(outline, np.linspace(0, 1, _SPOTS), normalized=True)
    lonlats = shapely.get_coordinates(spots)
    misfits = {datum: _misfit_m(lonlats_to_wgs84(lonlats, datum), borders) for datum in Datum}
    best = min(misfits, key=misfits.__getitem__)
    if misfits[declared] < max(_DOUBT_M, _DOUBT_FACTOR * misfits[best]):
        return None
    return (
        f"坐标系可能不对: 按声明的 {declared} 外边界偏离行政区界约 {misfits[declared]:.0f} m, "
        f"按 {best} 只偏 {misfits[best]:.0f} m, 请核对"
    )


def place_text(lon: float, lat: float) -> str:
    """A place as `lon,lat`, six decimals."""
    return f"{lon:.6f},{lat:.6f}"


def _misfit_m(lonlats: Floats, borders: BaseGeometry) -> float:
    """Lower quartile of the metres from places to the borders: often only part of an outline follows them."""
    scale = np.array(metres_per_degree(float(lonlats[:, 1].mean())))
    spots = shapely.points(lonlats * scale)
    return float(np.quantile(shapely.distance(spots, shapely.transform(borders, lambda b: b * scale)), 0.25))


def square_metres(area: BaseGeometry) -> float:
    """Area in m² of a geometry in degrees, by local scaling: good to a per mille for anything that fits into a city."""
    if not area.area:
        return 0.0
    east_m, north_m = metres_per_degree(area.centroid.y)
    return float(area.area * east_m * north_m)


def metres_outside(here: Wgs84Point, area: BaseGeometry) -> float:
    """Metres from a place to an area, both WGS-84; 0 inside and on the border."""
    spot = shapely.Point(here.lon, here.lat)
    if shapely.intersects(area, spot):
        return 0.0
    near = shapely.shortest_line(spot, area).coords[1]
    return metres_between(here, Wgs84Point(near[0], near[1]))


def inside(area: BaseGeometry) -> str:
    """A place in the area, as text."""
    spot = area.representative_point()
    return place_text(spot.x, spot.y)
