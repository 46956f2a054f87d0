"""Datums: published pairs, round trips to the millimetre, and pairs that no datum allows."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from coord_convert import transform
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.errors import InvalidCoordinate
from dispatch.domain.place import (
    Bd09Point,
    Datum,
    Gcj02Point,
    Point,
    Wgs84Point,
    datum_of,
    lonlats_from_wgs84,
    lonlats_to_wgs84,
    metres_per_degree,
    point_of,
    to_bd09,
    to_gcj02,
    to_wgs84,
)

CHANGSHA = Wgs84Point(112.9388, 28.2282)
NEW_YORK = Wgs84Point(-73.9857, 40.7484)
MILLIMETRE = 0.001
in_china = st.builds(Wgs84Point, st.floats(73.5, 135.1), st.floats(3.8, 53.6))


def metres_between(a: Point, b: Point) -> float:
    east_m, north_m = metres_per_degree(a.lat)
    return math.hypot((a.lon - b.lon) * east_m, (a.lat - b.lat) * north_m)


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        (Wgs84Point(121.5272106, 31.1774276), Gcj02Point(121.531541859215, 31.17530398364597)),
        (Wgs84Point(113.912316, 22.543847), Gcj02Point(113.9171764808363, 22.540796131694766)),
        (Wgs84Point(116.377817, 39.911954), Gcj02Point(116.38404722455657, 39.91334545536069)),
    ],
)
def test_published_pairs_of_gcj02(wgs: Wgs84Point, gcj: Gcj02Point) -> None:
    assert metres_between(to_gcj02(wgs), gcj) < MILLIMETRE
    assert metres_between(to_wgs84(gcj), wgs) < MILLIMETRE


def test_published_pair_of_bd09() -> None:
    gcj, bd = Gcj02Point(116.404, 39.915), Bd09Point(116.41036949371029, 39.92133699351021)
    assert metres_between(to_bd09(to_wgs84(gcj)), bd) < MILLIMETRE
    assert metres_between(to_wgs84(bd), to_wgs84(gcj)) < MILLIMETRE


@given(in_china)
def test_there_and_back_is_the_same_place(point: Wgs84Point) -> None:
    assert metres_between(to_wgs84(to_gcj02(point)), point) < MILLIMETRE
    assert metres_between(to_wgs84(to_bd09(point)), point) < MILLIMETRE


def test_size_of_the_shifts_in_changsha() -> None:
    assert metres_between(CHANGSHA, to_gcj02(CHANGSHA)) == pytest.approx(660, abs=20)
    assert metres_between(CHANGSHA, to_bd09(CHANGSHA)) == pytest.approx(1_200, abs=60)


def test_outside_china_gcj02_is_wgs84() -> None:
    assert to_gcj02(NEW_YORK) == Gcj02Point(NEW_YORK.lon, NEW_YORK.lat)
    assert to_wgs84(Gcj02Point(NEW_YORK.lon, NEW_YORK.lat)) == NEW_YORK
    assert metres_between(to_wgs84(to_bd09(NEW_YORK)), NEW_YORK) < MILLIMETRE


def test_wgs84_stays_what_it_is() -> None:
    assert to_wgs84(CHANGSHA) is CHANGSHA


@pytest.mark.parametrize("datum", Datum)
def test_arrays_agree_with_single_points(datum: Datum) -> None:
    lonlats = np.random.default_rng(1).uniform((60, -10), (150, 60), (200, 2))
    singly = [to_wgs84(point_of(lon, lat, datum)) for lon, lat in lonlats.tolist()]
    expected = np.array([(point.lon, point.lat) for point in singly])
    np.testing.assert_allclose(lonlats_to_wgs84(lonlats, datum), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(lonlats_from_wgs84(expected, datum), lonlats, rtol=0, atol=1e-12)


def test_degrees_have_the_lengths_of_the_ellipsoid() -> None:
    assert metres_per_degree(0.0) == pytest.approx((111_319.491, 110_574.276), abs=0.001)
    assert metres_per_degree(90.0) == pytest.approx((0.0, 111_693.980), abs=0.001)


@pytest.mark.parametrize(("datum", "kind"), [("wgs84", Wgs84Point), ("gcj02", Gcj02Point), ("bd09", Bd09Point)])
def test_the_datum_becomes_the_type(datum: str, kind: type[Point]) -> None:
    point = point_of(113, 28.2, Datum(datum))
    assert type(point) is kind
    assert datum_of(point) is Datum(datum)
    assert (point.lon, point.lat) == (113.0, 28.2)


@pytest.mark.parametrize(
    ("lon", "lat", "field", "words"),
    [
        (math.nan, 28.2, "location.lon", "经度必须是有限的数字"),
        (113.0, math.inf, "location.lat", "纬度必须是有限的数字"),
        (10**400, 28.2, "location.lon", "经度必须是有限的数字"),
        ("113.0", 28.2, "location.lon", "经度必须是数字"),
        (113.0, None, "location.lat", "纬度必须是数字"),
        (True, 28.2, "location.lon", "经度必须是数字"),
        (180.1, 28.2, "location.lon", "经度 180.1 超出 ±180 度"),
        (28.2, 113.0, "location.lat", "纬度 113.0 超出 ±90 度, 疑似经纬度颠倒"),
        (113.0, -90.5, "location.lat", "纬度 -90.5 超出 ±90 度"),
    ],
)
def test_impossible_pairs_are_refused_with_field_and_words(lon: Any, lat: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidCoordinate) as caught:
        point_of(lon, lat, Datum.WGS84)
    assert (caught.value.field, caught.value.detail) == (field, words)


@pytest.mark.parametrize(("lon", "lat"), [(180, 90), (-180.0, -90.0), (0, 0)])
def test_the_ends_of_the_range_belong_to_it(lon: float, lat: float) -> None:
    assert point_of(lon, lat, Datum.WGS84) == Wgs84Point(lon, lat)


def test_a_hundred_thousand_places_agree_with_an_independent_library() -> None:
    """coord-convert knows both shifts forward; its own way back stops a decimetre off, ours must not."""
    lonlats = np.random.default_rng(96533).uniform((73.5, 3.8), (135.1, 53.6), (100_000, 2))
    scale = np.column_stack(np.vectorize(metres_per_degree)(lonlats[:, 1]))
    for datum, forward in ((Datum.GCJ02, transform.wgs2gcj), (Datum.BD09, transform.wgs2bd)):
        shifted = np.array([forward(lon, lat) for lon, lat in lonlats.tolist()])
        off_m = np.abs(lonlats_to_wgs84(shifted, datum) - lonlats) * scale
        assert off_m.max() < MILLIMETRE
        ours: Callable[[Wgs84Point], Point] = to_gcj02 if datum is Datum.GCJ02 else to_bd09
        for (lon, lat), (their_lon, their_lat) in zip(lonlats[:1000].tolist(), shifted[:1000].tolist(), strict=True):
            assert metres_between(ours(Wgs84Point(lon, lat)), Wgs84Point(their_lon, their_lat)) < MILLIMETRE
