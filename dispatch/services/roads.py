"""Import a road graph; what a place reaches on it in so many minutes."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import shapely
from shapely import MultiPolygon

from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.domain.travel import Travel
from dispatch.geocode.roads import InvalidRoads, RoadGraph
from dispatch.services.desk import Desk
from dispatch.storage import roads

MOST_MINUTES = 180.0
Bounds = tuple[float, float, float, float]


class NoRoads(DispatchError):
    """There is no road graph, and nothing else is good enough for an area."""

    code = "no-roads"
    status = 409


@dataclass(frozen=True, slots=True)
class Imported:
    """A new version of the road graph.

    Attributes:
        graph_id: Its id.
        zones: So many grids of today's map there are.
        covered: So many of them lie, by a point inside them, where the roads do.
    """

    graph_id: int
    zones: int
    covered: int


def import_graph(desk: Desk, actor: Actor, graph: RoadGraph, travel: Travel, source: str, now: datetime) -> Imported:
    """Store a road graph as the version that holds from now on.

    Args:
        desk: The process's desk.
        actor: Who imports.
        graph: The roads.
        travel: What it was made with; kept with it.
        source: Name of the file.
        now: The server's time.

    Raises:
        InvalidRoads: if the roads lie outside of the grids: those of another city.
        NotReady: if there are no grids yet.
    """
    npz, bounds = graph.to_bytes(), graph.bounds
    with desk.store.write() as tx:
        zones = desk.rules(tx, now).zones.zones
        area = _joined([zone.geometry.bounds for zone in zones])
        if not shapely.box(*bounds).intersects(shapely.box(*area)):
            where = f"路网范围 {_text(bounds)}, 网格范围 {_text(area)}"
            raise InvalidRoads(f"路网与本市网格不相交, 像是别的城市的文件: {where}; 网格须先导入 (import-zones)")
        values = dict(zip(("west", "south", "east", "north"), bounds, strict=True)) | {
            "source": source,
            "sha256": hashlib.sha256(npz).hexdigest(),
            "imported_at": now,
            "nodes": len(graph.lonlats),
            "arcs": len(graph.tails),
            "travel": travel.raw,
            "npz": npz,
        }
        graph_id = roads.add_graph(tx, values)
        tx.audit(now, actor, "import-roads", f"roads v{graph_id}", source=source, nodes=len(graph.lonlats))
    inside = [zone.geometry.representative_point() for zone in zones]
    covered = sum(shapely.box(*bounds).covers(point) for point in inside)
    return Imported(graph_id, len(zones), covered)


def _joined(all_bounds: list[Bounds]) -> Bounds:
    wests, souths, easts, norths = zip(*all_bounds, strict=True)
    return min(wests), min(souths), max(easts), max(norths)


def _text(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"经度 {west:.2f}–{east:.2f} 纬度 {south:.2f}–{north:.2f}"


def about(desk: Desk) -> dict[str, Any] | None:
    """Return what is told of the road graph that holds: id, source, imported_at, nodes, arcs, bounds; None without."""
    with desk.store.read() as tx:
        graph_id = roads.newest(tx)
        return None if graph_id is None else roads.about(tx, graph_id)


def isochrone(desk: Desk, place: Wgs84Point, minutes: float, now: datetime) -> MultiPolygon | None:
    """Return what is reached by road from a place in so many minutes, even when it goes slowly; WGS-84.

    Found once for each road graph, place (to about a metre) and minutes, then kept.

    Returns:
        The area, or None where the place is not on the roads.

    Raises:
        NoRoads: if there is no road graph: a guess along the straight line is never drawn.
        InvalidInput: for minutes that make no sense.
        RoutingMissing: where the packages for roads are not installed.
    """
    if not (math.isfinite(minutes) and 0 < minutes <= MOST_MINUTES):
        raise InvalidInput(f"分钟数应大于 0, 不超过 {MOST_MINUTES:g}", field="minutes")
    found = desk.roads.current()
    if found is None:
        raise NoRoads("尚未导入路网, 不能画服务圈: 请先运行 import-roads")
    here = Wgs84Point(round(place.lon, 5), round(place.lat, 5))
    key = {"graph_id": found.graph_id, "place": f"{here.lon:.5f},{here.lat:.5f}", "minutes": minutes}
    with desk.store.read() as tx:
        kept = roads.isochrone(tx, key)
    if kept is None:
        area = found.raster.reached(here, minutes * 60)
        kept = (None if area is None else shapely.to_wkb(area),)
        with desk.store.write() as tx:
            roads.keep_isochrone(tx, {**key, "made_at": now, "wkb": kept[0]})
    return None if kept[0] is None else cast(MultiPolygon, shapely.from_wkb(kept[0]))
