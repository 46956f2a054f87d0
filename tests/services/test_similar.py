"""What a call may be about too: found, told with its reasons, told apart for good, and never joined by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.states import Status, Verb
from dispatch.services import board, console, incident_facts, incidents, similar
from dispatch.services.console import Sketch
from dispatch.services.desk import Desk
from dispatch.services.incident_facts import Outline
from dispatch.services.incidents import Wish
from dispatch.services.similar import Probe
from dispatch.storage.similar import NOT_SAME, candidates
from dispatch.storage.tickets import TICKETS
from tests.support.cast import CALLER_PHONE, ZONE_A, ZONE_B, Cast, act, call, dispatched, received, spot, ticket_at
from tests.support.store import in_parallel

OTHER_PHONE = "13000000002"


def beside(desk: Desk, now: datetime, north_m: float) -> Wgs84Point:
    """A point so many metres north of the middle of crew A's grid."""
    here = spot(desk, ZONE_A, now)
    return Wgs84Point(here.lon, here.lat + north_m / metres_per_degree(here.lat)[1])


def told(desk: Desk, cast: Cast, now: datetime, **changes: Any) -> dict[str, Any]:
    """The answer to a call from somebody else at the middle of crew A's grid."""
    told = {"point": spot(desk, ZONE_A, now), "is_approximate": True, "caller_phone": OTHER_PHONE, **changes}
    return call(desk, cast.agent, now, **told).body


def suggested(body: dict[str, Any]) -> list[str]:
    return [one["number"] for one in body["suggestions"]]


def left(desk: Desk, cast: Cast, number: str, now: datetime) -> list[str]:
    return [one["number"] for one in similar.of_ticket(desk, cast.agent, number, now)["items"]]


def test_a_second_caller_is_told_of_the_first_ones_ticket_and_nothing_is_joined(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    first = dispatched(desk, now, description="整栋楼都停水了", address="坡子街 12 号")
    later = now + timedelta(minutes=7)
    point = beside(desk, now, 40)
    body = told(desk, cast, later, point=point, called_at=later, description="楼上楼下都停水了", address="坡子街12号院")
    (one,) = body["suggestions"]
    assert one["number"] == first
    assert one["score"] > 0.8
    assert one["distance_m"] == pytest.approx(40, abs=0.2)
    assert one["reasons"][:2] == ["相距 40 m", "同一门牌 (坡子街)"]
    assert one["reasons"][-1] == "7 分 00 秒前"
    assert (one["status"], one["category_label"], one["incident"]) == ("dispatched", "无水", None)
    assert body["outcome"] == "ticket"
    assert body["ticket"]["number"] != first
    assert left(desk, cast, first, later) == [body["ticket"]["number"]]


def test_the_agent_is_told_before_she_saves(desk: Desk, cast: Cast, now: datetime) -> None:
    first = dispatched(desk, now, description="整栋楼都停水了")
    sketch = Sketch(called_at=now, category="no_water", point=beside(desk, now, 20), description="停水了")
    assert suggested(console.preview(desk, cast.agent, sketch, now)) == [first]
    unknown = Sketch(called_at=now, point=beside(desk, now, 20))
    assert suggested(console.preview(desk, cast.agent, unknown, now)) == []


def test_without_points_the_words_of_the_address_find_it(desk: Desk, cast: Cast, now: datetime) -> None:
    first = received(desk, now, address="开福区四方坪金领家族小区8栋")
    body = told(desk, cast, now, point=None, address="金领家族 3 栋 2 单元")
    assert suggested(body) == [first]
    assert "同一小区不同楼栋 (四方坪金领家族)" in body["suggestions"][0]["reasons"][0]
    assert suggested(told(desk, cast, now, point=None, address="金领家族装饰公司")) == []


def test_a_crossing_is_told_by_its_roads_in_any_order(desk: Desk, cast: Cast, now: datetime) -> None:
    first = received(desk, now, category="burst", address="劳动西路与韶山北路交叉口")
    body = told(desk, cast, now, point=None, category="burst", address="韶山路劳动路口")
    assert suggested(body) == [first]
    assert body["suggestions"][0]["reasons"][0] == "同一路口 (劳动西路与韶山北路)"


def test_without_any_place_the_caller_does(desk: Desk, cast: Cast, now: datetime) -> None:
    first = received(desk, now, address="", point=spot(desk, ZONE_A, now), caller_phone=OTHER_PHONE)
    body = told(desk, cast, now, point=None, address="不清楚")
    assert suggested(body) == [first]
    assert body["suggestions"][0]["reasons"][0] == "同一来电号码"
    assert suggested(told(desk, cast, now, point=None, address="不清楚", caller_phone=None)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"category": "billing", "description": "水费多了"},
        {"category": "complaint", "description": "停水不通知"},
        {"category": "leak"},
        {"description": "只有我家停水, 邻居家都有水", "address": "另一栋 4 栋"},
    ],
    ids=["bill", "complaint", "leak", "alone"],
)
def test_another_problem_at_the_same_place_is_not_suggested(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, Any]
) -> None:
    dispatched(desk, now, description="整栋楼都停水了")
    assert suggested(told(desk, cast, now, **changes)) == []


