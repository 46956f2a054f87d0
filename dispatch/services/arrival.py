"""Will they be there in time? The ways to open tickets, estimated at each dispatch and anew each minute.

It runs beside the sweep and outside of every dispatch: who takes a call waits for no road. What comes of it lies on the
arrival clock, from where the boards read what is still to be rescued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain import sla
from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import Recommendation, Travel
from dispatch.services import recommend
from dispatch.services.calibration import Where
from dispatch.services.desk import Desk, Rules
from dispatch.services.live import TRAVEL, tell
from dispatch.services.recommend import Asked
from dispatch.storage import arrivals
from dispatch.storage.arrivals import Way
from dispatch.storage.db import Tx

# So many ways are estimated in one look; what is left is due still.
BATCH = 10


@dataclass(frozen=True, slots=True)
class _Estimate:
    way: Way
    advice: Recommendation | None
    travel: Travel | None
    where: Where | None


def look(desk: Desk, now: datetime) -> int:
    """Estimate the ways that are due, keep the recommendation of each new assignment, and return how many there were.

    Several processes may look at once: each clock takes the estimate of the one who comes first.
    """
    with desk.store.read() as tx:
        ways = arrivals.due(tx, now, BATCH)
        if not ways:
            return 0
        rules = desk.rules(tx, now)
        people = recommend.people_at(tx, now)
        asked = {way.clock_id: _ask(tx, desk, rules, people, way, now) for way in ways}
    estimates = [_estimate(desk, rules, way, asked[way.clock_id], now) for way in ways]
    with desk.store.write() as tx:
        _save(tx, estimates, now)
    return len(ways)


def _ask(tx: Tx, desk: Desk, rules: Rules, people: Sequence[Mapping[str, Any]], way: Way, now: datetime) -> list[Asked]:
    here = _point(way)
    return recommend.ask(tx, desk, rules, people, here, way.team_id, now, has_it=True) if here else []


def _estimate(desk: Desk, rules: Rules, way: Way, asked: list[Asked], now: datetime) -> _Estimate:
    here = _point(way)
    if here is None or way.team_id is None:
        return _Estimate(way, None, None, None)
    left_s = (way.clock.due_at - now).total_seconds()
    advice = recommend.judge(desk, rules, here, asked, left_s, now)
    return _Estimate(way, advice, _of_team(advice, way.team_id), recommend.where_of(rules, here, now))


def _point(way: Way) -> Wgs84Point | None:
    return None if way.lon is None or way.lat is None else Wgs84Point(way.lon, way.lat)


def _of_team(advice: Recommendation, team_id: str) -> Travel | None:
    """Return the way of whoever of the team is there first."""
    ways = [choice.crew.travel for choice in advice.choices if choice.crew.team_id == team_id]
    return min((way for way in ways if way), key=lambda way: way.expected_s, default=None)


def _save(tx: Tx, estimates: list[_Estimate], now: datetime) -> None:
    ids = [estimate.way.ticket_id for estimate in estimates]
    given, known = arrivals.assigned_at(tx, ids), arrivals.recommended(tx, ids)
    for estimate in estimates:
        way, found = estimate.way, estimate.travel
        travel_s, kind = (round(found.expected_s, 1), found.kind) if found else (None, None)
        clock = sla.estimate(way.clock, travel_s, kind, now)
        if not arrivals.save_estimate(tx, way, clock):
            continue
        at = given.get(way.ticket_id)
        is_new = at is not None and (way.ticket_id, at) not in known
        if estimate.advice and is_new:
            arrivals.add(tx, _row(estimate, estimate.advice, at, now))
        if is_new or (clock.rescue_at <= now) != (way.clock.rescue_at <= now):
            tell(tx, TRAVEL, way.number, now)


def _row(estimate: _Estimate, advice: Recommendation, assigned_at: datetime | None, now: datetime) -> dict[str, Any]:
    way, travel, where = estimate.way, estimate.travel, estimate.where
    return {
        "ticket_id": way.ticket_id,
        "assigned_at": assigned_at,
        "team_id": way.team_id,
        "made_at": now,
        "told": recommend.told(advice),
        "zone_id": where and where.zone_id,
        "branch": where and where.branch,
        "estimate_s": travel and travel.uncorrected_s,
        "estimate_kind": travel and travel.kind,
        "is_under_way": travel is not None,
        "observed_s": None,
    }
