"""What travel times are found with in this process: the newest road graph, and the straight line beneath it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from shapely.geometry.base import BaseGeometry

from dispatch.domain import travel
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.settings import Settings
from dispatch.domain.travel import Travel
from dispatch.domain.zone_file import INDEX_FIELD, read_zones
from dispatch.geocode.eta import EtaProvider
from dispatch.geocode.geodesic import LineEtas
from dispatch.geocode.isochrone import Raster
from dispatch.geocode.road_net import RoadEtas, RoadNet
from dispatch.geocode.roads import RoadGraph, RoutingMissing
from dispatch.geocode.routers import AskedFirst, Router
from dispatch.storage import roads
from dispatch.storage.db import Store

T = TypeVar("T")
_SHIPPED = Path(__file__).parents[2] / "data" / "travel.toml"


def _read(setting: str, path: str, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(Path(path).read_bytes())
    except (OSError, InvalidInput) as error:
        reason = error.detail if isinstance(error, InvalidInput) else error.strerror
        where = error.field if isinstance(error, InvalidInput) else None
        raise InvalidInput(f"{setting} 所指的文件 {path} 不可用: {reason}", field=where) from error


def _outlines(data: bytes) -> list[BaseGeometry]:
    found = read_zones(data, datum=Datum.WGS84, id_field=INDEX_FIELD, strict_topology=False)
    return [barrier.geometry for barrier in found.zones]


@dataclass(frozen=True)
class Roads:
    """One version of the road graph, ready to be asked.

    Attributes:
        graph_id: Its id.
        travel: What it was imported with.
        net: Its roads.
    """

    graph_id: int
    travel: Travel
    net: RoadNet

    @cached_property
    def raster(self) -> Raster:
        """The cells that areas are made of; made when the first area is asked for."""
        return Raster(self.net)


class RoadBook:
    """One per process; shared by its threads.

    Args:
        store: The database of the process.
        settings: `travel` and `barriers` name files that are read now.

    Attributes:
        travel: Speeds of the next import, and what the straight line is reckoned with.
        router: A routing service that is asked first, or None.

    Raises:
        InvalidInput: if one of them cannot be used; it names the setting.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: Roads | None = None
        self.router: Router | None = None
        self.travel = _read("DISPATCH_TRAVEL", settings.travel or str(_SHIPPED), travel.read)
        self._barriers = _read("DISPATCH_BARRIERS", settings.barriers, _outlines) if settings.barriers else []

    def current(self) -> Roads | None:
        """Return the newest road graph, read again only where there is a newer one; None where there is none.

        Raises:
            RoutingMissing: where the packages for it are not installed.
            InvalidRoads: if what is stored is damaged.
        """
        with self._store.read() as tx:
            graph_id = roads.newest(tx)
        if graph_id is None:
            return None
        with self._lock:
            if self._kept is None or self._kept.graph_id != graph_id:
                self._kept = self._load(graph_id)
            return self._kept

    def _load(self, graph_id: int) -> Roads:
        with self._store.read() as tx:
            npz, raw = roads.graph(tx, graph_id)
        made_with = travel.parse(raw)
        return Roads(graph_id, made_with, RoadNet(RoadGraph.from_bytes(npz), made_with.roads))

    def provider(self) -> EtaProvider:
        """Return who tells travel times: a routing service where there is one, then the graph, then the line.

        It may ask on the network: never inside a transaction.
        """
        own = self._own()
        return AskedFirst(self.router, own) if self.router else own

    def _own(self) -> EtaProvider:
        """Return who tells them without the network: by road where there is a graph that can be used."""
        try:
            found = self.current()
        except (RoutingMissing, InvalidInput):
            return self.line("路网不可用")
        return RoadEtas(found.net, self.line()) if found else self.line()

    def line(self, note: str = "") -> LineEtas:
        """Return the guess along the straight line; `note` says in Chinese why there is nothing better."""
        return LineEtas(self.travel.line, self._barriers, note)
