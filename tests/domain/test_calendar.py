"""Working hours with breaks, holidays and 调休: hand-worked cases, and ten thousand against a count of minutes."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dispatch.domain import policy_file, sla, statutory
from dispatch.domain.calendar import DAY, Calendar, Calendars
from dispatch.domain.policy import Area, Span
from dispatch.domain.sla import ClockKind
from dispatch.domain.times import SHANGHAI, Workdays

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
RAW = policy_file.read_toml(TOML.read_bytes())
OWN = {"usual": ["08:30-12:00", "13:30-17:30"], "branches": {"城北": ["00:00-06:00", "22:00-24:00"]}}
CALENDARS = policy_file.parse({**RAW, "hours": OWN}).calendars
USUAL, NORTH = CALENDARS.usual, CALENDARS.of("城北")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-24T09:00", 1.0, "2026-11-24T10:00"),
        ("2026-11-24T09:00", 3.0, "2026-11-24T12:00"),  # ends with the morning, not after the break
        ("2026-11-24T09:00", 3.5, "2026-11-24T14:00"),
        ("2026-11-24T12:30", 1.0, "2026-11-24T14:30"),  # begins in the break
        ("2026-11-24T03:00", 7.5, "2026-11-24T17:30"),  # a whole day ends with the day
        ("2026-11-24T18:00", 0.5, "2026-11-25T09:00"),
        ("2026-11-27T16:30", 2.0, "2026-11-30T09:30"),  # over a weekend
        ("2026-09-30T17:00", 1.0, "2026-10-08T09:00"),  # over the national week
        ("2026-10-09T17:00", 1.0, "2026-10-10T09:00"),  # into a Saturday that is worked for it
        ("2026-02-14T17:00", 1.0, "2026-02-24T09:00"),  # from such a Saturday over the spring festival
        ("2024-02-18T16:30", 2.0, "2024-02-19T09:30"),  # a Sunday worked in 2024: the package knows
        ("2026-12-31T17:00", 1.0, "2027-01-01T09:00"),  # nobody has announced 2027: a Friday is a Friday
        ("2026-11-28T10:00", 0.0, "2026-11-28T10:00"),  # no length is over at once
    ],
)
def test_working_hours_end_where_people_expect(start: str, hours: float, end: str) -> None:
    due_at = USUAL.add_working(local(start), hours * HOUR)
    assert due_at == local(end)
    assert due_at.tzinfo is UTC
    assert USUAL.working_between(local(start), due_at) == hours * HOUR


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-24T11:00", "2026-11-24T14:00", 1.5),
        ("2026-11-24T14:00", "2026-11-24T11:00", 0.0),
        ("2026-11-28T00:00", "2026-11-30T00:00", 0.0),
        ("2026-11-23T00:00", "2026-11-30T00:00", 37.5),
        ("2026-10-01T00:00", "2026-10-11T00:00", 22.5),
    ],
)
def test_what_lies_between(start: str, end: str, hours: float) -> None:
    assert USUAL.working_between(local(start), local(end)) == hours * HOUR


def test_each_branch_has_its_own_hours() -> None:
    span = Span(3, "wh")
    start = local("2026-11-24T09:00")
    assert span.after(start, CALENDARS, "城南", None) == local("2026-11-24T12:00")
    assert span.after(start, CALENDARS, None, None) == local("2026-11-24T12:00")
    assert span.after(start, CALENDARS, "城北", None) == local("2026-11-25T01:00")


def test_a_policy_without_hours_works_round_the_clock_on_working_days() -> None:
    old = policy_file.parse({key: value for key, value in RAW.items() if key != "hours"})
    assert Span(3, "wh").after(local("2026-11-27T23:00"), old.calendars, "城南", None) == local("2026-11-30T02:00")
    assert Calendars().usual == Calendar(Workdays(), ((0, DAY),))


def test_beyond_the_known_days_there_is_no_answer() -> None:
    with pytest.raises(OverflowError, match="no working days"):
        USUAL.add_working(local("2149-12-30T09:00"), 1000 * HOUR)


# ---------------------------------------------------------------- where the days come from


def test_the_table_of_the_policy_rules_its_years_and_the_package_the_others() -> None:
    table = {"holidays": ["2025-03-03"], "extra": ["2025-03-08"]}
    own = policy_file.parse({**RAW, "workdays": table}).calendars.workdays
    told = {day: own.is_workday(date.fromisoformat(day)) for day in ("2025-03-03", "2025-03-08", "2025-10-01")}
    assert told == {"2025-03-03": False, "2025-03-08": True, "2025-10-01": True}
    assert not own.is_workday(date(2024, 10, 1))
    assert own.is_workday(date(2024, 2, 4))  # a Sunday worked before the spring festival


def test_the_shipped_table_says_what_was_announced() -> None:
    package = policy_file.parse({**RAW, "workdays": {"holidays": [], "extra": []}}).calendars.workdays
    every = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [package.is_workday(day) for day in every] == [CALENDARS.workdays.is_workday(day) for day in every]


def test_an_unannounced_year_is_named_until_somebody_tells_its_holidays() -> None:
    known = max(statutory.YEARS)
    assert CALENDARS.unknown_years(datetime(known - 1, 12, 31, 15, tzinfo=UTC)) == ()
    assert CALENDARS.unknown_years(datetime(known, 6, 1, tzinfo=UTC)) == (known + 1,)
    # 16:00 UTC on New Year's Eve is next year in Changsha.
    assert CALENDARS.unknown_years(datetime(known, 12, 31, 16, tzinfo=UTC)) == (known + 1, known + 2)
    told = {**RAW["workdays"], "extra": [*RAW["workdays"]["extra"], f"{known + 1}-01-02"]}
    assert policy_file.parse({**RAW, "workdays": told}).calendars.unknown_years(datetime(known, 6, 1, tzinfo=UTC)) == ()


# ---------------------------------------------------------------- what runs day and night


@pytest.mark.parametrize("level", ["P1", "P2"])
def test_an_emergency_takes_no_notice_of_the_spring_festival(level: str) -> None:
    policy = policy_file.parse(RAW)
    start = local("2026-02-16T23:50")
    for kind, limit in policy.limits_for(level, Area.IN_CIRCLE, None, "burst").items():
        assert limit.within.calendar(policy.calendars, "城南") is None
        clock = policy.start_clock(level, limit, 1, start)
        assert clock is not None
        minutes = limit.within.amount * {"min": 1, "h": 60}[limit.within.unit]
        assert clock.due_at == start + minutes * MINUTE, kind


# ---------------------------------------------------------------- ten thousand intervals

FIRST = datetime(2024, 1, 1, tzinfo=SHANGHAI)
DAYS = (date(2028, 4, 1) - FIRST.date()).days


def is_worked(day: date) -> bool:
    """Written out from the notices' own rule, apart from the code: a day off, a weekend worked, or what it is."""
    if day in statutory.EXTRA:
        return True
    return day not in statutory.HOLIDAYS and day.isoweekday() <= 5


