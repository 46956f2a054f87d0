"""Who is responsible at an instant, why, and who was passed over.

Of those on duty the first by rank answers: exactly one person, or an explicit hole. Pure: time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatch.domain.roster import RANK_LABELS, Duty, Person, Roster, duties, leave_at
from dispatch.domain.times import shanghai_text


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody who is not responsible, and why, in Chinese."""

    person: Person
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Who is responsible for a unit at an instant.

    Attributes:
        unit_id: The team or post that was asked about.
        person: Who, or None: an explicit hole.
        reason: Why, or why nobody, in Chinese.
        passed_over: Those who would have come first, and why they did not.
    """

    unit_id: str
    person: Person | None
    reason: str
    passed_over: tuple[Passed, ...] = ()


@dataclass(slots=True)
class _Search:
    """Walks the members in their order until somebody can answer who is not in `without`."""

    roster: Roster
    at: datetime
    without: frozenset[str]
    passed: list[Passed] = field(default_factory=list)

    def person(self, person_id: str) -> Person:
        return self.roster.plan.people[person_id]

    def stands(self, person_id: str) -> bool:
        """Whether a person can answer; if not, say why."""
        leave = leave_at(self.roster, person_id, self.at)
        if leave is not None:  # why somebody is away is for whoever keeps the roster
            self._pass(person_id, f"请假至 {shanghai_text(leave.end_at)}")
        elif person_id in self.without:
            self._pass(person_id, "已是第一责任人")
        return leave is None and person_id not in self.without

    def _pass(self, person_id: str, why: str) -> None:
        self.passed.append(Passed(self.person(person_id), why))

    def of_duty(self, duty: Duty) -> tuple[Person, str] | None:
        """Return who answers in a duty, and why."""
        owner, taker = self.person(duty.member.person_id), self.person(duty.person_id)
        words = f"{duty.shift.label}, {RANK_LABELS[duty.member.rank]}"
        if duty.is_swapped:
            self._pass(owner.person_id, f"{duty.day} 的{duty.shift.name}已换给{taker.name}")
            words += f", 顶{owner.name}的班"
        if self.stands(taker.person_id):
            return taker, words
        leave = leave_at(self.roster, taker.person_id, self.at)
        if leave is None or leave.cover_id is None or not self.stands(leave.cover_id):
            return None
        return self.person(leave.cover_id), f"{words}, 代请假的{taker.name}"

    def on_duty(self, unit_id: str) -> tuple[Person, str] | None:
        """Return the first who answers by a shift."""
        now = duties(self.roster, unit_id, self.at, self.at + timedelta(microseconds=1))
        for member in self.roster.plan.members.get(unit_id, ()):
            own = [duty for duty in now if duty.member is member]
            if not own:
                self._pass(member.person_id, "此时不当班")
            for duty in own:
                found = self.of_duty(duty)
                if found is not None:
                    return found
        return None

    def stand_by(self, unit_id: str) -> tuple[Person, str] | None:
        """Return the first member who is not away, on duty or not."""
        for member in self.roster.plan.members.get(unit_id, ()):
            if member.person_id not in self.without and leave_at(self.roster, member.person_id, self.at) is None:
                return self.person(member.person_id), f"没有第二人当班, 由{RANK_LABELS[member.rank]}备岗"
        return None


def responsible(roster: Roster, unit_id: str, at: datetime) -> Answer:
    """Return who is responsible for a team or a post: exactly one person, or an explicit hole."""
    search = _Search(roster, at, frozenset())
    found = search.on_duty(unit_id)
    if found is not None:
        return Answer(unit_id, *found, tuple(search.passed))
    return Answer(unit_id, None, _why_nobody(roster, unit_id), tuple(search.passed))


def backup(roster: Roster, unit_id: str, at: datetime) -> Answer:
    """Return who answers where the responsible one does not: the next on duty, else who of the unit is not away."""
    first = responsible(roster, unit_id, at).person
    search = _Search(roster, at, frozenset({first.person_id} if first else ()))
    found = search.on_duty(unit_id) or search.stand_by(unit_id)
    if found is not None:
        # Who stands by was met before, as not on duty: that is said in the reason, and he is not passed over.
        return Answer(unit_id, *found, tuple(one for one in search.passed if one.person != found[0]))
    return Answer(unit_id, None, "没有第二人可接替", tuple(search.passed))


def everybody(roster: Roster, unit_id: str, at: datetime) -> list[Answer]:
    """Return all of a unit who can answer, in the order in which they are asked: on duty, then who is not away."""
    return _one_by_one(roster, unit_id, at, lambda search: search.on_duty(unit_id) or search.stand_by(unit_id))


def on_shift(roster: Roster, unit_id: str, at: datetime) -> list[Answer]:
    """Return all of a unit who are on duty, in the order in which they are asked."""
    return _one_by_one(roster, unit_id, at, lambda search: search.on_duty(unit_id))


def _one_by_one(
    roster: Roster, unit_id: str, at: datetime, find: Callable[[_Search], tuple[Person, str] | None]
) -> list[Answer]:
    found: dict[str, Answer] = {}
    while (one := find(_Search(roster, at, frozenset(found)))) is not None:
        found[one[0].person_id] = Answer(unit_id, *one)
    return list(found.values())


def _why_nobody(roster: Roster, unit_id: str) -> str:
    if unit_id not in roster.plan.units:
        return f"排班表中没有“{unit_id}”"
    if not roster.plan.members.get(unit_id):
        return f"{roster.plan.units[unit_id].name}没有排任何人"
    return "此时无人当班 (排班空缺)"
