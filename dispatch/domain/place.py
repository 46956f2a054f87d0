"""Places on Earth in the three datums that Chinese maps use; inside the system everything is WGS-84.

WGS-84 is what a satellite receiver says, GCJ-02 what AMap and Tencent show (moved by some 660 m in Changsha),
BD-09 what Baidu shows (some 1,200 m). The datum is in the type, so two of them cannot be mixed up in silence.

Source: neither shift is officially published. The formulas are those in public circulation, the same in
https://github.com/googollee/eviltransform and https://github.com/wandergis/coordtransform. The inverse here
is our own: fixed-point iteration on the forward formula, exact to less than a millimetre over China.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dispatch.domain.errors import InvalidCoordinate

Floats = NDArray[np.float64]
_Number = TypeVar("_Number", float, Floats)

_WGS84_AXIS_M, _WGS84_E2 = 6378137.0, 0.00669437999014
_KRASOVSKY_AXIS_M, _KRASOVSKY_E2 = 6378245.0, 0.00669342162296594323
_CHINA_WEST, _CHINA_SOUTH, _CHINA_EAST, _CHINA_NORTH = 72.004, 0.8293, 137.8347, 55.8271
_BD_TURN = math.pi * 3000.0 / 180.0
# Both shifts start less than 0.01 degrees off and shrink fiftyfold or more a step: 1e-19 degrees after ten.
_STEPS = 10


class Datum(StrEnum):
    """What a pair of coordinates is measured against."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


@dataclass(frozen=True, slots=True)
class Wgs84Point:
    """Degrees east and north, WGS-84."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Gcj02Point:
    """Degrees east and north, GCJ-02."""

    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Bd09Point:
    """Degrees east and north, BD-09."""

    lon: float
    lat: float


Point = Wgs84Point | Gcj02Point | Bd09Point
_POINT_TYPES: dict[Datum, type[Point]] = {
    Datum.WGS84: Wgs84Point,
    Datum.GCJ02: Gcj02Point,
    Datum.BD09: Bd09Point,
}


def point_of(lon: object, lat: object, datum: Datum) -> Point:
    """Check a raw pair and give it its datum.

    Args:
        lon: Degrees east, -180 to 180; an int or a float.
        lat: Degrees north, -90 to 90; an int or a float.
        datum: What the pair is measured against.

    Raises:
        InvalidCoordinate: Not a number (bool and text are none), NaN, infinite or out of range.
    """
    east = _finite(lon, "经度", "location.lon")
    north = _finite(lat, "纬度", "location.lat")
    if abs(east) > 180:
        raise InvalidCoordinate(f"经度 {lon} 超出 ±180 度", field="location.lon")
    if abs(north) > 90:
        hint = ", 疑似经纬度颠倒" if abs(north) <= 180 and abs(east) <= 90 else ""
        raise InvalidCoordinate(f"纬度 {lat} 超出 ±90 度{hint}", field="location.lat")
    return _POINT_TYPES[datum](east, north)


def datum_of(point: Point) -> Datum:
    """Return the datum that the type of `point` stands for."""
    return next(datum for datum, kind in _POINT_TYPES.items() if isinstance(point, kind))


def _finite(value: object, word: str, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCoordinate(f"{word}必须是数字", field=field)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidCoordinate(f"{word}必须是有限的数字", field=field)
    return number


def to_wgs84(point: Point) -> Wgs84Point:
    """The same place in WGS-84; GCJ-02 outside China is WGS-84 already."""
    if isinstance(point, Wgs84Point):
        return point
    if isinstance(point, Gcj02Point):
        return Wgs84Point(*_gcj_to_wgs(point.lon, point.lat))
    return Wgs84Point(*_gcj_to_wgs(*_bd_to_gcj(point.lon, point.lat, math)))


def to_gcj02(point: Wgs84Point) -> Gcj02Point:
    """The same place in GCJ-02 (AMap, Tencent); outside China the numbers stay as they are."""
    if not _in_china(point.lon, point.lat):
        return Gcj02Point(point.lon, point.lat)
    east, north = _gcj_shift(point.lon, point.lat, math)
    return Gcj02Point(point.lon + east, point.lat + north)


def to_bd09(point: Wgs84Point) -> Bd09Point:
    """The same place in BD-09 (Baidu), by way of GCJ-02."""
    gcj = to_gcj02(point)
    return Bd09Point(*_gcj_to_bd(gcj.lon, gcj.lat, math))


def lonlats_to_wgs84(lonlats: Floats, datum: Datum) -> Floats:
    """Many places at once, the same as `to_wgs84` one by one.

    Args:
        lonlats: Degrees east and north, shape (n, 2).
        datum: What they are measured against.

    Returns:
        WGS-84 degrees east and north, shape (n, 2).
    """
    if datum is Datum.WGS84:
        return lonlats
    lon, lat = lonlats[:, 0], lonlats[:, 1]
    if datum is Datum.BD09:
        lon, lat = _bd_to_gcj(lon, lat, np)
    is_inside = _in_china(lon, lat)
    result = np.column_stack((lon, lat))
    result[is_inside] = np.column_stack(_unshifted(lon[is_inside], lat[is_inside], np))
    return result


def lonlats_from_wgs84(lonlats: Floats, datum: Datum) -> Floats:
    """Many places at once, the same as `to_gcj02` or `to_bd09` one by one.

    Args:
        lonlats: WGS-84 degrees east and north, shape (n, 2).
        datum: What they are wanted in.

    Returns:
        Degrees east and north of that datum, shape (n, 2).
    """
    if datum is Datum.WGS84:
        return lonlats
    result = lonlats.astype(float)
    is_inside = _in_china(lonlats[:, 0], lonlats[:, 1])
    result[is_inside] += np.column_stack(_gcj_shift(lonlats[is_inside, 0], lonlats[is_inside, 1], np))
    return np.column_stack(_gcj_to_bd(result[:, 0], result[:, 1], np)) if datum is Datum.BD09 else result


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long a degree east and a degree north are at this latitude on WGS-84, in metres.

    Scaling differences of degrees by these two (local equirectangular) is wrong by a share of about
    d·tan(lat)/(2·6,378 km) over a distance d: in Changsha less than 0.01 m in 300 m, 0.25 % at 50 km.
    """
    return _degree_lengths(lat, math, _WGS84_AXIS_M, _WGS84_E2)


