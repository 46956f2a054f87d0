"""Reading and moving tickets through the API, and who may see what."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from werkzeug.test import TestResponse

from dispatch.domain.states import Status, Verb
from dispatch.services import escalation
from dispatch.services.desk import Desk
from tests.support.cast import CALLER_PHONE, TEAM_A, ZONE_B, call, cast_of, dispatched, spot, ticket_at, what_it_needs
from tests.web.conftest import As

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def told(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return json.loads(answer.data)


def numbers(answer: TestResponse) -> list[str]:
    return [item["number"] for item in told(answer)["items"]]


def test_a_list_has_filters(as_: As, desk: Desk, now: datetime) -> None:
    unassigned = ticket_at(desk, Status.RECEIVED, now)
    done = ticket_at(desk, Status.DONE, now)
    other = dispatched(desk, now, ZONE_B, category="burst", description="马路上喷水")
    agent = as_("agent")
    for query, wanted in (
        ({}, [other, done, unassigned]),
        ({"status": "received,done"}, [done, unassigned]),
        ({"status": "closed"}, []),
        ({"level": "P1"}, [other]),
        ({"category": "burst, leak"}, [other]),
        ({"team_id": TEAM_A}, [done]),
        ({"zone_id": ZONE_B}, [other]),
        ({"route_status": "no_such"}, []),
        ({"is_open": "true"}, [other, done, unassigned]),
        ({"is_open": "false"}, []),
        ({"is_breached": "true"}, []),
        ({"q": "喷水"}, [other]),
        ({"q": "停水", "status": "done"}, [done]),
        ({"q": done}, [done]),
        ({"q": "没有的"}, []),
    ):
        assert numbers(agent.get("/tickets", **query)) == wanted, query


def test_search_needs_something_to_look_for(as_: As) -> None:
    assert told(as_("agent").get("/tickets", q="?!"), 422)["field"] == "q"


def test_pages_follow_one_another_without_gap_or_overlap(as_: As, desk: Desk, now: datetime) -> None:
    made = [ticket_at(desk, Status.RECEIVED, now) for _ in range(5)]
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = told(as_("agent").get("/tickets", limit=2, after=after))
        assert len(page["items"]) <= 2
        seen += [item["number"] for item in page["items"]]
        after = page["next"]
    assert seen == made[::-1]


def test_a_breach_is_seen_the_moment_it_is_due(app: APIFlask, as_: As, desk: Desk, now: datetime) -> None:
    number = dispatched(desk, now)
    agent = as_("agent")
    with time_machine.travel(now + timedelta(minutes=10), tick=False):
        assert numbers(agent.get("/tickets", is_breached="true")) == [number]


@on_sqlite
@pytest.mark.parametrize("verb", Verb)
def test_every_verb_works_through_its_route(verb: Verb, as_: As, desk: Desk, now: datetime) -> None:
    start = {
        Verb.DISPATCH: Status.RECEIVED, Verb.ACCEPT: Status.DISPATCHED, Verb.DEPART: Status.ACCEPTED,
        Verb.ARRIVE: Status.EN_ROUTE, Verb.WORK: Status.ON_SITE, Verb.RETURN: Status.DISPATCHED,
        Verb.RESUME: Status.ON_HOLD, Verb.CALLBACK: Status.DONE, Verb.CLOSE: Status.DONE, Verb.REWORK: Status.DONE,
        Verb.MERGE: Status.DISPATCHED, Verb.CANCEL: Status.DISPATCHED, Verb.REASSIGN: Status.DISPATCHED,
    }.get(verb, Status.WORKING)  # fmt: skip
    changes: dict[str, Any] = {"category": "burst"} if verb is Verb.ISOLATE else {}
    number = ticket_at(desk, start, now, **changes)
    body = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in needs(desk, verb, now)}
    if verb is Verb.CLOSE:
        told(as_("admin").post(f"/tickets/{number}/callback", {"is_reached": True, "is_solved": True}))
    before = told(as_("admin").get(f"/tickets/{number}"))
    after = told(as_("admin").post(f"/tickets/{number}/{verb}", body, key="once"))
    assert after["version"] > before["version"]
    assert told(as_("admin").post(f"/tickets/{number}/{verb}", body, key="once")) == after
    timeline = told(as_("admin").get(f"/tickets/{number}"))["timeline"]
    assert [event["kind"] for event in timeline].count(verb) == 1 + (
        verb is Verb.DISPATCH and start is not Status.RECEIVED
    )


def needs(desk: Desk, verb: Verb, now: datetime) -> list[tuple[str, Any]]:
    told_more = {"is_reached": True} if verb is Verb.CALLBACK else {}
    if verb is Verb.SUPERVISE:
        told_more = {"note": "请分公司经理到场"}  # type: ignore[dict-item]
    return list({**what_it_needs(desk, verb, now), **told_more}.items())


def test_whoever_saw_an_old_version_is_shown_the_current_one(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.DISPATCHED, now)
    seen = told(as_("dispatcher").get(f"/tickets/{number}"))
    moved = told(as_("crew.a").post(f"/tickets/{number}/accept", {"version": seen["version"]}))
    stale = told(as_("dispatcher").post(f"/tickets/{number}/urge", {"version": seen["version"]}), 409)
    assert stale["code"] == "stale-version"
    assert stale["ticket"] == moved


def test_a_verb_that_does_not_fit_says_what_does(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.DISPATCHED, now)
    refused = told(as_("crew.a").post(f"/tickets/{number}/done"), 409)
    assert refused["code"] == "illegal-transition"
    assert told(as_("crew.a").post(f"/tickets/{number}/accept"))["status"] == "accepted"


def test_a_foreign_ticket_looks_like_none(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    crew_b = as_("crew.b")
    missing = told(crew_b.get("/tickets/GD20261124-999999"), 404)
    for answer in (
        crew_b.get(f"/tickets/{number}"),
        crew_b.post(f"/tickets/{number}/depart"),
        crew_b.post(f"/tickets/{number}/reveal", {"reason": "好奇"}),
    ):
        assert told(answer, 404)["detail"] == missing["detail"].replace("GD20261124-999999", number)
    assert numbers(crew_b.get("/tickets")) == []
    assert numbers(as_("crew.a").get("/tickets")) == [number]


def test_a_number_is_masked_until_somebody_says_why(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    detail = as_("crew.a").get(f"/tickets/{number}")
    assert CALLER_PHONE not in detail.text
    assert told(detail)["calls"][0]["caller_phone"] == "130****0001"
    assert told(as_("crew.a").post(f"/tickets/{number}/reveal", {"reason": "  "}), 422)["field"] == "reason"
    shown = told(as_("crew.a").post(f"/tickets/{number}/reveal", {"reason": "到场联系用户"}))
    assert shown["items"][0]["caller_phone"] == CALLER_PHONE
    (entry,) = told(as_("auditor").get("/audit", subject=number, limit=1))["items"]
    assert (entry["action"], entry["detail"]) == ("reveal", {"reason": "到场联系用户"})
    assert "水管家甲" in entry["actor"]


def test_an_escalation_waits_for_an_answer_and_the_first_one_stays(as_: As, desk: Desk, now: datetime) -> None:
    number = dispatched(desk, now)
    escalation.sweep(desk, now + timedelta(minutes=11))
    crew_b, crew_a, boss = as_("crew.b"), as_("crew.a"), as_("supervisor")
    (step,) = told(boss.get("/escalations", is_unanswered="true"))["items"]
    assert (step["number"], step["clock"], step["late_s"]) == (number, "ack", 60.0)
    assert told(crew_b.get("/escalations"))["items"] == []
    assert told(crew_b.post(f"/escalations/{step['id']}/acknowledge"), 404)
    first = told(crew_a.post(f"/escalations/{step['id']}/acknowledge"))
    assert told(boss.post(f"/escalations/{step['id']}/acknowledge")) == first
    assert "水管家甲" in first["acknowledged_by"]
    assert told(boss.get("/escalations", is_unanswered="true"))["items"] == []


@on_sqlite
def test_the_audit_is_read_by_its_roles_in_pages(as_: As, desk: Desk, now: datetime) -> None:
    for _ in range(3):
        ticket_at(desk, Status.ACCEPTED, now)
    first = told(as_("auditor").get("/audit", limit=4))
    then = told(as_("supervisor").get("/audit", limit=4, after=first["next"]))
    ids = [entry["id"] for entry in first["items"] + then["items"]]
    assert ids == list(range(ids[0], ids[0] - 8, -1))
    for login in ("agent", "crew.a", "dispatcher", "cti"):
        assert told(as_(login).get("/audit"), 403)["code"] == "not-permitted"


@on_sqlite
def test_what_is_looked_up_before_a_call(as_: As, desk: Desk, now: datetime) -> None:
    agent, point = as_("agent"), spot(desk, ZONE_B, now)
    route = told(agent.get("/route", lon=point.lon, lat=point.lat, datum="wgs84"))
    assert (route["zone_id"], bool(route["steward"])) == (ZONE_B, True)
    script = told(agent.get("/categories"))
    assert {"burst", "no_water"} <= {item["id"] for item in script["items"]}
    assert told(agent.get("/categories", policy_version=script["policy_version"])) == script
    assert agent.get("/categories", policy_version="1999").status_code == 422
    assert TEAM_A in {team["id"] for team in told(agent.get("/teams"))["items"]}


@on_sqlite
def test_the_caller_in_a_ticket_is_found_by_name_but_not_shown(as_: As, desk: Desk, now: datetime) -> None:
    call(desk, cast_of(desk).agent, now, caller_name="刘满哥")
    found = as_("agent").get("/tickets", q="刘满哥")
    assert len(numbers(found)) == 1
    assert "刘满哥" not in found.text
