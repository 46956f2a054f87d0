"""Who should go: read from positions and load, kept with the ticket, told before the dispatch and on the board."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import mapping

from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.states import Status, Verb
from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services import arrival, board, candidates, console, positions, queue, recommend, setup
from dispatch.services.console import Sketch
from dispatch.services.desk import Desk
from dispatch.services.live import Feed, viewer_of
from dispatch.storage import directory
from dispatch.storage.board import Filter
from tests.support import rosters
from tests.support.cast import NOWHERE, TEAM_A, TEAM_B, ZONE_A, Cast, act, dispatched, received, spot, ticket_at

MINUTE = timedelta(minutes=1)


def away(point: Wgs84Point, km: float) -> Wgs84Point:
    return Wgs84Point(point.lon + km * 1000 / metres_per_degree(point.lat)[0], point.lat)


def stand(desk: Desk, actor: Actor, point: Wgs84Point, at: datetime) -> None:
    positions.put(desk, actor, point, 8.0, at, at)


def hire(desk: Desk, login: str, name: str, team_id: str, now: datetime) -> Actor:
    setup.create_user(desk, SYSTEM, login=login, name=name, role=Role.CREW, team_id=team_id, now=now)
    with desk.store.read() as tx:
        found = directory.user_by_login(tx, login)
    assert found
    return found


def told(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    found = board.ticket(desk, cast.dispatcher, number, now)["recommendation"]
    assert isinstance(found, dict)
    return found


def clock(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    clocks = board.ticket(desk, cast.dispatcher, number, now)["clocks"]
    return next(dict(one) for one in clocks if one["kind"] == "arrive")


def rescued(desk: Desk, cast: Cast, now: datetime) -> list[str]:
    found = queue.board(desk, cast.dispatcher, Filter(), after=0, limit=9, now=now)
    return [ticket["number"] for ticket in found["rescuable"]]


def test_a_dispatch_keeps_who_could_go_and_why_not(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    steward = hire(desk, "tianxin-03-b", "天心三班后备", TEAM_A, now)
    stand(desk, steward, away(here, 2), now)
    stand(desk, cast.crew_b, away(here, 1), now)
    stand(desk, cast.crew_a, here, now - 34 * MINUTE)
    number = dispatched(desk, now, ZONE_A)
    assert board.ticket(desk, cast.dispatcher, number, now)["recommendation"] is None
    assert arrival.look(desk, now) == 1
    kept = told(desk, cast, number, now)
    assert [(one["part"], one["name"]) for one in kept["items"]] == [
        ("backup", "天心-03 水管家 B角"),
        ("nearest", "水管家乙"),
    ]
    assert [(one["name"], one["exclusions"][0]["text"]) for one in kept["excluded"]] == [
        ("天心-03 水管家 A角", "下班或未开定位"),
        ("水管家甲", "定位过期 34 分钟"),
    ]
    assert (kept["team_id"], kept["made_at"], kept["warning"]) == (TEAM_A, now.isoformat(), None)
    assert kept["items"][0]["travel"]["kind"] == "line"
    # It stays as it was told, and is made once for an assignment.
    stand(desk, cast.crew_a, here, now + MINUTE)
    assert arrival.look(desk, now + MINUTE) == 1
    assert told(desk, cast, number, now + MINUTE) == kept
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now + 2 * MINUTE, team_id=TEAM_B)
    assert arrival.look(desk, now + 2 * MINUTE) == 1
    again = told(desk, cast, number, now + 2 * MINUTE)
    assert (again["team_id"], again["made_at"]) == (TEAM_B, (now + 2 * MINUTE).isoformat())


def test_a_way_longer_than_the_time_left_is_to_be_rescued_before_80_percent(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    here = spot(desk, ZONE_A, now)
    stand(desk, cast.crew_a, away(here, 14), now)
    number = dispatched(desk, now, ZONE_A)
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    assert rescued(desk, cast, now + MINUTE) == []
    arrival.look(desk, now)
    found = clock(desk, cast, number, now)
    assert found["travel_kind"] == "line"
    assert 30 * 60 < found["travel_s"] < 60 * 60
    assert rescued(desk, cast, now + MINUTE) == [number]
    # Somebody nearer has it: nothing is to be rescued until 80 % are used.
    stand(desk, cast.crew_b, away(here, 1), now + MINUTE)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now + MINUTE, team_id=TEAM_B)
    act(desk, cast.crew_b, number, Verb.ACCEPT, now + MINUTE)
    arrival.look(desk, now + MINUTE)
    assert clock(desk, cast, number, now)["travel_s"] < 5 * 60
    assert rescued(desk, cast, now + 2 * MINUTE) == []
    assert rescued(desk, cast, now + 25 * MINUTE) == [number]


def test_a_fresh_position_changes_what_is_expected(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    stand(desk, cast.crew_a, away(here, 14), now)
    number = dispatched(desk, now, ZONE_A)
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    arrival.look(desk, now)
    assert arrival.look(desk, now + MINUTE / 2) == 0
    stand(desk, cast.crew_a, away(here, 2), now + MINUTE)
    assert arrival.look(desk, now + MINUTE) == 1
    assert rescued(desk, cast, now + MINUTE) == []
    # A phone that fell silent says nothing any more.
    arrival.look(desk, now + 17 * MINUTE)
    assert clock(desk, cast, number, now)["travel_s"] is None


def test_who_has_arrived_or_is_late_is_estimated_no_more(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now, ZONE_A)
    ticket_at(desk, Status.ON_SITE, now)
    ticket_at(desk, Status.CANCELLED, now)
    assert arrival.look(desk, now) == 1
    assert arrival.look(desk, now + 31 * MINUTE) == 1
    assert arrival.look(desk, now + 99 * MINUTE) == 0


def test_a_visit_by_appointment_is_looked_at_two_hours_before(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now, ZONE_A, category="install", appointment_at=now + timedelta(days=2))
    assert arrival.look(desk, now + timedelta(days=2, hours=-3)) == 0
    assert arrival.look(desk, now + timedelta(days=2, hours=-2)) == 1


def test_without_a_place_nothing_is_guessed(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id=TEAM_A)
    assert arrival.look(desk, now) == 1
    assert board.ticket(desk, cast.dispatcher, number, now)["recommendation"] is None


def test_two_who_look_at_once_keep_one_estimate(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = dispatched(desk, now, ZONE_A)
    judge = recommend.judge

    def meanwhile(*told: Any) -> Any:
        monkeypatch.setattr(recommend, "judge", judge)
        assert arrival.look(desk, now) == 1
        return judge(*told)

    monkeypatch.setattr(recommend, "judge", meanwhile)
    assert arrival.look(desk, now) == 1
    assert told(desk, cast, number, now)["made_at"] == now.isoformat()


def test_open_screens_are_sent_the_ticket_itself(desk: Desk, cast: Cast, now: datetime) -> None:
    stand(desk, cast.crew_a, away(spot(desk, ZONE_A, now), 14), now)
    number = dispatched(desk, now, ZONE_A)
    feed = Feed(desk, lambda: now)
    feed.begin()
    arrival.look(desk, now)
    news = feed.look()
    assert news
    (message,) = news.messages(viewer_of(cast.dispatcher))
    assert number.encode() in message
    assert b'"travel_kind":"line"' in message
    assert arrival.look(desk, now) == 0


# ---------------------------------------------------------------- before the dispatch


def preview(desk: Desk, cast: Cast, point: Wgs84Point, now: datetime, **told: Any) -> dict[str, Any]:
    sketch = Sketch(called_at=now, category="no_water", point=point, **told)
    advice = console.preview(desk, cast.agent, sketch, now)["advice"]
    assert isinstance(advice, dict)
    return advice


def test_the_agent_is_warned_before_saving(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    assert preview(desk, cast, here, now)["warning"] is None  # nobody told a place: nothing is claimed
    stand(desk, cast.crew_a, away(here, 20), now)
    warning = preview(desk, cast, here, now)["warning"]
    assert warning.startswith("预计无人能在 30 分钟内到场, 最快 水管家甲 (天心-03 水管家班组) 约 ")
    assert warning.endswith("分, 直线估算")
    stand(desk, cast.crew_b, away(here, 1), now)
    advice = preview(desk, cast, here, now)
    assert (advice["warning"], advice["items"][0]["name"]) == (None, "水管家乙")


def test_outside_every_grid_the_nearest_are_told(desk: Desk, cast: Cast, now: datetime) -> None:
    stand(desk, cast.crew_a, away(NOWHERE, 1), now)
    advice = preview(desk, cast, NOWHERE, now)
    assert [(one["part"], one["name"]) for one in advice["items"]] == [("nearest", "水管家甲")]


def test_without_a_promise_no_one_is_late(desk: Desk, cast: Cast, now: datetime) -> None:
    sketch = Sketch(called_at=now, point=spot(desk, ZONE_A, now))
    advice = console.preview(desk, cast.agent, sketch, now)["advice"]
    assert advice["left_s"] is None


def test_a_team_without_stewards_is_asked_by_its_own_name(desk: Desk, cast: Cast, now: datetime) -> None:
    with desk.store.write() as tx:
        directory.put_teams(tx, [{"id": TEAM_A, "name": "天心三班", "branch": "城南", "stewards": []}])
    here = spot(desk, ZONE_A, now)
    (only,) = preview(desk, cast, here, now)["excluded"]
    assert (only["part"], only["name"], only["team_name"]) == ("responsible", None, "天心三班")
    stand(desk, cast.crew_a, here, now)
    (first,) = preview(desk, cast, here, now)["items"]
    assert (first["part"], first["name"]) == ("responsible", "水管家甲")


# ---------------------------------------------------------------- by the roster


def people(advice: dict[str, Any]) -> list[tuple[str, str | None, float | None, list[str]]]:
    """Part, name, hours on duty and doubts of all who were told."""
    return [
        (one["part"], one["name"], one["worked_h"], [doubt["code"] for doubt in one["exclusions"]])
        for one in advice["items"] + advice["excluded"]
    ]


def test_who_is_on_duty_is_asked_and_how_long_they_have_been_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    """At ten in the morning of the third day: two hours of today's shift, ten of yesterday's within the last 24."""
    start = shanghai_midnight(shanghai_day(now))
    morning = start + timedelta(hours=10)
    rosters.publish(desk, start - timedelta(days=3))
    here = spot(desk, ZONE_A, morning)
    night = hire(desk, "a.night", "测试夜班", TEAM_A, morning)
    for actor in (cast.crew_a, night, cast.crew_b):
        stand(desk, actor, here, morning)
    assert people(preview(desk, cast, here, morning)) == [
        ("responsible", "水管家甲", 12.0, []),
        ("nearest", "水管家乙", 12.0, []),
        ("backup", "测试夜班", 12.0, ["off_duty"]),
        ("backup", "班组长甲", 0.0, ["off_duty"]),
    ]
    evening = start + timedelta(hours=21)
    stand(desk, night, here, evening)
    assert people(preview(desk, cast, here, evening))[:2] == [
        ("responsible", "测试夜班", 12.0, []),
        ("backup", "水管家甲", 12.0, ["off_duty"]),
    ]


def test_on_duty_without_a_place_is_not_called_off_shift(desk: Desk, cast: Cast, now: datetime) -> None:
    start = shanghai_midnight(shanghai_day(now))
    rosters.publish(desk, start - timedelta(days=3))
    here = spot(desk, ZONE_A, start)
    (first, *_) = people(preview(desk, cast, here, start + timedelta(hours=10)))
    assert first == ("responsible", "水管家甲", 12.0, ["no_position"])


def test_whom_the_roster_does_not_know_is_judged_by_their_place_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    start = shanghai_midnight(shanghai_day(now))
    at = start + timedelta(hours=10)
    rosters.publish(desk, start - timedelta(days=3))
    here = spot(desk, ZONE_A, at)
    stand(desk, hire(desk, "helper", "临时支援", TEAM_A, at), here, at)
    stand(desk, hire(desk, "furong.1", "芙蓉小王", "furong-01", at), here, at)
    found = people(preview(desk, cast, here, at))
    assert ("backup", "临时支援", None, []) in found
    assert ("nearest", "芙蓉小王", None, []) in found


# ---------------------------------------------------------------- whom to give it to


def test_a_team_that_can_make_it_comes_first(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    number = dispatched(desk, now, ZONE_A)
    far = hire(desk, "furong.1", "芙蓉小王", "furong-01", now)
    stand(desk, far, away(here, 3), now)
    found = candidates.candidates(desk, cast.dispatcher, number, now)
    first = found["items"][0]
    assert (first["team_id"], first["reason"], first["person"]) == ("furong-01", "nearest", "芙蓉小王")
    assert first["exclusions"] == []
    assert first["travel"]["low_s"] < first["travel"]["high_s"]
    assert found["warning"] is None
    stand(desk, far, away(here, 30), now + MINUTE)
    late = candidates.candidates(desk, cast.dispatcher, number, now + MINUTE)
    assert "预计无人能在 29 分钟内到场" in late["warning"]
    assert late["items"][0]["reason"] == "neighbour"


def test_who_is_on_duty_stands_for_a_team_whose_place_nobody_knows(desk: Desk, cast: Cast, now: datetime) -> None:
    """Four in the afternoon, eight hours into the shift, after the four of the evening before."""
    start = shanghai_midnight(shanghai_day(now))
    at = start + timedelta(hours=16)
    number = dispatched(desk, at, ZONE_A)
    before = {one["team_id"]: one for one in candidates.candidates(desk, cast.dispatcher, number, at)["items"]}
    rosters.publish(desk, start - timedelta(days=3))
    after = {one["team_id"]: one for one in candidates.candidates(desk, cast.dispatcher, number, at)["items"]}
    assert (before[TEAM_B]["person"], before[TEAM_B]["worked_h"]) == (None, None)
    assert (after[TEAM_B]["person"], after[TEAM_B]["worked_h"]) == ("水管家乙", 12.0)
    assert {one["person"] for team, one in after.items() if team != TEAM_B} == {None}


def test_a_river_counts_before_ways_are_estimated_and_old_places_take_no_place(
    desk: Desk, cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend, "NEAREST", 1)
    here = spot(desk, ZONE_A, now)
    bank = away(here, 0.3)
    river = {
        "type": "Feature",
        "properties": {},
        "geometry": mapping(shapely.box(bank.lon, 28.0, bank.lon + 0.001, 28.3)),
    }
    file = tmp_path / "rivers.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [river]}), encoding="utf-8")
    by_river = Desk(desk.store, replace(desk.settings, barriers=str(file)))
    over, near = (hire(desk, login, name, TEAM_B, now) for login, name in (("over", "河东小王"), ("near", "河西小李")))
    stand(desk, over, away(here, 0.6), now)
    stand(desk, near, away(here, -0.9), now)
    stand(desk, cast.crew_b, away(here, 0.1), now - 34 * MINUTE)
    sketch = Sketch(called_at=now, category="no_water", point=here)
    for asked, name in ((desk, "河东小王"), (by_river, "河西小李")):
        advice = console.preview(asked, cast.agent, sketch, now)["advice"]
        named = [one["name"] for one in (*advice["items"], *advice["excluded"]) if one["part"] == "nearest"]
        assert named == [name, "水管家乙"]
