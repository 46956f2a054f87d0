"""Time is an argument: helpers over aware UTC datetimes, Shanghai days and working days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

# China has kept UTC+8 without summer time since 1991; a fixed offset needs no tz database on the machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def shanghai_day(at: datetime) -> date:
    """Return the calendar day in Changsha at the instant `at`."""
    return at.astimezone(SHANGHAI).date()


def shanghai_midnight(day: date) -> datetime:
    """Return the instant at which a day begins in Changsha."""
    return datetime.combine(day, time(), SHANGHAI)


def shanghai_text(at: datetime) -> str:
    """Return `2026-11-24 14:05`, the form that every screen and reason uses."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def span_text(seconds: float) -> str:
    """Return a length of time in Chinese words, e.g. `1 小时 05 分` or `40 秒`."""
    total = round(abs(seconds))
    hours, rest = divmod(total, 3600)
    minutes, secs = divmod(rest, 60)
    if hours:
        return f"{hours} 小时 {minutes:02d} 分"
    return f"{minutes} 分 {secs:02d} 秒" if minutes else f"{secs} 秒"


@dataclass(frozen=True, slots=True)
class Workdays:
    """Which days count: Monday to Friday, less `holidays`, plus `extra` (weekend days worked, 调休).

    Years that the two sets do not know fall back to plain weekdays.
    """

    holidays: Collection[date] = frozenset()
    extra: Collection[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Tell whether `day` is a working day."""
        if day in self.extra:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def add(self, start: datetime, days: int) -> datetime:
        """Return the same time of day, `days` working days after `start`.

        A start on a day off counts as the end of that day: one working day later is the end of the next one.
        """
        local = start.astimezone(SHANGHAI)
        if not self.is_workday(local.date()):
            local = local.replace(hour=23, minute=59, second=59, microsecond=0)
        left = days
        while left:
            local += timedelta(days=1)
            left -= self.is_workday(local.date())
        return local.astimezone(UTC)
