"""The wall clock jumps: nothing is lost or doubled, the scheduler does not fall asleep, the lamp tells the truth."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from dispatch.notify.console import Console
from dispatch.scheduler.jobs import Jobs
from dispatch.services import health
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from tests.support.due import due_steps, escalation_count, fired, flaws, seed
from tests.support.processes import utc_now, wait_for

pytestmark = [pytest.mark.processes]

HOUR = timedelta(hours=1)
SOON_S = 5.0
# A ticket whose acceptance is overdue, and nothing else.
OVERDUE = timedelta(minutes=11)


@pytest.fixture
def wall() -> Iterator[time_machine.Traveller]:
    """The clock that everybody reads; it runs on from now."""
    with time_machine.travel(utc_now(), tick=True) as clock:
        yield clock


@pytest.fixture
def jobs(wall: time_machine.Traveller, desk: Desk) -> Iterator[Jobs]:
    running = Jobs(desk, {"console": Console(io.StringIO())})
    running.start()
    yield running
    running.stop()


def lamp(desk: Desk) -> str:
    return str(health.status(desk, utc_now())["status"])


@pytest.mark.usefixtures("jobs")
def test_an_hour_forwards_and_back_fires_everything_once(desk: Desk, wall: time_machine.Traveller) -> None:
    now = utc_now()
    ids = seed(desk, 20, now)
    # The last step comes an hour after the call: a moment after the jump for the call that was really made.
    due = due_steps(desk, ids, now + HOUR + timedelta(seconds=10))
    wait_for(lambda: lamp(desk) == "ok", "the scheduler beats", SOON_S)
    assert escalation_count(desk) == 0

    wall.shift(HOUR)
    wait_for(lambda: escalation_count(desk) >= len(due), "all of the hour is fired", SOON_S)
    wait_for(lambda: lamp(desk) == "ok", "the lamp is green again", SOON_S)

    wall.shift(-HOUR)
    wait_for(lambda: lamp(desk) == "ok", "the lamp is green in the old hour", SOON_S)
    due |= due_steps(desk, seed(desk, 1, utc_now() - OVERDUE), utc_now())
    wait_for(lambda: escalation_count(desk) >= len(due), "it fires in the old hour", SOON_S)
    found = fired(desk, due)
    assert found.is_exact, found
    assert flaws(desk) == {}


def test_set_back_an_hour_while_nobody_wakes_it(desk: Desk, jobs: Jobs, wall: time_machine.Traveller) -> None:
    wait_for(lambda: lamp(desk) == "ok", "the scheduler beats", SOON_S)
    desk.store.on_commit = None  # the tickets come in through other processes
    wall.shift(-HOUR)
    due = due_steps(desk, seed(desk, 20, utc_now() - OVERDUE), utc_now())
    assert len(due) == 20
    wait_for(lambda: escalation_count(desk) >= len(due), "it has not gone to sleep for an hour", SOON_S)
    found = fired(desk, due)
    assert found.is_exact, found


def test_a_heartbeat_from_the_future_is_no_sign_of_life(desk: Desk) -> None:
    now = utc_now()
    health.beat(desk, "elsewhere:1", now + HOUR, Sweep())
    assert health.status(desk, now)["status"] == "down"
    health.beat(desk, "elsewhere:2", now + timedelta(seconds=3), Sweep())  # a clock that is a little ahead
    assert health.status(desk, now)["status"] == "ok"
