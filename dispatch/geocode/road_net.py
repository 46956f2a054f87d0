"""Travel times on a road graph: one search from the target, against the traffic, tells the times of all crews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from dispatch.domain.place import Floats, Wgs84Point, metres_per_degree
from dispatch.domain.travel import RoadRules
from dispatch.geocode.eta import Eta, EtaProvider, range_text
from dispatch.geocode.roads import Ints, RoadGraph, lonlats_of, scipy

OFF_ROAD = -1
# Nearly every free drive is quicker than this along the straight line, in metres a second.
_NEARLY_ALL_MPS = 3.0


class RoadNet:
    """A road graph, ready to be searched; immutable, shared by threads.

    Args:
        graph: The roads.
        rules: What they are reckoned with.

    Attributes:
        metres: Metres east and north for a degree at the middle of the graph.
        stops: Positions of the nodes on which a car can stop.

    Raises:
        RoutingMissing: without scipy.
    """

    def __init__(self, graph: RoadGraph, rules: RoadRules) -> None:
        parts = scipy()
        self.graph, self.rules = graph, rules
        count = len(graph.lonlats)
        self.metres = metres_per_degree((graph.bounds[1] + graph.bounds[3]) / 2)
        self._forth = parts.sparse.csr_matrix((graph.seconds, (graph.tails, graph.heads)), shape=(count, count))
        self._back = parts.sparse.csr_matrix((graph.seconds, (graph.heads, graph.tails)), shape=(count, count))
        self._search = parts.sparse.csgraph.dijkstra
        self.stops = np.flatnonzero(graph.is_stop).astype(np.int32)
        self._tree = parts.spatial.cKDTree(graph.lonlats[self.stops] * self.metres)

    def snap(self, lonlats: Floats) -> tuple[Ints, Floats]:
        """Return for each place the nearest node on which a car can stop, and the seconds between the two, on foot.

        Args:
            lonlats: WGS-84 degrees, shape (n, 2).

        Returns:
            Positions, OFF_ROAD where there is none near enough; and seconds, infinite there.
        """
        away_m, found = self._tree.query(lonlats * self.metres, distance_upper_bound=self.rules.snap_m)
        nodes = np.append(self.stops, np.int32(OFF_ROAD))[found]
        return nodes, away_m / (self.rules.off_road_kmh / 3.6)

    def seconds_to(self, node: int, limit_s: float = np.inf) -> Floats:
        """Return the free drive from every node to one; infinite beyond the limit."""
        return cast(Floats, self._search(self._back, directed=True, indices=node, limit=limit_s))

    def seconds_between(self, node: int, origins: Ints) -> Floats:
        """Return the free drive from some nodes to one: searched around it first, and everywhere only where that fails.

        In a large city that is ten times as quick, since who is asked about is near.
        """
        away = (self.graph.lonlats[origins] - self.graph.lonlats[node]) * self.metres
        limit_s = float(np.hypot(*away.T).max(initial=0.0)) / _NEARLY_ALL_MPS
        seconds = self.seconds_to(node, limit_s)[origins]
        return self.seconds_to(node)[origins] if np.isinf(seconds).any() else seconds

    def seconds_from(self, node: int, limit_s: float) -> Floats:
        """Return the free drive from one node to every other; infinite beyond the limit."""
        return cast(Floats, self._search(self._forth, directed=True, indices=node, limit=limit_s))


class RoadEtas:
    """Times by road; for places off the graph those of another provider, which says that they are.

    Args:
        net: The roads.
        fallback: Who answers for places that are not on them.
    """

    name = "roads"

    def __init__(self, net: RoadNet, fallback: EtaProvider) -> None:
        self._net, self._fallback = net, fallback

    def etas(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Sequence[Eta | None]:
        """Return the time from each origin to the target; see `EtaProvider`."""
        nodes, afoot_s = self._net.snap(lonlats_of([target, *origins]))
        if nodes[0] == OFF_ROAD:
            return self._by_line(target, origins, "地点不在路网上")
        is_on = nodes[1:] != OFF_ROAD
        drive_s = self._net.seconds_between(int(nodes[0]), nodes[1:][is_on]).tolist()
        foot_s = (afoot_s[1:][is_on] + afoot_s[0]).tolist()
        by_road = iter([self._eta(drive, foot) for drive, foot in zip(drive_s, foot_s, strict=True)])
        off = [origin for origin, is_near in zip(origins, is_on, strict=True) if not is_near]
        by_line = iter(self._by_line(target, off, "班组位置不在路网上"))
        return [next(by_road) if is_near else next(by_line) for is_near in is_on]

    def _eta(self, drive_s: float, foot_s: float) -> Eta:
        low_s, high_s = drive_s + foot_s, drive_s * self._net.rules.slow + foot_s
        return Eta(low_s, high_s, "road", f"约 {range_text(low_s, high_s)}, 按路网")

    def _by_line(self, target: Wgs84Point, origins: Sequence[Wgs84Point], why: str) -> list[Eta | None]:
        etas = self._fallback.etas(target, origins)
        return [eta and replace(eta, note=f"{eta.note} ({why})") for eta in etas]
