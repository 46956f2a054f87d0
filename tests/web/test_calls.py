"""POST /calls from end to end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from apiflask import APIFlask

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from dispatch.web.api.requests import CALL_EXAMPLE
from tests.support.cast import CALLER, CALLER_PHONE, TEAM_A, ZONE_A, spot, ticket_at
from tests.web.conftest import As, a_call

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_a_call_becomes_a_ticket_that_says_where_it_went_until_when_and_why(as_: As, desk: Desk, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    pin = {"lon": point.lon, "lat": point.lat, "datum": "wgs84"}
    answer = as_("agent").post("/calls", a_call(now, location=pin, cti_call_id="cti-1"))
    assert answer.status_code == 201
    told = json.loads(answer.data)
    ticket = told["ticket"]
    assert told["outcome"] == "ticket"
    assert ticket["number"] == "GD20261124-000001"
    assert (ticket["zone_id"], ticket["team_id"], ticket["status"]) == (ZONE_A, TEAM_A, "dispatched")
    assert ticket["steward"]
    assert ZONE_A in ticket["route_reason"]
    due = {clock["kind"]: datetime.fromisoformat(clock["due_at"]) - now for clock in ticket["clocks"]}
    assert due["ack"] == timedelta(minutes=10)
    assert due["arrive"] == timedelta(minutes=30)
    assert all(clock["basis"] for clock in ticket["clocks"])
    assert CALLER_PHONE not in answer.text
    assert CALLER not in answer.text


def test_a_repeated_call_gets_the_first_answer(as_: As, now: datetime) -> None:
    agent, body = as_("agent"), a_call(now, cti_call_id="cti-1")
    first, again = agent.post("/calls", body, key="k1"), agent.post("/calls", body, key="k1")
    by_cti = as_("cti").post("/calls", body)
    assert [first.status_code, again.status_code, by_cti.status_code] == [201, 200, 200]
    assert first.json == again.json == by_cti.json
    assert len(json.loads(agent.get("/tickets").data)["items"]) == 1


@on_sqlite
def test_the_same_moment_written_differently_is_the_same_call(as_: As, now: datetime) -> None:
    agent = as_("agent")
    agent.post("/calls", a_call(now, called_at="2026-11-24T10:00:00+08:00"), key="k1")
    assert agent.post("/calls", a_call(now, called_at="2026-11-24T02:00:00Z"), key="k1").status_code == 200


@on_sqlite
def test_a_key_belongs_to_one_body(as_: As, now: datetime) -> None:
    agent = as_("agent")
    agent.post("/calls", a_call(now, cti_call_id="cti-1"), key="k1")
    for body, key, field in (
        (a_call(now, description="另一件事"), "k1", "Idempotency-Key"),
        (a_call(now, description="另一件事", cti_call_id="cti-1"), "k2", "cti_call_id"),
    ):
        answer = agent.post("/calls", body, key=key)
        assert answer.status_code == 422
        told = json.loads(answer.data)
        assert (told["code"], told["field"]) == ("idempotency-mismatch", field)


@on_sqlite
def test_a_key_of_one_person_is_none_of_another(as_: As, now: datetime) -> None:
    assert as_("agent").post("/calls", a_call(now), key="k1").status_code == 201
    assert as_("dispatcher").post("/calls", a_call(now, description="另一件事"), key="k1").status_code == 201


@on_sqlite
def test_a_failed_call_does_not_use_up_its_key(as_: As, now: datetime) -> None:
    agent = as_("agent")
    assert agent.post("/calls", a_call(now, category="no_such"), key="k1").status_code == 422
    assert agent.post("/calls", a_call(now), key="k1").status_code == 201


def test_a_call_joins_a_ticket(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    answer = as_("agent").post("/calls", a_call(now, description="邻居也没水", attach_to=number))
    assert answer.status_code == 201
    told = json.loads(answer.data)
    assert (told["outcome"], told["ticket"]["number"]) == ("attached", number)
    assert as_("agent").post("/calls", a_call(now, attach_to="GD20261124-999999")).status_code == 404


@on_sqlite
def test_a_question_is_answered_without_a_ticket(as_: As, now: datetime) -> None:
    body = {"called_at": now.isoformat(), "category": "inquiry", "answer": "水费每月 5 日前缴"}
    told = json.loads(as_("agent").post("/calls", body).data)
    assert (told["outcome"], told["ticket"]) == ("answered", None)


@on_sqlite
def test_nothing_is_a_body_without_fields(as_: As) -> None:
    told = json.loads(as_("agent").post("/calls").data)
    assert [fault["field"] for fault in told["errors"]] == ["category"]


@on_sqlite
def test_the_example_works_on_any_day(as_: As, now: datetime) -> None:
    for days, status in ((0, 201), (1, 200), (400, 200)):
        with time_machine.travel(now + timedelta(days=days), tick=False):
            answer = as_("agent").post("/calls", CALL_EXAMPLE)
        assert answer.status_code == status, "the same call again is no other call"
    with time_machine.travel(now + timedelta(days=400), tick=False):
        later = as_("agent").post("/calls", CALL_EXAMPLE | {"cti_call_id": "another"})
        assert later.status_code == 201


@on_sqlite
def test_a_call_without_a_time_came_in_now(as_: As, now: datetime) -> None:
    body = {name: value for name, value in a_call(now).items() if name != "called_at"}
    ticket = json.loads(as_("agent").post("/calls", body).data)["ticket"]
    assert ticket["received_at"] == now.isoformat()
    assert as_("agent").post("/calls", body | {"called_at": None}).status_code == 201


@on_sqlite
def test_a_body_larger_than_allowed_is_refused_however_it_is_sent(app: APIFlask, as_: As, now: datetime) -> None:
    limit = app.config["MAX_CONTENT_LENGTH"]
    body = json.dumps(a_call(now)).encode()
    for size, status in ((limit, 201), (limit + 1, 413)):
        padded = body.ljust(size)
        assert as_("agent").post("/calls", data=padded).status_code == status
        # As the server hands over a chunked body: without a length, but with an end.
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        answer = as_("agent").post("/calls", data=padded, environ_overrides=chunked)
        assert answer.status_code == status
    assert str(limit) in json.loads(answer.data)["detail"]
