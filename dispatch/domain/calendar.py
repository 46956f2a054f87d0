"""Working hours: from when to when on working days, and how far a length of them reaches.

All is counted in whole microseconds of the Shanghai day; whole days are looked up, not walked: see bench/calendar.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from dispatch.domain.times import SHANGHAI, Workdays

_US = timedelta(microseconds=1)
DAY = timedelta(days=1) // _US
# Between these days everything lies that a ticket can be told (2000 to 2100), with the longest promise behind it.
_FIRST, _LAST = date(1999, 1, 1), date(2150, 1, 1)
_BASE = datetime(_FIRST.year, _FIRST.month, _FIRST.day, tzinfo=SHANGHAI)

# From and to, in microseconds of the day; the end is not in it.
Spans = tuple[tuple[int, int], ...]
WHOLE_DAY: Spans = ((0, DAY),)


@dataclass(frozen=True, slots=True)
class _Table:
    """The working days by number, counted from the first day; and how many lie before each day."""

    days: tuple[int, ...]
    before: tuple[int, ...]


@lru_cache(maxsize=8)
def _table(workdays: Workdays) -> _Table:
    days: list[int] = []
    before: list[int] = []
    day = _FIRST
    for number in range((_LAST - _FIRST).days):
        before.append(len(days))
        if workdays.is_workday(day):
            days.append(number)
        day += timedelta(days=1)
    return _Table(tuple(days), tuple(before))


@dataclass(frozen=True)
class Calendar:
    """When is worked: the `spans` of each working day, in order and apart from each other.

    Times are aware; lengths are timedeltas of working time.
    """

    workdays: Workdays = field(default_factory=Workdays)
    spans: Spans = WHOLE_DAY

    def __post_init__(self) -> None:
        """Count what every call would count again."""
        object.__setattr__(self, "_days", _table(self.workdays))
        object.__setattr__(self, "_length", sum(end - begin for begin, end in self.spans))

    _days: _Table = field(init=False, repr=False, compare=False)
    _length: int = field(init=False, repr=False, compare=False)

    def working_between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from `start` to `end`; none where `end` is not later."""
        return max(self._worked_by(end) - self._worked_by(start), 0) * _US

    def add_working(self, start: datetime, length: timedelta) -> datetime:
        """Return in UTC when `length` of working time has passed since `start`.

        That is the first such moment: the end of a working day, not the beginning of the next. No length at all is
        over at once, be it in the night.

        Raises:
            OverflowError: where it lies beyond the year 2149.
        """
        wanted = length // _US
        if wanted <= 0:
            return start.astimezone(UTC)
        number, rest = divmod(self._worked_by(start) + wanted - 1, self._length)
        if number >= len(self._days.days):
            raise OverflowError(f"no working days are known {length} after {start}")
        return (_BASE + (self._days.days[number] * DAY + self._time_of(rest + 1)) * _US).astimezone(UTC)

    def _worked_by(self, at: datetime) -> int:
        """Return the working time since the first day, in microseconds."""
        day, time = divmod((at - _BASE) // _US, DAY)
        before = self._days.before
        done = before[day] * self._length
        if before[day + 1] == before[day]:
            return done
        return done + sum(min(time, end) - begin for begin, end in self.spans if time > begin)

    def _time_of(self, worked: int) -> int:
        """Return the time of day at which so much of a working day is done, from 1 to all of it."""
        for begin, end in self.spans:
            if worked <= end - begin:
                return begin + worked
            worked -= end - begin
        raise AssertionError("more than a working day")  # pragma: no cover


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of a policy: working hours of each branch, and those of all others.

    Attributes:
        workdays: Which days count.
        hours: The working hours of a branch that has its own.
        usual: Those of all others.
        known_years: Years whose holidays somebody has told; in others every weekday is worked.
    """

    workdays: Workdays = field(default_factory=Workdays)
    hours: Mapping[str, Calendar] = field(default_factory=dict)
    usual: Calendar = field(default_factory=Calendar)
    known_years: frozenset[int] = frozenset()

    def of(self, branch: str | None) -> Calendar:
        """Return the working hours of a branch."""
        return self.hours.get(branch or "", self.usual)

    @property
    def whole_days(self) -> Calendar:
        """The calendar of limits in working days, which count from midnight to midnight."""
        return Calendar(self.workdays)

    def unknown_years(self, now: datetime) -> tuple[int, ...]:
        """Return those of this year and the next whose holidays are not known: weekdays are counted in them."""
        year = now.astimezone(SHANGHAI).year
        return tuple(one for one in (year, year + 1) if one not in self.known_years)
