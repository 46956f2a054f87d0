"""A call becomes a ticket, part of one, or an answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import shapely
from sqlalchemy import func, select

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Point, Wgs84Point, to_bd09, to_gcj02
from dispatch.domain.states import Status
from dispatch.services import board, routing
from dispatch.services.desk import Desk, NotReady
from dispatch.storage.calls import CALLS
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tickets import TICKETS
from tests.support.cast import (
    BRANCH,
    CALLER,
    CALLER_PHONE,
    NOWHERE,
    PLACEHOLDER,
    TEAM_A,
    TEAM_FAR,
    ZONE_A,
    ZONE_FAR,
    Cast,
    call,
    spot,
    ticket_at,
)


def count(desk: Desk) -> tuple[int, int]:
    """How many calls and tickets there are."""
    with desk.store.read() as tx:
        found = [tx.conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (CALLS, TICKETS)]
    return found[0], found[1]


def call_row(desk: Desk, call_id: int) -> dict[str, Any]:
    with desk.store.read() as tx:
        return dict(tx.conn.execute(select(CALLS).where(CALLS.c.id == call_id)).mappings().one())


def notices(desk: Desk) -> list[tuple[list[str], str]]:
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(OUTBOX).order_by(OUTBOX.c.id))
        return [(row.recipients, row.text) for row in rows]


# ---------------------------------------------------------------- what a call becomes


def test_a_call_with_a_place_becomes_a_dispatched_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    reply = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body
    assert reply["outcome"] == "ticket"
    ticket = reply["ticket"]
    assert ticket["number"] == "GD20261124-000001"
    assert (ticket["status"], ticket["zone_id"], ticket["team_id"], ticket["branch"]) == (
        "dispatched",
        ZONE_A,
        TEAM_A,
        BRANCH,
    )
    assert ticket["steward"] == "天心-03 水管家 A角"
    assert "在天心-03网格内" in ticket["route_reason"]
    due = {clock["kind"]: clock["due_at"] for clock in ticket["clocks"]}
    assert due == {
        "ack": "2026-11-24T02:10:00+00:00",
        "arrive": "2026-11-24T02:30:00+00:00",
        "fix": "2026-11-25T02:00:00+00:00",
    }
    assert all(clock["basis"] for clock in ticket["clocks"])
    assert notices(desk) == [([f"crew:{TEAM_A}"], f"新工单 {ticket['number']}: {ticket['route_reason']}")]


def test_the_answer_is_what_is_read_back(desk: Desk, cast: Cast, now: datetime) -> None:
    placed = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now), pipe_dn=300, category="burst").body["ticket"]
    lost = call(desk, cast.agent, now).body["ticket"]
    for told in (placed, lost):
        full = board.ticket(desk, cast.agent, told["number"], now)
        assert {name: full[name] for name in told} == told


def test_times_are_told_in_utc_whatever_the_agents_clock(desk: Desk, cast: Cast, now: datetime) -> None:
    east = now.astimezone(timezone(timedelta(hours=8)))
    ticket = call(desk, cast.agent, now, called_at=east).body["ticket"]
    assert ticket["received_at"] == now.isoformat()
    assert {clock["start_at"] for clock in ticket["clocks"]} == {now.isoformat()}


def test_clocks_run_from_the_call_not_from_its_entry(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket = call(desk, cast.agent, now, called_at=now - timedelta(minutes=7)).body["ticket"]
    (ack,) = (clock for clock in ticket["clocks"] if clock["kind"] == "ack")
    assert ack["due_at"] == (now + timedelta(minutes=3)).isoformat()


def test_the_timeline_begins_with_call_and_dispatch(desk: Desk, cast: Cast, now: datetime) -> None:
    reply = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body
    timeline = board.ticket(desk, cast.agent, reply["ticket"]["number"], now)["timeline"]
    assert [(event["kind"], event["from_status"], event["to_status"]) for event in timeline] == [
        ("receive", "received", "received"),
        ("dispatch", "received", "dispatched"),
    ]
    assert f"受理来电 {reply['call_id']}" in timeline[0]["text"]


def test_outside_the_circle_the_crew_has_longer(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket = call(desk, cast.agent, now, point=spot(desk, ZONE_FAR, now)).body["ticket"]
    (arrive,) = (clock for clock in ticket["clocks"] if clock["kind"] == "arrive")
    assert (ticket["area"], ticket["team_id"]) == ("outside", TEAM_FAR)
    assert arrive["due_at"] == (now + timedelta(minutes=60)).isoformat()


def test_answers_lift_the_level(desk: Desk, cast: Cast, now: datetime) -> None:
    assert call(desk, cast.agent, now).body["ticket"]["level"] == "P2"
    lifted = call(desk, cast.agent, now, answers={"hospital_or_school": True, "whole_building": False})
    assert lifted.body["ticket"]["level"] == "P1"
    assert call_row(desk, lifted.body["call_id"])["answers"] == {"hospital_or_school": True, "whole_building": False}


@pytest.mark.parametrize(("pipe_dn", "hours"), [(None, 24), (100, 24), (150, 36), (400, 36), (500, 48)])
def test_a_thick_pipe_has_longer(desk: Desk, cast: Cast, now: datetime, pipe_dn: int | None, hours: int) -> None:
    ticket = call(desk, cast.agent, now, category="burst", pipe_dn=pipe_dn).body["ticket"]
    due = {clock["kind"]: clock["due_at"] for clock in ticket["clocks"]}
    assert due["fix"] == (now + timedelta(hours=hours)).isoformat()
    assert due["isolate"] == (now + timedelta(hours=4)).isoformat()


def test_an_appointment_is_when_the_visit_is_due(desk: Desk, cast: Cast, now: datetime) -> None:
    agreed = now + timedelta(days=2)
    ticket = call(desk, cast.agent, now, category="install", appointment_at=agreed).body["ticket"]
    due = {clock["kind"]: clock["due_at"] for clock in ticket["clocks"]}
    assert ticket["level"] == "P5"
    assert due["arrive"] == ticket["appointment_at"] == agreed.isoformat()
    # One working day and five of them, from a Tuesday.
    assert due["ack"] == (now + timedelta(days=1)).isoformat()
    assert due["fix"] == (now + timedelta(days=7)).isoformat()


def test_without_an_appointment_nothing_promises_a_visit(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket = call(desk, cast.agent, now, category="install", address="").body["ticket"]
    assert sorted(clock["kind"] for clock in ticket["clocks"]) == ["ack", "fix"]


def test_a_question_is_answered_without_a_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    reply = call(desk, cast.agent, now, category="inquiry", answer="营业厅九点开门").body
    assert (reply["outcome"], reply["ticket"]) == ("answered", None)
    assert call_row(desk, reply["call_id"])["answer"] == "营业厅九点开门"
    assert count(desk) == (1, 0)
    assert notices(desk) == []


def test_a_second_caller_joins_the_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    first = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body["ticket"]
    second = call(desk, cast.agent, now, attach_to=first["number"], caller_name="邻居", caller_phone=None).body
    assert (second["outcome"], second["ticket"]["number"]) == ("attached", first["number"])
    assert count(desk) == (2, 1)
    full = board.ticket(desk, cast.agent, first["number"], now)
    assert [told["outcome"] for told in full["calls"]] == ["ticket", "attached"]
    assert [told["caller_phone"] for told in full["calls"]] == ["130****0001", None]
    assert full["timeline"][-1]["kind"] == "call"
    assert notices(desk)[-1] == ([f"crew:{TEAM_A}"], f"{first['number']} 又有来电: 整栋楼都停水了")


@pytest.mark.parametrize("status", [Status.DONE, Status.CLOSED, Status.MERGED, Status.CANCELLED])
def test_a_finished_ticket_takes_no_more_calls(desk: Desk, cast: Cast, now: datetime, status: Status) -> None:
    number = ticket_at(desk, status, now)
    before = count(desk)
    with pytest.raises(InvalidInput, match="请新建工单") as caught:
        call(desk, cast.agent, now, attach_to=number)
    assert caught.value.field == "attach_to"
    assert count(desk) == before


def test_what_came_in_is_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    reply = call(desk, cast.integration, now, cti_call_id="cti-1").body
    row = call_row(desk, reply["call_id"])
    assert (row["caller_name"], row["caller_phone"], row["cti_call_id"]) == (CALLER, CALLER_PHONE, "cti-1")
    assert (row["called_at"], row["logged_at"], row["taken_by"]) == (now, now, cast.integration.user_id)


# ---------------------------------------------------------------- where it lies


@pytest.mark.parametrize(
    ("convert", "datum"),
    [(lambda point: point, "wgs84"), (to_gcj02, "gcj02"), (to_bd09, "bd09")],
    ids=["wgs84", "gcj02", "bd09"],
)
def test_every_datum_leads_to_the_same_place_and_the_raw_pair_is_kept(
    desk: Desk, cast: Cast, now: datetime, convert: Callable[[Wgs84Point], Point], datum: str
) -> None:
    there = spot(desk, ZONE_A, now)
    raw = convert(there)
    reply = call(desk, cast.agent, now, point=raw).body
    assert reply["ticket"]["zone_id"] == ZONE_A
    assert reply["ticket"]["lon"] == pytest.approx(there.lon, abs=1e-8)
    assert reply["ticket"]["lat"] == pytest.approx(there.lat, abs=1e-8)
    row = call_row(desk, reply["call_id"])
    assert (row["raw_lon"], row["raw_lat"], row["datum"]) == (raw.lon, raw.lat, datum)


def test_only_an_address(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket = call(desk, cast.agent, now).body["ticket"]
    assert (ticket["status"], ticket["route_status"], ticket["team_id"]) == ("received", "unlocated", None)
    assert "待定位" in ticket["route_reason"]
    assert (ticket["lon"], ticket["lat"], ticket["area"]) == (None, None, "in_circle")
    assert notices(desk) == []


def test_outside_every_zone(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket = call(desk, cast.agent, now, point=NOWHERE).body["ticket"]
    assert (ticket["status"], ticket["route_status"], ticket["zone_id"]) == ("received", "no_zone", None)
    assert (ticket["lon"], ticket["lat"]) == (NOWHERE.lon, NOWHERE.lat)


def test_a_placeholder_is_quarantined_and_its_pair_kept_with_the_call_alone(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    reply = call(desk, cast.agent, now, point=PLACEHOLDER).body
    assert (reply["ticket"]["status"], reply["ticket"]["route_status"]) == ("received", "quarantined")
    assert (reply["ticket"]["lon"], reply["ticket"]["lat"]) == (None, None)
    assert call_row(desk, reply["call_id"])["raw_lon"] == 0.0


def test_just_outside_the_nearest_zone_answers(desk: Desk, cast: Cast, now: datetime) -> None:
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones
        west = min(zones.zones, key=lambda zone: zone.geometry.bounds[0])
    edge = min(shapely.get_coordinates(west.geometry).tolist())
    ticket = call(desk, cast.agent, now, point=Wgs84Point(edge[0] - 0.001, edge[1])).body["ticket"]
    assert (ticket["route_status"], ticket["zone_id"], ticket["status"]) == ("nearest", west.zone_id, "dispatched")
    assert "归最近网格" in ticket["route_reason"]


def test_a_grid_without_a_team_waits_for_the_dispatcher(desk: Desk, cast: Cast, now: datetime) -> None:
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
    there = spot(desk, ZONE_A, now)
    for teams, team in ((rules.teams, None), ({}, TEAM_A)):
        zone = replace(rules.zones.zone(ZONE_A), team_id=team)
        placing = routing.place(replace(rules, zones=type(rules.zones)([zone]), teams=teams), there)
        assert placing.assignment is None
        assert placing.zone == zone
        assert placing.reason.endswith("该网格没有班组")
        assert placing.columns(rules)["zone_id"] == ZONE_A


def test_a_preview_saves_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    shown = routing.preview(desk, spot(desk, ZONE_A, now), now)
    assert (shown["status"], shown["zone_id"], shown["team_id"]) == ("routed", ZONE_A, TEAM_A)
    assert (shown["steward"], shown["area"]) == ("天心-03 水管家 A角", "in_circle")
    nowhere = routing.preview(desk, NOWHERE, now)
    assert (nowhere["status"], nowhere["zone_id"], nowhere["team_id"]) == ("no_zone", None, None)
    assert nowhere["neighbour_zone_id"] is not None
    assert count(desk) == (0, 0)


# ---------------------------------------------------------------- what is refused


TOMORROW = datetime(2026, 11, 25, 2, tzinfo=UTC)
BAD_CALLS: list[tuple[dict[str, Any], str]] = [
    ({"category": "fire"}, "category"),
    ({"called_at": datetime(2026, 11, 24, 2, 1, 1, tzinfo=UTC)}, "called_at"),
    ({"called_at": datetime(2026, 11, 17, 1, 59, 59, tzinfo=UTC)}, "called_at"),
    ({"description": "a\x00b"}, "description"),
    ({"address": "\x1b[31m"}, "address"),
    ({"caller_name": "\ud800"}, "caller_name"),
    ({"caller_phone": "李娭毑"}, "caller_phone"),
    ({"caller_phone": "12"}, "caller_phone"),
    ({"answer": "好的"}, "answer"),
    ({"answer": "好的", "attach_to": "GD20261124-000001"}, "answer"),
    ({"category": "inquiry"}, "answer"),
    ({"address": " "}, "location"),
    ({"answers": {"colour": "red"}}, "answers.colour"),
    ({"answers": {"whole_building": "yes"}}, "answers.whole_building"),
    ({"category": "leak", "answers": {"strength": "lots"}}, "answers.strength"),
    ({"category": "inquiry", "answer": "好的", "answers": {"strength": "jet"}}, "answers.strength"),
    ({"category": "inquiry", "answer": "好的", "pipe_dn": 300}, "pipe_dn"),
    ({"category": "inquiry", "answer": "好的", "appointment_at": TOMORROW}, "appointment_at"),
    ({"category": "leak", "appointment_at": TOMORROW}, "appointment_at"),
]


def test_bad_calls(desk: Desk, cast: Cast, now: datetime, subtests: pytest.Subtests) -> None:
    for changes, field in BAD_CALLS:
        with subtests.test(str(changes)):
            with pytest.raises(InvalidInput) as caught:
                call(desk, cast.agent, now, **changes)
            assert caught.value.field == field
    assert count(desk) == (0, 0)


BAD_JOINS: list[tuple[dict[str, Any], str]] = [
    ({"answers": {"strength": "jet"}}, "answers.strength"),
    ({"pipe_dn": 300}, "pipe_dn"),
    ({"category": "install", "appointment_at": TOMORROW}, "appointment_at"),
]


def test_a_call_that_joins_brings_nothing_that_would_be_lost(
    desk: Desk, cast: Cast, now: datetime, subtests: pytest.Subtests
) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    before = count(desk)
    for changes, field in BAD_JOINS:
        with subtests.test(str(changes)):
            with pytest.raises(InvalidInput, match=r"去掉|没有这个问题") as caught:
                call(desk, cast.agent, now, attach_to=number, **changes)
            assert caught.value.field == field
    assert count(desk) == before
    joined = call(desk, cast.agent, now, attach_to=number, category="leak", answers={"strength": "jet"}).body
    assert call_row(desk, joined["call_id"])["answers"] == {"strength": "jet"}


def test_the_ticket_to_join_must_be_there(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound) as caught:
        call(desk, cast.agent, now, attach_to="GD20261124-999999")
    assert caught.value.field == "attach_to"
    assert count(desk) == (0, 0)


def test_before_the_first_policy_nobody_can_call(desk: Desk, cast: Cast, now: datetime) -> None:
    long_ago = datetime(2026, 10, 1, tzinfo=UTC)
    with pytest.raises(NotReady):
        call(desk, cast.agent, long_ago)
    assert count(desk) == (0, 0)
