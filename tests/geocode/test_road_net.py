"""Times on a real extract are those of networkx on the same file, read on its own; places off the roads say so."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import osmium
import pytest

from dispatch.domain.place import Wgs84Point
from dispatch.geocode.geodesic import LineEtas, distance_m
from dispatch.geocode.road_net import OFF_ROAD, RoadEtas
from dispatch.geocode.roads import Ints
from tests.support.roads import HELSINKI, helsinki, helsinki_net, place_of, shipped


class _Reader(osmium.SimpleHandler):
    """Reads the file once more, in a way of its own: every node stays, every length is geopy's."""

    def __init__(self) -> None:
        super().__init__()
        self.graph = nx.DiGraph()

    def way(self, way: Any) -> None:
        tags = dict(way.tags)
        closed = {"no", "military", "agricultural", "forestry"}
        kmh = shipped().speeds.get(tags.get("highway", ""))
        access = [tags[key] for key in ("motor_vehicle", "vehicle", "access") if tags.get(key)]
        if kmh is None or tags.get("area") == "yes" or (access and access[0] in closed):
            return
        kmh = float(tags["maxspeed"]) if tags.get("maxspeed", "").isdigit() else kmh
        is_oneway = tags.get("oneway") == "yes" or (tags.get("junction") == "roundabout" and "oneway" not in tags)
        assert tags.get("oneway") in (None, "yes", "no")
        places = [(n.ref, Wgs84Point(n.lon, n.lat)) if n.location.valid() else None for n in way.nodes]
        for one, other in pairwise(places):
            if one and other:
                self._join(one, other, kmh)
                if not is_oneway:
                    self._join(other, one, kmh)

    def _join(self, one: tuple[int, Wgs84Point], other: tuple[int, Wgs84Point], kmh: float) -> None:
        seconds = distance_m(one[1], other[1]) / 1000 / kmh * 3600
        known = self.graph.get_edge_data(one[0], other[0], {"weight": float("inf")})
        for ref, point in (one, other):
            self.graph.add_node(ref, point=(point.lon, point.lat))
        self.graph.add_edge(one[0], other[0], weight=min(seconds, known["weight"]))


@cache
def independent() -> nx.DiGraph:
    reader = _Reader()
    reader.apply_file(str(HELSINKI), locations=True)
    return reader.graph


def _nodes(seed: int, count: int) -> Ints:
    return np.random.default_rng(seed).choice(helsinki_net().stops, count, replace=False)


def test_times_of_all_crews_are_those_of_networkx() -> None:
    graph, other = helsinki(), independent()
    ref_at = {data["point"]: ref for ref, data in other.nodes(data=True)}
    # What was made on long straight roads is not in the file; who is there is not compared.
    ref = [ref_at.get(tuple(place)) for place in graph.lonlats.tolist()]
    provider = RoadEtas(helsinki_net(), LineEtas(shipped().line))
    compared = 0
    for target in _nodes(1, 40).tolist():
        if ref[target] is None:
            continue
        expected = nx.single_source_dijkstra_path_length(other.reverse(copy=False), ref[target])
        crews = _nodes(target, 60).tolist()
        etas = provider.etas(place_of(graph, target), [place_of(graph, crew) for crew in crews])
        for crew, eta in zip(crews, etas, strict=True):
            if ref[crew] is None:
                continue
            assert eta is not None
            assert eta.kind == "road"
            assert eta.low_s == pytest.approx(expected[ref[crew]], rel=0.01, abs=0.01)
            compared += 1
    assert compared > 1_500


def test_what_cannot_be_left_or_reached_is_not_on_the_graph() -> None:
    largest = max(nx.strongly_connected_components(independent()), key=len)
    places = {independent().nodes[ref]["point"] for ref in largest}
    others = {independent().nodes[ref]["point"] for ref in independent()} - places
    assert not others & {tuple(place) for place in helsinki().lonlats.tolist()}


def test_the_way_back_is_another_where_streets_are_oneway() -> None:
    net = helsinki_net()
    one, other = (int(node) for node in _nodes(5, 2))
    there, back = net.seconds_to(other)[one], net.seconds_to(one)[other]
    assert there == pytest.approx(net.seconds_from(one, np.inf)[other])
    assert there != pytest.approx(back, rel=0.001)


def test_searching_around_the_target_tells_the_same() -> None:
    net = helsinki_net()
    for target in _nodes(11, 30).tolist():
        crews = _nodes(target + 1, 5)
        assert net.seconds_between(target, crews).tolist() == net.seconds_to(target)[crews].tolist()


def test_a_range_is_told_in_words() -> None:
    graph, (one, other) = helsinki(), _nodes(7, 2)
    (eta,) = RoadEtas(helsinki_net(), LineEtas(shipped().line)).etas(place_of(graph, one), [place_of(graph, other)])
    assert eta is not None
    assert eta.high_s == pytest.approx(eta.low_s * shipped().roads.slow)
    assert eta.note.startswith("约 ")
    assert eta.note.endswith(" 分, 按路网") or eta.note.endswith(" 分内, 按路网")


SEA, MID_TOWN = Wgs84Point(25.2, 60.0), Wgs84Point(24.944, 60.17)


def test_what_lies_in_the_sea_is_told_along_the_line() -> None:
    provider = RoadEtas(helsinki_net(), LineEtas(shipped().line))
    town, sea = provider.etas(MID_TOWN, [Wgs84Point(24.945, 60.171), SEA])
    assert town is not None
    assert sea is not None
    assert (town.kind, sea.kind) == ("road", "line")
    assert "直线估算 (班组位置不在路网上)" in sea.note
    (to_sea,) = provider.etas(SEA, [MID_TOWN])
    assert to_sea is not None
    assert (to_sea.kind, "地点不在路网上" in to_sea.note) == ("line", True)
    assert provider.etas(MID_TOWN, []) == []


def test_a_place_near_a_road_walks_the_rest() -> None:
    net = helsinki_net()
    nodes, afoot_s = net.snap(np.array([[MID_TOWN.lon, MID_TOWN.lat], [SEA.lon, SEA.lat]]))
    away_m = distance_m(MID_TOWN, place_of(net.graph, int(nodes[0])))
    assert afoot_s[0] == pytest.approx(away_m / (5 / 3.6), rel=0.01)
    assert (nodes[1], afoot_s[1]) == (OFF_ROAD, np.inf)
    assert helsinki().is_stop[nodes[0]]
