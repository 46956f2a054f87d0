"""What a caller sees of a ticket on its way, what stays hidden, and the rating of each round."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import IllegalTransition, InvalidInput, NotFound
from dispatch.domain.outage import NewOutage
from dispatch.domain.states import Status, Verb
from dispatch.domain.tracking import AlreadyRated
from dispatch.services import board, outages, tracking
from dispatch.services.desk import Desk
from tests.support.cast import (
    CALLER,
    CALLER_PHONE,
    ZONE_A,
    ZONE_B,
    Cast,
    act,
    dispatched,
    received,
    ticket_at,
    what_it_needs,
)

MINUTE = timedelta(minutes=1)
ADDRESS = "坡子街 12 号 3 栋 501 室"


def test_the_bar_follows_the_crew(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now, address=ADDRESS, category="leak")
    first = tracking.progress(desk, number, now)
    assert (first["step"], first["can_rate"], first["rating"], first["is_merged"]) == (1, False, None, False)
    assert first["promises"]["arrive"] == {
        "due_at": (now + 30 * MINUTE).isoformat(),
        "met_at": None,
        "state": "running",
        "resume_at": None,
    }
    for n, (verb, step) in enumerate(
        [(Verb.ACCEPT, 1), (Verb.DEPART, 2), (Verb.ARRIVE, 3), (Verb.WORK, 3), (Verb.DONE, 4)], 1
    ):
        act(desk, cast.crew_a, number, verb, now + n * MINUTE)
        assert tracking.progress(desk, number, now + n * MINUTE)["step"] == step
    last = tracking.progress(desk, number, now + 9 * MINUTE)
    at = [step["at"] for step in last["steps"]]
    assert at == [(now + n * MINUTE).isoformat() for n in (0, 0, 2, 3, 5)]
    assert [step["status"] for step in last["steps"]] == ["received", "dispatched", "en_route", "on_site", "done"]
    assert (last["promises"]["fix"]["state"], last["can_rate"], last["status"]) == ("met", True, "done")


def test_nobody_is_named_and_no_room_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now, address=ADDRESS, description=f"{CALLER} {CALLER_PHONE} 501 室漏水")
    told = json.dumps(tracking.progress(desk, number, now), ensure_ascii=False)
    hidden = (CALLER, CALLER_PHONE, "501", cast.crew_a.name, cast.agent.name, "steward", "漏水")
    assert [word for word in hidden if word in told] == []
    assert "坡子街 12 号…" in told
    assert "天心" in told  # the team


def test_water_that_is_off_there_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    for zone_id in (ZONE_A, ZONE_B):
        notice = NewOutage(
            title=f"抢修 {zone_id}",
            place="坡子街",
            is_planned=False,
            zone_ids=[zone_id],
            starts_at=now,
            ends_at=now + 60 * MINUTE,
        )
        outages.publish(desk, cast.dispatcher, notice, {}, now)
    assert [item["title"] for item in tracking.progress(desk, number, now)["outages"]] == [f"抢修 {ZONE_A}"]


def test_without_a_team_nothing_is_promised_that_nobody_knows(desk: Desk, now: datetime) -> None:
    told = tracking.progress(desk, received(desk, now, category="install", address=""), now)
    assert (told["step"], told["team"], told["outages"]) == (0, None, [])
    assert told["promises"]["arrive"] is None  # no appointment was made


def test_on_hold_and_back(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_HOLD, now)
    told = tracking.progress(desk, number, now)
    assert (told["step"], told["promises"]["fix"]["state"]) == (3, "paused")
    assert told["promises"]["fix"]["resume_at"] is not None


def test_a_merged_ticket_stands_as_the_other_does(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second, third = (dispatched(desk, now, address=f"坡子街 {n} 号") for n in (1, 2, 3))
    act(desk, cast.agent, first, Verb.MERGE, now, into=second)
    act(desk, cast.agent, second, Verb.MERGE, now, into=third)
    act(desk, cast.crew_a, third, Verb.ACCEPT, now)
    act(desk, cast.crew_a, third, Verb.DEPART, now)
    told = tracking.progress(desk, first, now)
    assert (told["number"], told["address"], told["is_merged"]) == (first, "坡子街 1 号", True)
    assert (told["status"], told["step"], told["can_rate"]) == ("en_route", 2, False)
    assert third not in json.dumps(told)


def test_what_was_cancelled_has_left_the_bar(desk: Desk, now: datetime) -> None:
    told = tracking.progress(desk, ticket_at(desk, Status.CANCELLED, now), now)
    assert (told["step"], told["status"]) == (None, "cancelled")
    assert told["promises"] == {"arrive": None, "fix": None}  # nothing is promised any more


def test_each_round_is_rated_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    with pytest.raises(IllegalTransition):
        tracking.rate(desk, number, 5, "", now)
    act(desk, cast.crew_a, number, Verb.DONE, now)
    first = tracking.rate(desk, number, 2, "又漏了", now)
    assert first == {"stars": 2, "words": "又漏了", "round": 1, "at": now.isoformat()}
    assert tracking.rate(desk, number, 2, "又漏了", now + MINUTE) == first
    for stars, words in ((3, "又漏了"), (2, "")):
        with pytest.raises(AlreadyRated):
            tracking.rate(desk, number, stars, words, now)
    told = tracking.progress(desk, number, now)
    assert (told["rating"], told["can_rate"]) == (first, False)
    act(desk, cast.agent, number, Verb.REWORK, now, note="又漏了")
    again = tracking.progress(desk, number, now)
    assert (again["step"], again["steps"][4]["at"], again["can_rate"]) == (1, None, False)
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.crew_a, number, verb, now, **what_it_needs(desk, verb, now))
    assert tracking.progress(desk, number, now)["can_rate"] is True
    assert tracking.rate(desk, number, 5, "", now)["round"] == 2
    seen = board.ticket(desk, cast.dispatcher, number, now)
    assert (seen["rating"]["stars"], seen["rating"]["round"]) == (5, 2)
    told_ = [event["text"] for event in seen["timeline"] if event["kind"] == "rating"]
    assert told_ == ["用户评价 2 星: 又漏了", "用户评价 5 星"]


def test_what_cannot_be_rated(desk: Desk, now: datetime) -> None:
    with pytest.raises(NotFound):
        tracking.rate(desk, "GD20261124-999999", 5, "", now)
    with pytest.raises(NotFound):
        tracking.progress(desk, "GD20261124-999999", now)
    with pytest.raises(InvalidInput):
        tracking.rate(desk, ticket_at(desk, Status.DONE, now), 5, "\0", now)
