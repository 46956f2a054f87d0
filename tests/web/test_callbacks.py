"""The call-backs over HTTP: the queue, one conversation, and the caller's own link."""

import json
from datetime import datetime
from typing import Any

import pytest
from apiflask import APIFlask

from dispatch.domain.states import Status, Verb
from dispatch.services.desk import Desk
from dispatch.services.links import sha256_of
from dispatch.storage import callbacks
from tests.support.cast import Cast, act, call, ticket_at
from tests.web.conftest import As, Browser

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def body(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return json.loads(answer.data) if answer.data else None


def test_an_agent_works_through_the_queue(as_: As, desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    call(desk, cast.agent, now, attach_to=number, caller_phone="13000000002")
    act(desk, cast.crew_a, number, Verb.DONE, now)
    agent = as_("agent")
    one, two = body(agent.get("/callbacks"))["items"]
    assert body(agent.get("/callbacks?is_mine=true&is_ready=true&branch=x"))["items"] == []
    taken = body(agent.post(f"/callbacks/{one['id']}/claim"))
    assert taken["caller_phone"].startswith("1300000000")
    body(agent.post(f"/callbacks/{one['id']}/release"), 204)
    tried = body(agent.post(f"/callbacks/{one['id']}/unreached", {"note": "关机"}, key="u-1"))
    assert tried["items"] == [{"id": one["id"], "number": number, "state": "waiting", "tries": 1, "rework": None}]
    again = agent.post(f"/callbacks/{one['id']}/unreached", {})
    assert body(again, 409)["code"] == "callback-too-soon"
    told = {"items": [{"id": two["id"], "is_solved": True, "is_satisfied": True}]}
    assert body(agent.post("/callbacks/settle", told, key="s-1"))["items"][0]["state"] == "reached"
    assert body(agent.post("/callbacks/settle", told), 409)["code"] == "callback-settled"
    assert body(agent.get(f"/callbacks/settled?number={number}"))["items"][0]["id"] == two["id"]
    assert body(agent.get("/callbacks/closable"))["items"] == []
    assert len(body(agent.get(f"/tickets/{number}"))["callbacks"]) == 2
    no = {"items": [{"id": one["id"], "is_solved": False}]}
    assert body(agent.post("/callbacks/settle", no), 422)["field"] == "reason"


def test_a_link_leads_to_the_page_and_takes_one_answer(
    app: APIFlask, browser: Browser, desk: Desk, now: datetime
) -> None:
    number = ticket_at(desk, Status.DONE, now)
    with desk.store.write() as tx:
        (row,) = callbacks.settled(tx, 0, 5, number) or callbacks.waiting_of(tx, ["13000000001"])
        callbacks.save(tx, [row["id"]], token_sha256=sha256_of("t-1"))
    there = app.test_client().get("/answer/t-1")
    assert there.status_code == 302
    assert there.location.startswith(f"/track/{number}/")
    assert there.location.endswith("#answer=t-1")
    assert there.headers["Cache-Control"] == "no-store"
    assert app.test_client().get("/answer/t-2").status_code == 404
    assert browser.get("/public/callbacks/t-1").get_json()["can_answer"] is True
    assert browser.get("/public/callbacks/t-2").status_code == 404
    told = browser.post("/public/callbacks/t-1", {"is_solved": True, "is_satisfied": True})
    assert told.get_json()["state"] == "answered_by_link"
    assert browser.post("/public/callbacks/t-1", {"is_solved": True}).status_code == 409
