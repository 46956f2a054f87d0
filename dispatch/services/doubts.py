"""Was a pair of coordinates declared in the wrong datum? It is held against what the address says."""

from __future__ import annotations

from collections.abc import Callable

from shapely.geometry.base import BaseGeometry

from dispatch.domain.address import PLACES_FROM, Candidate, Located
from dispatch.domain.datum_doubt import Doubt, Landmark, at_point, doubt
from dispatch.domain.place import Point
from dispatch.services import districts, places, zone_codes
from dispatch.services.desk import Rules
from dispatch.services.gazetteers import Names
from dispatch.storage.db import Tx

# A place known no better than this says nothing: the shift itself is some 600 m.
_ROUGHEST_M = 300.0
# A house or an estate of unknown size; the caller stands at a gate, or across the road.
_SLACK_M = 150.0
# The outlines of districts are simplified.
_OUTLINE_SLACK_M = 100.0
AreaOf = Callable[[Candidate], BaseGeometry | None]


def of_call(tx: Tx, rules: Rules, names: Names, point: Point, address: str) -> Doubt | None:
    """Return the doubt about the datum of a call's point, or None where it fits, or the address says too little.

    At each call: one question to the database, for what was learned; all else is at hand.
    """
    located = places.meaning(names.gazetteer, tx, address).located

    def area_of(best: Candidate) -> BaseGeometry | None:
        zone_id = best.zone_id
        if zone_id is None and best.street is not None:
            rows = names.codes.get(best.street, ())
            here = [row for row in rows if best.district is None or row["district"] == best.district]
            zone_id = zone_codes.grid_of(here, rules, best.community)
        return next((zone.geometry for zone in rules.zones.zones if zone.zone_id == zone_id), None)

    return of_meaning(located, point, address, area_of)


def of_meaning(located: Located, point: Point, address: str, area_of: AreaOf) -> Doubt | None:
    """Return the doubt about the datum of a point whose address means this.

    Args:
        located: What the address means.
        point: Of the declared datum.
        address: As it was told.
        area_of: The grid that a place without a point lies in, or None.
    """
    landmark = _landmark(located.best, address, area_of)
    return doubt(point, landmark) if landmark else None


def _landmark(best: Candidate | None, address: str, area_of: AreaOf) -> Landmark | None:
    """Return where the address is known to be, as exactly as it is known, and no guess."""
    if best is not None and best.confidence >= PLACES_FROM:
        if best.point is not None and (best.radius_m or 0.0) <= _ROUGHEST_M:
            return at_point(best.label, best.point, (best.radius_m or 0.0) + _SLACK_M)
        area = area_of(best)
        if area is not None:
            return Landmark(best.label, area, 0.0)
    outlines = districts.outlines(districts.SHIPPED)
    named = [name for name in outlines if name in address]
    return Landmark(named[0], outlines[named[0]], _OUTLINE_SLACK_M) if len(named) == 1 else None
