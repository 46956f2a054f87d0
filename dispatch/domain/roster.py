"""The roster (排班): units, people, rotations, leave and swaps, and the duties that come of them.

A unit is a grid team or a post of the on-call chain (area lead, branch duty, director, company duty). Its members take
shifts by rotation; leave and swaps change who stands in a duty. Who of them answers is told by domain/on_duty.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from dispatch.domain.shifts import Shift
from dispatch.domain.times import shanghai_day

_DAY = timedelta(days=1)


class Rank(StrEnum):
    """The order in which a unit's members answer; the lead (班组长) is the last resort of those on duty."""

    A = "A"
    B = "B"
    C = "C"
    LEAD = "lead"


RANK_LABELS = {Rank.A: "A角", Rank.B: "B角", Rank.C: "C角", Rank.LEAD: "班组长"}
_ORDER = tuple(Rank)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a roster; `person_id` is the login where there is one."""

    person_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A team or a post.

    Attributes:
        unit_id: A team's id, or of a post the recipient that the ladder names: `branch_duty:城南`, `company_duty`.
        name: What people call it.
        branch: 分公司, or None.
        up: The post that answers where this one does not, or None at the end of the chain.
    """

    unit_id: str
    name: str
    branch: str | None = None
    up: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person's rotation in a unit.

    Attributes:
        unit_id: Team or post.
        person_id: Who.
        rank: When they answer among those on duty.
        anchor: The day of the cycle's first shift.
        cycle: The shift of each day from then on, over and over; None is a day off.
        row: Its place in the list that it was read from.
    """

    unit_id: str
    person_id: str
    rank: Rank
    anchor: date
    cycle: tuple[str | None, ...]
    row: int = field(default=0, compare=False)

    def shift_on(self, day: date) -> str | None:
        """Return the shift of a day, or None."""
        return self.cycle[(day - self.anchor).days % len(self.cycle)]


@dataclass(frozen=True, slots=True)
class Plan:
    """A roster as it is published; leave and swaps come on top.

    Attributes:
        shifts: By id.
        people: By id.
        units: By id.
        members: By unit, in the order in which they answer.
    """

    shifts: Mapping[str, Shift]
    people: Mapping[str, Person]
    units: Mapping[str, Unit]
    members: Mapping[str, Sequence[Member]]


@dataclass(frozen=True, slots=True)
class Leave:
    """A person is away from `start_at` up to, and not including, `end_at`; `cover_id` stands in, if anybody does."""

    person_id: str
    start_at: datetime
    end_at: datetime
    reason: str
    cover_id: str | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether the person is away at an instant."""
        return self.start_at <= at < self.end_at


@dataclass(frozen=True, slots=True)
class Swap:
    """`taker_id` does the duty of `owner_id` that begins on `day`, and gets the duty of `back_day` done for it."""

    unit_id: str
    owner_id: str
    day: date
    taker_id: str
    back_day: date | None = None

    def duties(self) -> Iterator[tuple[tuple[str, str, date], str]]:
        """Yield (unit, owner, day) of each duty that changes hands, and who gets it."""
        yield (self.unit_id, self.owner_id, self.day), self.taker_id
        if self.back_day is not None:
            yield (self.unit_id, self.taker_id, self.back_day), self.owner_id


@dataclass(frozen=True, slots=True)
class Roster:
    """A plan with the leave and the swaps of the time that is asked about; made by `roster_of`."""

    plan: Plan
    leaves: Mapping[str, Sequence[Leave]]
    swapped: Mapping[tuple[str, str, date], str]


def plan_of(
    shifts: Sequence[Shift], people: Sequence[Person], units: Sequence[Unit], members: Sequence[Member]
) -> Plan:
    """Put a plan together; of members with one rank the first in the list answers first."""
    of_unit: dict[str, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda member: _ORDER.index(member.rank)):
        of_unit[member.unit_id].append(member)
    return Plan(
        {shift.shift_id: shift for shift in shifts},
        {person.person_id: person for person in people},
        {unit.unit_id: unit for unit in units},
        {unit_id: tuple(found) for unit_id, found in of_unit.items()},
    )


def roster_of(plan: Plan, leaves: Sequence[Leave], swaps: Sequence[Swap]) -> Roster:
    """Put leave and swaps on top of a plan.

    They were entered on an earlier one, perhaps: whoever is not on this plan takes no duty and covers for nobody.
    """
    of_person: dict[str, list[Leave]] = defaultdict(list)
    for leave in leaves:
        is_covered = leave.cover_id is None or leave.cover_id in plan.people
        of_person[leave.person_id].append(leave if is_covered else replace(leave, cover_id=None))
    swapped = {duty: taker for swap in swaps for duty, taker in swap.duties() if taker in plan.people}
    return Roster(plan, of_person, swapped)


@dataclass(frozen=True, slots=True)
class Duty:
    """A part of a shift on a day.

    Attributes:
        member: Whose rotation it is of.
        shift: What is worked.
        day: The day in Shanghai that it belongs to.
        start_at: UTC.
        end_at: UTC, not included.
        person_id: Who does it, once swaps are heeded; leave is another question.
    """

    member: Member
    shift: Shift
    day: date
    start_at: datetime
    end_at: datetime
    person_id: str

    @property
    def is_swapped(self) -> bool:
        """Whether somebody else than the rotation says does it."""
        return self.person_id != self.member.person_id


def duties(roster: Roster, unit_id: str, start_at: datetime, end_at: datetime) -> list[Duty]:
    """Return the duties of a unit that touch a time, members in their order, each in the order of time."""
    found = []
    for member in roster.plan.members.get(unit_id, ()):
        # A shift may reach into the day after its own.
        day, last = shanghai_day(start_at) - _DAY, shanghai_day(end_at)
        while day <= last:
            found += _duties_on(roster, member, day)
            day += _DAY
    return [duty for duty in found if duty.start_at < end_at and start_at < duty.end_at]


def _duties_on(roster: Roster, member: Member, day: date) -> list[Duty]:
    shift_id = member.shift_on(day)
    if shift_id is None:
        return []
    shift = roster.plan.shifts[shift_id]
    taker = roster.swapped.get((member.unit_id, member.person_id, day), member.person_id)
    return [Duty(member, shift, day, *span.on(day), taker) for span in shift.spans]


def leave_at(roster: Roster, person_id: str, at: datetime) -> Leave | None:
    """Return the leave that a person is on at an instant, or None."""
    return next((leave for leave in roster.leaves.get(person_id, ()) if leave.holds(at)), None)


def chain(plan: Plan, unit_id: str) -> list[str]:
    """Return a unit and the posts above it, up to the end of the on-call chain; a checked plan has no circle."""
    found: list[str] = []
    next_id: str | None = unit_id
    while next_id is not None:
        found.append(next_id)
        unit = plan.units.get(next_id)
        next_id = unit.up if unit else None
    return found
