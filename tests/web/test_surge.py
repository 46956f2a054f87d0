"""Surge mode over the API: in and out by hand, what people are told, wider clocks by two people."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from dispatch.services import surge
from dispatch.services.desk import Desk
from tests.support.cast import Cast
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
WIDER = {"levels": ["P3"], "clocks": ["ack", "fix"], "factor": 2, "word": "寒潮", "is_for_running": True}


def test_a_surge_by_hand(app: APIFlask, as_: As) -> None:
    boss, agent, visitor = as_("supervisor"), as_("agent"), app.test_client()
    assert agent.get("/surge").get_json()["surge"] is None
    assert visitor.get("/api/v1/public/surge").get_json() == {"text": None}
    begun = boss.post("/surge/enter", {"reason": "寒潮"}, key="k")
    assert begun.status_code == 201
    assert boss.post("/surge/enter", {"reason": "寒潮"}, key="k").get_json() == begun.get_json()
    again = boss.post("/surge/enter", {"reason": "寒潮"})
    assert (again.status_code, again.get_json()["code"]) == (409, "surge-conflict")
    texts = {"broadcast": "先问安全", "public_text": "请稍候", "version": 1}
    assert boss.post("/surge/texts", texts).status_code == 200
    assert agent.get("/surge").get_json()["surge"]["broadcast"] == "先问安全"
    assert visitor.get("/api/v1/public/surge").get_json() == {"text": "请稍候"}
    assert boss.post("/surge/leave", {"reason": "回落", "version": 1}).status_code == 409
    assert boss.post("/surge/leave", {"reason": "回落", "version": 2}).get_json()["surge"] is None
    assert boss.post("/surge/release", {}).get_json()["is_automatic"] is True
    (item,) = agent.get("/surges").get_json()["items"]
    assert (item["left_reason"], item["is_open"]) == ("回落", False)


def test_wider_clocks_by_two_people(as_: As, desk: Desk, cast: Cast) -> None:
    boss, admin = as_("supervisor"), as_("admin")
    boss.post("/surge/enter", {"reason": "寒潮"})
    proposed = boss.post("/surge/widenings", WIDER, key="w")
    assert (proposed.status_code, proposed.get_json()["state"]) == (201, "proposed")
    path = f"/surge/widenings/{proposed.get_json()['id']}/decide"
    assert boss.post(path, {"is_approved": True}).status_code == 403
    assert admin.post(path, {"is_approved": True}).get_json()["is_under_way"] is True
    wrong = boss.post("/surge/widenings", {**WIDER, "clocks": ["isolate"]})
    assert (wrong.status_code, wrong.get_json()["field"]) == (422, "clocks")
    assert boss.post("/surge/widenings", {**WIDER, "clocks": ["tea"]}).status_code == 422
    state = surge.history(desk, cast.agent, after=0, limit=1)["items"][0]
    assert [one["state"] for one in state["widenings"]] == ["approved"]
