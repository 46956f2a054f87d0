"""Telephone events and the agent's console from end to end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.services.desk import Desk
from tests.support.cast import CALLER, CALLER_PHONE, TEAM_A, ZONE_A, spot
from tests.web.conftest import As, Caller, In, a_call

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def tell(who: Caller, now: datetime, event: str = "ring", **changes: Any) -> Any:
    body = {"call_id": "7731", "event": event, "at": now.isoformat(), "caller": CALLER_PHONE, **changes}
    headers = {"Authorization": f"Bearer {who.token}"}
    return who.client.post("/cti/events", data=json.dumps(body), headers=headers)


def test_a_ring_is_taken_by_one_and_shown_to_all(as_: As, now: datetime) -> None:
    assert tell(as_("cti"), now).json["state"] == "ringing"
    tell(as_("cti"), now + timedelta(seconds=5), "answer", seat="012")
    (seen,) = json.loads(as_("agent").get("/cti-calls").data)["items"]
    assert (seen["state"], seen["caller_phone"], seen["seat"]) == ("answered", "130****0001", "012")
    assert json.loads(as_("agent").post("/cti-calls/7731/claim").data)["caller_phone"] == CALLER_PHONE
    late = as_("dispatcher").post("/cti-calls/7731/claim")
    told = json.loads(late.data)
    assert (late.status_code, told["code"], told["claimed_by"]) == (409, "call-taken", "坐席小周")
    assert "坐席小周" in told["detail"]
    tell(as_("cti"), now, "hangup")
    assert json.loads(as_("agent").get("/cti-calls").data)["items"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event": "transfer"}, "event"),
        ({"at": "2026-11-24T10:00:00"}, "at"),
        ({"at": 1_764_000_000}, "at"),
        ({"at": "2026-11-25T10:00:00+08:00"}, "at"),
        ({"call_id": ""}, "call_id"),
        ({"call_id": 7731}, "call_id"),
        ({"caller": "anonymous"}, "caller"),
        ({"agent": "zhou"}, "agent"),
    ],
)
def test_a_bad_event_is_refused_with_its_field(as_: As, now: datetime, changes: dict[str, Any], field: str) -> None:
    answer = tell(as_("cti"), now, **changes)
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_events_are_for_the_platform_alone(as_: As, in_: In, now: datetime) -> None:
    assert tell(as_("agent"), now).status_code == 403
    assert in_("agent").client.post("/cti/events", data=b"{}").status_code == 400  # a browser, without its token


def test_the_console_asks_before_it_saves(as_: As, desk: Desk, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    pin = {"lon": point.lon, "lat": point.lat, "datum": "wgs84"}
    agent = as_("agent")
    seen = json.loads(agent.post("/preview", {"called_at": now.isoformat(), "category": "burst", "location": pin}).data)
    assert (seen["team_id"], seen["level"], seen["needs_appointment"]) == (TEAM_A, "P1", False)
    assert [clock["kind"] for clock in seen["clocks"]] == ["ack", "arrive", "isolate", "fix"]
    agent.post("/calls", a_call(now, location=pin))
    (near,) = json.loads(agent.get("/nearby", **pin).data)["items"]
    assert near["distance_m"] == 0
    (open_,) = json.loads(agent.get(f"/callers/{CALLER_PHONE}").data)["open_tickets"]
    assert open_["number"] == near["number"]
    assert json.loads(agent.get("/grids", q=ZONE_A).data)["items"][0]["zone_id"] == ZONE_A
    assert agent.get("/nearby", **pin, radius_m=5001).status_code == 422
    assert CALLER not in agent.get("/nearby", **pin).text