def test_a_complaint_is_like_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    told(desk, cast, now, category="complaint")
    number = told(desk, cast, now, category="complaint")["ticket"]["number"]
    assert left(desk, cast, number, now) == []


@pytest.mark.parametrize("status", [Status.DONE, Status.CLOSED, Status.MERGED, Status.CANCELLED])
def test_what_takes_no_more_calls_is_not_suggested(desk: Desk, cast: Cast, now: datetime, status: Status) -> None:
    over = ticket_at(desk, status, now)
    assert over not in suggested(told(desk, cast, now))
    assert left(desk, cast, over, now) == []


def test_a_pin_moves_a_ticket_to_where_it_is_found(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now, address="哪里都不是")
    assert suggested(told(desk, cast, now, caller_phone=None)) == []
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, point=beside(desk, now, 30))
    assert number in suggested(told(desk, cast, now, caller_phone=None))


def test_of_many_on_one_spot_the_newest_are_looked_at(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers = [dispatched(desk, now, caller_phone=None) for _ in range(8)]
    probe = Probe(
        point=spot(desk, ZONE_A, now), address="", category="no_water", description="", caller_phone=None, called_at=now
    )
    with desk.store.read() as tx:
        found = similar.find(tx, desk, probe, now, most=3)
        assert [one.number for one in found] == numbers[:-4:-1]
        assert [one.number for one in similar.find(tx, desk, probe, now)] == numbers[: -similar.SHOWN - 1 : -1]
        assert len(similar.find(tx, desk, probe, now, limit=50)) == 8


def test_many_that_are_only_near_hide_none_of_the_same_caller_or_address(desk: Desk, cast: Cast, now: datetime) -> None:
    known = {"caller_phone": "13900000001", "address": "坡子街小区 3 栋"}
    first, second = dispatched(desk, now, **known), dispatched(desk, now, caller_phone=None, address=known["address"])
    near = [dispatched(desk, now, caller_phone=None, address="别处") for _ in range(4)]
    probe = Probe(point=spot(desk, ZONE_A, now), category="no_water", description="", called_at=now, **known)
    with desk.store.read() as tx:
        found = similar.find(tx, desk, probe, now, most=3)
    assert {one.number for one in found} == {first, second, near[-1]}


# ---------------------------------------------------------------- not the same


def pairs(desk: Desk) -> int:
    with desk.store.read() as tx:
        return int(tx.conn.execute(select(func.count()).select_from(NOT_SAME)).scalar_one())


def test_not_the_same_is_saved_with_the_call_and_never_suggested_again(desk: Desk, cast: Cast, now: datetime) -> None:
    first = dispatched(desk, now)
    body = told(desk, cast, now, not_same=(first,))
    second = body["ticket"]["number"]
    assert suggested(body) == []
    assert left(desk, cast, first, now) == left(desk, cast, second, now) == []
    assert suggested(told(desk, cast, now)) == [second, first]  # the third caller may mean either
    timeline = board.ticket(desk, cast.agent, second, now)["timeline"]
    assert timeline[-1]["text"] == f"坐席小周 (坐席) 认定与 {first} 不是同一问题"
    with desk.store.read() as tx:
        row = tx.conn.execute(select(NOT_SAME)).one()
    assert (row.said_by, row.said_at) == (cast.agent.user_id, now)


def test_a_call_that_joins_one_ticket_tells_it_from_another(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second = dispatched(desk, now), dispatched(desk, now)
    body = call(desk, cast.agent, now, attach_to=first, not_same=(second,)).body
    assert (body["outcome"], body["suggestions"]) == ("attached", [])
    assert second not in left(desk, cast, first, now)


def test_two_tickets_are_told_apart_once(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second, third = (dispatched(desk, now) for _ in range(3))
    for number, other in ((second, first), (first, second), (second, first)):
        found = similar.say_not_same(desk, cast.dispatcher, number, other, now)
        assert [one["number"] for one in found["items"]] == [third]
    assert pairs(desk) == 1
    said = [event for event in board.ticket(desk, cast.agent, second, now)["timeline"] if event["kind"] == "not-same"]
    assert len(said) == 1
    audited = board.audited(desk, cast.auditor, subject=second, after=0, limit=50)["items"]
    assert [entry["action"] for entry in audited].count("not-same") == 1


def test_two_who_tell_the_same_pair_apart_at_once(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second = dispatched(desk, now), dispatched(desk, now)
    jobs = [
        partial(similar.say_not_same, desk, cast.dispatcher, *pair, now)
        for pair in [(first, second), (second, first)] * 4
    ]
    assert not [answer for answer in in_parallel(jobs) if isinstance(answer, Exception)]
    assert pairs(desk) == 1


@pytest.mark.parametrize(
    ("say", "error", "field"),
    [
        (
            lambda desk, cast, now, one: similar.say_not_same(desk, cast.dispatcher, one, one, now),
            InvalidInput,
            "other",
        ),
        (lambda desk, cast, now, one: similar.say_not_same(desk, cast.dispatcher, one, "GD1", now), NotFound, "other"),
        (lambda desk, cast, now, one: similar.say_not_same(desk, cast.dispatcher, "GD1", one, now), NotFound, None),
        (lambda desk, cast, now, one: similar.say_not_same(desk, cast.crew_a, one, one, now), NotPermitted, None),
        (lambda desk, cast, now, one: similar.of_ticket(desk, cast.crew_a, one, now), NotPermitted, None),
        (lambda desk, cast, now, one: similar.of_ticket(desk, cast.agent, "GD1", now), NotFound, None),
        (lambda desk, cast, now, one: told(desk, cast, now, not_same=("GD1",)), NotFound, "not_same"),
        (lambda desk, cast, now, one: told(desk, cast, now, attach_to=one, not_same=(one,)), InvalidInput, "not_same"),
        (
            lambda desk, cast, now, one: told(desk, cast, now, category="inquiry", answer="是", not_same=(one,)),
            InvalidInput,
            "not_same",
        ),
        (lambda desk, cast, now, one: told(desk, cast, now, not_same=("\x00",)), InvalidInput, "not_same"),
    ],
)
def test_what_cannot_be_said(
    desk: Desk, cast: Cast, now: datetime, say: Callable[..., object], error: type[Exception], field: str | None
) -> None:
    one = dispatched(desk, now)
    with pytest.raises(error) as caught:
        say(desk, cast, now, one)
    assert getattr(caught.value, "field", None) == field
    assert pairs(desk) == 0


def test_of_a_number_that_rings_all_day_the_newest_calls_are_looked_at(desk: Desk, cast: Cast, now: datetime) -> None:
    """Such as that of another hotline, which puts callers through: what it rang about before is not walked through."""
    number = dispatched(desk, now)
    for _ in range(3):
        call(desk, cast.agent, now, category="inquiry", answer="是")
    with desk.store.read() as tx:
        found = {
            most: [row.number for row in candidates(tx, [], "", CALLER_PHONE, ["no_water"], most)] for most in (3, 4)
        }
    assert found == {3: [], 4: [number]}


# ---------------------------------------------------------------- joining, by people alone


def test_two_tickets_cannot_be_merged_into_each_other(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second = dispatched(desk, now), dispatched(desk, now)
    merge = partial(act, desk, cast.agent, verb=Verb.MERGE, now=now)
    answers = in_parallel([partial(merge, first, into=second), partial(merge, second, into=first)])
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], IllegalTransition | InvalidInput)
    with desk.store.read() as tx:
        into = dict(tx.conn.execute(select(TICKETS.c.number, TICKETS.c.merged_into)).all())
    assert sorted(into.values(), key=str) == sorted([None, first if into[second] else second], key=str)


@pytest.mark.parametrize("status", [Status.DONE, Status.CLOSED, Status.MERGED, Status.CANCELLED])
def test_nothing_is_merged_into_what_is_over_nor_is_what_is_over_merged(
    desk: Desk, cast: Cast, now: datetime, status: Status
) -> None:
    over, open_ = ticket_at(desk, status, now), dispatched(desk, now)
    for number, into in ((open_, over), (over, open_)):
        with pytest.raises((InvalidInput, IllegalTransition)):
            act(desk, cast.agent, number, Verb.MERGE, now, into=into)


def test_a_ticket_that_is_merged_while_another_call_comes(desk: Desk, cast: Cast, now: datetime) -> None:
    """Whoever is first decides: the call joins the open ticket, or is refused; it is never lost in a merged one."""
    first, second = dispatched(desk, now), dispatched(desk, now)
    jobs: list[Callable[[], object]] = [
        partial(act, desk, cast.dispatcher, first, Verb.MERGE, now, into=second),
        partial(call, desk, cast.agent, now, attach_to=first),
    ]
    merged, attached = in_parallel(jobs)
    assert not isinstance(merged, Exception)
    assert not isinstance(attached, Exception) or getattr(attached, "field", None) == "attach_to"
    with desk.store.read() as tx:
        assert tx.conn.execute(select(TICKETS.c.status).where(TICKETS.c.number == first)).scalar_one() == "merged"


def test_of_an_incident_the_ticket_that_leads_it_is_suggested(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, member = (dispatched(desk, now, category="burst", description="水管爆了") for _ in range(2))
    told_ = {"lead": lead, "tickets": [member]}
    incident = incidents.open_(Wish(desk, cast.dispatcher, told_, now, None), lead, [member], "")["number"]
    body = told(desk, cast, now, category="burst", description="马路上水管爆了")
    assert [(one["number"], one["incident"]) for one in body["suggestions"]] == [(lead, incident)]
    assert left(desk, cast, lead, now) == [body["ticket"]["number"]]  # not what follows it already
    similar.say_not_same(desk, cast.dispatcher, member, body["ticket"]["number"], now)
    assert left(desk, cast, body["ticket"]["number"], now) == [lead]
    similar.say_not_same(desk, cast.dispatcher, lead, body["ticket"]["number"], now)
    assert left(desk, cast, body["ticket"]["number"], now) == []


def test_whoever_differs_from_an_incident_is_asked_once(desk: Desk, cast: Cast, now: datetime) -> None:
    """Two presses at most for forty tickets: the lead's is for all, a follower's leaves the lead alone."""
    lead, *members = (dispatched(desk, now, category="burst", description="水管爆了") for _ in range(6))
    incidents.open_(Wish(desk, cast.dispatcher, {}, now, None), lead, members, "")
    body = told(desk, cast, now, category="burst", not_same=[lead], caller_phone=None)
    assert suggested(body) == []
    number = body["ticket"]["number"]
    assert left(desk, cast, number, now) == []
    other = told(desk, cast, now, category="burst", not_same=[number], caller_phone=None)["ticket"]["number"]
    similar.say_not_same(desk, cast.dispatcher, other, number, now)
    assert left(desk, cast, other, now) == [lead]
    similar.say_not_same(desk, cast.dispatcher, other, members[2], now)
    assert left(desk, cast, other, now) == [lead]
    similar.say_not_same(desk, cast.dispatcher, other, lead, now)
    assert left(desk, cast, other, now) == []


def test_an_incident_is_suggested_throughout_its_area(desk: Desk, cast: Cast, now: datetime) -> None:
    """A kilometre away no ticket is near, and the water is off all the same."""
    lead = dispatched(desk, now, category="burst", caller_phone=None)
    incident = incidents.open_(Wish(desk, cast.dispatcher, {}, now, None), lead, [], "")["number"]

    def call_from(north_m: float, **changes: Any) -> list[dict[str, Any]]:
        place = {"point": beside(desk, now, north_m), "address": "", "description": "停水了", "category": "no_water"}
        found: list[dict[str, Any]] = told(desk, cast, now, **{**place, "caller_phone": None, **changes})["suggestions"]
        return [one for one in found if one["incident"] is not None]

    assert call_from(1000) == []
    incident_facts.outline(Wish(desk, cast.dispatcher, {}, now, None), incident, Outline(metres=1500))
    (one,) = call_from(1000)
    assert (one["number"], one["incident"], one["reasons"]) == (lead, incident, [f"在事件 {incident} 影响范围内"])
    assert one["distance_m"] == pytest.approx(1000, abs=2)
    assert call_from(1600) == []
    assert call_from(1000, category="billing") == []
    assert call_from(1000, description="只有我家没水") == []
    assert call_from(1000, not_same=[lead]) == []
    assert len(call_from(0)) == 1  # its own ticket is near: told once
    incidents.dismiss(Wish(desk, cast.dispatcher, {}, now, None), incident, "误开")
    assert call_from(1000) == []


def test_where_the_lead_is_not_like_it_one_of_its_followers_is(desk: Desk, cast: Cast, now: datetime) -> None:
    lead = dispatched(desk, now, ZONE_B, category="burst", address="解放路 1 号", caller_phone=None)
    members = [dispatched(desk, now, category="burst", caller_phone=None) for _ in range(2)]
    incidents.open_(Wish(desk, cast.dispatcher, {}, now, None), lead, members, "")
    assert suggested(told(desk, cast, now, category="burst")) == [members[1]]
