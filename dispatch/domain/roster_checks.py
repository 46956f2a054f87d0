"""What is wrong or odd with a plan that reads well: circles, overlapping shifts, lonely units and zones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.domain.roster import Duty, Plan, Roster, duties, roster_of
from dispatch.domain.roster_file import Finding
from dispatch.domain.roster_hours import Hole, holes
from dispatch.domain.times import shanghai_text
from dispatch.domain.zones import Zone


def check_plan(plan: Plan, start_at: datetime, end_at: datetime) -> list[Finding]:
    """Return what is wrong with a plan, looking at the duties of a time for overlaps."""
    return [*_chains(plan), *_empty(plan), *_overlaps(plan, start_at, end_at)]


def _chains(plan: Plan) -> Iterator[Finding]:
    """Tell of posts that are not there, and of chains that come round to where they began."""
    for row, unit in enumerate(plan.units.values()):
        if unit.up is None:
            continue
        if unit.up not in plan.units:
            yield Finding("units", row, "up", f"{unit.name}的上级岗位“{unit.up}”不在表中")
            continue
        seen, above = [unit.unit_id], unit.up
        while above in plan.units and above not in seen:
            seen.append(above)
            above = plan.units[above].up or ""
        if above == unit.unit_id:
            yield Finding("units", row, "up", f"值班链成环: {' → '.join([*seen, above])}")


def _empty(plan: Plan) -> Iterator[Finding]:
    for row, unit in enumerate(plan.units.values()):
        if not plan.members.get(unit.unit_id):
            yield Finding("units", row, "id", f"{unit.name}没有排任何人", is_fatal=False)


def _overlaps(plan: Plan, start_at: datetime, end_at: datetime) -> Iterator[Finding]:
    """Tell of people who are to work twice at once: in one unit it is a mistake, in two it is doubtful."""
    of_person: dict[str, list[Duty]] = {}
    bare = roster_of(plan, (), ())
    for unit_id in plan.members:
        for duty in duties(bare, unit_id, start_at, end_at):
            of_person.setdefault(duty.person_id, []).append(duty)
    for found in of_person.values():
        yield from _of_one(plan, sorted(found, key=lambda duty: (duty.start_at, duty.member.row)))


def _of_one(plan: Plan, found: Sequence[Duty]) -> Iterator[Finding]:
    """Tell each pair of rotations once: what comes again every week is one mistake."""
    told: set[frozenset[str]] = set()
    longest = found[0]
    for duty in found[1:]:
        units = frozenset({longest.member.unit_id, duty.member.unit_id})
        if duty.start_at < longest.end_at and units not in told:
            told.add(units)
            yield _overlap(plan, longest, duty)
        longest = max(longest, duty, key=lambda one: one.end_at)


def _overlap(plan: Plan, before: Duty, after: Duty) -> Finding:
    is_same = before.member is after.member
    other = "" if is_same else f" (另一处: {plan.units[before.member.unit_id].name})"
    who, at = plan.people[after.person_id].name, shanghai_text(after.start_at)
    text = f"{who} {at} 的{after.shift.name}与{before.shift.name}重叠{other}"
    return Finding("members", after.member.row, "cycle", text, is_fatal=is_same)


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A time at which no person answers for some zones.

    Attributes:
        hole: When, and of which team.
        zone_ids: The zones of that team.
    """

    hole: Hole
    zone_ids: tuple[str, ...]

    @property
    def zone_hours(self) -> float:
        """Hours times zones."""
        return self.hole.hours * len(self.zone_ids)


def uncovered(roster: Roster, zones: Sequence[Zone], start_at: datetime, end_at: datetime) -> list[Uncovered]:
    """Return the holes of all teams that answer for zones, a team that is not on the roster being one great hole."""
    of_team: dict[str, list[str]] = {}
    for zone in zones:
        if zone.team_id is not None:
            of_team.setdefault(zone.team_id, []).append(zone.zone_id)
    return [
        Uncovered(hole, tuple(sorted(zone_ids)))
        for team_id, zone_ids in sorted(of_team.items())
        for hole in holes(roster, team_id, start_at, end_at)
    ]


def check_zones(plan: Plan, zones: Sequence[Zone]) -> list[Finding]:
    """Return the zones that no team of the roster answers for."""
    found = []
    for zone in zones:
        if zone.team_id is None:
            found.append(Finding("", None, "zones", f"网格{zone.name}没有班组", is_fatal=False))
        elif zone.team_id not in plan.units:
            text = f"网格{zone.name}的班组“{zone.team_id}”不在排班表中"
            found.append(Finding("", None, "zones", text, is_fatal=False))
    return found
