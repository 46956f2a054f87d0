"""Who should go to a place: people and load are read, ways estimated outside of the transaction, and then ranked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import (
    FRESH_S,
    OFF_SHIFT_S,
    Choice,
    Crew,
    Part,
    Recommendation,
    Standing,
    Travel,
    recommend,
)
from dispatch.geocode.geodesic import LineEtas
from dispatch.services import present, travel
from dispatch.services.calibration import Where, hour_of
from dispatch.services.desk import Desk, Rules
from dispatch.services.muster import Muster, muster
from dispatch.storage import arrivals
from dispatch.storage.db import Tx

Row = Mapping[str, Any]
# The ways of so many others are estimated, the nearest along the line; more are never sent.
NEAREST = 12
# So many more are told as left out, since nobody knows where they are by now.
NEAREST_STALE = 3
# So many are told; of those who are left out, too.
AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who could go, before their way is estimated; `point` where a fresh one is known."""

    part: Part
    team: Row
    name: str | None
    age_s: float | None
    point: Wgs84Point | None
    in_hand: int
    on_shift: int
    standing: Standing | None

    def crew(self, way: Travel | None) -> Crew:
        """Return what is ranked."""
        team, load = self.team, (self.in_hand, self.on_shift)
        return Crew(self.part, team["id"], team["name"], self.name, self.age_s, *load, way, self.standing)


def advise(desk: Desk, here: Wgs84Point, team_id: str | None, left_s: float | None, now: datetime) -> Recommendation:
    """Return who should go to a place.

    Args:
        desk: The process's desk; no transaction is open.
        here: The place.
        team_id: The team that answers for it, or None.
        left_s: Seconds left of the arrival clock, or None where none is promised.
        now: The server's time.
    """
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        asked = ask(tx, desk, rules, people_at(tx, now), here, team_id, now)
    return judge(desk, rules, here, asked, left_s, now)


def judge(
    desk: Desk, rules: Rules, here: Wgs84Point, asked: Sequence[Asked], left_s: float | None, now: datetime
) -> Recommendation:
    """Estimate the ways of those who were asked, and rank them. No transaction is open."""
    placed = [one.point for one in asked if one.point]
    ways = iter(travel.travels(desk, here, placed, where_of(rules, here, now), now))
    return recommend([one.crew(next(ways) if one.point else None) for one in asked], left_s)


def where_of(rules: Rules, here: Wgs84Point, now: datetime) -> Where:
    """Return by what the ways to a place are corrected."""
    zone = rules.zones.locate(here.lon, here.lat)
    return Where(zone.zone_id if zone else None, zone.branch if zone else None, hour_of(now))


def people_at(tx: Tx, now: datetime) -> Sequence[Row]:
    """Return who of the crews may be on shift, and where they were last."""
    return arrivals.people(tx, now - timedelta(seconds=OFF_SHIFT_S))


def ask(
    tx: Tx,
    desk: Desk,
    rules: Rules,
    people: Sequence[Row],
    here: Wgs84Point,
    team_id: str | None,
    now: datetime,
    *,
    has_it: bool = False,
) -> list[Asked]:
    """Return who could go: the stewards and people of the team, and the nearest of all others.

    Where the team `has_it` already, the ticket itself is none that keeps it busy.
    """
    own = [one for one in people if one["team_id"] == team_id]
    others = [one for one in people if one["team_id"] != team_id and one["team_id"] in rules.teams]
    near = _nearest(desk.roads.line(), here, others, now)
    in_hand = arrivals.in_hand(tx, {one["team_id"] for one in near} | ({team_id} if team_id else set()))
    if has_it and team_id in in_hand:
        in_hand[team_id] -= 1
    on_shift: dict[str, int] = {}
    for one in people:
        on_shift[one["team_id"]] = on_shift.get(one["team_id"], 0) + _is_fresh(one, now)

    def asked(part: Part, of_team: str, name: str | None, one: Row | None, standing: Standing | None) -> Asked:
        age_s = (now - one["at"]).total_seconds() if one else None
        is_coming = one is not None and _is_fresh(one, now) and (standing is None or standing.is_on_duty)
        point = Wgs84Point(one["lon"], one["lat"]) if one and is_coming else None
        load = in_hand.get(of_team, 0), on_shift.get(of_team, 0)
        return Asked(part, rules.teams[of_team], name, age_s, point, *load, standing)

    roll, found = muster(tx, desk, rules), []
    if team_id in rules.teams:
        team = rules.teams[str(team_id)]
        found = [asked(part, team["id"], name, one, how) for part, name, one, how in _team(roll, team, own)]
    return found + [
        asked(Part.NEAREST, one["team_id"], one["name"], one, roll.of(one["login"], one["team_id"])) for one in near
    ]


