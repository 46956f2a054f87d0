"""From a point to its zone: right everywhere, and fast nearly everywhere.

A raster lies over all zones. A cell that no boundary crosses has one answer, looked up without geometry. In a
cell that a boundary does cross, the few zones concerned are asked with the exact predicate. So the raster
only saves work; it never decides anything near an edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from dispatch.domain.errors import NotFound
from dispatch.domain.place import Floats, Wgs84Point, metres_per_degree
from dispatch.domain.zones import Route, RouteStatus, ServiceArea, Zone, quarantine_reason

Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

_CELLS_PER_ZONE, _FEWEST_CELLS, _MOST_CELLS = 1 << 10, 1 << 14, 1 << 22
# Borders are drawn this much too thick, in cells: far above the rounding of floats (1e-11), far below a cell.
_THICKNESS = 1e-6
_NOWHERE = -1


class ZoneIndex:
    """Zones in the order of their ids, with a raster in front; immutable, safe to share between threads.

    Attributes:
        zones: All zones by ascending zone_id (plain string order); positions refer to this.
        near_boundary_m: Within this distance `route` names the neighbour.
        nearest_tolerance_m: Within this distance a point outside every zone goes to the nearest.
    """

    def __init__(
        self,
        zones: Iterable[Zone],
        *,
        near_boundary_m: float = 200.0,
        nearest_tolerance_m: float = 300.0,
        area_margin_m: float = 50_000.0,
    ) -> None:
        """Build the index; about a second for 2,000 zones.

        Args:
            zones: Valid, non-empty zones with unique ids, in any order. None at all is allowed.
            near_boundary_m: See the class.
            nearest_tolerance_m: See the class.
            area_margin_m: Points farther than this outside the bounds of all zones are quarantined.

        Raises:
            ValueError: Two zones share an id, or one is empty.
        """
        self.zones = tuple(sorted(zones, key=lambda zone: zone.zone_id))
        self.near_boundary_m = near_boundary_m
        self.nearest_tolerance_m = nearest_tolerance_m
        self._positions = {zone.zone_id: position for position, zone in enumerate(self.zones)}
        if len(self._positions) < len(self.zones) or any(zone.geometry.is_empty for zone in self.zones):
            raise ValueError("zones need unique ids and a geometry that is not empty")
        self._area = ServiceArea.around(self.zones, area_margin_m) if self.zones else None
        self._geometries: Geometries = np.array([zone.geometry for zone in self.zones], dtype=object)
        self._tree = shapely.STRtree(self._geometries)
        self._ends, owners = _segments(self._geometries)
        self._first_segment = np.searchsorted(owners, np.arange(len(self.zones) + 1))
        self._prepare()
        self._lay_raster(owners)

    def _prepare(self) -> None:
        """Index every geometry now: GEOS would do so at the first question, which is not safe in threads."""
        shapely.prepare(self._geometries)
        vertices = self._ends[self._first_segment[:-1]]
        shapely.intersects_xy(self._geometries, vertices[:, 0], vertices[:, 1])

    def _lay_raster(self, owners: Ints) -> None:
        bounds = shapely.total_bounds(self._geometries) if self.zones else np.array([0.0, 0.0, 1.0, 1.0])
        self._west, self._south, self._east, self._north = bounds.tolist()
        width, height = self._east - self._west, self._north - self._south
        cells = min(max(_CELLS_PER_ZONE * len(self.zones), _FEWEST_CELLS), _MOST_CELLS)
        columns = int(min(max((cells * width / height) ** 0.5, 1), cells))
        rows = cells // columns
        # One more column and row, so that the eastern and northern bounds themselves have a cell.
        self._stride = columns + 1
        self._per_lon, self._per_lat = columns / width, rows / height
        origin = np.array([self._west, self._south, self._west, self._south])
        scale = np.array([self._per_lon, self._per_lat, self._per_lon, self._per_lat])
        crossed, zones = _crossed_cells((self._ends - origin) * scale, columns, rows)
        self._fill(crossed, owners[zones], self._stride * (rows + 1))

    def _fill(self, crossed: Ints, owners: Ints, size: int) -> None:
        """Give every cell its code: a zone's position, -1 for none, or -2 - n for the n-th border cell."""
        is_border = np.zeros(size, dtype=bool)
        is_border[crossed] = True
        is_start = np.zeros(size + 1, dtype=bool)
        is_start[1:] = is_border
        is_start[:size] |= is_border
        is_start[: size : self._stride] = True
        starts = np.flatnonzero(is_start[:size])
        row, column = np.divmod(starts, self._stride)
        lons = self._west + (column + 0.5) / self._per_lon
        lats = self._south + (row + 0.5) / self._per_lat
        sample, position = self._covering(lons, lats)
        codes = np.full(len(starts), len(self.zones))
        np.minimum.at(codes, sample, position)
        codes[codes == len(self.zones)] = _NOWHERE
        is_border = is_border[starts]
        codes[is_border] = -2 - np.arange(is_border.sum())
        lengths = np.diff(starts, append=size)
        self._raster = np.repeat(codes.astype(np.int32), lengths)
        self._codes = self._raster.data
        # The rivals for a border cell: who has a boundary in it, and who covers its middle and so all of it.
        inner = is_border[sample]
        self._list_rivals(np.concatenate((crossed, starts[sample[inner]])), np.concatenate((owners, position[inner])))

    def _list_rivals(self, cells: Ints, positions: Ints) -> None:
        # A cell and a zone as one number: a row at a time would be sorted ten times as long.
        pairs = np.unique(cells.astype(np.int64) * len(self.zones) + positions)
        cells, self._rivals = np.divmod(pairs, len(self.zones))
        self._first_rival = np.append(np.flatnonzero(np.diff(cells, prepend=-1)), len(pairs))
        self._rival_starts = self._first_rival.data
        self._rival_geometries = self._geometries[self._rivals]

    def _covering(self, lons: Floats, lats: Floats) -> tuple[Ints, Ints]:
        """All pairs (index of point, position of zone) where the zone covers the point."""
        point, position = self._tree.query(shapely.points(lons, lats))
        covers = shapely.intersects_xy(self._geometries[position], lons[point], lats[point])
        return point[covers], position[covers]

    def zone(self, zone_id: str) -> Zone:
        """The zone with this id.

        Raises:
            NotFound: There is none.
        """
        position = self._positions.get(zone_id)
        if position is None:
            raise NotFound(f"没有编号为 {zone_id} 的网格", field="zone_id")
        return self.zones[position]

    def locate(self, lon: float, lat: float) -> Zone | None:
        """The first zone by id that covers the place (WGS-84 degrees), edges included; None outside all."""
        if not (self._west <= lon <= self._east and self._south <= lat <= self._north):
            return None
        column = int((lon - self._west) * self._per_lon)
        code = self._codes[int((lat - self._south) * self._per_lat) * self._stride + column]
        if code >= 0:
            return self.zones[code]
        if code == _NOWHERE:
            return None
        first, stop = self._rival_starts[-2 - code], self._rival_starts[-1 - code]
        covers = shapely.intersects_xy(self._rival_geometries[first:stop], lon, lat).tolist()
        return self.zones[self._rivals[first + covers.index(True)]] if True in covers else None

    def locate_many(self, lons: Floats, lats: Floats) -> Ints:
        """The same as `locate` for many places.

        Args:
            lons: WGS-84 degrees east, shape (n,).
            lats: WGS-84 degrees north, shape (n,).

        Returns:
            Positions into `zones`, -1 outside all, shape (n,).
        """
        lons, lats = np.asarray(lons, dtype=float), np.asarray(lats, dtype=float)
        found = np.full(lons.shape, _NOWHERE, dtype=np.int64)
        inside = np.flatnonzero(
            (lons >= self._west) & (lons <= self._east) & (lats >= self._south) & (lats <= self._north)
        )
        column = ((lons[inside] - self._west) * self._per_lon).astype(np.int64)
        row = ((lats[inside] - self._south) * self._per_lat).astype(np.int64)
        found[inside] = self._raster[row * self._stride + column]
        border = np.flatnonzero(found < _NOWHERE)
        found[border] = self._exact(lons[border], lats[border], -2 - found[border])
        return found

    def _exact(self, lons: Floats, lats: Floats, border_cells: Ints) -> Ints:
        point, rival = _ranges(self._first_rival[border_cells], self._first_rival[border_cells + 1] - 1)
        covers = shapely.intersects_xy(self._rival_geometries[rival], lons[point], lats[point])
        found = np.full(lons.shape, _NOWHERE, dtype=np.int64)
        # Rivals are in ascending order, so the first hit of a point is the lowest id.
        hit, first = np.unique(point[covers], return_index=True)
        found[hit] = self._rivals[rival[covers][first]]
        return found

    def quarantined(self, point: Wgs84Point) -> str | None:
        """Return why a point is not to be believed, in Chinese, or None where it may be; `route` asks it first."""
        return None if self._area is None else quarantine_reason(point, self._area)

    def route(self, point: Wgs84Point) -> Route:
        """Find the zone that answers for a point and say why in Chinese.

        Distances use local equirectangular scaling at the point: less than 0.01 m off within 300 m.
        """
        if self._area is None:
            return Route(RouteStatus.NO_ZONE, None, None, "还没有导入任何网格")
        reason = self.quarantined(point)
        if reason is not None:
            return Route(RouteStatus.QUARANTINED, None, None, reason)
        zone = self.locate(point.lon, point.lat)
        return self._route_outside(point) if zone is None else self._route_inside(point, zone)

    def nearest(self, point: Wgs84Point, count: int) -> list[tuple[float, Zone]]:
        """Return the `count` zones nearest to a point, each with its distance in metres, 0 where it covers it."""
        return self._ranked(point, np.arange(len(self.zones)), np.inf)[:count]

    def _route_inside(self, point: Wgs84Point, zone: Zone) -> Route:
        own = self._positions[zone.zone_id]
        near = self._near(point, self.near_boundary_m)
        boundary_m = float(self._boundary_m(point, np.array([own]))[0])
        others = self._ranked(point, near[near != own], self.near_boundary_m)
        reason = f"在{_label(zone)}网格内"
        if others or boundary_m <= self.near_boundary_m:
            reason += f"; 距边界 {boundary_m:.0f} m"
        if others:
            reason += f", 邻网格 {_label(others[0][1])}"
            reason += "; 此处两网格都覆盖, 归编号在前者" if others[0][0] == 0 else ""
        return _answer(RouteStatus.ROUTED, [(boundary_m, zone), *others], reason)

    def _route_outside(self, point: Wgs84Point) -> Route:
        tolerance_m = self.nearest_tolerance_m
        ranked = self._ranked(point, self._near(point, tolerance_m), tolerance_m)
        if not ranked:
            return self._route_nowhere(point)
        metres, zone = ranked[0]
        reason = f"不在任何网格内; 归最近网格 {_label(zone)}, 距 {metres:.0f} m (容差 {tolerance_m:.0f} m)"
        if len(ranked) > 1:
            reason += f"; 其次 {_label(ranked[1][1])}, 距 {ranked[1][0]:.0f} m"
        return _answer(RouteStatus.NEAREST, ranked, reason)

    def _route_nowhere(self, point: Wgs84Point) -> Route:
        metres, zone = self._ranked(point, np.arange(len(self.zones)), np.inf)[0]
        reason = f"不在任何网格内; 最近网格 {_label(zone)}, 距 {metres:.0f} m"
        reason += f", 超出容差 {self.nearest_tolerance_m:.0f} m"
        return Route(RouteStatus.NO_ZONE, None, None, reason, None, zone.zone_id, round(metres, 1))

    def _near(self, point: Wgs84Point, radius_m: float) -> Ints:
        """Positions of the zones whose bounds come that near, ascending."""
        east_m, north_m = metres_per_degree(point.lat)
        wide, high = radius_m / east_m, radius_m / north_m
        box = shapely.box(point.lon - wide, point.lat - high, point.lon + wide, point.lat + high)
        return np.sort(self._tree.query(box))

    def _ranked(self, point: Wgs84Point, positions: Ints, within_m: float) -> list[tuple[float, Zone]]:
        """Those zones within so many metres (0 where it covers the point), nearest and lowest id first."""
        metres = self._boundary_m(point, positions)
        metres[shapely.intersects_xy(self._geometries[positions], point.lon, point.lat)] = 0.0
        pairs = sorted(zip(metres.tolist(), positions.tolist(), strict=True))
        return [(distance, self.zones[position]) for distance, position in pairs if distance <= within_m]

    def _boundary_m(self, point: Wgs84Point, positions: Ints) -> Floats:
        """Metres from the point to the boundary of each zone, shape (n,)."""
        if not len(positions):
            return np.empty(0)
        first, stop = self._first_segment[positions], self._first_segment[positions + 1]
        _, segment = _ranges(first, stop - 1)
        east_m, north_m = metres_per_degree(point.lat)
        here, scale = [point.lon, point.lat] * 2, np.array([east_m, north_m, east_m, north_m])
        x, y, end_x, end_y = ((self._ends[segment] - here) * scale).T
        along_x, along_y = end_x - x, end_y - y
        # A repeated vertex makes a segment of no length: its only point is its start.
        squared = np.maximum(along_x**2 + along_y**2, np.finfo(float).tiny)
        share = np.clip(-(x * along_x + y * along_y) / squared, 0.0, 1.0)
        metres = np.hypot(x + share * along_x, y + share * along_y)
        return np.asarray(np.minimum.reduceat(metres, np.cumsum(stop - first) - (stop - first)))


