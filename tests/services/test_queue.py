"""What a board shows: pinned, by the next breach, at rest; teams and their load; who could take a ticket over."""

from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import NotFound
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.domain.states import Status, Verb
from dispatch.services import candidates, queue
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from dispatch.storage.queue import POSITIONS
from tests.support.cast import NOWHERE, TEAM_A, TEAM_B, ZONE_A, Cast, act, dispatched, received, spot, ticket_at

MINUTE = timedelta(minutes=1)


def numbers(desk: Desk, actor: Actor, now: datetime, *, after: int = 0, limit: int = 50) -> list[str]:
    answer = queue.board(desk, actor, Filter(), after=after, limit=limit, now=now)
    return [item["number"] for item in answer["items"]]


def test_the_first_page_begins_with_what_nobody_has_and_the_last_ends_with_what_rests(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    held = ticket_at(desk, Status.ON_HOLD, now)
    one, two, three = (dispatched(desk, now) for _ in range(3))
    new = received(desk, now)
    first = queue.board(desk, cast.dispatcher, Filter(), after=0, limit=2, now=now)
    assert [item["number"] for item in first["items"]] == [new, one, two]
    last = queue.board(desk, cast.dispatcher, Filter(), after=first["next"], limit=2, now=now)
    assert [item["number"] for item in last["items"]] == [three, held]
    assert (last["next"], first["counters"]["open"], first["server_time"]) == (None, 5, now.isoformat())
    assert numbers(desk, cast.dispatcher, now) == [new, one, two, three, held]


def test_the_rescuable_ones_are_told_with_their_clocks(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    answer = queue.board(desk, cast.supervisor, Filter(), after=0, limit=9, now=now + 9 * MINUTE)
    (ticket,) = answer["rescuable"]
    assert ticket == answer["items"][0]
    assert ticket["number"] == number
    assert ticket["clocks"][0]["rescue_at"] == (now + 8 * MINUTE).isoformat()
    assert answer["counters"]["near_breach"] == 1


def test_counters_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now)
    answer = queue.board(desk, cast.supervisor, Filter(), after=0, limit=0, now=now)
    assert (answer["items"], answer["rescuable"], answer["next"]) == ([], [], None)
    assert answer["counters"]["open"] == 1
    assert answer["lamp"]["status"] == "down"  # no scheduler has beaten


def test_a_crew_sees_its_own(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now, ZONE_A)
    assert numbers(desk, cast.crew_a, now) == [number]
    assert numbers(desk, cast.crew_b, now) == []


def stand(desk: Desk, actor: Actor, point: Wgs84Point, at: datetime) -> None:
    with desk.store.write() as tx:
        place = {"lon": point.lon, "lat": point.lat, "accuracy_m": 8.0}
        tx.conn.execute(POSITIONS.insert().values(user_id=actor.user_id, at=at, **place))


def test_who_is_on_shift_is_shown_where_they_are(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    stand(desk, cast.crew_a, here, now - 14 * MINUTE)
    stand(desk, cast.crew_b, here, now - 15 * MINUTE)
    dispatched(desk, now, ZONE_A)
    (only,) = queue.positions(desk, cast.dispatcher, now)
    assert (only["name"], only["team_id"], only["lon"]) == ("水管家甲", TEAM_A, here.lon)
    assert queue.positions(desk, cast.crew_b, now) == []
    assert queue.positions(desk, cast.lead_a, now) == [only]
    teams = {team["team_id"]: team for team in queue.teams(desk, cast.dispatcher, now + 10 * MINUTE)}
    assert (teams[TEAM_A]["open"], teams[TEAM_A]["breached"], teams[TEAM_A]["on_shift"]) == (1, 1, 0)
    assert ZONE_A in teams[TEAM_A]["zone_ids"]
    assert (teams[TEAM_B]["open"], teams[TEAM_B]["breached"]) == (0, 0)


def test_candidates_are_named_with_reason_and_load(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now, ZONE_A)
    dispatched(desk, now, "天心-04")
    found = candidates.candidates(desk, cast.dispatcher, number, now)["items"]
    assert TEAM_A not in [one["team_id"] for one in found]  # it has the ticket
    assert {one["reason"] for one in found} <= {"neighbour", "branch"}
    loads = [one["load"] for one in found if one["reason"] == "neighbour"]
    assert loads == sorted(loads)
    assert all(one["away_m"] > 0 for one in found if one["reason"] == "neighbour")
    assert len(found) == candidates.AT_MOST
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    first = candidates.candidates(desk, cast.dispatcher, number, now)["items"][0]
    assert (first["team_id"], first["reason"], first["load"]) == (TEAM_A, "own", 0)


def test_candidates_for_a_ticket_without_a_place_are_all_teams(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    found = candidates.candidates(desk, cast.dispatcher, number, now)["items"]
    assert {one["reason"] for one in found} == {"branch"}
    assert len(found) == candidates.AT_MOST
    with pytest.raises(NotFound):
        candidates.candidates(desk, cast.crew_b, number, now)


def test_candidates_outside_every_grid_are_the_nearest(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now, point=NOWHERE)
    found = candidates.candidates(desk, cast.dispatcher, number, now)["items"]
    assert found[0]["reason"] == "neighbour"
