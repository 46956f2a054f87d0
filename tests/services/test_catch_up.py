"""A long catch-up: batch after batch, each at the time at which it really fires."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch.services import escalation
from dispatch.services.desk import Desk
from dispatch.services.escalation import catch_up
from dispatch.storage.escalations import ESCALATIONS
from tests.services.test_escalation import MINUTE, is_sound, set_clock, steps
from tests.support.cast import dispatched


def test_more_than_one_batch(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalation, "BATCH", 3)
    for _ in range(4):
        dispatched(desk, now)
    told: list[int] = []
    done = catch_up(desk, lambda: now + 30 * MINUTE, told.append)
    assert told == [3, 3, 2]
    assert done.fired == 4 + 4 * 3
    assert is_sound(desk)


class Running:
    """A clock that goes on each time it is read."""

    def __init__(self, at: datetime, by: timedelta) -> None:
        self.at, self.by = at, by

    def __call__(self) -> datetime:
        self.at += self.by
        return self.at


def test_a_long_catch_up_fires_each_batch_at_its_own_time(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escalation, "BATCH", 1)
    for _ in range(3):
        dispatched(desk, now)
    due = now + 10 * MINUTE
    done = catch_up(desk, Running(due, MINUTE))
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(ESCALATIONS).where(ESCALATIONS.c.clock == "ack").order_by(ESCALATIONS.c.id)).all()
    late = [(row.fired_at - due) / MINUTE for row in rows]
    assert late == [2, 4, 6]  # the clock is read before each batch and within it
    assert [row.late_s for row in rows] == [60.0 * minutes for minutes in late]
    # Meanwhile steps came due that were not when the catch-up began: they are fired too.
    assert done.fired == 3 + 3
    assert done.next_due_at is not None
    assert done.next_due_at > due + 12 * MINUTE
    assert is_sound(desk)


def test_one_by_one_each_step_still_has_its_own_time(desk: Desk, now: datetime) -> None:
    bad, good = dispatched(desk, now), dispatched(desk, now)
    set_clock(desk, bad, "fix", paused_at=now, resume_at=now, next_fire_at=now)
    due = now + 10 * MINUTE
    done = catch_up(desk, Running(due, timedelta(seconds=1)))
    assert [error.partition(":")[0] for error in done.errors] == [bad]
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(ESCALATIONS).order_by(ESCALATIONS.c.id)).all()
    assert len({row.fired_at for row in rows}) == len(rows) >= 2
    assert all(row.late_s == (row.fired_at - row.scheduled_at).total_seconds() for row in rows)
    assert steps(desk, good)[0] == ("ack", 1.0)
