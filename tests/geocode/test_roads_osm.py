"""Roads of a real extract: classes, limits, one-ways, access; what is damaged or has no roads is refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import osmium
import pytest

from dispatch.domain.place import Wgs84Point
from dispatch.geocode.geodesic import distance_m
from dispatch.geocode.road_net import RoadNet
from dispatch.geocode.roads import InvalidRoads, RoutingMissing
from dispatch.geocode.roads_osm import directions, is_stop, read_roads, speed_kmh
from tests.support.roads import HELSINKI, helsinki, place_of, shipped

SPEEDS = {"primary": 50.0, "residential": 20.0}
Nodes = list[tuple[float, float]]


def write(path: Path, *ways: tuple[dict[str, str], list[int]], nodes: Nodes) -> Path:
    """Write an extract: nodes by place, numbered from 1, and ways by their nodes."""
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf")) as writer:
        for number, place in enumerate(nodes, 1):
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place))
        for number, (tags, refs) in enumerate(ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
    return path


SQUARE: Nodes = [(112.98, 28.20), (112.9808, 28.20), (112.9808, 28.2008), (112.98, 28.2008)]


def test_a_real_extract_becomes_roads() -> None:
    graph = helsinki()
    assert (len(graph.lonlats) > 800, len(graph.tails) > 1_400) == (True, True)
    assert graph.is_stop.sum() < len(graph.lonlats)
    # Longer arcs than the bends that are cut out: a node stays at least every so many metres, if the file has it.
    lengths = [
        distance_m(place_of(graph, a), place_of(graph, b)) for a, b in zip(graph.tails, graph.heads, strict=True)
    ]
    assert float(np.median(lengths)) < 60


def test_a_oneway_is_driven_one_way(tmp_path: Path) -> None:
    oneway = {"highway": "primary", "oneway": "yes"}
    path = write(tmp_path / "a.osm.pbf", (oneway, [1, 2, 3]), ({"highway": "primary"}, [3, 4, 1]), nodes=SQUARE)
    graph = read_roads(path, shipped())
    at = {tuple(place): n for n, place in enumerate(graph.lonlats.round(4).tolist())}
    arcs = set(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True))
    one, two, three, four = (at[place] for place in SQUARE)
    assert arcs == {(one, two), (two, three), (three, four), (four, three), (four, one), (one, four)}
    east_m = distance_m(Wgs84Point(*SQUARE[0]), Wgs84Point(*SQUARE[1]))
    seconds = dict(zip(zip(graph.tails.tolist(), graph.heads.tolist(), strict=True), graph.seconds, strict=True))
    assert seconds[one, two] == pytest.approx(east_m / (50 / 3.6), rel=0.001)


def test_a_long_straight_road_has_a_node_beside_every_place(tmp_path: Path) -> None:
    ends: Nodes = [(112.98, 28.20), (112.99, 28.20)]
    graph = read_roads(write(tmp_path / "a.osm.pbf", ({"highway": "primary"}, [1, 2]), nodes=ends), shipped())
    length_m = distance_m(Wgs84Point(*ends[0]), Wgs84Point(*ends[1]))
    assert (len(graph.lonlats), len(graph.tails)) == (11, 20)
    assert graph.seconds.sum() == pytest.approx(2 * length_m / (50 / 3.6), rel=0.001)
    assert np.sort(graph.lonlats[:, 0]) == pytest.approx(np.linspace(112.98, 112.99, 11))
    assert graph.is_stop.all()


def test_where_the_extract_ends_a_road_is_cut(tmp_path: Path) -> None:
    ring = ({"highway": "primary"}, [1, 2, 99, 3, 4, 1])
    graph = read_roads(write(tmp_path / "a.osm.pbf", ring, nodes=SQUARE), shipped())
    assert len(graph.tails) == 6  # 1–2, 3–4–1, both ways; nothing over the node that is missing


def test_a_place_in_the_river_is_not_on_the_bridge_above_it(tmp_path: Path) -> None:
    bridge = {"highway": "primary", "bridge": "yes"}
    nodes: Nodes = [(112.96, 28.20), (112.965, 28.20), (112.97, 28.20), (112.975, 28.20)]
    ways = [({"highway": "primary"}, [1, 2]), (bridge, [2, 5, 3]), ({"highway": "primary"}, [3, 4])]
    graph = read_roads(write(tmp_path / "a.osm.pbf", *ways, nodes=[*nodes, (112.9675, 28.20)]), shipped())
    net = RoadNet(graph, replace(shipped().roads, snap_m=1_000))
    (found,), _ = net.snap(np.array([[112.9676, 28.2001]]))
    assert graph.lonlats[found].round(4).tolist() in ([112.965, 28.2], [112.97, 28.2])


def test_every_so_many_ways_it_is_told(tmp_path: Path) -> None:
    ways = [({"highway": "primary"}, [1, 2])] * 4_100
    told: list[int] = []
    read_roads(write(tmp_path / "a.osm.pbf", *ways, nodes=SQUARE), shipped(), told.append)
    assert told == [2_000, 4_000]


@pytest.mark.parametrize("content", [b"", b"no roads at all" * 50, HELSINKI.read_bytes()[:300_000]])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "city.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(InvalidRoads, match=r"city\.osm\.pbf 不是完好的"):
        read_roads(path, shipped())


@pytest.mark.parametrize("tags", [{"highway": "footway"}, {"highway": "primary", "oneway": "reversible"}, {"a": "b"}])
def test_a_file_without_roads_is_refused(tmp_path: Path, tags: dict[str, str]) -> None:
    with pytest.raises(InvalidRoads, match="没有可以行车的路网"):
        read_roads(write(tmp_path / "a.osm.pbf", (tags, [1, 2]), nodes=SQUARE), shipped())


def test_without_osmium_the_command_that_mends_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(RoutingMissing, match=r"requirements-routing\.txt"):
        read_roads(HELSINKI, shipped())


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ({"highway": "primary"}, 50),
        ({"highway": "primary", "maxspeed": "40"}, 40),
        ({"highway": "primary", "maxspeed": "60 km/h"}, 60),
        ({"highway": "primary", "maxspeed": "25 mph"}, 25 * 1.609344),
        ({"highway": "primary", "maxspeed": "CN:urban"}, 50),
        ({"highway": "primary", "maxspeed": "999"}, 50),
        ({"highway": "primary", "maxspeed": "0"}, 50),
        ({"highway": "footway"}, None),
        ({"highway": "primary", "area": "yes"}, None),
        ({"highway": "residential", "access": "no"}, None),
        ({"highway": "residential", "access": "private"}, 20),
        ({"highway": "residential", "access": "no", "motor_vehicle": "yes"}, 20),
    ],
)
def test_how_fast_a_road_is_driven(tags: dict[str, str], kmh: float | None) -> None:
    assert speed_kmh(tags, SPEEDS) == kmh


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, 3),
        ({"oneway": "no"}, 3),
        ({"oneway": "yes"}, 1),
        ({"oneway": "-1"}, 2),
        ({"oneway": "reversible"}, 0),
        ({"junction": "roundabout"}, 1),
        ({"highway": "motorway"}, 1),
        ({"highway": "motorway", "oneway": "no"}, 3),
    ],
)
def test_in_which_directions_a_road_is_driven(tags: dict[str, str], expected: int) -> None:
    assert directions(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "primary"}, True),
        ({"highway": "motorway"}, False),
        ({"highway": "primary", "bridge": "yes"}, False),
        ({"highway": "primary", "tunnel": "no"}, True),
    ],
)
def test_where_a_crew_can_stop(tags: dict[str, str], expected: bool) -> None:
    assert is_stop(tags) is expected
