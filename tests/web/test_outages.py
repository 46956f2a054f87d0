"""Notices over HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.cast import ZONE_A
from tests.web.conftest import As, a_call

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
    page = json.loads(as_("agent").get("/outages").data)
    assert [(item["id"], item["status"]) for item in page["items"]] == [(told["id"], "published")]
    assert json.loads(as_("agent").get(f"/outages/{told['id']}").data) == told
    drawn = as_("agent").get(f"/outages/{told['id']}/picture.svg")
    assert (drawn.mimetype, drawn.text.startswith("<svg ")) == ("image/svg+xml", True)
    back = as_("supervisor").post(f"/outages/{told['id']}/restore", {})
    assert (back.status_code, json.loads(back.data)["phase"]) == (200, "over")
    assert as_("supervisor").post("/outages/77/restore", {}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at": "2026-11-24T01:00:00+08:00"}, "ends_at"),
        ({"starts_at": "2026-11-24"}, "starts_at"),
        ({"zone_ids": []}, "zone_ids"),
        ({"zone_ids": ["月球-01"]}, "zone_ids"),
        ({"is_planned": "no"}, "is_planned"),
        ({"title": "a\0b"}, "title"),
        ({"is_planned": True}, "is_planned"),
        ({"area": {"type": "Point", "coordinates": [112.9, 28.1]}}, "area"),
        ({"area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}, "area"),
        ({"late_return_h": 99}, "late_return_h"),
        ({"estates": [""]}, "estates.0"),
    ],
)
def test_what_is_wrong_is_named(as_: As, now: datetime, changes: dict[str, Any], field: str) -> None:
    answer = as_("admin").post("/outages", body(now, **changes))
    assert (answer.status_code, json.loads(answer.data)["field"]) == (422, field)


PIN = {"lon": 112.97, "lat": 28.19, "datum": "wgs84"}


def test_a_call_inside_is_answered_and_after_restored_dispatched_again(as_: As, now: datetime) -> None:
    writer, other, agent = as_("dispatcher"), as_("supervisor"), as_("agent")
    here = agent.get("/route", **PIN).get_json()["zone_id"]
    planned = body(now, is_planned=True, zone_ids=[here], starts_at=(now - timedelta(minutes=5)).isoformat())
    told = writer.post("/outage-drafts", planned, key="d-1").get_json()
    step = f"/outages/{told['id']}"
    assert writer.post("/outage-drafts", planned, key="d-1").get_json()["id"] == told["id"]
    refused = writer.post(f"{step}/approve", {"note": "急"})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-permitted")
    assert other.post(f"{step}/approve", {"version": 1}).get_json()["field"] == "note"
    assert other.post(f"{step}/approve", {"version": 1, "note": "阀门已裂"}).status_code == 200
    stale = writer.post(f"{step}/publish", {"version": 1})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "stale-version")
    assert writer.post(f"{step}/publish", {"version": 2}).get_json()["status"] == "published"

    sketch = {"called_at": now.isoformat(), "category": "no_water", "location": PIN}
    assert agent.post("/preview", sketch).get_json()["answered_by"]["id"] == told["id"]
    answered = agent.post("/calls", a_call(now, location=PIN)).get_json()
    assert (answered["outcome"], answered["ticket"], answered["outage"]["id"]) == ("answered", None, told["id"])
    by_machine = as_("cti").post("/calls", a_call(now, location=PIN, cti_call_id="c-1")).get_json()
    assert by_machine["outcome"] == "answered"
    sent = agent.post("/calls", a_call(now, location=PIN, override_outage=True)).get_json()
    assert (sent["outcome"], sent["ticket"]["status"]) == ("ticket", "dispatched")

    later = (now + timedelta(hours=6)).isoformat()
    extended = writer.post(f"{step}/extend", {"ends_at": later}, key="x-1").get_json()
    assert [one["ends_to"] for one in extended["extensions"]] == [later]
    assert writer.post(f"{step}/extend", {"ends_at": later}, key="x-1").get_json() == extended
    public = as_("agent").client.get("/api/v1/public/outages").get_json()["items"]
    assert [one["text"] for one in public[0]["extensions"]] == [extended["extensions"][0]["text"]]
    back = other.post(f"{step}/restore", {}).get_json()
    assert (back["status"], back["answered"]) == ("restored", 2)
    assert agent.post("/calls", a_call(now, location=PIN)).get_json()["outcome"] == "ticket"


def test_a_draft_is_changed_and_withdrawn(as_: As, now: datetime) -> None:
    soon = now + timedelta(days=2)
    planned = body(soon, is_planned=True)
    told = as_("dispatcher").post("/outage-drafts", planned).get_json()
    changed = as_("admin").post(f"/outages/{told['id']}/revise", {**planned, "title": "改期", "version": 1}).get_json()
    assert (changed["title"], changed["version"], changed["status"]) == ("改期", 2, "draft")
    assert as_("agent").get(f"/outages/{told['id']}").status_code == 404
    gone = as_("admin").post(f"/outages/{told['id']}/withdraw", {"note": "不停了"}).get_json()
    assert gone["status"] == "withdrawn"
    ended = as_("admin").post(f"/outages/{told['id']}/publish", {})
    assert (ended.status_code, ended.get_json()["code"]) == (409, "illegal-transition")
