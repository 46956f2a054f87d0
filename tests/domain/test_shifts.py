"""Hours as people write them."""

from datetime import UTC, date, datetime

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.shifts import Shift, Span, hours_text, parse_hours


@pytest.mark.parametrize(
    ("text", "spans", "again"),
    [
        ("08:00-20:00", [(480, 1200)], "08:00-20:00"),
        ("8:00－12：00，14:00~18:00", [(480, 720), (840, 1080)], "08:00-12:00, 14:00-18:00"),
        ("20:00至次日08:00", [(1200, 1920)], "20:00-次日08:00"),
        ("00:00-24:00", [(0, 1440)], "00:00-24:00"),
        ("08:00-次日08:00", [(480, 1920)], "08:00-次日08:00"),
        ("22:00-23:30、次日01:00-次日05:00", [(1320, 1410), (1500, 1740)], "22:00-23:30, 次日01:00-次日05:00"),
    ],
)
def test_hours_are_read_and_written(text: str, spans: list[tuple[int, int]], again: str) -> None:
    assert parse_hours(text) == tuple(Span(*span) for span in spans)
    assert hours_text(parse_hours(text)) == again


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "不是班次时间"),
        ("8-20", "不是班次时间"),
        ("08:00-25:00", "不是班次时间"),
        ("20:00-08:00", "跨夜请写明次日"),
        ("08:00-08:00", "下班不晚于上班"),
        ("08:00-12:00, 11:00-18:00", "分段重叠"),
        ("14:00-18:00, 08:00-12:00", "分段重叠或次序颠倒"),
        ("08:00-次日08:01", "超过 24 小时"),
        ("次日01:00-次日05:00", "应在当日上班"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_hours(text)


def test_a_span_of_a_day_is_an_instant_in_utc() -> None:
    shift = Shift("night", "夜班", parse_hours("20:00-次日08:00"))
    assert shift.label == "夜班 20:00-次日08:00"
    assert shift.spans[0].on(date(2026, 12, 4)) == (
        datetime(2026, 12, 4, 12, tzinfo=UTC),
        datetime(2026, 12, 5, 0, tzinfo=UTC),
    )
