"""A temporary fix opens the order for the rest by itself, once, whatever is repeated, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dispatch.domain.errors import InvalidInput, StaleVersion
from dispatch.domain.roles import Actor
from dispatch.domain.states import Status, Verb
from dispatch.domain.temporary import Temporary
from dispatch.services import board, console, crew, incidents, public, similar, tracking
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from dispatch.storage.board import Filter
from dispatch.storage.tickets import TICKETS
from tests.support.cast import (
    CALLER_PHONE,
    TEAM_A,
    TEAM_B,
    UNLOCATED,
    ZONE_A,
    Cast,
    act,
    call,
    dispatched,
    received,
    ticket_at,
)
from tests.support.store import in_parallel

BYPASS = Temporary("frozen_meter_bypass", "解冻后换回水表")
DAY = timedelta(days=1)


def done(desk: Desk, actor: Actor, number: str, now: datetime, **told: Any) -> dict[str, Any]:
    return act(desk, actor, number, Verb.DONE, now, **{"temporary": BYPASS, **told})


def tickets(desk: Desk, cast: Cast, now: datetime) -> list[dict[str, Any]]:
    """All tickets, the newest first."""
    found = board.tickets(desk, cast.admin, Filter(), text="", after=0, limit=50, now=now)
    items: list[dict[str, Any]] = found["items"]
    return items


def test_the_rest_is_an_order_of_its_own(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now, pipe_dn=20)
    by = now + 3 * DAY
    first = done(desk, cast.crew_a, number, now, temporary=replace(BYPASS, by=by), note="用户已通水")
    assert (first["status"], first["outcome"], first["temporary_kind"]) == ("done", "temporary", "frozen_meter_bypass")
    rest, shown = tickets(desk, cast, now)[0], board.ticket(desk, cast.crew_a, number, now)
    assert shown["follow_ups"] == [
        {"number": rest["number"], "status": "dispatched", "status_label": "派单", "appointment_at": by.isoformat()}
    ]
    last = shown["timeline"][-1]["text"]
    assert last.endswith(f"待办: 解冻后换回水表; 后续工单 {rest['number']}, 2026-11-27 10:00 前完成; 用户已通水")
    assert (rest["follow_up_of"], rest["team_id"], rest["zone_id"]) == (number, TEAM_A, ZONE_A)
    assert (rest["category"], rest["level"], rest["appointment_at"]) == ("repair", "P5", by.isoformat())
    assert (rest["pipe_dn"], rest["outcome"], rest["address"]) == (20, None, first["address"])
    assert {clock["kind"]: clock["due_at"] for clock in rest["clocks"]}["arrive"] == by.isoformat()
    story = board.ticket(desk, cast.crew_a, rest["number"], now)
    assert story["timeline"][0]["text"].startswith(f"{number} 临时处理 (冻坏水表改接直通管), 自动开后续工单")
    assert [one["caller_phone"] for one in story["calls"]] == ["130****0001"]  # whoever called about the first


def test_the_caller_finds_the_rest(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    done(desk, cast.crew_a, number, now)
    rest = tickets(desk, cast, now)[0]["number"]
    known = console.caller(desk, cast.agent, CALLER_PHONE, now)
    assert [ticket["number"] for ticket in known["open_tickets"]] == [rest, number]
    assert crew.jobs(desk, cast.crew_a, now)["items"][0]["caller_phone"] == "130****0001"
    assert public.look_up(desk, "key", rest, CALLER_PHONE[-4:], address="10.0.0.1", now=now)["number"] == rest
    told = tracking.progress(desk, number, now)
    assert ([one["number"] for one in told["follow_ups"]], told["follow_up_of"]) == ([rest], None)
    assert tracking.progress(desk, rest, now)["follow_up_of"] == number


def test_mended_is_mended(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    assert act(desk, cast.crew_a, number, Verb.DONE, now)["outcome"] == "fixed"
    assert len(tickets(desk, cast, now)) == 1


def test_told_again_it_is_one(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    first = done(desk, cast.crew_a, number, now, key="k1")
    assert done(desk, cast.crew_a, number, now + DAY, key="k1") == first  # the phone sends what it has no answer to
    done(desk, cast.crew_a, number, now)  # a second tap
    assert len(tickets(desk, cast, now)) == 2


def test_two_of_the_crew_at_once_open_one(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    version = board.ticket(desk, cast.crew_a, number, now)["version"]
    both = [lambda who=who: done(desk, who, number, now, version=version) for who in (cast.crew_a, cast.lead_a)]
    told = in_parallel(both)
    assert [type(one) for one in told if isinstance(one, Exception)] == [StaleVersion]
    assert len(tickets(desk, cast, now)) == 2


def test_rework_goes_on_with_the_open_one(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    done(desk, cast.crew_a, number, now)
    rest = tickets(desk, cast, now)[0]["number"]
    again = act(desk, cast.agent, number, Verb.REWORK, now, note="又停了")
    assert (again["outcome"], again["temporary_kind"]) == (None, None)
    for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE):
        act(desk, cast.crew_a, number, verb, now)
    done(desk, cast.crew_a, number, now, temporary=Temporary("clamp", "换管段"))
    assert len(tickets(desk, cast, now)) == 2
    assert "再次临时处理" in board.ticket(desk, cast.crew_a, rest, now)["timeline"][-1]["text"]


def test_the_rest_of_the_rest_keeps_its_caller(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    done(desk, cast.crew_a, number, now)
    second = tickets(desk, cast, now)[0]["number"]
    for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.DONE):
        told = {"temporary": Temporary("cover_guard", "换井盖")} if verb is Verb.DONE else {}
        act(desk, cast.crew_a, second, verb, now, **told)
    third = tickets(desk, cast, now)[0]
    assert (third["follow_up_of"], third["level"], third["appointment_at"]) == (second, "P3", None)
    assert len(board.ticket(desk, cast.crew_a, third["number"], now)["calls"]) == 1


def test_a_later_caller_of_the_rest_is_its_own(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    done(desk, cast.crew_a, number, now)
    rest = tickets(desk, cast, now)[0]["number"]
    call(desk, cast.agent, now, attach_to=rest, caller_phone="13000000002")
    assert len(board.ticket(desk, cast.agent, rest, now)["calls"]) == 2
    assert len(board.ticket(desk, cast.agent, number, now)["calls"]) == 1


@pytest.mark.parametrize("zone_id", [None, ZONE_A])
def test_without_a_place_it_goes_to_the_grid_or_to_who_was_there(
    desk: Desk, cast: Cast, now: datetime, zone_id: str | None
) -> None:
    number = received(desk, now)
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id=TEAM_B)
    with desk.store.write() as tx:
        tx.conn.execute(update(TICKETS).values(zone_id=zone_id))
    for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE):
        act(desk, cast.crew_b, number, verb, now, note=UNLOCATED)
    done(desk, cast.crew_b, number, now)
    rest = tickets(desk, cast, now)[0]
    assert rest["team_id"] == (TEAM_A if zone_id else TEAM_B)
    assert rest["route_reason"] == f"随原工单 {number}"


def test_where_nobody_is_responsible_a_dispatcher_decides(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    with desk.store.write() as tx:
        tx.conn.execute(update(TICKETS).values(lon=None, lat=None, zone_id=None, team_id="gone"))
    done(desk, cast.dispatcher, number, now)
    assert tickets(desk, cast, now)[0]["status"] == "received"


def test_a_refused_step_opens_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    with pytest.raises(InvalidInput):
        done(desk, cast.crew_a, number, now, temporary=Temporary("glue", "换"))
    assert len(tickets(desk, cast, now)) == 1


def test_of_an_incident_the_lead_alone_has_a_rest(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = ticket_at(desk, Status.WORKING, now), dispatched(desk, now, caller_phone="13000000002")
    incidents.open_(Wish(desk, cast.dispatcher, {}, now, None), lead, [other], "冻坏")
    done(desk, cast.crew_a, lead, now)
    seen = {number: board.ticket(desk, cast.dispatcher, number, now) for number in (lead, other)}
    assert {one["outcome"] for one in seen.values()} == {"temporary"}
    assert [len(seen[number]["follow_ups"]) for number in (lead, other)] == [1, 0]


def test_the_rest_looks_like_no_other_call(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    done(desk, cast.crew_a, number, now)
    rest = tickets(desk, cast, now)[0]["number"]
    assert similar.of_ticket(desk, cast.agent, rest, now) == {"items": []}
    told = call(desk, cast.agent, now, caller_phone="13000000002").body
    assert rest not in {one["number"] for one in told["suggestions"]}
