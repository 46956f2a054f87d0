"""Notices over HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.cast import ZONE_A
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def body(now: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "title": "坡子街 DN300 抢修",
        "place": "坡子街, 黄兴路到下河街",
        "is_planned": False,
        "zone_ids": [ZONE_A],
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=4)).isoformat(),
        **changes,
    }


def test_a_notice_is_published_listed_and_taken_back(as_: As, now: datetime) -> None:
    answer = as_("dispatcher").post("/outages", body(now), key="o-1")
    assert answer.status_code == 201
    told = json.loads(answer.data)
    assert json.loads(as_("agent").get("/outages").data) == {"items": [told], "next": None}
    back = as_("supervisor").post(f"/outages/{told['id']}/restore")
    assert (back.status_code, json.loads(back.data)["phase"]) == (200, "over")
    assert as_("supervisor").post("/outages/77/restore").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at": "2026-11-24T01:00:00+08:00"}, "ends_at"),
        ({"starts_at": "2026-11-24"}, "starts_at"),
        ({"zone_ids": []}, "zone_ids"),
        ({"zone_ids": ["月球-01"]}, "zone_ids"),
        ({"is_planned": "no"}, "is_planned"),
        ({"title": "a\0b"}, "title"),
    ],
)
def test_what_is_wrong_is_named(as_: As, now: datetime, changes: dict[str, Any], field: str) -> None:
    answer = as_("admin").post("/outages", body(now, **changes))
    assert (answer.status_code, json.loads(answer.data)["field"]) == (422, field)
