"""Along the straight line a time is a range that says what it is; barriers make the way longer."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from dispatch.domain.place import Wgs84Point
from dispatch.geocode.eta import range_text
from dispatch.geocode.geodesic import LineEtas, distance_m
from tests.support.roads import shipped

RULES = shipped().line
# A river from south to north between the two banks.
RIVER = shapely.box(112.960, 28.0, 112.966, 28.4)
WEST, EAST, FAR_EAST = Wgs84Point(112.955, 28.2), Wgs84Point(112.970, 28.2), Wgs84Point(113.000, 28.2)


def test_a_degree_north_is_as_long_as_it_is() -> None:
    assert distance_m(Wgs84Point(113.0, 28.0), Wgs84Point(113.0, 29.0)) == pytest.approx(110_840, abs=30)


def test_a_time_is_a_range() -> None:
    (eta,) = LineEtas(RULES).etas(EAST, [FAR_EAST])
    away_m = distance_m(EAST, FAR_EAST)
    assert eta.kind == "line"
    assert eta.low_s == pytest.approx(away_m * RULES.detour_low / RULES.fast_kmh * 3.6)
    assert eta.high_s == pytest.approx(away_m * RULES.detour_high / RULES.slow_kmh * 3.6)
    assert eta.note == "约 5–12 分, 直线估算"


def test_a_river_makes_the_way_longer() -> None:
    near, over = LineEtas(RULES, [RIVER]).etas(EAST, [FAR_EAST, WEST])
    assert near.note == "约 5–12 分, 直线估算"
    away_m = distance_m(EAST, WEST)
    assert over.low_s == pytest.approx((away_m * RULES.detour_low + RULES.crossing_m) / RULES.fast_kmh * 3.6)
    assert over.note.endswith("直线估算, 已计绕过河湖")


def test_the_near_come_first_unless_a_river_lies_between() -> None:
    assert LineEtas(RULES).shortlist(EAST, [FAR_EAST, WEST, EAST], 2) == [2, 1]
    assert LineEtas(RULES, [RIVER]).shortlist(EAST, [FAR_EAST, WEST, EAST], 2) == [2, 0]
    assert LineEtas(RULES).shortlist(EAST, [], 5) == []


def test_it_says_why_there_is_nothing_better() -> None:
    line = LineEtas(RULES, note="路网不可用")
    assert line.etas(EAST, [EAST])[0].note == "约 1 分内, 直线估算 (路网不可用)"
    assert line.etas(EAST, []) == []


@pytest.mark.parametrize(
    ("low_s", "high_s", "expected"),
    [(0, 0, "1 分内"), (59, 60, "1 分内"), (60, 61, "1–2 分"), (930, 1_470, "15–25 分")],
)
def test_minutes_are_rounded_outwards(low_s: float, high_s: float, expected: str) -> None:
    assert range_text(low_s, high_s) == expected


def test_many_ranges_at_once_are_those_of_one_by_one() -> None:
    line = LineEtas(RULES, [RIVER])
    origins = [WEST, FAR_EAST, Wgs84Point(113.4, 28.4)]
    singly = [(eta.low_s, eta.high_s) for eta in line.etas(EAST, origins)]
    assert line.ranges(EAST, origins) == pytest.approx(np.array(singly), rel=0.0025)
