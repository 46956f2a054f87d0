"""What is drawn as reached in time is what a search reaches, and nothing that lies far beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from dispatch.domain.place import Floats, Wgs84Point
from dispatch.geocode.geodesic import LineEtas
from dispatch.geocode.isochrone import MOST_CELLS, Raster
from dispatch.geocode.road_net import RoadEtas, RoadNet
from tests.support.roads import helsinki, helsinki_net, in_changsha, place_of, shipped

NO_HURRY = replace(shipped().roads, slow=1.0)


@pytest.mark.parametrize("minutes", [0.5, 1, 2, 3])
def test_it_holds_what_is_reached_and_nothing_far_beyond(minutes: float) -> None:
    net, raster = helsinki_net(), Raster(helsinki_net())
    depot = int(np.random.default_rng(2).choice(net.stops))
    area = raster.reached(place_of(net.graph, depot), minutes * 60)
    assert area is not None
    assert area.is_valid
    later_s = net.seconds_from(depot, np.inf)[net.stops] * net.rules.slow
    places = net.graph.lonlats[net.stops]
    is_in = np.asarray(shapely.covers(area, shapely.points(places)))
    is_reached = later_s <= minutes * 60
    assert is_in[is_reached].all()
    assert 0 < is_reached.sum() < len(is_reached)
    # Far beyond: a minute later than the limit, and no cell away from anything that is reached.
    metres = places * net.metres
    away_m = np.min(np.hypot(*(metres[:, None] - metres[None, is_reached]).T), axis=0)
    is_far = (later_s > minutes * 60 + 60) & (away_m > 1.5 * raster.cell_m)
    assert is_far.any()
    assert not is_in[is_far].any()


def test_a_place_in_the_area_has_its_time() -> None:
    """Area and travel time say the same, but for the edge of a cell."""
    net = RoadNet(in_changsha(), shipped().roads)
    depot = place_of(net.graph, 220)
    area = Raster(net).reached(depot, 300)
    assert area is not None
    random = np.random.default_rng(3)
    west, south, east, north = net.graph.bounds
    places: Floats = random.uniform((west, south), (east, north), (400, 2))
    middle = [Wgs84Point(*place) for place in places.tolist()]
    is_in = np.asarray(shapely.covers(shapely.buffer(area, -0.001), shapely.points(places)))
    is_out = ~np.asarray(shapely.covers(shapely.buffer(area, 0.001), shapely.points(places)))
    assert is_in.any()
    assert is_out.any()
    provider = RoadEtas(net, LineEtas(shipped().line))
    for place, inside, outside in zip(middle, is_in, is_out, strict=True):
        (eta,) = provider.etas(place, [depot])
        assert eta is not None
        assert not (inside and eta.high_s > 300 + 60)
        assert not (outside and eta.high_s < 300 - 60)


def test_slow_traffic_makes_it_smaller() -> None:
    depot = place_of(helsinki(), 100)
    free, slow = (Raster(RoadNet(helsinki(), rules)).reached(depot, 90) for rules in (NO_HURRY, shipped().roads))
    assert free is not None
    assert slow is not None
    assert free.covers(slow)
    assert slow.area < free.area


def test_a_depot_in_the_sea_reaches_nothing() -> None:
    assert Raster(helsinki_net()).reached(Wgs84Point(25.2, 60.0), 1_800) is None


def test_who_must_walk_longer_than_the_limit_reaches_nothing() -> None:
    off = place_of(helsinki(), 0)
    place = Wgs84Point(off.lon - 0.005, off.lat)
    area = Raster(helsinki_net()).reached(place, 1)
    assert area is not None
    assert area.is_empty


def test_a_large_city_gets_larger_cells() -> None:
    graph = in_changsha()
    wide = replace(graph, lonlats=(graph.lonlats - graph.lonlats[0]) * 20 + graph.lonlats[0])
    raster = Raster(RoadNet(wide, NO_HURRY))
    assert raster.cell_m > 100
    assert raster.cell_m**2 * MOST_CELLS == pytest.approx(90_000**2, rel=0.2)
