"""The index answers what a naive scan by `covers` answers, everywhere; routes say why."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from dispatch.domain.errors import NotFound
from dispatch.domain.place import Floats, Wgs84Point, metres_per_degree
from dispatch.domain.zone_index import Ints, ZoneIndex
from dispatch.domain.zones import Route, RouteStatus, Zone

WEST, SOUTH, EAST, NORTH = 112.6, 27.9, 113.5, 28.6
Shape = Polygon | MultiPolygon


def zone(zone_id: str, geometry: Shape) -> Zone:
    return Zone(zone_id, f"{zone_id}网格", "城南", None, True, geometry)


def zones_of(shapes: Sequence[Shape]) -> list[Zone]:
    """Ids in an order that is not the one of the list."""
    return [zone(f"Z{(7 * n) % 1009:04d}", shape) for n, shape in enumerate(shapes)]


def voronoi(seed: int, count: int) -> list[Shape]:
    random = np.random.default_rng(seed)
    city = box(WEST, SOUTH, EAST, NORTH)
    seeds = shapely.multipoints(random.uniform((WEST, SOUTH), (EAST, NORTH), (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=city))
    return [cell for cell in shapely.intersection(cells, city) if not cell.is_empty]


def checkers(seed: int, count: int) -> list[Shape]:
    """Rectangles that share all edges, cut at random lines, every third one left out."""
    random = np.random.default_rng(seed)
    xs = [WEST, *sorted(random.uniform(WEST, EAST, count % 7)), EAST]
    ys = [SOUTH, *sorted(random.uniform(SOUTH, NORTH, count % 5)), NORTH]
    cells = [(x, y) for x in range(len(xs) - 1) for y in range(len(ys) - 1)]
    return [box(xs[x], ys[y], xs[x + 1], ys[y + 1]) for n, (x, y) in enumerate(cells) if n % 3 != 1]


def blots(seed: int, count: int) -> list[Shape]:
    """Star-shaped areas, some with a hole, some in two parts, lying on top of each other."""
    random = np.random.default_rng(seed)
    shapes: list[Shape] = []
    for _ in range(count):
        angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        radii = random.uniform(0.002, 0.2, 12)
        middle = random.uniform((WEST, SOUTH), (EAST, NORTH))
        ring = middle + np.column_stack((np.cos(angles) * radii, np.sin(angles) * radii))
        hole = middle + (ring - middle) * 0.4
        star = Polygon(ring, [hole] if random.random() < 0.5 else [])
        shapes.append(star)
        if random.random() < 0.3:
            shapes[-1] = MultiPolygon([star, Polygon(ring + np.array((1.0, 0.0)))])
    return shapes


def probes(index: ZoneIndex, seed: int) -> Floats:
    """Random places, all vertices, all edge midpoints."""
    shapes = [each.geometry for each in index.zones]
    edges = [np.asarray(ring.coords) for ring in shapely.get_rings(shapely.get_parts(shapes))]
    middles = np.concatenate([(edge[:-1] + edge[1:]) / 2 for edge in edges])
    random = np.random.default_rng(seed).uniform((WEST - 0.1, SOUTH - 0.1), (EAST + 0.1, NORTH + 0.1), (300, 2))
    return np.concatenate((random, np.concatenate(edges), middles))


def naive(index: ZoneIndex, lonlats: Floats) -> Ints:
    found = np.full(len(lonlats), -1)
    points = shapely.points(lonlats)
    for position in reversed(range(len(index.zones))):
        found[shapely.covers(index.zones[position].geometry, points)] = position
    return found


@pytest.mark.parametrize("tiling", [voronoi, checkers, blots])
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 25))
@settings(max_examples=25, deadline=None)
def test_same_answer_as_a_naive_scan(tiling: Callable[[int, int], list[Shape]], seed: int, count: int) -> None:
    index = ZoneIndex(zones_of(tiling(seed, count)))
    lonlats = probes(index, seed)
    expected = naive(index, lonlats)
    np.testing.assert_array_equal(index.locate_many(*lonlats.T), expected)
    singly = [index.locate(lon, lat) for lon, lat in lonlats.tolist()]
    assert singly == [index.zones[n] if n >= 0 else None for n in expected.tolist()]


def test_many_zones_agree_too() -> None:
    index = ZoneIndex(zones_of(voronoi(5, 400)))
    lonlats = probes(index, 5)
    np.testing.assert_array_equal(index.locate_many(*lonlats.T), naive(index, lonlats))


def test_zones_are_in_plain_string_order_and_the_lower_id_owns_the_edge() -> None:
    left, right = box(112.90, 28.0, 112.92, 28.1), box(112.92, 28.0, 112.94, 28.1)
    index = ZoneIndex([zone("9", left), zone("10", right)])
    assert [each.zone_id for each in index.zones] == ["10", "9"]
    shared = index.locate(112.92, 28.05)
    assert shared is not None
    assert shared.zone_id == "10"


def test_a_zone_smaller_than_a_cell_is_found() -> None:
    tiny, far = box(112.9, 28.0, 112.90001, 28.00001), box(113.4, 28.5, 113.5, 28.6)
    index = ZoneIndex([zone("far", far), zone("tiny", tiny)])
    assert index.locate(112.900005, 28.000005) is index.zone("tiny")
    assert index.locate(112.90002, 28.000005) is None


def test_what_is_not_a_place_is_nowhere() -> None:
    index = ZoneIndex([zone("A", box(112.9, 28.0, 113.0, 28.1))])
    assert index.locate(np.nan, 28.05) is None
    lons, lats = np.array([np.nan, np.inf, 112.95]), np.array([28.05, 28.05, 28.05])
    assert index.locate_many(lons, lats).tolist() == [-1, -1, 0]


def test_zones_are_found_by_id() -> None:
    index = ZoneIndex([zone("A", box(112.9, 28.0, 113.0, 28.1))])
    assert index.zone("A") is index.zones[0]
    with pytest.raises(NotFound, match="没有编号为 B 的网格"):
        index.zone("B")


@pytest.mark.parametrize("zones", [[zone("A", box(0, 0, 1, 1)), zone("A", box(1, 0, 2, 1))], [zone("A", Polygon())]])
def test_twins_and_empty_zones_are_a_mistake_of_the_caller(zones: list[Zone]) -> None:
    with pytest.raises(ValueError, match="unique ids"):
        ZoneIndex(zones)


def test_without_zones_nothing_is_routed() -> None:
    index = ZoneIndex([])
    assert index.locate(0.5, 0.5) is None
    assert index.locate_many(np.array([0.5]), np.array([0.5])).tolist() == [-1]
    assert index.route(Wgs84Point(112.9, 28.0)).reason == "还没有导入任何网格"


# ---------------------------------------------------------------- routes

LAT = 28.05
EAST_M = metres_per_degree(LAT)[0]
GRIDS = ZoneIndex(
    [
        zone("天心-03", box(112.90, 28.0, 112.92, 28.1)),
        zone("天心-04", box(112.92, 28.0, 112.94, 28.1)),
        zone("天心-05", box(112.95, 28.0, 112.97, 28.1)),
    ]
)


def route(edge: float, east_of_it_m: float, index: ZoneIndex = GRIDS) -> Route:
    return index.route(Wgs84Point(edge + east_of_it_m / EAST_M, LAT))


def test_near_the_boundary_the_neighbour_is_shown() -> None:
    assert route(112.92, -35) == Route(
        RouteStatus.ROUTED,
        "天心-03",
        "天心-03网格",
        "在天心-03网格内; 距边界 35 m, 邻网格 天心-04",
        35.0,
        "天心-04",
        35.0,
    )


def test_at_the_edge_of_the_city_there_is_no_neighbour() -> None:
    found = route(112.90, 35)
    assert (found.reason, found.boundary_m) == ("在天心-03网格内; 距边界 35 m", 35.0)
    assert found.neighbour_zone_id is None
    assert found.neighbour_m is None


def test_deep_inside_the_distance_is_known_but_not_said() -> None:
    found = route(112.92, -250)
    assert (found.status, found.reason, found.boundary_m) == (RouteStatus.ROUTED, "在天心-03网格内", 250.0)
    assert found.neighbour_zone_id is None


def test_on_a_shared_edge_the_lower_id_answers_and_says_so() -> None:
    found = GRIDS.route(Wgs84Point(112.92, LAT))
    assert (found.zone_id, found.boundary_m, found.neighbour_zone_id, found.neighbour_m) == (
        "天心-03",
        0.0,
        "天心-04",
        0.0,
    )
    assert found.reason == "在天心-03网格内; 距边界 0 m, 邻网格 天心-04; 此处两网格都覆盖, 归编号在前者"


def test_three_centimetres_from_the_edge_is_not_on_it() -> None:
    found = route(112.92, -0.03)
    assert found.reason == "在天心-03网格内; 距边界 0 m, 邻网格 天心-04"
    assert found.neighbour_m == 0.0


def test_overlapping_zones_are_told_far_from_their_borders_too() -> None:
    index = ZoneIndex([zone("A", box(112.8, 27.9, 113.0, 28.2)), zone("B", box(112.8, 27.9, 113.0, 28.2))])
    found = index.route(Wgs84Point(112.9, LAT))
    assert (found.zone_id, found.neighbour_zone_id, found.neighbour_m) == ("A", "B", 0.0)
    assert found.reason.endswith("归编号在前者")


def test_outside_within_tolerance_the_nearest_answers() -> None:
    found = route(112.94, 120)
    assert found == Route(
        RouteStatus.NEAREST,
        "天心-04",
        "天心-04网格",
        "不在任何网格内; 归最近网格 天心-04, 距 120 m (容差 300 m)",
        120.0,
    )


def test_between_two_zones_the_second_is_shown() -> None:
    index = ZoneIndex(GRIDS.zones, nearest_tolerance_m=900.0)
    found = route(112.94, 400, index)
    assert (found.zone_id, found.boundary_m) == ("天心-04", 400.0)
    assert found.neighbour_zone_id == "天心-05"
    assert found.neighbour_m == pytest.approx(0.01 * EAST_M - 400, abs=0.1)
    assert found.reason == "不在任何网格内; 归最近网格 天心-04, 距 400 m (容差 900 m); 其次 天心-05, 距 583 m"


def test_outside_beyond_tolerance_there_is_no_zone_but_a_hint() -> None:
    found = route(112.97, 301)
    assert (found.status, found.zone_id, found.boundary_m) == (RouteStatus.NO_ZONE, None, None)
    assert (found.neighbour_zone_id, found.neighbour_m) == ("天心-05", 301.0)
    assert found.reason == "不在任何网格内; 最近网格 天心-05, 距 301 m, 超出容差 300 m"


def test_placeholders_are_quarantined() -> None:
    found = GRIDS.route(Wgs84Point(0.0, 0.0))
    assert (found.status, found.zone_id) == (RouteStatus.QUARANTINED, None)
    assert "占位值" in found.reason


def test_a_zone_without_a_name_is_called_by_its_id() -> None:
    index = ZoneIndex([Zone("X1", "网格", None, None, True, box(112.90, 28.0, 112.92, 28.1))])
    assert index.route(Wgs84Point(112.91, LAT)).reason == "在X1网格内"


def test_distances_agree_with_geometry_in_a_metric_plane() -> None:
    """Repeated vertices, holes and second parts included."""
    ring = [(112.90, 28.0), (112.92, 28.0), (112.92, 28.0), (112.93, 28.1), (112.90, 28.1)]
    hole = [(112.905, 28.04), (112.91, 28.04), (112.91, 28.06), (112.905, 28.06)]
    shape = MultiPolygon([Polygon(ring, [hole]), box(112.95, 28.0, 112.96, 28.1)])
    index = ZoneIndex([zone("A", shape)], nearest_tolerance_m=5_000.0)
    random = np.random.default_rng(3)
    for lon, lat in random.uniform((112.89, 27.99), (112.97, 28.11), (50, 2)).tolist():
        scale = np.array(metres_per_degree(lat))
        flat = shapely.transform(shape, partial(np.multiply, scale))
        expected = flat.boundary.distance(Point(*(np.array((lon, lat)) * scale)))
        assert index.route(Wgs84Point(lon, lat)).boundary_m == pytest.approx(expected, abs=0.051)
