"""Any number of schedulers, killed at any moment: every due step fires exactly once, and says how late it was."""

import io
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.notify.console import Console
from dispatch.scheduler.jobs import Jobs
from dispatch.services import escalation, health
from dispatch.services.desk import Desk
from dispatch.storage import escalations, outbox, tickets
from tests.support.due import Step, due_steps, escalation_count, fired, flaws, seed
from tests.support.processes import Site, utc_now, wait_for

pytestmark = [pytest.mark.processes]

# A ticket of this age has five steps behind it, and the sixth ten minutes ahead.
AGE = timedelta(minutes=50)
STEPS_EACH = 5


@pytest.mark.parametrize("schedulers", [2, 3])
def test_schedulers_at_once_fire_each_step_once(desk: Desk, site: Site, schedulers: int) -> None:
    for _ in range(schedulers):
        site.scheduler()
    wait_for(lambda: site.beating(schedulers), "all schedulers beat")
    now = utc_now()
    due = due_steps(desk, seed(desk, 400, now - AGE), now)
    assert len(due) == 400 * STEPS_EACH
    wait_for(lambda: escalation_count(desk) >= len(due), "all is fired")
    found = fired(desk, due)
    assert found.is_exact, found
    assert found.escalations == len(due)
    assert flaws(desk) == {}


def test_schedulers_killed_in_the_middle_of_a_sweep_are_relieved(desk: Desk, site: Site) -> None:
    *victims, _survivor = [site.scheduler() for _ in range(4)]
    wait_for(lambda: site.beating(4), "all schedulers beat")
    now = utc_now()
    due: set[Step] = set()
    for n, victim in enumerate(victims):
        seen = escalation_count(desk)
        due |= due_steps(desk, seed(desk, 600, now - AGE), now)
        wait_for(lambda seen=seen: escalation_count(desk) > seen, "a sweep is under way", every_s=0.002)  # type: ignore[misc]
        time.sleep(n * 0.013)  # each time at another place in the transaction
        victim.kill()
        assert fired(desk, due).doubled == 0
    wait_for(lambda: escalation_count(desk) >= len(due), "the one that lives has fired the rest")
    found = fired(desk, due)
    assert found.is_exact, found
    assert flaws(desk) == {}


def test_the_next_scheduler_takes_over_from_a_dead_one(desk: Desk, site: Site) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 800, now - AGE), now)
    victim = site.scheduler()
    victim.wait_for(lambda: escalation_count(desk), "a sweep is under way")
    victim.kill()
    left = escalation_count(desk)
    assert 0 < left < len(due), "it was not killed in the middle"
    assert fired(desk, due).doubled == 0
    site.scheduler().wait_for(lambda: escalation_count(desk) >= len(due), "the next one fires the rest")
    found = fired(desk, due)
    assert found.is_exact, found
    assert flaws(desk) == {}


def test_after_downtime_each_step_says_how_late_it_is(desk: Desk, site: Site) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 10, now - timedelta(hours=3)), now)
    assert len(due) == 10 * (STEPS_EACH + 1)
    site.scheduler().wait_for(lambda: escalation_count(desk) >= len(due), "it catches up")
    ladder, event, told = escalations.ESCALATIONS.c, tickets.EVENTS.c, outbox.OUTBOX.c
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(escalations.ESCALATIONS).order_by(ladder.id)).all()
        lines = tx.conn.execute(select(event.text).where(event.kind == "escalate")).scalars().all()
        notices = tx.conn.execute(select(told.text).where(told.text.contains("时限已用"))).scalars().all()
    for row in rows:
        assert row.late_s == pytest.approx((row.fired_at - row.scheduled_at).total_seconds(), abs=0.001)
        assert row.late_s > 2 * 3600 - 1
    assert len(lines) == len(notices) == len(due)
    assert all("系统晚发 2 小时" in text for text in (*lines, *notices))
    assert health.status(desk, utc_now())["late_s"] == 0


def test_a_step_due_soon_is_seen_by_another_process(desk: Desk, site: Site) -> None:
    """It looks up by itself, for nobody tells it; how late that is, `python -m bench.faults` measures."""
    site.scheduler()
    wait_for(lambda: site.beating(1), "the scheduler beats")
    soon = utc_now() + timedelta(milliseconds=300)
    seed(desk, 1, soon - timedelta(minutes=10))  # ten minutes to accept, and no other step so early
    wait_for(lambda: escalation_count(desk), "it is fired")
    assert lateness(desk) >= 0


def test_a_commit_wakes_the_sweep_of_its_own_process(desk: Desk) -> None:
    sleepy = Desk(desk.store, replace(desk.settings, sweep_cap_s=60.0))
    jobs = Jobs(sleepy, {"console": Console(io.StringIO())})
    jobs.start()
    try:
        soon = utc_now() + timedelta(milliseconds=300)
        seed(sleepy, 1, soon - timedelta(minutes=10))
        wait_for(lambda: escalation_count(desk), "it is fired, and not only after a minute")
    finally:
        jobs.stop()
    assert 0 <= lateness(desk) < sleepy.settings.sweep_cap_s / 2


def test_stopping_waits_for_a_sweep_and_the_sweep_not_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(desk, {"console": Console(io.StringIO())})
    begun = threading.Event()

    def sweep_until_told_to_stop(*_: object) -> escalation.Sweep:
        begun.set()
        wait_for(lambda: jobs._stopping.is_set(), "somebody stops it")
        time.sleep(0.1)  # until the one who stops it waits for it
        return escalation.Sweep()

    monkeypatch.setattr(escalation, "catch_up", sweep_until_told_to_stop)
    jobs.start()
    assert begun.wait(5)
    stopping = threading.Thread(target=jobs.stop, daemon=True)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()


def lateness(desk: Desk) -> float:
    with desk.store.read() as tx:
        return float(tx.conn.execute(select(escalations.ESCALATIONS.c.late_s)).scalars().one())
