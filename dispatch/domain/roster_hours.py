"""Hours of a roster: when nobody is responsible, and how long each person works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from dispatch.domain.on_duty import responsible
from dispatch.domain.roster import Duty, Roster, duties, leave_at


@dataclass(frozen=True, slots=True)
class Hole:
    """A time at which nobody is responsible for a unit; UTC, the end not included."""

    unit_id: str
    start_at: datetime
    end_at: datetime

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return (self.end_at - self.start_at) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stint:
    """A part of a duty that one person does, or nobody: `person_id` is None where who should is away."""

    duty: Duty
    person_id: str | None
    start_at: datetime
    end_at: datetime


def holes(roster: Roster, unit_id: str, start_at: datetime, end_at: datetime) -> list[Hole]:
    """Return when nobody is responsible for a unit within a time, in order; holes that touch are one."""
    turns = {start_at, end_at}
    for duty in duties(roster, unit_id, start_at, end_at):
        turns |= {duty.start_at, duty.end_at, *_turns(roster, duty.person_id)}
    found: list[Hole] = []
    for begin, end in pairwise(sorted(at for at in turns if start_at <= at <= end_at)):
        if responsible(roster, unit_id, begin).person is not None:
            continue
        since = found.pop().start_at if found and found[-1].end_at == begin else begin
        found.append(Hole(unit_id, since, end))
    return found


def stints(roster: Roster, duty: Duty) -> list[Stint]:
    """Return who really does a duty, part by part, leave and its cover heeded."""
    within = {at for at in _turns(roster, duty.person_id) if duty.start_at < at < duty.end_at}
    turns = sorted(within | {duty.start_at, duty.end_at})
    return [Stint(duty, _who(roster, duty.person_id, begin), begin, end) for begin, end in pairwise(turns)]


def _turns(roster: Roster, person_id: str) -> Iterator[datetime]:
    """When it may change whether a person, or who covers for him, is away."""
    for leave in roster.leaves.get(person_id, ()):
        yield from (leave.start_at, leave.end_at)
        for other in roster.leaves.get(leave.cover_id or "", ()):
            yield from (other.start_at, other.end_at)


def _who(roster: Roster, person_id: str, at: datetime) -> str | None:
    leave = leave_at(roster, person_id, at)
    if leave is None:
        return person_id
    is_covered = leave.cover_id is not None and leave_at(roster, leave.cover_id, at) is None
    return leave.cover_id if is_covered else None


def worked_h(roster: Roster, start_at: datetime, end_at: datetime) -> dict[str, float]:
    """Return the hours that each person is on duty within a time; an hour in two units is one hour."""
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for unit_id in roster.plan.units:
        for duty in duties(roster, unit_id, start_at, end_at):
            for stint in stints(roster, duty):
                if stint.person_id is not None:
                    spans[stint.person_id].append((max(stint.start_at, start_at), min(stint.end_at, end_at)))
    return {person_id: _length(sorted(found)) / timedelta(hours=1) for person_id, found in spans.items()}


def _length(spans: list[tuple[datetime, datetime]]) -> timedelta:
    total, reached = timedelta(), spans[0][0]
    for begin, end in spans:
        total += max(timedelta(), end - max(begin, reached))
        reached = max(reached, end)
    return total
