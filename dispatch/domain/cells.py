"""Squares of a fixed net: what lies near a point is found by a number, newest first, however much lies there."""

from __future__ import annotations

import math

from dispatch.domain.place import Wgs84Point, metres_per_degree

# About 440 m to the north: what is near a point lies in nine of them at most.
DEGREES = 0.004
_COLUMNS = 1_000_000


def cell_of(point: Wgs84Point) -> int:
    """Return the number of the square that a point lies in."""
    return _number(_step(point.lat), _step(point.lon))


def cells_around(point: Wgs84Point, radius_m: float) -> list[int]:
    """Return the squares that hold all within `radius_m` metres of a point."""
    east_m, north_m = metres_per_degree(point.lat)
    wide, high = radius_m / east_m, radius_m / north_m
    rows = range(_step(point.lat - high), _step(point.lat + high) + 1)
    columns = range(_step(point.lon - wide), _step(point.lon + wide) + 1)
    return [_number(row, column) for row in rows for column in columns]


def _step(degrees: float) -> int:
    return math.floor(degrees / DEGREES)


def _number(row: int, column: int) -> int:
    return row * _COLUMNS + column