def metres_between(a: Wgs84Point, b: Wgs84Point) -> float:
    """Metres between two places of one city, in the local plane; see `metres_per_degree`."""
    east_m, north_m = metres_per_degree(a.lat)
    return math.hypot((a.lon - b.lon) * east_m, (a.lat - b.lat) * north_m)


def _degree_lengths(lat: _Number, xp: ModuleType, axis_m: float, e2: float) -> tuple[_Number, _Number]:
    """Arc lengths of one degree along the parallel and the meridian of an ellipsoid."""
    phi = lat * (math.pi / 180.0)
    root = xp.sqrt(1.0 - e2 * xp.sin(phi) ** 2)
    degree_m = axis_m * math.pi / 180.0
    return degree_m * xp.cos(phi) / root, degree_m * (1.0 - e2) / root**3


def _in_china(lon: _Number, lat: _Number) -> Any:
    """Whether the shift applies: a bool for one place, a mask for arrays."""
    return (lon >= _CHINA_WEST) & (lon <= _CHINA_EAST) & (lat >= _CHINA_SOUTH) & (lat <= _CHINA_NORTH)


def _gcj_to_wgs(lon: float, lat: float) -> tuple[float, float]:
    return _unshifted(lon, lat, math) if _in_china(lon, lat) else (lon, lat)


# The formulas below serve one point (xp = math, some twenty times faster) and arrays (xp = numpy) alike.


def _gcj_shift(lon: _Number, lat: _Number, xp: ModuleType) -> tuple[_Number, _Number]:
    """Degrees east and north that GCJ-02 adds to a WGS-84 place in China."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    ripple = 20.0 * xp.sin(6.0 * pi * x) + 20.0 * xp.sin(2.0 * pi * x)
    east_waves = ripple + 20.0 * xp.sin(pi * x) + 40.0 * xp.sin(pi / 3.0 * x)
    east_waves += 150.0 * xp.sin(pi / 12.0 * x) + 300.0 * xp.sin(pi / 30.0 * x)
    north_waves = ripple + 20.0 * xp.sin(pi * y) + 40.0 * xp.sin(pi / 3.0 * y)
    north_waves += 160.0 * xp.sin(pi / 12.0 * y) + 320.0 * xp.sin(pi / 30.0 * y)
    root = xp.sqrt(abs(x))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + east_waves * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + north_waves * 2.0 / 3.0
    degree_east_m, degree_north_m = _degree_lengths(lat, xp, _KRASOVSKY_AXIS_M, _KRASOVSKY_E2)
    return east_m / degree_east_m, north_m / degree_north_m


def _unshifted(lon: _Number, lat: _Number, xp: ModuleType) -> tuple[_Number, _Number]:
    """WGS-84 of a GCJ-02 place in China."""
    found_lon, found_lat = lon, lat
    for _ in range(_STEPS):
        east, north = _gcj_shift(found_lon, found_lat, xp)
        found_lon, found_lat = lon - east, lat - north
    return found_lon, found_lat


def _gcj_to_bd(lon: _Number, lat: _Number, xp: ModuleType) -> tuple[_Number, _Number]:
    radius = xp.hypot(lon, lat) + 0.00002 * xp.sin(lat * _BD_TURN)
    angle = xp.atan2(lat, lon) + 0.000003 * xp.cos(lon * _BD_TURN)
    return radius * xp.cos(angle) + 0.0065, radius * xp.sin(angle) + 0.006


def _bd_to_gcj(lon: _Number, lat: _Number, xp: ModuleType) -> tuple[_Number, _Number]:
    found_lon, found_lat = lon, lat
    for _ in range(_STEPS):
        bd_lon, bd_lat = _gcj_to_bd(found_lon, found_lat, xp)
        found_lon, found_lat = found_lon + (lon - bd_lon), found_lat + (lat - bd_lat)
    return found_lon, found_lat
