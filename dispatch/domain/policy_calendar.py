"""The working days and working hours of a policy.

Its own table of days rules the years that it names; for the others stands what the State Council has announced, as far
as it is known; beyond that every weekday is worked, and `Calendars.unknown_years` says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from dispatch.domain import statutory
from dispatch.domain.calendar import DAY, WHOLE_DAY, Calendar, Calendars, Spans
from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.policy_values import Raw, get, parsed, texts
from dispatch.domain.times import Workdays

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")
_MINUTE = DAY // (24 * 60)
_MAX_SPANS = 6


def calendars(raw: Raw) -> Calendars:
    """Return the calendars of a policy.

    Raises:
        InvalidPolicy: for a day that stands twice, a year that is missing between two others, or hours that overlap.
    """
    section = get(raw, "workdays", "", dict)
    holidays, extra = _days(section, "holidays"), _days(section, "extra")
    both = sorted(holidays & extra)
    if both:
        detail = f"workdays 中 {both[0]} 既是假日又是上班日"
        raise InvalidPolicy(detail, field="workdays.extra")
    told = frozenset(day.year for day in holidays | extra)
    _check_years(told)
    workdays = Workdays(
        holidays | {day for day in statutory.HOLIDAYS if day.year not in told},
        extra | {day for day in statutory.EXTRA if day.year not in told},
    )
    hours = get(raw, "hours", "", dict) if "hours" in raw else {}
    branches: Mapping[str, Any] = get(hours, "branches", "hours", dict) if "branches" in hours else {}
    return Calendars(
        workdays=workdays,
        hours={name: Calendar(workdays, _spans(branches, name, "hours.branches")) for name in branches},
        usual=Calendar(workdays, _spans(hours, "usual", "hours") if hours else WHOLE_DAY),
        known_years=told | statutory.YEARS,
    )


def _days(raw: Raw, key: str) -> frozenset[date]:
    where = f"workdays.{key}"
    days = parsed(where, lambda: tuple(map(date.fromisoformat, texts(raw, key, "workdays"))))
    twice = sorted({day for day in days if days.count(day) > 1})
    if twice:
        raise InvalidPolicy(f"{where} 中 {twice[0]} 重复", field=where)
    return frozenset(days)


def _check_years(told: frozenset[int]) -> None:
    """Refuse a table that names a year before and one after another whose holidays nobody knows."""
    known = told | statutory.YEARS
    missing = [year for year in range(min(known), max(known)) if year not in known]
    if missing:
        raise InvalidPolicy(f"workdays.holidays 缺少 {missing[0]} 年的放假安排", field="workdays.holidays")


def _spans(raw: Raw, key: str, place: str) -> Spans:
    where = f"{place}.{key}"
    matches = [_SPAN.fullmatch(text) for text in texts(raw, key, place)]
    spans = []
    for match in matches:
        if match is None:
            raise InvalidPolicy(f"{where} 应写成 “08:30-12:00”", field=where)
        begin_h, begin_m, end_h, end_m = map(int, match.groups())
        spans.append(((begin_h * 60 + begin_m) * _MINUTE, (end_h * 60 + end_m) * _MINUTE))
    edges = [edge for span in spans for edge in span]
    if not 0 < len(spans) <= _MAX_SPANS or edges != sorted(set(edges)) or edges[-1] > DAY:
        raise InvalidPolicy(f"{where} 须为 1 到 {_MAX_SPANS} 段, 依次排列, 互不重叠, 止于 24:00", field=where)
    return tuple(spans)
