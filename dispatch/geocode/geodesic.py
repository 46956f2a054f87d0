"""Distances on the ellipsoid, by geopy."""

from __future__ import annotations

from geopy.distance import geodesic

from dispatch.domain.place import Wgs84Point


def distance_m(a: Wgs84Point, b: Wgs84Point) -> float:
    """Return the geodesic distance between two WGS-84 points in metres (Karney's method on the WGS-84 ellipsoid)."""
    return float(geodesic((a.lat, a.lon), (b.lat, b.lon)).meters)
