"""What is reached in time, as an area: the cells of a raster for which the rule of a travel time holds.

A cell is in when its middle is: the slow drive to the nearest node on which a car can stop, and the rest on foot. So
the area means the same as the later end of a travel time, and its edge is as fine as a cell.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely import MultiPolygon

from dispatch.domain.place import Floats, Wgs84Point
from dispatch.geocode.road_net import OFF_ROAD, RoadNet
from dispatch.geocode.roads import Flags, Ints, lonlats_of

# A cell is this wide, or wider where more cells than this would be needed.
CELL_M, MOST_CELLS = 50.0, 250_000


class Raster:
    """The cells around a road net, each with its node; made once a graph, good for every depot.

    Attributes:
        cell_m: Width of a cell in metres.
    """

    def __init__(self, net: RoadNet) -> None:
        self._net = net
        west, south, east, north = net.graph.bounds
        margin = net.rules.snap_m
        corner = np.array((west, south)) * net.metres - margin
        size = np.array((east, north)) * net.metres + margin - corner
        self.cell_m = max(CELL_M, math.sqrt(float(size[0] * size[1]) / MOST_CELLS))
        self._shape = tuple(np.ceil(size / self.cell_m).astype(int).tolist()[::-1])  # rows, columns
        self._corner = corner
        rows, columns = np.indices(self._shape)
        middles = np.stack((columns, rows), axis=-1).reshape(-1, 2) + 0.5
        self._nodes, self._afoot_s = net.snap((middles * self.cell_m + corner) / net.metres)
        place = np.floor((net.graph.lonlats[net.stops] * net.metres - corner) / self.cell_m).astype(int)
        self._cell_of_stop: Ints = (place[:, 1] * self._shape[1] + place[:, 0]).astype(np.int32)

    def reached(self, origin: Wgs84Point, limit_s: float) -> MultiPolygon | None:
        """Return what is reached in time even when it goes slowly, WGS-84; None where the place is not on the roads."""
        nodes, afoot_s = self._net.snap(lonlats_of([origin]))
        left_s = limit_s - float(afoot_s[0])
        if nodes[0] == OFF_ROAD:
            return None
        slow = self._net.rules.slow
        seconds = self._net.seconds_from(int(nodes[0]), max(left_s, 0.0) / slow) * slow
        # The last place stands for OFF_ROAD.
        is_in = np.append(seconds, np.inf)[self._nodes] + self._afoot_s <= left_s
        is_in[self._cell_of_stop[seconds[self._net.stops] <= left_s]] = True
        return self._area(is_in.reshape(self._shape))

    def _area(self, is_in: Flags) -> MultiPolygon:
        """Return the cells as an area: runs of cells as boxes, joined."""
        edges = np.diff(np.pad(is_in, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        rows, firsts = np.nonzero(edges == 1)
        ends = np.nonzero(edges == -1)[1]
        lons, lats = (self._degrees(axis, count + 1) for axis, count in ((0, is_in.shape[1]), (1, is_in.shape[0])))
        boxes = shapely.box(lons[firsts], lats[rows], lons[ends], lats[rows + 1])
        area = shapely.simplify(shapely.union_all(boxes), 0)
        return MultiPolygon([part for part in shapely.get_parts(area) if not part.is_empty])

    def _degrees(self, axis: int, count: int) -> Floats:
        degrees: Floats = (np.arange(count) * self.cell_m + self._corner[axis]) / self._net.metres[axis]
        return degrees
