"""From a place to the team that answers for it, with the reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from dispatch.domain.place import Point, Wgs84Point, to_wgs84
from dispatch.domain.policy import Area
from dispatch.domain.ticket import Assignment
from dispatch.domain.zones import Route, RouteStatus, Zone
from dispatch.services.desk import Desk, Rules

UNLOCATED = "unlocated"


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a ticket lies and who gets it.

    Attributes:
        point: WGS-84, or None where only words are known.
        status: A RouteStatus, or `unlocated`.
        reason: In words, the steward included.
        zone: The zone that answers, or None.
        steward: Name of the steward in charge, or None.
        assignment: The team to dispatch to, or None where a dispatcher must decide.
    """

    point: Wgs84Point | None
    status: str
    reason: str
    route: Route | None
    zone: Zone | None
    steward: str | None
    assignment: Assignment | None

    @property
    def area(self) -> Area:
        """In the circle unless the zone says otherwise: the stricter promise where nobody knows."""
        return Area.IN_CIRCLE if self.zone is None or self.zone.is_in_circle else Area.OUTSIDE

    def columns(self, rules: Rules) -> dict[str, Any]:
        """Return the ticket columns that tell of the place."""
        return {
            "lon": self.point.lon if self.point else None,
            "lat": self.point.lat if self.point else None,
            "route_status": self.status,
            "route_reason": self.reason,
            "zone_id": self.zone.zone_id if self.zone else None,
            "zone_set_id": rules.zone_set_id,
            "steward": self.steward,
        }


def place(rules: Rules, point: Point | None) -> Placing:
    """Route a point of any datum; without a point, or outside every zone, a dispatcher must decide."""
    if point is None:
        return Placing(None, UNLOCATED, "只有地址, 待定位后派单", None, None, None, None)
    here = to_wgs84(point)
    route = rules.zones.route(here)
    if route.zone_id is None:
        kept = None if route.status is RouteStatus.QUARANTINED else here
        return Placing(kept, route.status, route.reason, route, None, None, None)
    zone = rules.zones.zone(route.zone_id)
    team = rules.teams.get(zone.team_id) if zone.team_id else None
    if team is None:
        return Placing(here, route.status, f"{route.reason}; 该网格没有班组", route, zone, None, None)
    assignment = assign(team, route.reason)
    return Placing(here, route.status, route.reason, route, zone, steward_of(team), assignment)


def assign(team: Mapping[str, Any], reason: str) -> Assignment:
    """Return the assignment to a team with its steward in charge."""
    return Assignment(team["id"], team["name"], team["branch"], reason, {"steward": steward_of(team)})


def steward_of(team: Mapping[str, Any]) -> str | None:
    """Return the steward in charge: the first of the team's list, A before B."""
    return team["stewards"][0]["name"] if team["stewards"] else None


def preview(desk: Desk, point: Point, now: datetime) -> dict[str, Any]:
    """Route a point without saving anything, for the agent who is still on the phone."""
    with desk.store.read() as tx:
        placing = place(desk.rules(tx, now), point)
    route, to = cast(Route, placing.route), placing.assignment
    return {
        "status": placing.status,
        "reason": placing.reason,
        "zone_id": route.zone_id,
        "zone_name": route.zone_name,
        "boundary_m": route.boundary_m,
        "neighbour_zone_id": route.neighbour_zone_id,
        "neighbour_m": route.neighbour_m,
        "team_id": to.team_id if to else None,
        "team_name": to.team_name if to else None,
        "steward": placing.steward,
        "area": placing.area.value,
    }
