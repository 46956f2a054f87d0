"""What a notice must be, and how it stands at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.outage import LONGEST, NewOutage, Phase, check_outage, phase

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = NewOutage(
    title="坡子街 DN300 抢修",
    place="坡子街, 黄兴路到下河街",
    is_planned=False,
    zone_ids=("天心-03",),
    starts_at=NOW - HOUR,
    ends_at=NOW + 4 * HOUR,
)
KNOWN = {"天心-03", "天心-04"}


def test_a_notice_may_have_begun_already() -> None:
    check_outage(TOLD, KNOWN, NOW)
    check_outage(replace(TOLD, starts_at=NOW + HOUR, ends_at=NOW + HOUR + LONGEST), KNOWN, NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"place": "\n"}, "place"),
        ({"title": "a\0"}, "title"),
        ({"zone_ids": ()}, "zone_ids"),
        ({"zone_ids": ("天心-03", "月球-01")}, "zone_ids"),
        ({"ends_at": NOW - HOUR}, "ends_at"),
        ({"starts_at": NOW - 3 * HOUR, "ends_at": NOW}, "ends_at"),
        ({"ends_at": NOW + LONGEST}, "ends_at"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_outage(replace(TOLD, **changes), KNOWN, NOW)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("after_start", "restored_at", "expected"),
    [
        (-1, None, Phase.COMING),
        (0, None, Phase.CURRENT),
        (4, None, Phase.CURRENT),
        (5, None, Phase.LATE),
        (29, None, Phase.LATE),
        (29.1, None, Phase.OVER),
        (2, NOW, Phase.OVER),
    ],
)
def test_how_a_notice_stands(after_start: float, restored_at: datetime | None, expected: Phase) -> None:
    now = TOLD.starts_at + timedelta(hours=after_start)
    assert phase(TOLD.starts_at, TOLD.ends_at, restored_at, now) is expected
