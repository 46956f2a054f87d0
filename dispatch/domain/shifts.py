"""Shifts (班次): spans of a day's local time, written as `08:00-12:00, 14:00-18:00` or `20:00-次日08:00`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from dispatch.domain.errors import InvalidInput
from dispatch.domain.times import shanghai_midnight

DAY_MIN = 24 * 60
_NEXT = "次日"
_TIME = rf"({_NEXT})?([01]?\d|2[0-4]):([0-5]\d)"
_SPAN = re.compile(rf"{_TIME}\s*[-–—~至]+\s*{_TIME}")
_EXAMPLE = "例如 08:00-18:00, 跨夜写 20:00-次日08:00, 分段写 08:00-12:00, 14:00-18:00"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a shift, in minutes after midnight in Shanghai of the day that the shift belongs to.

    The end lies behind the start; beyond 1440 minutes it is on the day after.
    """

    start_min: int
    end_min: int

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Return start and end, UTC, of this part on a day."""
        midnight = shanghai_midnight(day).astimezone(UTC)
        return midnight + timedelta(minutes=self.start_min), midnight + timedelta(minutes=self.end_min)


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift: its spans in order, within 24 hours of the first one's start, so that it can be worked every day."""

    shift_id: str
    name: str
    spans: tuple[Span, ...]

    @property
    def label(self) -> str:
        """Name and hours, as reasons tell them."""
        return f"{self.name} {hours_text(self.spans)}"


def parse_hours(text: str) -> tuple[Span, ...]:
    """Read the hours of a shift; full-width signs are as good as others.

    Raises:
        InvalidInput: for what is no time, an end that is not behind its start (across midnight it must say 次日, lest
            a slip be taken for a night), parts that overlap, or more than 24 hours.
    """
    spans = tuple(_span(part.strip()) for part in re.split(r"[,、;]", unicodedata.normalize("NFKC", text)))
    for before, after in pairwise(spans):
        if after.start_min < before.end_min:
            raise InvalidInput(f"“{text}”分段重叠或次序颠倒", field="hours")
    if spans[0].start_min >= DAY_MIN:
        raise InvalidInput(f"“{text}”应在当日上班, 次日上班的请排在次日", field="hours")
    if spans[-1].end_min - spans[0].start_min > DAY_MIN:
        raise InvalidInput(f"“{text}”超过 24 小时", field="hours")
    return spans


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidInput(f"“{text}”不是班次时间, {_EXAMPLE}", field="hours")
    start, end = _minutes(*match.groups()[:3]), _minutes(*match.groups()[3:])
    if end <= start:
        raise InvalidInput(f"“{text}”下班不晚于上班; 跨夜请写明次日, 例如 20:00-次日08:00", field="hours")
    return Span(start, end)


def _minutes(next_day: str | None, hours: str, minutes: str) -> int:
    return (DAY_MIN if next_day else 0) + int(hours) * 60 + int(minutes)


def hours_text(spans: Sequence[Span]) -> str:
    """Return the hours as `parse_hours` reads them."""
    return ", ".join(f"{_minute_text(span.start_min)}-{_minute_text(span.end_min)}" for span in spans)


def _minute_text(minute: int) -> str:
    # Midnight at the end of a day is 24:00 of that day.
    days = int(minute > DAY_MIN)
    hours, minutes = divmod(minute - days * DAY_MIN, 60)
    return f"{_NEXT * days}{hours:02d}:{minutes:02d}"
