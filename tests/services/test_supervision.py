"""What the desk does to a ticket: dispatch, hold, extend, rework, merge, supervise, reveal."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.errors import (
    IllegalTransition,
    InvalidInput,
)
from dispatch.domain.place import Wgs84Point
from dispatch.domain.states import Status, Verb
from dispatch.services import board, supervision
from dispatch.services.desk import Desk
from dispatch.storage.columns import table_of
from dispatch.storage.tables import AuditRow, EventRow
from tests.support.cast import (
    NOWHERE,
    TEAM_A,
    TEAM_B,
    ZONE_A,
    ZONE_B,
    ZONE_FAR,
    Cast,
    act,
    dispatched,
    received,
    spot,
    ticket_at,
)
from tests.support.store import in_parallel


def written(desk: Desk) -> tuple[int, int]:
    """How many events and audit entries there are."""
    with desk.store.read() as tx:
        tables = (table_of(EventRow), table_of(AuditRow))
        events, entries = (tx.conn.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
    return events, entries


def clock(ticket: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(c for c in reversed(ticket["clocks"]) if c["kind"] == kind)


def test_dispatching_by_a_pin_places_the_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    pin = spot(desk, ZONE_B, now)
    after = act(desk, cast.agent, number, Verb.DISPATCH, now, point=pin)
    assert (after["team_id"], after["zone_id"], after["lon"], after["lat"]) == (TEAM_B, ZONE_B, pin.lon, pin.lat)
    assert (after["route_status"], after["steward"]) == ("routed", "天心-04 水管家 A角")


def test_a_pin_brings_the_promise_of_its_area(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now, category="no_water")
    before = board.ticket(desk, cast.agent, number, now)
    assert clock(before, "arrive")["due_at"] == (now + timedelta(minutes=30)).isoformat()
    after = act(desk, cast.agent, number, Verb.DISPATCH, now, point=spot(desk, ZONE_FAR, now))
    assert after["area"] == "outside"
    assert clock(after, "arrive")["due_at"] == (now + timedelta(minutes=60)).isoformat()
    assert clock(after, "arrive")["original_due_at"] == (now + timedelta(minutes=30)).isoformat()
    assert clock(after, "fix")["due_at"] == clock(before, "fix")["due_at"]
    back = act(desk, cast.dispatcher, number, Verb.REASSIGN, now, point=spot(desk, ZONE_A, now))
    assert (back["area"], clock(back, "arrive")["due_at"]) == ("in_circle", clock(before, "arrive")["due_at"])


def test_a_named_team_goes_before_the_pin_which_is_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    pin = spot(desk, ZONE_B, now)
    after = act(desk, cast.agent, number, Verb.DISPATCH, now, point=pin, team_id=TEAM_A)
    assert (after["team_id"], after["zone_id"], after["lon"]) == (TEAM_A, ZONE_B, pin.lon)


def test_a_placeholder_is_no_place(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    with pytest.raises(InvalidInput) as caught:
        act(desk, cast.agent, number, Verb.DISPATCH, now, point=Wgs84Point(0.0, 0.0), team_id=TEAM_A)
    assert caught.value.field == "location"


def test_a_pin_outside_every_zone_is_kept_with_a_named_team(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    pin = NOWHERE
    with pytest.raises(InvalidInput, match="team_id"):
        act(desk, cast.agent, number, Verb.DISPATCH, now, point=pin)
    after = act(desk, cast.agent, number, Verb.DISPATCH, now, point=pin, team_id=TEAM_A)
    assert (after["route_status"], after["lon"], after["area"]) == ("no_zone", pin.lon, "in_circle")


@pytest.mark.parametrize(
    ("told", "field"),
    [({}, "team_id"), ({"team_id": "nobody"}, "team_id"), ({"point": NOWHERE}, "location")],
    ids=["nothing", "unknown team", "nowhere"],
)
def test_dispatching_needs_somebody(desk: Desk, cast: Cast, now: datetime, told: dict[str, Any], field: str) -> None:
    number = received(desk, now)
    with pytest.raises(InvalidInput) as caught:
        act(desk, cast.agent, number, Verb.DISPATCH, now, **told)
    assert caught.value.field == field


def test_a_ruled_team_cannot_return(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id=TEAM_A, is_ruled=True)
    with pytest.raises(IllegalTransition, match="裁定"):
        act(desk, cast.crew_a, number, Verb.RETURN, now, reason="not_ours")


def test_a_return_resets_no_clock(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    before = board.ticket(desk, cast.dispatcher, number, now)["clocks"]
    act(desk, cast.crew_a, number, Verb.RETURN, now + timedelta(minutes=2), reason="not_ours")
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now + timedelta(minutes=3), team_id=TEAM_B)
    assert board.ticket(desk, cast.dispatcher, number, now)["clocks"] == before


def test_hold_pauses_fix_alone_and_resume_moves_it(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now, category="burst")
    held = act(desk, cast.lead_a, number, Verb.HOLD, now, reason="wait_power", until=now + timedelta(hours=9))
    assert (clock(held, "fix")["state"], clock(held, "isolate")["state"]) == ("paused", "running")
    later = now + timedelta(hours=3)
    again = act(desk, cast.crew_a, number, Verb.RESUME, later)
    assert again["status"] == "working"
    assert clock(again, "fix")["due_at"] == (now + timedelta(hours=27)).isoformat()
    assert clock(again, "fix")["original_due_at"] == (now + timedelta(hours=24)).isoformat()


def test_extend_keeps_the_original_due(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    until = now + timedelta(hours=40)
    fix = clock(act(desk, cast.dispatcher, number, Verb.EXTEND, now, until=until, reason="wait_material"), "fix")
    assert (fix["due_at"], fix["original_due_at"]) == (until.isoformat(), (now + timedelta(hours=24)).isoformat())


def test_rework_opens_a_new_round(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now)
    later = now + timedelta(hours=5)
    act(desk, cast.agent, number, Verb.CALLBACK, later, is_solved=False, is_satisfied=False)
    after = act(desk, cast.agent, number, Verb.REWORK, later, note="又漏了")
    assert (after["status"], after["round"], after["is_solved"]) == ("dispatched", 2, None)
    assert clock(after, "ack")["due_at"] == (later + timedelta(minutes=10)).isoformat()


def test_a_caller_who_cannot_be_reached(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now)
    for attempt in (1, 2, 3):
        with pytest.raises(IllegalTransition):
            act(desk, cast.agent, number, Verb.CLOSE, now)
        after = act(desk, cast.agent, number, Verb.CALLBACK, now + timedelta(hours=attempt), is_reached=False)
        assert after["callback_attempts"] == attempt
    closed = act(desk, cast.agent, number, Verb.CLOSE, now)
    assert (closed["status"], clock(closed, "callback")["state"]) == ("closed", "void")


def test_merging_brings_the_callers_together(desk: Desk, cast: Cast, now: datetime) -> None:
    one, two = dispatched(desk, now), dispatched(desk, now)
    after = act(desk, cast.agent, one, Verb.MERGE, now, into=two)
    assert (after["status"], after["merged_into"]) == ("merged", two)
    assert {c["state"] for c in after["clocks"]} == {"void"}
    last = board.ticket(desk, cast.agent, two, now)["timeline"][-1]
    assert (last["kind"], last["text"]) == ("merge", f"坐席小周 (坐席) 将 {one} 并入")


@pytest.mark.parametrize("into", [None, "", "GD20261124-009999", "itself", "over"])
def test_merging_needs_another_open_ticket(desk: Desk, cast: Cast, now: datetime, into: str | None) -> None:
    number = dispatched(desk, now)
    named = {"itself": number, "over": ticket_at(desk, Status.CANCELLED, now)}
    before = written(desk)
    with pytest.raises(InvalidInput) as caught:
        act(desk, cast.agent, number, Verb.MERGE, now, into=named.get(into or "", into))
    assert caught.value.field == "into"
    assert written(desk) == before


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_merges_into_each_other_one_wins(desk: Desk, cast: Cast, now: datetime, attempt: int) -> None:
    one, two = dispatched(desk, now), dispatched(desk, now)
    pairs = [(one, two), (two, one)] * 3
    results = in_parallel(
        [lambda a=a, b=b: act(desk, cast.agent, a, Verb.MERGE, now, into=b) for a, b in pairs]  # type: ignore[misc]
    )
    assert {type(result) for result in results} <= {dict, InvalidInput, IllegalTransition}
    tickets = [board.ticket(desk, cast.agent, number, now) for number in (one, two)]
    assert sorted(ticket["status"] for ticket in tickets) == ["dispatched", "merged"]
    merged, kept = sorted(tickets, key=lambda ticket: ticket["status"], reverse=True)
    assert (merged["merged_into"], kept["merged_into"]) == (kept["number"], None)
    won = [result for result in results if isinstance(result, dict)]
    assert {ticket["number"] for ticket in won} == {merged["number"]}


def test_merges_in_a_ring_leave_one_open(desk: Desk, cast: Cast, now: datetime) -> None:
    ring = [dispatched(desk, now) for _ in range(4)]
    pairs = list(zip(ring, ring[1:] + ring[:1], strict=True))
    in_parallel(
        [lambda a=a, b=b: act(desk, cast.agent, a, Verb.MERGE, now, into=b) for a, b in pairs]  # type: ignore[misc]
    )
    into = {number: board.ticket(desk, cast.agent, number, now)["merged_into"] for number in ring}
    assert None in into.values()
    for number in ring:
        steps = 0
        while (target := into[number]) is not None:
            number, steps = target, steps + 1
            assert steps < len(ring)


def test_revealing_is_audited(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    (shown,) = supervision.reveal(desk, cast.crew_a, number, "到场联系用户", now)
    assert (shown["caller_name"], shown["caller_phone"]) == ("李娭毑", "13000000001")
    (entry,) = board.audited(desk, cast.auditor, subject=number, after=0, limit=1)["items"]
    assert (entry["action"], entry["actor"], entry["detail"]) == (
        "reveal",
        cast.crew_a.label,
        {"reason": "到场联系用户"},
    )


@pytest.mark.parametrize("reason", ["", " ", "\x00"])
def test_revealing_needs_a_reason(desk: Desk, cast: Cast, now: datetime, reason: str) -> None:
    number = dispatched(desk, now)
    before = written(desk)
    with pytest.raises(InvalidInput) as caught:
        supervision.reveal(desk, cast.crew_a, number, reason, now)
    assert caught.value.field == "reason"
    assert written(desk) == before


def test_a_supervised_ticket_is_supervised_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    assert act(desk, cast.supervisor, number, Verb.SUPERVISE, now, note="盯紧")["is_supervised"]
    with pytest.raises(IllegalTransition):
        act(desk, cast.supervisor, number, Verb.SUPERVISE, now)