def _team(
    roll: Muster, team: Row, people: Sequence[Row]
) -> Iterator[tuple[Part, str | None, Row | None, Standing | None]]:
    """Yield the responsible steward, the backups, and whoever else of the team told a place.

    Somebody of the roster is the user whose login is his id, or who has his name.
    """
    left = list(people)
    parts = iter([Part.RESPONSIBLE])
    known = roll.of_team(team)
    for person, standing in known:
        them = next((one for one in left if one["login"] == person.person_id or one["name"] == person.name), None)
        if them is not None:
            left.remove(them)
        is_off = standing is not None and not standing.is_on_duty
        yield Part.BACKUP if is_off else next(parts, Part.BACKUP), person.name, them, standing
    if not known and not left:
        yield next(parts), None, None, None
    for one in left:
        yield next(parts, Part.BACKUP), one["name"], one, roll.of(one["login"], team["id"])


def _is_fresh(one: Row, now: datetime) -> bool:
    return bool((now - one["at"]).total_seconds() <= FRESH_S)


def _nearest(line: LineEtas, here: Wgs84Point, people: Sequence[Row], now: datetime) -> list[Row]:
    """Return the nearest along the line, with the way round each barrier, and the nearest whose place is old."""
    found: list[Row] = []
    for is_fresh, most in ((True, NEAREST), (False, NEAREST_STALE)):
        some = [one for one in people if _is_fresh(one, now) is is_fresh]
        points = [Wgs84Point(one["lon"], one["lat"]) for one in some]
        found += [some[n] for n in line.shortlist(here, points, most)]
    return found


# ---------------------------------------------------------------- how it is told


def told(found: Recommendation) -> dict[str, Any]:
    """Return the public form: `{warning, left_s, items, excluded}`."""
    shown = found.recommended
    rest = [choice for choice in found.choices if not choice.is_recommended]
    return {
        "warning": found.warning,
        "left_s": found.left_s,
        "items": [choice_form(choice) for choice in shown[:AT_MOST]],
        "excluded": [choice_form(choice) for choice in rest[:AT_MOST]],
    }


def choice_form(choice: Choice) -> dict[str, Any]:
    """Return the public form of one choice."""
    crew = choice.crew
    return {
        "part": crew.part.value,
        "team_id": crew.team_id,
        "team_name": crew.team_name,
        "name": crew.name,
        "in_hand": crew.in_hand,
        "worked_h": round(crew.standing.worked_h, 1) if crew.standing else None,
        "travel": way_form(crew.travel),
        "exclusions": [{"code": one.code, "values": one.values, "text": one.text} for one in choice.exclusions],
    }


def way_form(way: Travel | None) -> dict[str, Any] | None:
    """Return the public form of an estimate."""
    if way is None:
        return None
    numbers = {"low_s": round(way.low_s), "high_s": round(way.high_s), "expected_s": round(way.expected_s)}
    return {**numbers, "kind": way.kind, "samples": way.samples, "text": way.text}


def stored(row: Row | None) -> dict[str, Any] | None:
    """Return the public form of the recommendation that is kept with a ticket."""
    if row is None:
        return None
    return {"team_id": row["team_id"], "made_at": present.time(row["made_at"]), **row["told"]}
