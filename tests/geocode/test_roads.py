"""A road graph keeps the quickest of parallel arcs and only what can be left and reached; it survives being stored."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dispatch.geocode.roads import InvalidRoads, RoadGraph, RoutingMissing, graph_of, scipy
from tests.support.roads import helsinki

# Places 0–1–2 in a ring, 3 a dead end that is only entered, 4 on its own.
LONLATS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 2.0], [9.0, 9.0]])
ARCS = [(0, 1, 5.0), (0, 1, 3.0), (1, 2, 1.0), (2, 0, 1.0), (2, 3, 1.0), (4, 4, 1.0), (0, 1, 4.0)]


def made(arcs: list[tuple[int, int, float]], is_stop: bool = True) -> RoadGraph:
    tails, heads, seconds = (np.array(column) for column in zip(*arcs, strict=True)) if arcs else (np.array([]),) * 3
    return graph_of(
        LONLATS, tails.astype(np.int32), heads.astype(np.int32), seconds.astype(float), np.full(len(LONLATS), is_stop)
    )


def test_only_what_reaches_everything_stays_with_the_quickest_arcs() -> None:
    graph = made(ARCS)
    assert graph.lonlats.tolist() == LONLATS[:3].tolist()
    arcs = set(zip(graph.tails.tolist(), graph.heads.tolist(), graph.seconds.tolist(), strict=True))
    assert arcs == {(0, 1, 3.0), (1, 2, 1.0), (2, 0, 1.0)}
    assert graph.bounds == (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(("arcs", "is_stop"), [([], True), (ARCS, False)])
def test_a_graph_on_which_nobody_can_stop_is_refused(arcs: list[tuple[int, int, float]], is_stop: bool) -> None:
    with pytest.raises(InvalidRoads, match="没有可以行车的路网"):
        made(arcs, is_stop)


def test_it_survives_being_stored() -> None:
    graph, again = helsinki(), RoadGraph.from_bytes(helsinki().to_bytes())
    for name in ("lonlats", "tails", "heads", "seconds", "is_stop"):
        assert np.array_equal(getattr(graph, name), getattr(again, name))


@pytest.mark.parametrize("end", [0, 7, 400, -30])
def test_what_is_damaged_is_told(end: int) -> None:
    with pytest.raises(InvalidRoads, match="已损坏"):
        RoadGraph.from_bytes(helsinki().to_bytes()[:end])


def test_without_its_packages_the_command_that_mends_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    with pytest.raises(RoutingMissing, match=r"pip install .*requirements-routing\.txt"):
        scipy()
