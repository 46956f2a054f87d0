"""Roads from an OpenStreetMap extract (.osm.pbf): classes, limits, one-ways and access, nodes that stay, seconds.

Turn restrictions, ferries, gates and traffic lights are not reckoned with.
Source: https://wiki.openstreetmap.org/wiki/Key:highway, Key:oneway, Key:maxspeed and Key:access.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.domain.place import Floats, metres_per_degree
from dispatch.domain.travel import MAX_KMH, Travel
from dispatch.geocode.roads import InvalidRoads, RoadGraph, RoutingMissing, graph_of

# Called with the ways seen so far.
Seen = Callable[[int], None]
_EVERY = 2_000
# Of the bends of a road so many metres are cut out at most between nodes that stay; its length stays what it is.
_BEND_M = 50.0
# A straight road without bends gets nodes this near to each other, so that a place beside it has one.
_PIECE_M = 100.0
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|mph)?")
_MPH = 1.609344
# A water utility's crew is let into an estate: `private` is driven on.
_CLOSED = ("no", "military", "agricultural", "forestry")
_FORTH, _BACK = 1, 2


def read_roads(path: Path, travel: Travel, seen: Seen = lambda _: None) -> RoadGraph:
    """Read the roads of a file.

    Args:
        path: An .osm.pbf.
        travel: Which classes are driven on, and how fast.
        seen: Told the number of ways seen, now and then.

    Raises:
        InvalidRoads: if the file is damaged, no such file, or has no roads.
        RoutingMissing: without osmium or scipy.
    """
    collected = _Roads(travel)
    for number, way in enumerate(_ways(path), 1):
        collected.add(way)
        if number % _EVERY == 0:
            seen(number)
    return collected.graph()


def _ways(path: Path) -> Iterator[Any]:
    """Yield the ways with a highway and the places of their nodes."""
    try:
        import osmium
    except ImportError as error:
        raise RoutingMissing from error
    try:
        file = osmium.io.File(str(path), "pbf")
        with_places = osmium.FileProcessor(file).with_locations()
        yield from with_places.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(
            osmium.filter.KeyFilter("highway")
        )
    except RuntimeError as error:
        raise InvalidRoads(f"{path.name} 不是完好的 .osm.pbf 文件: {error}") from error


class _Roads:
    """Collects arcs; a node is the place of an OpenStreetMap node by its number there."""

    def __init__(self, travel: Travel) -> None:
        self._travel = travel
        self._position: dict[int, int] = {}
        self._lonlats = array("d")
        self._ways: list[tuple[list[int], float, int, bool]] = []
        self._uses = array("i")

    def add(self, way: Any) -> None:
        """Take a way over if it is driven on; where the extract lacks a node, the way is cut there."""
        tags = way.tags
        kmh = speed_kmh(tags, self._travel.speeds)
        ways = directions(tags)
        if kmh is None or not ways:
            return
        can_stop = is_stop(tags)
        part: list[int] = []
        for node in way.nodes:
            if node.location.valid():
                part.append(self._node(node))
            else:
                self._keep(part, kmh, ways, can_stop)
                part = []
        self._keep(part, kmh, ways, can_stop)

    def _node(self, node: Any) -> int:
        position = self._position.setdefault(node.ref, len(self._position))
        if position == len(self._uses):
            self._lonlats.extend((node.location.lon, node.location.lat))
            self._uses.append(0)
        self._uses[position] += 1
        return position

    def _made(self, place: Floats) -> int:
        self._lonlats.extend(place)
        self._uses.append(1)
        return len(self._uses) - 1

    def _keep(self, part: list[int], kmh: float, ways: int, can_stop: bool) -> None:
        if len(part) > 1:
            # Ends stay, as crossings do.
            self._uses[part[0]] += 1
            self._uses[part[-1]] += 1
            self._ways.append((part, kmh, ways, can_stop))

    def graph(self) -> RoadGraph:
        """Return the graph of all that was added."""
        lonlats = np.array(self._lonlats).reshape(-1, 2)
        tails, heads, seconds, stops = array("i"), array("i"), array("d"), array("i")
        for part, kmh, ways, can_stop in self._ways:
            kept, lengths = self._spaced(part, lonlats[part])
            stops.extend(kept if can_stop else ())
            for tail, head, length in zip(kept, kept[1:], lengths, strict=False):
                took = max(length / (kmh / 3.6), 0.001)
                for has, one, other in ((ways & _FORTH, tail, head), (ways & _BACK, head, tail)):
                    if has:
                        tails.append(one)
                        heads.append(other)
                        seconds.append(took)
        ends = np.array([tails, heads], dtype=np.int32)
        lonlats = np.array(self._lonlats).reshape(-1, 2)
        can_stop_at = np.zeros(len(lonlats), dtype=bool)
        can_stop_at[np.array(stops, dtype=int)] = True
        return graph_of(lonlats, ends[0], ends[1], np.array(seconds, dtype=float), can_stop_at)

    def _spaced(self, part: list[int], places: Floats) -> tuple[list[int], list[float]]:
        """Return the nodes of a road that stay or are made between them, and the metres from each to the next."""
        ways = np.diff(places, axis=0)
        steps = np.hypot(*(ways * metres_per_degree(float(places[0, 1]))).T).tolist()
        kept, lengths, run = [part[0]], [], 0.0
        for number, (node, step) in enumerate(zip(part[1:], steps, strict=True)):
            pieces = math.ceil(step / _PIECE_M) or 1
            for piece in range(1, pieces):
                kept.append(self._made(places[number] + ways[number] * (piece / pieces)))
                lengths.append(run + step / pieces)
                run = 0.0
            run += step / pieces
            if self._uses[node] > 1 or run >= _BEND_M:
                kept.append(node)
                lengths.append(run)
                run = 0.0
        return kept, lengths


def speed_kmh(tags: Mapping[str, str], speeds: Mapping[str, float]) -> float | None:
    """Return how fast a road is driven: its limit, else the speed of its class; None where it is not driven on."""
    of_class = speeds.get(tags.get("highway", ""))
    if of_class is None or tags.get("area") == "yes":
        return None
    access = tags.get("motor_vehicle") or tags.get("vehicle") or tags.get("access")
    if access in _CLOSED:
        return None
    found = _SPEED.fullmatch(tags.get("maxspeed", "").strip())
    if not found:
        return of_class
    limit = float(found[1]) * (_MPH if found[2] == "mph" else 1.0)
    return limit if 1 <= limit <= MAX_KMH else of_class


def directions(tags: Mapping[str, str]) -> int:
    """Return how a road is driven: 1 along it, 2 against it, 3 both ways, 0 where that changes by the hour."""
    is_implied = tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    oneway = tags.get("oneway") or ("yes" if is_implied else "no")
    known = {"yes": _FORTH, "true": _FORTH, "1": _FORTH, "-1": _BACK, "reverse": _BACK, "reversible": 0}
    return known.get(oneway, _FORTH | _BACK)


def is_stop(tags: Mapping[str, str]) -> bool:
    """Whether a crew can stop and get out: not on a motorway, on a bridge or in a tunnel."""
    is_raised = any(tags.get(kind, "no") != "no" for kind in ("bridge", "tunnel"))
    return not is_raised and tags.get("highway") not in ("motorway", "motorway_link")
