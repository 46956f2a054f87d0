"""A ticket that a person pinned and a crew worked at teaches where its address is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import TEAM_BOUND, Actor
from dispatch.geocode.geodesic import distance_m
from dispatch.services.desk import Desk
from dispatch.services.places import SAME_M
from dispatch.services.routing import guarded
from dispatch.storage import places
from dispatch.storage.db import Tx

# Enough that one wrong pin among many confirmations moves nothing far, and a place that moved is found in time.
_MEMORY = 20


def learn(tx: Tx, desk: Desk, actor: Actor, ticket_id: int, now: datetime) -> None:
    """Add or strengthen address and place of a ticket that its crew has done, in the transaction of the crew's action.

    A place that differs from what was known is kept beside it, and neither is used until somebody decides; but where
    the ticket itself had gone by what was known, and a person pinned it elsewhere, that is a correction and wins.
    """
    placed = places.placed(tx, ticket_id)
    if actor.role not in TEAM_BOUND or placed.placed_by is not PlacedBy.PIN or placed.point is None:
        return
    reading = guarded(lambda: desk.gazetteers.current(tx).read(placed.address))
    if reading is None or not reading.key:
        return
    rows = places.of_key(tx, reading.key, reading.district)
    near = next((row for row in rows if distance_m(_point(row), placed.point) <= SAME_M), None)
    wrong = next((row for row in rows if row["id"] == placed.entry_id and row is not near), None)
    if wrong is not None:
        places.remove_learned(tx, wrong["id"])
        told = {"lon": wrong["lon"], "lat": wrong["lat"], "ticket": placed.number}
        tx.audit(now, actor, "correct-place", reading.key, **told)
    if near is not None:
        _strengthen(tx, near, placed, now)
        return
    values = {"key": reading.key, "name": reading.name, "sound": reading.sound, "district": reading.district}
    where = {"lon": placed.point.lon, "lat": placed.point.lat, "count": 1, "last_ticket": placed.number}
    places.add_learned(tx, {**values, **where, "first_at": now, "last_at": now})


def _strengthen(tx: Tx, row: Mapping[str, Any], placed: places.Placed, now: datetime) -> None:
    """Move the place a little towards the new pin, the less the more is known."""
    if row["last_ticket"] == placed.number or placed.point is None:
        return
    share = 1 / (min(row["count"], _MEMORY) + 1)
    moved = {name: row[name] + (getattr(placed.point, name) - row[name]) * share for name in ("lon", "lat")}
    places.change_learned(tx, row["id"], **moved, count=row["count"] + 1, last_ticket=placed.number, last_at=now)


def _point(row: Mapping[str, Any]) -> Wgs84Point:
    return Wgs84Point(row["lon"], row["lat"])
