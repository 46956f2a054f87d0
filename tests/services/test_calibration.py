"""Ways are observed from 出发 to 到场 and correct later estimates; positions are forgotten in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.place import Wgs84Point
from dispatch.domain.states import Verb
from dispatch.services import arrival, calibration, positions
from dispatch.services.desk import Desk
from dispatch.storage import ways
from dispatch.storage.positions import POSITIONS
from tests.services.test_recommend import away, preview, stand, told
from tests.support.cast import TEAM_B, ZONE_A, Cast, act, dispatched, spot

MINUTE = timedelta(minutes=1)


@pytest.fixture
def here(desk: Desk, cast: Cast, now: datetime) -> Wgs84Point:
    """A place, with crew A three kilometres away."""
    point = spot(desk, ZONE_A, now)
    stand(desk, cast.crew_a, away(point, 3), now)
    return point


def ride(desk: Desk, cast: Cast, now: datetime, minutes: float) -> str:
    """Let crew A take so long from 出发 to 到场."""
    number = dispatched(desk, now, ZONE_A)
    arrival.look(desk, now)
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    act(desk, cast.crew_a, number, Verb.DEPART, now)
    act(desk, cast.crew_a, number, Verb.ARRIVE, now + minutes * MINUTE)
    return number


def known(desk: Desk, now: datetime) -> list[float]:
    with desk.store.read() as tx:
        return [row["observed_s"] for row in ways.observed(tx, now - timedelta(days=1))]


def test_eight_ways_correct_the_ninth_and_say_so(desk: Desk, cast: Cast, now: datetime, here: Wgs84Point) -> None:
    before = preview(desk, cast, here, now)
    for _ in range(7):
        ride(desk, cast, now, 24)
    assert desk.calibration.observe() == 7
    assert known(desk, now) == [24 * 60.0] * 7
    later = now + 11 * MINUTE  # what a process has found is kept for ten minutes
    stand(desk, cast.crew_a, away(here, 3), later)
    assert way_of(preview(desk, cast, here, later))["samples"] == 0
    ride(desk, cast, later, 24)
    desk.calibration.observe()
    last = later + 11 * MINUTE
    stand(desk, cast.crew_a, away(here, 3), last)
    after = way_of(preview(desk, cast, here, last))
    assert after["samples"] == 8
    assert after["expected_s"] == pytest.approx(24 * 60, abs=2)
    assert "按 8 次实际到场校正" in after["text"]
    assert way_of(before)["expected_s"] < 15 * 60
    # What is kept of the next way is the estimate without the correction: or it would correct itself away.
    kept = ride(desk, cast, last, 24)
    assert told(desk, cast, kept, last)["items"] == []  # the crew has its hands full
    desk.calibration.observe()
    with desk.store.read() as tx:
        estimates = [row["estimate_s"] for row in ways.observed(tx, now - timedelta(days=1))]
    assert len(estimates) == 9
    assert max(estimates) == pytest.approx(min(estimates), rel=1e-3)


def way_of(advice: dict[str, Any]) -> dict[str, Any]:
    """The way of crew A, recommended or not."""
    found = [one["travel"] for one in (*advice["items"], *advice["excluded"]) if one["name"] == "水管家甲"]
    assert isinstance(found[0], dict)
    return found[0]


@pytest.mark.parametrize("minutes", [0.2, 300])
def test_what_cannot_be_a_way_is_none(desk: Desk, cast: Cast, now: datetime, here: Wgs84Point, minutes: float) -> None:
    ride(desk, cast, now, minutes)
    assert desk.calibration.observe() == 1
    assert desk.calibration.observe() == 0
    assert known(desk, now) == []


def test_a_way_of_somebody_else_is_no_observation(desk: Desk, cast: Cast, now: datetime, here: Wgs84Point) -> None:
    number = dispatched(desk, now, ZONE_A)
    arrival.look(desk, now)
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    act(desk, cast.crew_a, number, Verb.DEPART, now)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now + MINUTE, team_id=TEAM_B)
    act(desk, cast.crew_b, number, Verb.ACCEPT, now + MINUTE)
    act(desk, cast.crew_b, number, Verb.ARRIVE, now + 9 * MINUTE)
    cancelled = dispatched(desk, now, ZONE_A)
    arrival.look(desk, now)
    act(desk, cast.agent, cancelled, Verb.CANCEL, now, reason="by_caller")
    assert desk.calibration.observe() == 2
    assert known(desk, now) == []


def test_where_nobody_set_out_from_nothing_is_waited_for(desk: Desk, cast: Cast, now: datetime) -> None:
    ride(desk, cast, now, 24)
    assert desk.calibration.observe() == 0


def test_hours_are_those_of_changsha(now: datetime) -> None:
    assert calibration.hour_of(now) == 10


def test_positions_are_forgotten(desk: Desk, cast: Cast, now: datetime) -> None:
    stand(desk, cast.crew_a, Wgs84Point(113.0, 28.2), now - timedelta(hours=13))
    stand(desk, cast.crew_b, Wgs84Point(113.0, 28.2), now - timedelta(hours=11))
    assert positions.forget(desk, now) == 1
    with desk.store.read() as tx:
        assert tx.conn.execute(select(func.count()).select_from(POSITIONS)).scalar_one() == 1
    assert positions.forget(desk, now + timedelta(hours=2)) == 1
