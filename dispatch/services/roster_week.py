"""A week of the roster as the page shows it: units with their people, days with duties, holes, hours, work in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.domain.roles import PERMISSIONS, Actor, Permission, check_permitted
from dispatch.domain.roster import Duty, Member, Plan, Roster, Unit, chain, duties
from dispatch.domain.roster_hours import holes, stints, worked_h
from dispatch.domain.shifts import hours_text
from dispatch.domain.times import shanghai_midnight
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.roster_changes import shown_leave, shown_swap
from dispatch.storage import arrivals, rosters
from dispatch.storage.db import Tx

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_NOTHING: Mapping[str, Any] = {"people": [], "leaves": [], "swaps": []}


@dataclass(frozen=True, slots=True)
class _Week:
    """A week: its Monday's midnight, the roster of each day (the one valid when the day ends), and that of its end."""

    start_at: datetime
    rosters: Sequence[Roster | None]
    known: Roster | None

    @property
    def end_at(self) -> datetime:
        return self.start_at + 7 * _DAY


def week(desk: Desk, actor: Actor, day: date, branch: str | None, now: datetime) -> dict[str, Any]:
    """Return the week of a day, of one branch; the posts of the whole company come with each.

    Who makes no rosters sees in the cells who is away and who stands in; the entries behind that, with their reasons,
    and the list of all people are for those who change them.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    monday = day - timedelta(days=day.weekday())
    start_at = shanghai_midnight(monday)
    with desk.store.read() as tx:
        days = [_of_span(tx, desk, start_at + n * _DAY, _DAY) for n in range(7)]
        found = _Week(start_at, days, _of_span(tx, desk, start_at, 7 * _DAY))
        changes = _changes(tx, found) if Permission.ROSTER in PERMISSIONS[actor.role] else _NOTHING
        roster_id = desk.roster_id(tx, found.end_at - _MOMENT)
        row = rosters.read(tx, roster_id) if roster_id is not None else None
        known = found.known
        in_hand = arrivals.in_hand(tx, set(known.plan.units)) if known else {}
    return {
        "monday": monday.isoformat(),
        "days": [(monday + timedelta(n)).isoformat() for n in range(7)],
        "has_roster": [one is not None for one in days],
        "roster": row and {"id": row["id"], "name": row["name"], "is_sample": row["is_sample"]},
        **_told(found, branch, changes, in_hand),
    }


def _of_span(tx: Tx, desk: Desk, start_at: datetime, length: timedelta) -> Roster | None:
    roster_id = desk.roster_id(tx, start_at + length - _MOMENT)
    return None if roster_id is None else desk.rosters.between(tx, roster_id, start_at, start_at + length)


def _changes(tx: Tx, found: _Week) -> Mapping[str, Any]:
    known = found.known
    names = {one.person_id: one.name for one in known.plan.people.values()} if known else {}
    first = found.start_at.date()
    return {
        "people": [{"id": person_id, "name": name} for person_id, name in names.items()],
        "leaves": [shown_leave(row, names) for row in rosters.leave_rows(tx, found.start_at, found.end_at)],
        "swaps": [shown_swap(row, names) for row in rosters.swap_rows(tx, first, first + 6 * _DAY)],
    }


def _told(found: _Week, branch: str | None, changes: Mapping[str, Any], in_hand: Mapping[str, int]) -> dict[str, Any]:
    known = found.known
    if known is None:
        return {"branches": [], "branch": None, "units": [], **changes}
    branches = sorted({unit.branch for unit in known.plan.units.values() if unit.branch})
    shown = branch if branch in branches else next(iter(branches), None)
    units = _in_order(known.plan, [unit for unit in known.plan.units.values() if unit.branch in (shown, None)])
    hours = worked_h(known, found.start_at, found.end_at)
    return {
        "branches": branches,
        "branch": shown,
        "units": [_unit(found, known, unit, hours, in_hand.get(unit.unit_id, 0)) for unit in units],
        **changes,
    }


def _in_order(plan: Plan, units: Sequence[Unit]) -> Sequence[Unit]:
    """Return units as they are called: those of the branch before those of the company, each before who is above."""
    return sorted(units, key=lambda unit: (unit.branch is None, -len(chain(plan, unit.unit_id))))


def _unit(found: _Week, known: Roster, unit: Unit, hours: Mapping[str, float], in_hand: int) -> dict[str, Any]:
    return {
        "id": unit.unit_id,
        "name": unit.name,
        "branch": unit.branch,
        "in_hand": in_hand,
        "rows": [_row(found, known, member, hours) for member in known.plan.members.get(unit.unit_id, ())],
        "holes": [_holes(found, n, unit.unit_id) for n in range(7)],
    }


def _row(found: _Week, known: Roster, member: Member, hours: Mapping[str, float]) -> dict[str, Any]:
    return {
        "person_id": member.person_id,
        "name": known.plan.people[member.person_id].name,
        "rank": member.rank.value,
        "worked_h": round(hours.get(member.person_id, 0.0), 1),
        "days": [_cell(found, n, member) for n in range(7)],
    }


def _cell(found: _Week, n: int, member: Member) -> list[dict[str, Any]]:
    roster, midnight = found.rosters[n], found.start_at + n * _DAY
    if roster is None:
        return []
    own = duties(roster, member.unit_id, midnight, midnight + 2 * _DAY)
    mine = [one for one in own if one.member.person_id == member.person_id and one.day == midnight.date()]
    return [_duty(roster, mine)] if mine else []


def _duty(roster: Roster, parts: Sequence[Duty]) -> dict[str, Any]:
    first, names = parts[0], roster.plan.people
    really = [stint.person_id for part in parts for stint in stints(roster, part)]
    others = dict.fromkeys(one for one in really if one is not None and one != first.member.person_id)
    return {
        "shift": first.shift.name,
        "hours": hours_text(first.shift.spans),
        "start_at": present.time(first.start_at),
        "end_at": present.time(parts[-1].end_at),
        "is_swapped": first.is_swapped,
        "is_away": None in really or (not first.is_swapped and bool(others)),
        "by": [names[one].name for one in others],
    }


def _holes(found: _Week, n: int, unit_id: str) -> list[dict[str, Any]]:
    roster, midnight = found.rosters[n], found.start_at + n * _DAY
    if roster is None:
        return []
    return [
        {"start_at": present.time(one.start_at), "end_at": present.time(one.end_at)}
        for one in holes(roster, unit_id, midnight, midnight + _DAY)
    ]