def minutes_worked(spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Every minute from 2024 to early 2028: is it worked?"""
    day = np.zeros(24 * 60, dtype=bool)
    for begin, end in spans:
        day[begin:end] = True
    days = np.array([is_worked(FIRST.date() + timedelta(days=n)) for n in range(DAYS)])
    return (days[:, None] & day[None, :]).ravel()


CASES: list[tuple[Calendar, list[tuple[int, int]]]] = [
    (USUAL, [(510, 720), (810, 1050)]),
    (NORTH, [(0, 360), (1320, 1440)]),
    (CALENDARS.whole_days, [(0, 1440)]),
]


@pytest.mark.parametrize(("calendar", "spans"), CASES, ids=["noon break", "night", "whole days"])
def test_it_equals_a_count_of_minutes(calendar: Calendar, spans: list[tuple[int, int]]) -> None:
    worked = minutes_worked(spans)
    dice = np.random.default_rng(96533)
    last = (date(2028, 1, 1) - FIRST.date()).days * 1440
    summed = np.concatenate(([0], np.cumsum(worked)))
    for start, end, length in zip(
        dice.integers(0, last, 4000).tolist(),
        dice.integers(0, last, 4000).tolist(),
        dice.integers(1, 60 * 24, 4000).tolist(),
        strict=True,
    ):
        between = calendar.working_between(FIRST + start * MINUTE, FIRST + end * MINUTE)
        assert between == max(int(summed[end] - summed[start]), 0) * MINUTE
        due_at = calendar.add_working(FIRST + start * MINUTE, length * MINUTE)
        # The first minute after which so many have been worked.
        assert due_at == FIRST + int(np.searchsorted(summed, summed[start] + length)) * MINUTE


@pytest.mark.parametrize(("calendar", "spans"), CASES, ids=["noon break", "night", "whole days"])
def test_pauses_are_counted_once(calendar: Calendar, spans: list[tuple[int, int]]) -> None:
    """What is due lies where so many minutes were worked and not paused."""
    worked = minutes_worked(spans)
    dice = np.random.default_rng(12345)
    last = (date(2027, 10, 1) - FIRST.date()).days * 1440
    for _ in range(400):
        start, length = int(dice.integers(0, last)), int(dice.integers(60, 2400))
        at = FIRST + start * MINUTE
        clock = sla.start(ClockKind.FIX, 1, at, calendar.add_working(at, length * MINUTE))
        is_counted = worked[start : start + 120 * 1440].copy()
        paused, edge = 0, start
        for _ in range(int(dice.integers(0, 4))):
            begin = edge + int(dice.integers(0, 2000))
            if FIRST + begin * MINUTE >= clock.due_at:
                break
            edge = begin + int(dice.integers(1, 5000))
            paused_at, resumed_at = FIRST + begin * MINUTE, FIRST + edge * MINUTE
            clock = sla.resume(sla.pause(clock, paused_at, resumed_at), resumed_at, calendar)
            is_counted[begin - start : edge - start] = False
            paused += edge - begin
        done = np.cumsum(is_counted)
        assert clock.due_at == FIRST + (start + 1 + int(np.searchsorted(done, length))) * MINUTE
        assert clock.paused_s == paused * 60
        assert math.isclose(clock.budget / MINUTE, (clock.original_due_at - at) / MINUTE)


def test_a_night_is_not_given_twice() -> None:
    """Friday 16:00 to Monday 10:00 are three working hours; that the clock stood still for 66 is kept as well."""
    clock = sla.start(ClockKind.FIX, 1, local("2026-11-27T14:00"), local("2026-11-30T13:30"))
    paused_at, resumed_at = local("2026-11-27T16:00"), local("2026-11-30T10:00")
    again = sla.resume(sla.pause(clock, paused_at, resumed_at), resumed_at, USUAL)
    assert again.due_at == local("2026-11-30T16:30")
    assert (again.paused_s, again.moved_s) == (66 * 3600, 3 * 3600)
    assert again.budget == clock.budget
    # The level changed: it runs day and night from now on, and what was paused before stays paused.
    later = sla.resume(sla.pause(again, resumed_at, resumed_at + HOUR), resumed_at + HOUR)
    assert (later.due_at - again.due_at, later.budget) == (HOUR, clock.budget)


# ---------------------------------------------------------------- cost


def test_calendars_are_values() -> None:
    assert replace(USUAL) == USUAL
    assert USUAL != NORTH
    assert hash(USUAL) == hash(replace(USUAL))
