"""Where no zone answers: holes between zones, slits that are open to the outside, grids missing at the edge.

Lengths and areas by local scaling: good to a per mille for anything that fits into a city.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import metres_per_degree
from dispatch.domain.zone_checks import Finding, Geometries, inside, place_text, square_metres

# Wider than twice this is a bay or a river beside the zones, and no slip of the pen between two of them.
SLIT_REACH_M = 250.0
# A slit lies between zones; what has less of its edge on them is the outside, reaching in at a corner.
_LEAST_EDGE = 0.9
_MOST_OF_ONE = 0.9
# Rounding to this drops the hair-thin spikes that buffers leave along straight edges.
_GRID_M = 0.01
_ON_EDGE_M = 2 * _GRID_M
_LEAST_WIDTH_M = 0.05
_ARC_STEPS = 16
# Outlines are generalised: what is narrower than twice this says nothing about missing grids.
OUTLINE_REACH_M = 250.0
_LEAST_SHARE = 0.5
_NOISE_M2 = 0.01
_SLIT_NOISE_M2 = 1.0
_M2_PER_KM2 = 1e6


@dataclass(frozen=True, slots=True)
class Coverage:
    """How zones cover one outline.

    Attributes:
        name: Of the outline.
        is_compared: Whether they cover half of it; else it is another city, or a part that was not meant.
        missing: Each part over 500 m wide that no zone covers: its area in km², and degrees east and north inside it.
    """

    name: str
    is_compared: bool
    missing: tuple[tuple[float, float, float], ...]


def holes(labels: Sequence[str], geometries: Geometries, union: BaseGeometry) -> Iterator[Finding]:
    """Every hole in the union of the zones, as a finding about the first zone beside it.

    Args:
        labels: What to call each zone.
        geometries: Valid areas in degrees, lon and lat.
        union: Of these areas.
    """
    tree = shapely.STRtree(geometries)
    for gap in _holes(union):
        area_m2 = square_metres(gap)
        if area_m2 > _NOISE_M2:
            # The hole is made of the vertices of its zones, give or take a rounding: 1e-7 degrees is 1 cm.
            beside = np.sort(tree.query(gap, predicate="dwithin", distance=1e-7))
            names = ", ".join(labels[n] for n in beside[:8])
            reason = f"网格之间有空洞 {area_m2:,.1f} m², 相邻: {names}"
            first, *others = (int(n) for n in beside)
            yield Finding(area_m2, first, inside(gap), reason, gap, tuple(others))


def _holes(union: BaseGeometry) -> Iterator[BaseGeometry]:
    """What the rings inside the union enclose, less the islands in there."""
    parts = shapely.get_parts(union)
    tree = shapely.STRtree(parts)
    for hole in (Polygon(ring) for part in parts for ring in part.interiors):
        islands = shapely.union_all(parts[tree.query(hole, predicate="contains")])
        yield from shapely.get_parts(shapely.difference(hole, islands))


def slits(labels: Sequence[str], geometries: Geometries, union: BaseGeometry) -> Iterator[Finding]:
    """Every gap up to 500 m wide between two or more zones that is open to the outside.

    Found by closing the union (250 m out and back): what that adds is a slit where at least nine tenths of its edge
    lie on zones, and at most nine tenths of that on a single one. A river bend within one zone is none.

    Args:
        labels: What to call each zone.
        geometries: Valid areas in degrees, lon and lat.
        union: Of these areas.
    """
    scale = _scale(union)
    filled = _filled(_in_metres(union, scale))
    grown = shapely.buffer(filled, SLIT_REACH_M, quad_segs=_ARC_STEPS)
    closed = shapely.buffer(grown, -SLIT_REACH_M, quad_segs=_ARC_STEPS)
    pieces = shapely.get_parts(shapely.difference(closed, filled, grid_size=_GRID_M))
    pieces = pieces[shapely.area(pieces) > _SLIT_NOISE_M2]
    zones = shapely.transform(geometries, lambda lonlats: lonlats * scale)
    beside, edges = shapely.STRtree(zones).query(pieces, predicate="dwithin", distance=_ON_EDGE_M)
    for n, piece in enumerate(pieces):
        near = edges[beside == n]
        if len(near) > 1 and (finding := _slit(labels, zones, near, piece, scale)):
            yield finding


def _slit(
    labels: Sequence[str], zones: Geometries, near: NDArray[np.intp], piece: Polygon, scale: NDArray[np.float64]
) -> Finding | None:
    """The piece as a finding, or None where it is no slit."""
    middles, lengths = _edges(piece)
    shapely.prepare(zones[near])
    is_on = np.array([shapely.dwithin(zones[n], middles, _ON_EDGE_M) for n in near])
    per_zone = is_on @ lengths
    on_zones_m = float(lengths[is_on.any(axis=0)].sum())
    if on_zones_m < _LEAST_EDGE * lengths.sum() or per_zone.max() > _MOST_OF_ONE * on_zones_m:
        return None
    # Both long sides lie on zones: twice the area over them is the mean width.
    width_m = 2 * piece.area / on_zones_m
    if width_m < _LEAST_WIDTH_M:
        return None
    order = np.argsort(-per_zone, kind="stable")
    first, second = sorted(int(near[n]) for n in order[:2])
    spot = piece.representative_point()
    count = np.count_nonzero(per_zone)
    who = labels[second] + (f" 等 {count} 个网格" if count > 2 else "")
    reason = f"与 {who} 之间有开口的缝隙 {piece.area:,.1f} m², 平均宽 {width_m:,.1f} m, 请让两侧网格共用边界"
    shape = shapely.transform(piece, lambda metres: metres / scale)
    others = (second, *(int(near[n]) for n in order[2:] if per_zone[n] > 0))
    return Finding(piece.area, first, place_text(spot.x / scale[0], spot.y / scale[1]), reason, shape, others)


def _edges(piece: Polygon) -> tuple[Geometries, NDArray[np.float64]]:
    """The middle of each straight stretch of its rings, and how long that is in metres."""
    rings = [shapely.get_coordinates(ring) for ring in (piece.exterior, *piece.interiors)]
    middles = np.concatenate([(ring[1:] + ring[:-1]) / 2 for ring in rings])
    steps = np.concatenate([np.diff(ring, axis=0) for ring in rings])
    return np.asarray(shapely.points(middles)), np.hypot(steps[:, 0], steps[:, 1])


def coverage(union: BaseGeometry, outlines: Mapping[str, BaseGeometry]) -> list[Coverage]:
    """What zones leave out of each outline, its holes aside.

    Args:
        union: Of all zones, in degrees.
        outlines: Trusted areas by name, in degrees of the same datum.
    """
    scale = _scale(union)
    filled = _filled(_in_metres(union, scale))
    found = []
    for name, outline in outlines.items():
        area = _in_metres(outline, scale)
        left = shapely.difference(area, filled)
        is_compared = left.area <= (1 - _LEAST_SHARE) * area.area
        found.append(Coverage(name, is_compared, tuple(_missing(left, scale)) if is_compared else ()))
    return found


def _missing(left: BaseGeometry, scale: NDArray[np.float64]) -> Iterator[tuple[float, float, float]]:
    """The parts of what is left that are wide enough, without the thin strips that hang on them."""
    core = shapely.buffer(left, -OUTLINE_REACH_M)
    wide = shapely.intersection(shapely.buffer(core, OUTLINE_REACH_M, join_style="mitre"), left)
    for part in shapely.get_parts(wide):
        # The rounding of the intersection leaves crumbs that no core stands behind.
        if shapely.intersects(part, core):
            spot = part.representative_point()
            yield part.area / _M2_PER_KM2, float(spot.x / scale[0]), float(spot.y / scale[1])


def _scale(union: BaseGeometry) -> NDArray[np.float64]:
    _, south, _, north = union.bounds
    return np.array(metres_per_degree((south + north) / 2))


def _in_metres(area: BaseGeometry, scale: NDArray[np.float64]) -> BaseGeometry:
    # Scaling rounds the last digit, and may cross two edges that touched.
    scaled = shapely.transform(area, lambda lonlats: lonlats * scale)
    return shapely.make_valid(scaled, method="structure", keep_collapsed=False)


def _filled(area: BaseGeometry) -> BaseGeometry:
    """The area without its holes."""
    return shapely.union_all([Polygon(part.exterior) for part in shapely.get_parts(area)])
