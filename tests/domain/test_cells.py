"""Squares of the net: whoever looks around a point misses none that holds something near."""

import math

from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.cells import cell_of, cells_around
from dispatch.domain.place import Wgs84Point, metres_per_degree

LON, LAT = st.floats(75, 135), st.floats(18, 54)


@given(LON, LAT, st.floats(1, 2000), st.floats(0, 0.999), st.floats(0, 2 * math.pi))
def test_what_is_near_lies_in_a_square_that_is_looked_at(
    lon: float, lat: float, radius_m: float, share: float, turn: float
) -> None:
    here = Wgs84Point(lon, lat)
    east_m, north_m = metres_per_degree(lat)
    away = radius_m * share
    there = Wgs84Point(lon + away * math.cos(turn) / east_m, lat + away * math.sin(turn) / north_m)
    assert cell_of(there) in cells_around(here, radius_m)


def test_a_few_squares_are_enough() -> None:
    around = cells_around(Wgs84Point(112.97, 28.19), 400)
    assert len(around) == len(set(around)) <= 9
    assert cell_of(Wgs84Point(112.97, 28.19)) == 7047028242
