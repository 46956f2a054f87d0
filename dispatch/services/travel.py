"""How long crews need to a place, and what is reached from one: by road where there is a graph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shapely import MultiPolygon

from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import Travel
from dispatch.geocode.roads import InvalidRoads, RoutingMissing
from dispatch.services import roads
from dispatch.services.desk import Desk


def travels(desk: Desk, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> list[Travel | None]:
    """Return how long it takes from each origin to `target`; None where nobody can say. No transaction is open."""
    if not origins:
        return []
    found = desk.roads.provider().etas(target, origins)
    return [None if eta is None else Travel(eta.low_s, eta.high_s, eta.kind) for eta in found]


def areas(
    desk: Desk, places: Sequence[Wgs84Point], minutes: float, now: datetime
) -> Sequence[MultiPolygon | None] | None:
    """Return what is reached by road from each place, None for one off the roads; None in all without a road graph."""
    try:
        return [roads.isochrone(desk, place, minutes, now) for place in places] if desk.roads.current() else None
    except (RoutingMissing, InvalidRoads):
        return None
