"""Events of a telephone platform that cannot be true are refused with their field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.cti import CtiEvent, CtiEventKind, check_event, state_of
from dispatch.domain.errors import InvalidInput

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
RING = CtiEvent(call_id="7731", kind=CtiEventKind.RING, at=NOW, caller="13000000001", line="96533", seat="012")


def test_a_good_event_passes_with_and_without_what_may_be_missing() -> None:
    check_event(RING, NOW)
    check_event(CtiEvent(call_id="7731", kind=CtiEventKind.HANGUP, at=NOW), NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"at": NOW + timedelta(minutes=2)}, "at"),
        ({"at": NOW - timedelta(days=8)}, "at"),
        ({"call_id": "a\x00b"}, "call_id"),
        ({"line": "\x1b[2J"}, "line"),
        ({"seat": "\ud800"}, "seat"),
        ({"caller": "unknown"}, "caller"),
        ({"caller": "１３０"}, "caller"),
    ],
)
def test_a_bad_event_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_event(replace(RING, **changes), NOW)
    assert caught.value.field == field


def test_how_a_call_stands() -> None:
    assert [state_of(None, None), state_of(NOW, None), state_of(None, NOW), state_of(NOW, NOW)] == [
        "ringing",
        "answered",
        "over",
        "over",
    ]
