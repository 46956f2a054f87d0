"""Distances on the ellipsoid, by geopy; and the honest guess of a travel time along the straight line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import shapely
from geopy.distance import geodesic
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Floats, Wgs84Point, metres_per_degree
from dispatch.domain.travel import LineRules
from dispatch.geocode.eta import Eta, range_text
from dispatch.geocode.roads import lonlats_of

_Number = TypeVar("_Number", float, Floats)


def distance_m(a: Wgs84Point, b: Wgs84Point) -> float:
    """Return the geodesic distance between two WGS-84 points in metres (Karney's method on the WGS-84 ellipsoid)."""
    return float(geodesic((a.lat, a.lon), (b.lat, b.lon)).meters)


def _plane_m(target: Wgs84Point, lonlats: Floats) -> Floats:
    away: Floats = np.hypot(*((lonlats - (target.lon, target.lat)) * metres_per_degree(target.lat)).T)
    return away


class LineEtas:
    """Times along the straight line, as a range; never good enough to draw a circle by.

    Args:
        rules: What the line is reckoned with.
        barriers: Rivers and the like, WGS-84; each that the line crosses makes the way longer.
        note: Why there is nothing better, in Chinese; added to every answer.
    """

    name = "line"

    def __init__(self, rules: LineRules, barriers: Sequence[BaseGeometry] = (), note: str = "") -> None:
        self._rules = rules
        self._barriers = [*barriers]
        shapely.prepare(self._barriers)
        self._tail = f" ({note})" if note else ""

    def etas(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Sequence[Eta]:
        """Return the time from each origin to the target; see `EtaProvider`."""
        crossed = self._crossings(target, lonlats_of(origins)).tolist()
        return [self._eta(distance_m(target, origin), n) for origin, n in zip(origins, crossed, strict=True)]

    def shortlist(self, target: Wgs84Point, origins: Sequence[Wgs84Point], most: int) -> list[int]:
        """Return the positions of the nearest origins, the nearest first, with the way round each barrier counted.

        The distance is the local plane's (see `metres_per_degree`), not geopy's: for an order that is near enough.
        """
        lonlats = lonlats_of(origins)
        reckoned_m = _plane_m(target, lonlats) * self._rules.detour_low
        reckoned_m += self._crossings(target, lonlats) * self._rules.crossing_m
        return [int(n) for n in np.argsort(reckoned_m, kind="stable")[:most]]

    def ranges(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Floats:
        """Return the fastest and the slowest seconds from each origin, shape (n, 2): thousands of them in a moment.

        The distance is the local plane's: within 0.25 % of geopy's over 50 km.
        """
        lonlats = lonlats_of(origins)
        return np.column_stack(self._seconds(_plane_m(target, lonlats), self._crossings(target, lonlats)))

    def _crossings(self, target: Wgs84Point, lonlats: Floats) -> Floats:
        """Return how many barriers each line crosses."""
        ends = np.broadcast_to((target.lon, target.lat), lonlats.shape)
        lines = shapely.linestrings(np.stack((ends, lonlats), axis=1))
        count = np.zeros(len(lonlats))
        for barrier in self._barriers:
            count += shapely.intersects(barrier, lines)
        return count

    def _seconds(self, away_m: _Number, crossed: _Number) -> tuple[_Number, _Number]:
        """Return the fastest and the slowest way of so many metres along the line, over so many barriers."""
        rules, round_m = self._rules, crossed * self._rules.crossing_m
        low_s = (away_m * rules.detour_low + round_m) / (rules.fast_kmh / 3.6)
        return low_s, (away_m * rules.detour_high + round_m) / (rules.slow_kmh / 3.6)

    def _eta(self, away_m: float, crossed: float) -> Eta:
        low_s, high_s = self._seconds(away_m, crossed)
        round_text = ", 已计绕过河湖" if crossed else ""
        return Eta(low_s, high_s, "line", f"约 {range_text(low_s, high_s)}, 直线估算{round_text}{self._tail}")
