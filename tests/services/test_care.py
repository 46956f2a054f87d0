"""Whom one must take care of is not lost among forty callers: who joins a ticket, is answered, merged or carried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.states import Verb
from dispatch.services import board, escalation, incidents
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from tests.services.test_customers import bring, hospital, recipients, ticket
from tests.services.test_outages import publish
from tests.support.cast import BRANCH, CALLER_PHONE, ZONE_A, Cast, act, call, dispatched, spot

MINUTE = timedelta(minutes=1)
OTHER = "13000000009"
DIALYSIS = f"居家透析,样例用户,{CALLER_PHONE},,,,,,,\n"


def lines(desk: Desk, cast: Cast, number: str, now: datetime, kind: str = "customer") -> list[str]:
    return [one["text"] for one in ticket(desk, cast, number, now)["timeline"] if one["kind"] == kind]


def other(desk: Desk, now: datetime, **changes: Any) -> str:
    return dispatched(desk, now, **{"category": "pressure", "caller_phone": OTHER, **changes})


def test_who_joins_a_ticket_lifts_it_and_is_told_of_once(desk: Desk, cast: Cast, now: datetime) -> None:
    """The clocks of the new level count from 受理, as with every 改级."""
    bring(desk, cast.supervisor, DIALYSIS, now)
    number = other(desk, now)
    assert (ticket(desk, cast, number, now)["level"], ticket(desk, cast, number, now)["flags"]) == ("P3", [])
    later = now + 3 * MINUTE
    call(desk, cast.agent, later, attach_to=number, caller_phone=CALLER_PHONE)
    shown = ticket(desk, cast, number, later)
    assert (shown["level"], shown["flags"]) == ("P1", ["居家透析"])
    assert lines(desk, cast, number, later) == ["居家透析: 由 P3 提为 P1"]
    assert len(lines(desk, cast, number, later, "relevel")) == 1
    (arrive,) = [one for one in shown["clocks"] if one["kind"] == "arrive" and one["state"] == "running"]
    assert arrive["start_at"] == now.isoformat()
    assert recipients(desk, "又涉及重点保障用户: 居家透析") == [[f"branch_duty:{BRANCH}"]]
    call(desk, cast.agent, later + MINUTE, attach_to=number, caller_phone=CALLER_PHONE)
    assert len(lines(desk, cast, number, later)) == 1
    assert len(recipients(desk, "又涉及重点保障用户")) == 1
    escalation.sweep(desk, now + 9 * MINUTE)
    (step,) = [one for one in ticket(desk, cast, number, later)["escalations"] if one["clock"] == "ack"]
    assert f"branch_duty:{BRANCH}" in step["recipients"]


def test_a_flag_that_lifts_nothing_is_kept_all_the_same(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, DIALYSIS, now)
    number = other(desk, now, category="burst")
    call(desk, cast.agent, now, attach_to=number, caller_phone=CALLER_PHONE, category="burst")
    shown = ticket(desk, cast, number, now)
    assert (shown["level"], shown["flags"]) == ("P1", ["居家透析"])
    assert lines(desk, cast, number, now) == ["居家透析: 等级 P1 不变"]
    call(desk, cast.agent, now, attach_to=number, caller_phone=OTHER, category="burst")
    assert len(lines(desk, cast, number, now)) == 1


def test_who_is_answered_by_an_outage_is_told_to_who_must_know(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, DIALYSIS, now)
    told = publish(desk, cast, now)
    here = spot(desk, ZONE_A, now)
    answered = call(desk, cast.agent, now, point=here, caller_phone=CALLER_PHONE).body
    assert answered["outcome"] == "answered"
    assert recipients(desk, f"居家透析 来电 {answered['call_id']}, 在停水公告 {told['id']}") == [
        [f"branch_duty:{BRANCH}"]
    ]
    audited = board.audited(desk, cast.auditor, subject=f"call {answered['call_id']}", after=0, limit=9)["items"]
    assert {"flags": ["居家透析"], "outage": told["id"]} in [entry["detail"] for entry in audited]
    call(desk, cast.agent, now, point=here, caller_phone=OTHER)
    assert len(recipients(desk, "在停水公告")) == 1


def test_who_is_answered_outside_of_every_grid_is_told_to_the_dispatcher(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, DIALYSIS, now)
    publish(desk, cast, now, zone_ids=(), estates=("岳麓公馆",))
    answered = call(desk, cast.agent, now, point=None, address="岳麓公馆3栋", caller_phone=CALLER_PHONE).body
    assert answered["outcome"] == "answered"
    assert recipients(desk, "居家透析 来电") == [["dispatcher"]]


def test_a_merged_ticket_brings_its_flags_along(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, DIALYSIS, now)
    flagged = dispatched(desk, now, category="pressure", caller_phone=CALLER_PHONE, cti_call_id="flagged")
    into = other(desk, now, cti_call_id="into")
    act(desk, cast.dispatcher, flagged, Verb.MERGE, now, into=into)
    shown = ticket(desk, cast, into, now)
    assert (shown["level"], shown["flags"]) == ("P1", ["居家透析"])
    third = other(desk, now, cti_call_id="third")
    act(desk, cast.dispatcher, third, Verb.MERGE, now, into=into)
    assert len(lines(desk, cast, into, now)) == 1


def test_who_is_carried_by_an_incident_is_told_with_its_steps(desk: Desk, cast: Cast, now: datetime) -> None:
    """One ticket speaks for all, to the audiences of all; whoever is let out takes theirs along."""
    lead = other(desk, now, category="burst")
    bring(desk, cast.supervisor, hospital(desk, now), now)
    here = spot(desk, ZONE_A, now)
    carried = dispatched(
        desk, now, point=here, is_approximate=False, address="", caller_phone=None, category="no_water"
    )
    assert ticket(desk, cast, carried, now)["flags"] == ["医院"]
    incidents.open_(Wish(desk, cast.dispatcher, {}, now), lead, [carried], "")
    escalation.sweep(desk, now + 6 * MINUTE)
    steps = [one for one in ticket(desk, cast, lead, now)["escalations"] if one["clock"] == "ack"]
    assert steps
    assert all({f"branch_duty:{BRANCH}", "hotline_director"} <= set(step["recipients"]) for step in steps)
    assert [one["recipients"] for one in ticket(desk, cast, carried, now)["escalations"]] == [[]] * len(steps)
