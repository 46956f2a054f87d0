"""A sender that is told to stop: what was sent is marked, what is in flight keeps its lease, the rest waits on."""

from datetime import datetime, timedelta

from dispatch.notify.port import Abandoned
from dispatch.services.delivery import LEASE_S, Delivered, deliver
from dispatch.services.desk import Desk
from tests.services.test_delivery import Clock, queue, rows
from tests.support.cast import Spy


def test_told_to_stop_it_marks_what_was_sent_and_gives_the_rest_back(desk: Desk, now: datetime) -> None:
    clock = Clock(now)
    queue(desk, now, 4)
    spy = Spy()
    assert deliver(desk, {"console": spy}, clock, lambda: len(spy.parcels) == 2) == Delivered(sent=2)
    assert [(row["state"], row["attempts"]) for row in rows(desk)] == [("sent", 1)] * 2 + [("queued", 0)] * 2
    assert deliver(desk, {"console": spy}, clock, lambda: True) == Delivered()
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=2)
    assert len(spy.parcels) == 4


def test_a_message_whose_answer_nobody_waited_for_is_left_to_its_lease(desk: Desk, now: datetime) -> None:
    clock = Clock(now)
    queue(desk, now, 3)
    spy = Spy()
    spy.meanwhile = lambda: spy.errors.append(Abandoned()) if len(spy.parcels) == 1 else None
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    left = rows(desk)[1]
    assert [row["state"] for row in rows(desk)] == ["sent", "leased", "queued"]
    assert (left["next_try_at"], left["error"], left["sent_at"]) == (now + timedelta(seconds=LEASE_S), None, None)
    spy.meanwhile = lambda: None
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    clock.move(LEASE_S)
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    assert [parcel.idempotency_key for parcel in spy.parcels] == ["console:0", "console:2", "console:1"]
    assert [row["attempts"] for row in rows(desk)] == [1, 2, 1]
