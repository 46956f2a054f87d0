"""Shanghai days and working days: weekends, holidays, weekend days worked, and years nobody has announced yet."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import policy_file
from dispatch.domain.times import SHANGHAI, Workdays, shanghai_day, shanghai_midnight, shanghai_text, span_text

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
POLICY = policy_file.parse(policy_file.read_toml(TOML.read_bytes()))
DAYS = POLICY.calendars.workdays


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_the_day_turns_at_midnight_in_changsha() -> None:
    assert shanghai_day(datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 24)
    assert shanghai_day(datetime(2026, 11, 24, 16, 0, tzinfo=UTC)) == date(2026, 11, 25)


def test_times_are_shown_in_changsha_to_the_minute() -> None:
    assert shanghai_text(datetime(2026, 11, 24, 6, 5, 59, tzinfo=UTC)) == "2026-11-24 14:05"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 秒"),
        (40, "40 秒"),
        (59.6, "1 分 00 秒"),
        (-61, "1 分 01 秒"),
        (3599.9, "1 小时 00 分"),
        (3900, "1 小时 05 分"),
        (90_000, "25 小时 00 分"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span_text(seconds) == words


@pytest.mark.parametrize(
    ("day", "is_workday"),
    [
        ("2026-11-23", True),  # Monday
        ("2026-11-27", True),  # Friday
        ("2026-11-28", False),  # Saturday
        ("2026-11-29", False),  # Sunday
        ("2026-10-01", False),  # national day, a Thursday
        ("2026-10-08", True),  # the first day after it
        ("2026-10-10", True),  # a Saturday worked for it
        ("2026-02-14", True),  # a Saturday worked for the spring festival
        ("2026-02-23", False),  # a Monday of the spring festival
        ("2026-05-09", True),
        ("2027-10-01", True),  # nobody has announced 2027: a plain Friday
        ("2027-10-02", False),
    ],
)
def test_what_is_a_working_day(day: str, is_workday: bool) -> None:
    assert DAYS.is_workday(date.fromisoformat(day)) is is_workday


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-24T14:05:00", 1, "2026-11-25T14:05:00"),  # Tuesday → Wednesday
        ("2026-11-27T14:05:00", 1, "2026-11-30T14:05:00"),  # Friday → Monday
        ("2026-11-26T14:05:00", 3, "2026-12-01T14:05:00"),  # over a weekend
        ("2026-11-28T09:00:00", 1, "2026-11-30T23:59:59"),  # Saturday counts as its own end
        ("2026-11-29T23:59:59", 1, "2026-11-30T23:59:59"),
        ("2026-09-30T08:00:00", 1, "2026-10-08T08:00:00"),  # over the whole national week
        ("2026-10-09T08:00:00", 1, "2026-10-10T08:00:00"),  # Friday → the Saturday worked
        ("2026-10-09T08:00:00", 2, "2026-10-12T08:00:00"),
        ("2026-02-13T08:00:00", 2, "2026-02-24T08:00:00"),  # Friday, worked Saturday, then the spring festival
        ("2026-12-31T08:00:00", 1, "2027-01-01T08:00:00"),  # unknown year: a Friday is a Friday
        ("2026-12-31T08:00:00", 2, "2027-01-04T08:00:00"),
        ("2026-11-24T14:05:00", 0, "2026-11-24T14:05:00"),
    ],
)
def test_adding_working_days(start: str, days: int, end: str) -> None:
    due_at = DAYS.add(local(start), days)
    assert due_at == local(end)
    assert due_at.tzinfo is UTC


def test_the_day_of_the_start_is_the_one_in_changsha() -> None:
    # 17:00 UTC on Friday is Saturday 01:00 in Changsha, a day off.
    assert DAYS.add(datetime(2026, 11, 27, 17, tzinfo=UTC), 1) == local("2026-11-30T23:59:59")


def test_without_tables_weekdays_count() -> None:
    plain = Workdays()
    assert plain.is_workday(date(2026, 10, 1))
    assert not plain.is_workday(date(2026, 10, 10))


@given(
    st.timedeltas(timedelta(0), timedelta(days=3 * 365)),
    st.integers(1, 12),
)
def test_n_working_days_later_is_a_working_day_with_n_of_them_between(after: timedelta, days: int) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC) + after
    due_at = DAYS.add(start, days)
    first, last = shanghai_day(start), shanghai_day(due_at)
    assert DAYS.is_workday(last)
    between = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    assert sum(map(DAYS.is_workday, between)) == days


def test_a_day_begins_at_midnight_in_changsha() -> None:
    began = shanghai_midnight(date(2026, 12, 1))
    assert began == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert (shanghai_day(began), shanghai_day(began - timedelta(microseconds=1))) == (
        date(2026, 12, 1),
        date(2026, 11, 30),
    )
