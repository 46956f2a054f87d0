"""A pair in the wrong datum is told from one that is right, near or far, and from a caller who is elsewhere."""

import shapely
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.datum_doubt import Landmark, at_point, doubt
from dispatch.domain.place import Datum, Point, Wgs84Point, metres_per_degree, point_of, to_bd09, to_gcj02

HOUSE = Wgs84Point(112.9771, 28.1932)
ESTATE = at_point("金领小区", HOUSE, 150.0)
# A district with the river as its western border.
DISTRICT = Landmark("天心区", shapely.box(112.96, 28.05, 113.03, 28.20), 100.0)


def moved(point: Wgs84Point, east_m: float, north_m: float) -> Wgs84Point:
    a_degree_east_m, a_degree_north_m = metres_per_degree(point.lat)
    return Wgs84Point(point.lon + east_m / a_degree_east_m, point.lat + north_m / a_degree_north_m)


near = st.floats(-100, 100)
elsewhere = st.floats(2_500, 30_000).flatmap(lambda metres: st.sampled_from((metres, -metres)))


@given(near, near, st.sampled_from(Datum), st.sampled_from(Datum))
def test_a_point_at_its_address_is_told_apart_in_every_datum(
    east_m: float, north_m: float, is_in: Datum, declared: Datum
) -> None:
    here = moved(HOUSE, east_m, north_m)
    pairs: dict[Datum, Point] = {Datum.WGS84: here, Datum.GCJ02: to_gcj02(here), Datum.BD09: to_bd09(here)}
    pair = pairs[is_in]
    found = doubt(point_of(pair.lon, pair.lat, declared), ESTATE)
    if is_in is declared:
        assert found is None
    else:
        assert found is not None
        assert (found.declared, found.better) == (declared, is_in)
        assert found.better_m <= 145
        assert found.away_m > 300


@given(elsewhere, elsewhere, st.sampled_from(Datum))
def test_a_caller_who_is_elsewhere_is_no_mistake(east_m: float, north_m: float, declared: Datum) -> None:
    here = moved(HOUSE, east_m, north_m)
    assert doubt(point_of(here.lon, here.lat, declared), ESTATE) is None


def test_it_is_said_in_words_and_in_numbers() -> None:
    gcj = to_gcj02(HOUSE)
    found = doubt(Wgs84Point(gcj.lon, gcj.lat), ESTATE)
    assert found is not None
    assert found.values["declared"] == "WGS-84"
    away = found.values["away"]
    assert found.text == f"坐标系可能不对: 按声明的 WGS-84 距“金领小区” {away} m, 按 GCJ-02 只差 0 m, 请核对"
    assert 550 < int(away) < 750


def test_an_outline_tells_what_lies_across_its_border() -> None:
    inside = Wgs84Point(112.99, 28.199)
    for point in (inside, to_gcj02(inside), moved(inside, 0, 120)):
        assert doubt(point, DISTRICT) is None
    # Read as GCJ-02 the pair moves north-west, over the river.
    at_the_bank = Wgs84Point(112.962, 28.12)
    found = doubt(point_of(at_the_bank.lon, at_the_bank.lat, Datum.GCJ02), DISTRICT)
    assert found is not None
    assert (found.better, found.better_m) == (Datum.WGS84, 0.0)
    assert doubt(Wgs84Point(112.90, 28.12), DISTRICT) is None


def test_outside_of_china_all_datums_are_one() -> None:
    assert doubt(Wgs84Point(24.94, 60.17), at_point("Helsinki", Wgs84Point(24.95, 60.17), 100.0)) is None
