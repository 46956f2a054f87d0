"""What the agent sees while the caller speaks: the household, where the call would go, and what is open nearby."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dispatch.domain.cti import CtiEvent, CtiEventKind
from dispatch.domain.errors import InvalidInput, NotFound, NotPermitted
from dispatch.domain.place import Wgs84Point, metres_per_degree, to_gcj02
from dispatch.domain.states import Status, Verb
from dispatch.services import board, console, cti, outage_view
from dispatch.services.console import Sketch
from dispatch.services.desk import Desk
from tests.services.test_outages import publish
from tests.support.cast import (
    CALLER,
    CALLER_PHONE,
    NOWHERE,
    TEAM_A,
    ZONE_A,
    ZONE_FAR,
    Cast,
    act,
    call,
    received,
    spot,
    ticket_at,
)


def look(desk: Desk, cast: Cast, key: str, now: datetime) -> dict[str, Any]:
    return console.caller(desk, cast.agent, key, now)


def test_a_number_that_never_called(desk: Desk, cast: Cast, now: datetime) -> None:
    assert look(desk, cast, "13000000009", now) == {
        "caller_phone": "13000000009",
        "is_revealed": True,
        "names": [],
        "calls_30d": 0,
        "is_frequent": False,
        "open_tickets": [],
        "calls": [],
    }


def test_a_household_with_its_open_tickets_and_last_five_calls(desk: Desk, cast: Cast, now: datetime) -> None:
    closed = ticket_at(desk, Status.CLOSED, now)
    open_ = [received(desk, now, description=f"第 {n} 次") for n in range(3)]
    call(desk, cast.agent, now, attach_to=open_[0], caller_name=None)
    call(desk, cast.agent, now, category="inquiry", answer="每月 5 日前", caller_name="她儿子")
    call(desk, cast.agent, now, caller_phone="13000000002", caller_name="别人")
    known = look(desk, cast, CALLER_PHONE, now)
    assert known["names"] == ["她儿子", CALLER]
    assert [ticket["number"] for ticket in known["open_tickets"]] == open_[::-1]
    assert [(past["outcome"], past["number"]) for past in known["calls"]] == [
        ("answered", None),
        ("attached", open_[0]),
        ("ticket", open_[2]),
        ("ticket", open_[1]),
        ("ticket", open_[0]),
    ]
    assert closed not in str(known)
    assert (known["calls"][0]["status_label"], known["calls"][1]["status_label"]) == (None, "受理")
    assert known["calls"][1]["category_label"] == "无水"


def test_who_calls_often_is_pointed_out(desk: Desk, cast: Cast, now: datetime) -> None:
    for n in range(2):
        received(desk, now, called_at=now - timedelta(days=n))
    assert not look(desk, cast, CALLER_PHONE, now)["is_frequent"]
    received(desk, now)
    assert look(desk, cast, CALLER_PHONE, now)["is_frequent"]
    later = look(desk, cast, CALLER_PHONE, now + timedelta(days=29, hours=1))
    assert (later["calls_30d"], later["is_frequent"]) == (2, False)


def test_the_number_of_a_call_is_for_the_one_who_has_it(desk: Desk, cast: Cast, now: datetime) -> None:
    ring = CtiEvent(call_id="7731", kind=CtiEventKind.RING, at=now, caller=CALLER_PHONE)
    cti.hear(desk, cast.integration, ring, now)
    received(desk, now)
    before = look(desk, cast, "7731", now)
    assert (before["caller_phone"], before["is_revealed"]) == ("130****0001", False)
    assert before["names"] == [CALLER]
    cti.claim(desk, cast.agent, "7731", now)
    assert look(desk, cast, "7731", now)["caller_phone"] == CALLER_PHONE
    assert console.caller(desk, cast.dispatcher, "7731", now)["caller_phone"] == "130****0001"


def test_a_number_withheld_is_nobody(desk: Desk, cast: Cast, now: datetime) -> None:
    cti.hear(desk, cast.integration, CtiEvent(call_id="7731", kind=CtiEventKind.RING, at=now), now)
    received(desk, now, caller_phone=None)
    assert look(desk, cast, "7731", now)["calls"] == []


def test_a_key_that_is_no_number_is_not_there(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        look(desk, cast, "李娭毑", now)


def test_every_look_is_in_the_audit_without_the_number(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    look(desk, cast, CALLER_PHONE, now)
    entry = board.audited(desk, cast.auditor, subject=None, after=0, limit=1)["items"][0]
    assert (entry["action"], entry["subject"]) == ("view-caller", "caller 130****0001")
    assert entry["detail"] == {"tickets": [number]}
    assert CALLER_PHONE not in str(entry)


# ---------------------------------------------------------------- where it would go


def due(answer: dict[str, Any], now: datetime) -> dict[str, timedelta | None]:
    return {
        clock["kind"]: clock["due_at"] and datetime.fromisoformat(clock["due_at"]) - now for clock in answer["clocks"]
    }


def test_a_preview_says_what_intake_will_do(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    sketch = Sketch(called_at=now, category="leak", answers={"strength": "jet"}, point=to_gcj02(point), pipe_dn=300)
    seen = console.preview(desk, cast.agent, sketch, now)
    told: dict[str, Any] = {
        "category": "leak",
        "answers": {"strength": "jet"},
        "point": to_gcj02(point),
        "pipe_dn": 300,
    }
    ticket = call(desk, cast.agent, now, **told).body["ticket"]
    for name in ("zone_id", "team_id", "steward", "level", "level_label", "area"):
        assert seen[name] == ticket[name]
    assert (seen["team_id"], seen["level"], seen["reason"]) == (TEAM_A, "P1", ticket["route_reason"])
    assert {clock["kind"]: clock["due_at"] for clock in seen["clocks"]} == {
        clock["kind"]: clock["due_at"] for clock in ticket["clocks"]
    }
    assert due(seen, now)["fix"] == timedelta(hours=36)


def test_nothing_is_saved_by_a_preview(desk: Desk, cast: Cast, now: datetime) -> None:
    console.preview(desk, cast.agent, Sketch(called_at=now, category="leak"), now)
    assert received(desk, now) == "GD20261124-000001"


def test_the_area_changes_the_promise(desk: Desk, cast: Cast, now: datetime) -> None:
    far = Sketch(called_at=now, category="no_water", point=spot(desk, ZONE_FAR, now))
    assert due(console.preview(desk, cast.agent, far, now), now)["arrive"] == timedelta(minutes=60)


def test_words_alone_wait_for_a_dispatcher_and_so_does_a_place_outside_every_grid(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    bare = console.preview(desk, cast.agent, Sketch(called_at=now), now)
    assert (bare["status"], bare["team_id"], bare["level"], bare["clocks"]) == ("unlocated", None, None, [])
    outside = console.preview(desk, cast.agent, Sketch(called_at=now, category="burst", point=NOWHERE), now)
    assert (outside["status"], outside["team_id"], outside["level"]) == ("no_zone", None, "P1")


def test_a_known_outage_of_the_grid_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    names = outage_view.known(desk, now)[0]
    here, there = (Sketch(called_at=now, point=spot(desk, zone_id, now)) for zone_id in (ZONE_A, ZONE_FAR))
    assert console.preview(desk, cast.agent, here, now)["outages"] == [{name: told[name] for name in names}]
    assert console.preview(desk, cast.agent, there, now)["outages"] == []


def test_an_inquiry_has_no_level_and_an_appointment_is_asked_for(desk: Desk, cast: Cast, now: datetime) -> None:
    ask = partial(console.preview, desk, cast.agent)
    assert ask(Sketch(called_at=now, category="inquiry"), now)["clocks"] == []
    visit = Sketch(called_at=now, category="install")
    asked = ask(visit, now)
    assert (asked["needs_appointment"], due(asked, now)["arrive"]) == (True, None)
    agreed = ask(replace(visit, appointment_at=now + timedelta(days=2)), now)
    assert due(agreed, now)["arrive"] == timedelta(days=2)


def test_a_wrong_answer_names_its_question(desk: Desk, cast: Cast, now: datetime) -> None:
    wrong = Sketch(called_at=now, category="leak", answers={"strength": "flood"})
    with pytest.raises(InvalidInput) as caught:
        console.preview(desk, cast.agent, wrong, now)
    assert caught.value.field == "answers.strength"
    with pytest.raises(InvalidInput, match="“咨询”没有这个问题"):
        console.preview(desk, cast.agent, replace(wrong, category="inquiry"), now)


@pytest.mark.parametrize("name", ["天心-03", " 天心 -０３", "天心-03网格"])
def test_a_grid_is_found_by_its_name(desk: Desk, cast: Cast, now: datetime, name: str) -> None:
    first = console.grids(desk, cast.agent, name, now)["items"][0]
    assert (first["zone_id"], first["branch"]) == (ZONE_A, "城南")
    seen = console.preview(desk, cast.agent, Sketch(called_at=now, point=Wgs84Point(first["lon"], first["lat"])), now)
    assert seen["zone_id"] == ZONE_A


def test_part_of_a_name_finds_several_and_nothing_finds_none(desk: Desk, cast: Cast, now: datetime) -> None:
    several = console.grids(desk, cast.agent, "天心", now)["items"]
    assert len(several) == 9
    assert several[0]["zone_id"] == "天心-01"
    assert console.grids(desk, cast.agent, " ", now)["items"] == []


# ---------------------------------------------------------------- nearby


def east_of(point: Wgs84Point, metres: float) -> Wgs84Point:
    return Wgs84Point(point.lon + metres / metres_per_degree(point.lat)[0], point.lat)


def test_what_is_open_nearby_is_listed_nearest_first(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    far, near, mid = (received(desk, now, point=east_of(here, metres)) for metres in (520, 40, 300))
    received(desk, now)
    cancelled = received(desk, now, point=here)
    act(desk, cast.agent, cancelled, Verb.CANCEL, now, reason="by_caller")
    found = console.nearby(desk, cast.agent, to_gcj02(here), 500, now)["items"]
    assert [(ticket["number"], ticket["distance_m"]) for ticket in found] == [
        (near, pytest.approx(40, abs=0.2)),
        (mid, pytest.approx(300, abs=0.2)),
    ]
    wider = console.nearby(desk, cast.agent, here, 600, now)["items"]
    assert [ticket["number"] for ticket in wider] == [near, mid, far]


def test_of_many_the_nearest_nine(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    numbers = [received(desk, now, point=east_of(here, metres)) for metres in range(0, 240, 20)]
    found = console.nearby(desk, cast.agent, here, 500, now)["items"]
    assert [ticket["number"] for ticket in found] == numbers[:9]


def test_none_of_this_is_for_crews(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    for ask in (
        partial(console.caller, desk, cast.crew_a, CALLER_PHONE),
        partial(console.preview, desk, cast.crew_a, Sketch(called_at=now)),
        partial(console.grids, desk, cast.crew_a, "天心"),
        partial(console.nearby, desk, cast.crew_a, here, 500),
    ):
        with pytest.raises(NotPermitted):
            ask(now)
