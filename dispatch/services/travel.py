"""How long crews need to a place: by the best provider that there is, corrected by what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import Travel
from dispatch.services.desk import Desk


def travels(desk: Desk, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> list[Travel | None]:
    """Return how long it takes from each origin to `target`; None where nobody can say. No transaction is open."""
    if not origins:
        return []
    found = desk.roads.provider().etas(target, origins)
    return [None if eta is None else Travel(eta.low_s, eta.high_s, eta.kind) for eta in found]


def areas(
    _desk: Desk, _places: Sequence[Wgs84Point], _minutes: float, _now: datetime
) -> Sequence[BaseGeometry | None] | None:
    """Return what is reached by road from each place, None for one off the roads; None in all without a road graph."""
    return None