def _answer(status: RouteStatus, ranked: list[tuple[float, Zone]], reason: str) -> Route:
    """The first zone answers, the second one is its neighbour."""
    boundary_m, zone = ranked[0]
    route = Route(status, zone.zone_id, zone.name, reason, round(boundary_m, 1))
    if len(ranked) == 1:
        return route
    neighbour_m, neighbour = ranked[1]
    return replace(route, neighbour_zone_id=neighbour.zone_id, neighbour_m=round(neighbour_m, 1))


def _label(zone: Zone) -> str:
    return zone.name.removesuffix("网格") or zone.zone_id


def _segments(geometries: Geometries) -> tuple[Floats, Ints]:
    """All boundary segments as (lon, lat, lon, lat), shape (n, 4), and the position of the zone of each."""
    parts, owners = shapely.get_parts(geometries, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    is_same_ring = ring[1:] == ring[:-1]
    ends = np.hstack((vertices[:-1], vertices[1:]))[is_same_ring]
    return ends, owners[part[ring[:-1][is_same_ring]]]


def _ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Write out the inclusive ranges first[i]..last[i]: the index i of every item, and the item."""
    counts = last - first + 1
    index = np.repeat(np.arange(len(first)), counts)
    begin = np.cumsum(counts) - counts
    return index, np.arange(len(index)) - begin[index] + first[index]


def _crossed_cells(ends: Floats, columns: int, rows: int) -> tuple[Ints, Ints]:
    """Every cell that a segment touches, as (cell number, index of segment), at least.

    Args:
        ends: Segments in units of cells, shape (n, 4).
        columns: Cells lie in columns 0 to `columns` ...
        rows: ... and rows 0 to `rows`, numbered along the rows.
    """
    is_eastward = ends[:, :1] <= ends[:, 2:3]
    x, y, end_x, end_y = np.where(is_eastward, ends, ends[:, [2, 3, 0, 1]]).T
    segment, column = _ranges(_cell(x - _THICKNESS, columns), _cell(end_x + _THICKNESS, columns))
    x, y, end_x, end_y = x[segment], y[segment], end_x[segment], end_y[segment]
    # The piece of the segment in this column, as shares of its length; an upright one is there as a whole.
    width = end_x - x
    is_upright = width == 0
    divisor = np.where(is_upright, 1.0, width)
    enter = (np.clip(column - _THICKNESS, x, end_x) - x) / divisor
    leave = np.where(is_upright, 1.0, (np.clip(column + 1 + _THICKNESS, x, end_x) - x) / divisor)
    enter_y, leave_y = y + enter * (end_y - y), y + leave * (end_y - y)
    low, high = np.minimum(enter_y, leave_y), np.maximum(enter_y, leave_y)
    piece, row = _ranges(_cell(low - _THICKNESS, rows), _cell(high + _THICKNESS, rows))
    return row * (columns + 1) + column[piece], segment[piece]


def _cell(value: Floats, most: int) -> Ints:
    return np.clip(np.floor(value), 0, most).astype(np.int64)
