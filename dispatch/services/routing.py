"""From a place to the team that answers for it, with the reason in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

import structlog

from dispatch.domain.address import PLACES_FROM, Candidate, PlacedBy
from dispatch.domain.cells import cell_of
from dispatch.domain.datum_doubt import Doubt
from dispatch.domain.place import Point, Wgs84Point, to_wgs84
from dispatch.domain.policy import Area
from dispatch.domain.ticket import Assignment
from dispatch.domain.zones import Route, RouteStatus, Zone
from dispatch.services import doubts, duty, places, zone_codes
from dispatch.services.desk import Desk, Rules
from dispatch.storage.db import DATABASE_ERRORS, Tx

T = TypeVar("T")
log = structlog.get_logger()
UNLOCATED = "unlocated"
BROKEN = "地名库出错, 请人工定位"


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
        placed_by: How it came to its place, or None where it has none.
        entry_id: What was learned of the address and placed it, or None.
        doubt: About the datum of the point, or None.
        note: A line for the timeline, where a person should look again, or None.
    """

    point: Wgs84Point | None
    status: str
    reason: str
    route: Route | None
    zone: Zone | None
    steward: str | None
    assignment: Assignment | None
    placed_by: PlacedBy | None = None
    entry_id: int | None = None
    doubt: Doubt | None = None
    note: str | None = None

    @property
    def area(self) -> Area:
        """In the circle unless the zone says otherwise: the stricter promise where nobody knows."""
        return Area.IN_CIRCLE if self.zone is None or self.zone.is_in_circle else Area.OUTSIDE

    def columns(self, rules: Rules) -> dict[str, Any]:
        """Return the ticket columns that tell of the place."""
        return {
            "lon": self.point.lon if self.point else None,
            "lat": self.point.lat if self.point else None,
            "cell": cell_of(self.point) if self.point else None,
            "route_status": self.status,
            "route_reason": self.reason,
            "zone_id": self.zone.zone_id if self.zone else None,
            "zone_set_id": rules.zone_set_id,
            "steward": self.steward,
            "placed_by": self.placed_by,
            # A later pin corrects what placed the ticket first, which is therefore kept.
            **({"placed_entry": self.entry_id} if self.entry_id is not None else {}),
        }


def place(rules: Rules, point: Point | None, by: PlacedBy = PlacedBy.PIN) -> Placing:
    """Route a point of any datum; without a point, or outside every zone, a dispatcher must decide."""
    placing = _place(rules, point)
    return placing if placing.point is None else replace(placing, placed_by=by)


def place_call(desk: Desk, tx: Tx, rules: Rules, point: Point | None, address: str, by: PlacedBy) -> Placing:
    """Route a call: by its point, else by its address where that means one place for sure.

    Whatever is wrong with the names of places, no call fails by it: then a dispatcher must find the place.
    """
    if not address.strip():
        return place(rules, point, by)
    if point is not None:
        return _doubted(place(rules, point, by), guarded(lambda: _doubt(desk, tx, rules, point, address)))
    found = guarded(lambda: _by_address(desk, tx, rules, address))
    return found or replace(place(rules, None), reason=f"只有地址, {BROKEN}", note=BROKEN)


def guarded(work: Callable[[], T | None]) -> T | None:
    """Do what goes by the names of places; None, and a line in the log, where an entry among them is broken.

    An error of the database goes on: its transaction is lost.
    """
    try:
        return work()
    except DATABASE_ERRORS:
        raise
    except Exception:
        log.exception("gazetteer")
        return None


def _doubt(desk: Desk, tx: Tx, rules: Rules, point: Point, address: str) -> Doubt | None:
    names = desk.gazetteers.at_hand()
    return doubts.of_call(tx, rules, names, point, address) if names else None


def _doubted(placing: Placing, doubt: Doubt | None) -> Placing:
    """Add the doubt to what the crew and the dispatcher read."""
    if doubt is None:
        return placing
    reason = f"{placing.reason}; {doubt.text}"
    to = placing.assignment and replace(placing.assignment, reason=reason)
    return replace(placing, reason=reason, assignment=to, doubt=doubt, note=doubt.text)


def _by_address(desk: Desk, tx: Tx, rules: Rules, address: str) -> Placing:
    found = places.find(desk, tx, address)
    best = _with_table(tx, rules, found.located.best)
    if best is None:
        return replace(place(rules, None), reason=f"只有地址, 待定位后派单 ({found.located.note})")
    placing = place(rules, best.point, PlacedBy.ADDRESS) if best.point else _in_zone(rules, best)
    said = f"按地址定位: {best.label}, {best.reason}, 置信 {best.confidence:.2f}; {placing.reason}"
    to = placing.assignment and replace(placing.assignment, reason=said)
    return replace(placing, reason=said, assignment=to, entry_id=found.entry_id)


def _with_table(tx: Tx, rules: Rules, best: Candidate | None) -> Candidate | None:
    """Return a meaning that a ticket may go by: of its own, or because its 街道 or 社区 is one grid by the table."""
    if best is None or best.can_place:
        return best
    if best.street is None or best.confidence < PLACES_FROM:
        return None
    zone_id = zone_codes.zone_of(tx, rules, best.street, best.community, best.district)
    return replace(best, point=None, zone_id=zone_id, reason=f"{best.reason}, 按街道社区对应表") if zone_id else None


def _in_zone(rules: Rules, best: Candidate) -> Placing:
    """A place whose grid is known, and where it is in there is not."""
    zone = next((zone for zone in rules.zones.zones if zone.zone_id == best.zone_id), None)
    if zone is None:
        return place(rules, None)
    team = rules.teams.get(zone.team_id) if zone.team_id else None
    reason = f"在{zone.name}网格内, 具体位置待定"
    route = Route(RouteStatus.ROUTED, zone.zone_id, zone.name, reason)
    if team is None:
        return Placing(None, route.status, reason, route, zone, None, None, PlacedBy.ADDRESS)
    to = assign(rules, team, reason)
    return Placing(None, route.status, to.reason, route, zone, to.changes["steward"], to, PlacedBy.ADDRESS)


def _place(rules: Rules, point: Point | None) -> Placing:
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
    to = assign(rules, team, route.reason)
    return Placing(here, route.status, to.reason, route, zone, to.changes["steward"], to)


def assign(rules: Rules, team: Mapping[str, Any], reason: str) -> Assignment:
    """Return the assignment to a team with whoever of it is responsible at the moment of the rules, and why."""
    answer = duty.of_team(rules, team)
    said = f"{reason}; {duty.said(answer)}" if rules.roster is not None else reason
    steward = answer.person.name if answer.person else None
    return Assignment(team["id"], team["name"], team["branch"], said, {"steward": steward})


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
