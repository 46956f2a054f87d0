"""Edits of a grid map: each takes all zones and gives all zones back, or says in words why it cannot be done.

Neighbours stay joined: what is drawn within half a metre of another grid takes over its vertices, and the other grid
gets the new vertices on its edges, so that both borders are the same numbers. Areas are in WGS-84 degrees, lon and lat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import split as shapely_split

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Floats, metres_per_degree
from dispatch.domain.zone_checks import square_metres
from dispatch.domain.zone_rings import flaw_of
from dispatch.domain.zones import Zone

Area = Polygon | MultiPolygon
Zones = tuple[Zone, ...]
# Closer than this is the same place: no grid is drawn to the half metre.
SNAP_M = 0.5
# Coordinates that came back from a screen may have lost their last digits: a centimetre.
SAME_M = 0.01
_CRUMB_M2 = 0.5
# How far a gap is widened before its neighbours are cut out of it again; it was found on a grid of a centimetre.
_OVER_M = 0.03


@dataclass(frozen=True, slots=True)
class Names:
    """What people say about a grid; None leaves what is there."""

    name: str | None = None
    branch: str | None = None
    team_id: str | None = None
    is_in_circle: bool | None = None


def draw(zones: Zones, fresh: Zone) -> Zones:
    """Add a grid.

    Raises:
        InvalidInput: if its id is taken or its border is unusable.
    """
    if any(zone.zone_id == fresh.zone_id for zone in zones):
        raise InvalidInput(f"编号 {fresh.zone_id} 已被使用, 请换一个", field="zone.zone_id")
    return _placed(zones, fresh, fresh.geometry)


def reshape(zones: Zones, zone_id: str, area: Area) -> Zones:
    """Give a grid another border.

    Raises:
        InvalidInput: if there is no such grid, or the border is unusable.
    """
    zone = find(zones, zone_id)
    return _placed(_without(zones, {zone_id}), zone, area)


def move_vertex(zones: Zones, start: Point, end: Point) -> Zones:
    """Move a vertex in every grid that shares it; a grid that has only an edge there gets the vertex first.

    Raises:
        InvalidInput: if there is none, or a border would cross itself.
    """
    same, near = _degrees(start.y, SAME_M), _degrees(start.y, SNAP_M)
    touched = [zone for zone in zones if shapely.dwithin(zone.geometry.boundary, start, same)]
    if not touched:
        raise InvalidInput("这里没有边界顶点, 请先选中一个顶点", field="from")
    target = _nearest_vertex(zones, end, near, start)
    moved = []
    for zone in touched:
        with_vertex = shapely.snap(zone.geometry, start, same)
        shape = shapely.transform(with_vertex, lambda lonlats: _moved(lonlats, start, target, same))
        moved.append(_checked(zone, shape))
    others = _without(zones, {zone.zone_id for zone in touched})
    return _exchanged(zones, [*moved, *_joined(others, target)])


def split(zones: Zones, zone_id: str, line: LineString, fresh: Zone) -> Zones:
    """Cut a grid in two along a line from border to border; the smaller part becomes `fresh`.

    Raises:
        InvalidInput: if the line does not cut it in just two, or the new id is taken.
    """
    zone = find(zones, zone_id)
    if any(other.zone_id == fresh.zone_id for other in zones):
        raise InvalidInput(f"编号 {fresh.zone_id} 已被使用, 请换一个", field="new_zone.zone_id")
    cut: list[list[BaseGeometry]] = []
    whole: list[list[BaseGeometry]] = []
    knife = _lengthened(line)
    for part in shapely.get_parts(zone.geometry):
        pieces = list(shapely_split(part, knife).geoms)
        (cut if len(pieces) > 1 else whole).append(pieces)
    if len(cut) != 1 or len(cut[0]) != 2:
        count = sum(len(pieces) for pieces in cut)
        reason = "没有穿过网格: 请从边界画到边界" if not cut else f"把网格切成了 {count} 块: 请只穿过一次"
        raise InvalidInput(f"分割线{reason}", field="line")
    smaller, larger = sorted(cut[0], key=square_metres)
    rest = [piece for pieces in whole for piece in pieces]
    kept, made = _checked(zone, shapely.union_all([larger, *rest])), _checked(fresh, smaller)
    others = _joined(_without(zones, {zone_id}), shapely.union(kept.geometry.boundary, made.geometry.boundary))
    return (*others, kept, made)


def merge(zones: Zones, zone_ids: Sequence[str], into: str) -> Zones:
    """Make one grid of several that lie side by side; it keeps the names of `into`.

    Raises:
        InvalidInput: if they are fewer than two, or do not touch.
    """
    wanted = set(zone_ids)
    kept = find(zones, into, "into")
    if into not in wanted or len(wanted) < 2:
        raise InvalidInput("请选择至少两个网格, 并从中指定保留哪一个", field="into")
    parts = [kept.geometry, *(find(zones, zone_id).geometry for zone_id in sorted(wanted - {into}))]
    union: BaseGeometry = parts[0]
    near = _degrees(union.centroid.y, SNAP_M)
    waiting = parts[1:]
    while waiting:
        beside = next((part for part in waiting if shapely.dwithin(part, union, near)), None)
        if beside is None:
            raise InvalidInput("所选网格不相邻, 不能合并", field="zone_ids")
        waiting.remove(beside)
        union = shapely.union(union, shapely.snap(beside, union, near))
    merged = _checked(kept, union)
    return (*_joined(_without(zones, wanted), merged.geometry.boundary), merged)


def give_overlap(zones: Zones, zone_ids: Sequence[str], to: str) -> Zones:
    """Leave to one grid what it shares with the others: it is cut out of these.

    Raises:
        InvalidInput: if they share nothing, or nothing would be left of one.
    """
    winner = find(zones, to, "to")
    losers = [find(zones, zone_id) for zone_id in sorted(set(zone_ids) - {to})]
    if to not in zone_ids or not losers:
        raise InvalidInput("请指定重叠的网格, 并从中选择归属", field="to")
    cut = []
    for zone in losers:
        if square_metres(shapely.intersection(zone.geometry, winner.geometry)) == 0:
            raise InvalidInput(f"网格 {zone.name} 与 {winner.name} 没有重叠", field="zone_ids")
        left = _areas_of(shapely.difference(zone.geometry, winner.geometry))
        if left.is_empty:
            raise InvalidInput(f"网格 {zone.name} 会整个消失; 请改为删除或合并", field="to")
        cut.append(_checked(zone, left))
    changed = _exchanged(zones, cut)
    edge = shapely.union_all([zone.geometry.boundary for zone in cut])
    return _exchanged(changed, _joined(_named(changed, {to}), edge))


def fill_gap(zones: Zones, gap: BaseGeometry, to: str) -> Zones:
    """Give what lies between grids to one of those beside it.

    Raises:
        InvalidInput: if the gap does not touch that grid, or is covered already.
    """
    zone = find(zones, to, "to")
    others = _without(zones, {to})
    over = shapely.buffer(gap, _degrees(gap.centroid.y, _OVER_M), join_style="bevel")
    free = _areas_of(shapely.difference(over, shapely.union_all([other.geometry for other in others])))
    if not shapely.dwithin(free, zone.geometry, _degrees(gap.centroid.y, SNAP_M)):
        raise InvalidInput(f"缝隙不与网格 {zone.name} 相邻, 请选择旁边的网格", field="to")
    if square_metres(shapely.difference(free, zone.geometry)) < _CRUMB_M2:
        raise InvalidInput("这里已有网格覆盖, 没有缝隙", field="geometry")
    filled = _checked(zone, _areas_of(shapely.union(zone.geometry, free)))
    return (*_joined(others, filled.geometry.boundary), filled)


def remove(zones: Zones, zone_id: str) -> Zones:
    """Take a grid away.

    Raises:
        InvalidInput: if there is no such grid.
    """
    find(zones, zone_id)
    return _without(zones, {zone_id})


def rename(zones: Zones, zone_id: str, names: Names, cleared: frozenset[str]) -> Zones:
    """Change what people say about a grid; the fields in `cleared` (branch, team_id) become empty.

    Raises:
        InvalidInput: if there is no such grid.
    """
    zone = find(zones, zone_id)
    renamed = replace(
        zone,
        name=names.name or zone.name,
        branch=None if "branch" in cleared else names.branch or zone.branch,
        team_id=None if "team_id" in cleared else names.team_id or zone.team_id,
        is_in_circle=zone.is_in_circle if names.is_in_circle is None else names.is_in_circle,
    )
    return _exchanged(zones, [renamed])


def find(zones: Iterable[Zone], zone_id: str, field: str = "zone_id") -> Zone:
    """Return the grid of this id.

    Raises:
        InvalidInput: if there is none.
    """
    found = next((zone for zone in zones if zone.zone_id == zone_id), None)
    if found is None:
        raise InvalidInput(f"草稿里没有编号为 {zone_id} 的网格", field=field)
    return found


# ---------------------------------------------------------------- joining


def _placed(others: Zones, zone: Zone, area: Area) -> Zones:
    """The zone with this border, joined to the others."""
    near = _degrees(area.centroid.y, SNAP_M)
    beside = [other.geometry.boundary for other in others if shapely.dwithin(other.geometry, area, near)]
    snapped: BaseGeometry = shapely.snap(area, shapely.union_all(beside), near) if beside else area
    placed = _checked(zone, snapped if snapped.is_valid else area)
    return (*_joined(others, placed.geometry.boundary), placed)


def _joined(zones: Zones, edge: BaseGeometry) -> Zones:
    """The zones with the vertices of an edge that lie on their own; one that this would spoil stays as it is."""
    if not zones or edge.is_empty:
        return zones
    near = _degrees(edge.centroid.y, SNAP_M)
    corners = np.unique(shapely.get_coordinates(edge), axis=0)
    geometries = np.array([zone.geometry for zone in zones], dtype=object)
    joined = list(zones)
    for n in np.flatnonzero(shapely.dwithin(geometries, edge, near)):
        joined[n] = replace(zones[n], geometry=_with_vertices(zones[n].geometry, corners, near))
    return tuple(joined)


def _with_vertices(area: Area, corners: Floats, near: float) -> Area:
    """The area with more vertices: those corners that lie on its edges, and near none of its own vertices."""
    own = shapely.multipoints(shapely.get_coordinates(area))
    spots = shapely.points(corners)
    fresh = corners[shapely.dwithin(area.boundary, spots, near) & ~shapely.dwithin(own, spots, near)]
    if not len(fresh):
        return area
    parts = []
    for part in shapely.get_parts(area):
        shell, *holes = (
            _ring_through(np.asarray(ring.coords), fresh, near) for ring in (part.exterior, *part.interiors)
        )
        parts.append(Polygon(shell, holes))
    made = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    return made if made.is_valid else area


def _ring_through(ring: Floats, corners: Floats, near: float) -> Floats:
    """The ring with these corners on it, each in the edge that it is nearest to, if that is near."""
    start, along = ring[:-1], np.diff(ring, axis=0)
    squared = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    share = np.clip(((corners[:, None] - start) * along).sum(axis=2) / squared, 0.0, 1.0)
    metres = np.linalg.norm(corners[:, None] - (start + share[..., None] * along), axis=2)
    edge = metres.argmin(axis=1)
    rows = np.arange(len(corners))
    is_on = metres[rows, edge] <= near
    order = np.lexsort((share[rows, edge][is_on], edge[is_on]))
    return np.insert(ring, edge[is_on][order] + 1, corners[is_on][order], axis=0)


def _nearest_vertex(zones: Zones, spot: Point, near: float, moving: Point) -> Point:
    """The vertex that the spot is meant to be, or the spot itself."""
    lonlats = shapely.get_coordinates([zone.geometry for zone in zones])
    distances = np.hypot(lonlats[:, 0] - spot.x, lonlats[:, 1] - spot.y)
    distances[np.hypot(lonlats[:, 0] - moving.x, lonlats[:, 1] - moving.y) <= near] = np.inf
    best = int(np.argmin(distances))
    return Point(lonlats[best]) if distances[best] <= near else spot


def _moved(lonlats: Floats, start: Point, end: Point, same: float) -> Floats:
    is_it = np.hypot(lonlats[:, 0] - start.x, lonlats[:, 1] - start.y) <= same
    return np.where(is_it[:, None], [end.x, end.y], lonlats)


def _lengthened(line: LineString) -> LineString:
    """The line, a metre longer at both ends: who draws to a border stops a hair before it."""
    lonlats = np.asarray(line.coords)[:, :2]
    step = _degrees(lonlats[0][1], 1.0)
    first, last = lonlats[0] - lonlats[1], lonlats[-1] - lonlats[-2]
    lonlats[0] += first / np.hypot(*first) * step
    lonlats[-1] += last / np.hypot(*last) * step
    return LineString(lonlats)


def _degrees(lat: float, metres: float) -> float:
    """So many metres in degrees north, which is a little less to the east."""
    return metres / metres_per_degree(lat)[1]


# ---------------------------------------------------------------- zones


def _checked(zone: Zone, shape: BaseGeometry) -> Zone:
    """The zone with another area, if that is a good one."""
    area = cast(Area, shapely.remove_repeated_points(shape))
    if flaw := flaw_of(area):
        raise InvalidInput(f"这样网格 {zone.name} 的边界就坏了: {flaw}", field="geometry")
    return replace(zone, geometry=area)


def _areas_of(shape: BaseGeometry) -> Area:
    """The areas of a result, without lines, points and crumbs."""
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and square_metres(part) > _CRUMB_M2]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _without(zones: Zones, zone_ids: set[str]) -> Zones:
    return tuple(zone for zone in zones if zone.zone_id not in zone_ids)


def _named(zones: Zones, zone_ids: set[str]) -> Zones:
    return tuple(zone for zone in zones if zone.zone_id in zone_ids)


def _exchanged(zones: Zones, changed: Iterable[Zone]) -> Zones:
    fresh = {zone.zone_id: zone for zone in changed}
    return tuple(fresh.get(zone.zone_id, zone) for zone in zones)
