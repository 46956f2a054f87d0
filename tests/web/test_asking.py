"""The routes of requests."""

from datetime import datetime, timedelta

import pytest

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from tests.support.cast import ticket_at
from tests.web.conftest import As
from tests.web.test_tickets import told

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_ask_and_decide(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    crew, boss = as_("crew.a"), as_("supervisor")
    body = {"verb": "hold", "reason": "wait_permit", "until": (now + timedelta(hours=3)).isoformat()}
    asked = told(crew.post(f"/tickets/{number}/requests", body, key="uuid-1"))
    assert told(crew.post(f"/tickets/{number}/requests", body, key="uuid-1")) == asked
    assert told(crew.post(f"/tickets/{number}/requests", body), 409)["code"] == "already-asked"
    assert told(crew.post(f"/tickets/{number}/requests", {**body, "verb": "close"}), 422)["field"] == "verb"
    assert told(boss.get("/requests"))["items"] == [asked]
    assert told(boss.get("/board", limit=0))["counters"]["requests"] == 1
    decided = told(boss.post(f"/requests/{asked['id']}/decide", {"is_granted": True, "answer": "同意"}))
    assert (decided["is_granted"], decided["decider"]) == (True, "值班长陈工")
    assert told(crew.get(f"/tickets/{number}"))["status"] == "on_hold"
    assert told(boss.get("/requests"))["items"] == []
    assert told(boss.get("/requests", is_open="false", number=number))["items"] == [decided]
    late = told(as_("dispatcher").post(f"/requests/{asked['id']}/decide", {"is_granted": False}), 409)
    assert late["code"] == "already-decided"
    assert told(crew.post(f"/requests/{asked['id']}/decide", {"is_granted": True}), 403)
