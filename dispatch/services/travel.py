"""How long crews need to a place, and what is reached from one: by road where there is a graph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shapely import MultiPolygon

from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import Travel
from dispatch.geocode.eta import Eta
from dispatch.geocode.roads import InvalidRoads, RoutingMissing
from dispatch.services import roads
from dispatch.services.calibration import Where
from dispatch.services.desk import Desk


def travels(
    desk: Desk, target: Wgs84Point, origins: Sequence[Wgs84Point], where: Where, now: datetime
) -> list[Travel | None]:
    """Return how long it takes from each origin to `target`; None where nobody can say. No transaction is open.

    Args:
        desk: The process's desk.
        target: The place.
        origins: From where.
        where: Grid and hour by whose observed ways it is corrected.
        now: The server's time.
    """
    if not origins:
        return []
    found = desk.roads.provider().etas(target, origins)
    return [None if eta is None else _corrected(desk, eta, where, now) for eta in found]


def _corrected(desk: Desk, eta: Eta, where: Where, now: datetime) -> Travel:
    by = desk.calibration.correction(eta.kind, where, now)
    return Travel(eta.low_s * by.factor, eta.high_s * by.factor, eta.kind, by.samples, by.factor)


def areas(
    desk: Desk, places: Sequence[Wgs84Point], minutes: float, now: datetime
) -> Sequence[MultiPolygon | None] | None:
    """Return what is reached by road from each place, None for one off the roads; None in all without a road graph."""
    try:
        return [roads.isochrone(desk, place, minutes, now) for place in places] if desk.roads.current() else None
    except (RoutingMissing, InvalidRoads):
        return None
