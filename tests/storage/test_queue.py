"""The boards' questions to the database: order, pages, counters, and that no ended ticket is looked at."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from dispatch.domain.states import Status, Verb
from dispatch.services import escalation, supervision
from dispatch.services.desk import Desk
from dispatch.storage import escalations, queue
from dispatch.storage.board import Filter
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, ZONE_FAR, Cast, act, dispatched, received, ticket_at

MINUTE = timedelta(minutes=1)
EVERYTHING = Filter()


def running(desk: Desk, now: datetime, *, after: int = 0, limit: int = 50, wanted: Filter = EVERYTHING) -> list[str]:
    with desk.store.read() as tx:
        return [row["number"] for row in queue.running(tx, wanted, after, limit, now)]


def counts(desk: Desk, now: datetime, wanted: Filter = EVERYTHING) -> dict[str, int]:
    with desk.store.read() as tx:
        return queue.counts(tx, wanted, now - timedelta(hours=10), now)


def test_what_breaks_first_stands_first(desk: Desk, cast: Cast, now: datetime) -> None:
    slow = dispatched(desk, now, category="billing")  # 2 h to accept
    fast = dispatched(desk, now, category="burst")  # 5 min
    middle = dispatched(desk, now)  # 10 min
    dispatched_none = received(desk, now)
    assert running(desk, now) == [fast, middle, slow]
    # Accepted: its next promise is the arrival after 30 minutes.
    act(desk, cast.crew_a, fast, Verb.ACCEPT, now)
    assert running(desk, now) == [middle, fast, slow]
    assert dispatched_none not in running(desk, now)


def test_pages_follow_each_other_and_each_ticket_stands_once(desk: Desk, now: datetime) -> None:
    made = [dispatched(desk, now) for _ in range(5)]
    seen: list[str] = []
    after = 0
    while True:
        with desk.store.read() as tx:
            rows = queue.running(tx, EVERYTHING, after, 2, now)
        if not rows:
            break
        seen += [row["number"] for row in rows]
        after = rows[-1]["clock_id"]
    assert seen == made
    assert running(desk, now, after=10**9) == []


def test_each_filter_narrows_queue_and_counters(desk: Desk, now: datetime) -> None:
    here, there = dispatched(desk, now, ZONE_A), dispatched(desk, now, ZONE_B, category="burst")
    far = dispatched(desk, now, ZONE_FAR)
    for wanted, numbers in (
        (Filter(zone_id=ZONE_A), [here]),
        (Filter(team_id=TEAM_B), [there]),
        (Filter(levels=["P1"]), [there]),
        (Filter(categories=["no_water"]), [here, far]),
        (Filter(branch="星沙"), [far]),
        (Filter(visible_to_team=TEAM_A), [here]),
    ):
        assert running(desk, now, wanted=wanted) == numbers
        assert counts(desk, now + 11 * MINUTE, wanted)["open"] == len(numbers)
        assert counts(desk, now + 11 * MINUTE, wanted)["breached"] == len(numbers)


def test_what_nobody_has_and_what_rests_stand_apart(desk: Desk, cast: Cast, now: datetime) -> None:
    new, back = received(desk, now), ticket_at(desk, Status.RETURNED, now)
    held, done = ticket_at(desk, Status.ON_HOLD, now), ticket_at(desk, Status.DONE, now)
    act(desk, cast.agent, done, Verb.CALLBACK, now, is_solved=True)
    waiting = ticket_at(desk, Status.DONE, now)
    with desk.store.read() as tx:
        assert [row["number"] for row in queue.unassigned(tx, EVERYTHING, 9, now)] == [new, back]
        assert [row["number"] for row in queue.resting(tx, EVERYTHING, 9, now)] == [held, done]
    assert running(desk, now) == [waiting]
    assert counts(desk, now) == {
        "open": 5, "unassigned": 2, "near_breach": 0, "breached": 0, "unanswered": 0, "on_hold": 1, "requests": 0,
        "closed_today": 0,
    }  # fmt: skip


def test_rescuable_is_past_80_percent_and_before_the_breach(desk: Desk, cast: Cast, now: datetime) -> None:
    number, other = dispatched(desk, now), dispatched(desk, now, category="burst")
    act(desk, cast.crew_a, other, Verb.ACCEPT, now)

    def rescuable(at: datetime) -> list[str]:
        with desk.store.read() as tx:
            return [row["number"] for row in queue.rescuable(tx, EVERYTHING, 9, at)]

    for minutes, wanted, near, broken in (
        (7.99, [], 0, 0),
        (8, [number], 1, 0),
        (9.99, [number], 1, 0),
        (10, [], 0, 1),
        (24, [other], 1, 1),
        (30, [], 0, 2),
    ):
        at = now + minutes * MINUTE
        assert rescuable(at) == wanted, minutes
        found = counts(desk, at)
        assert (found["near_breach"], found["breached"]) == (near, broken), minutes


def test_a_hold_ends_the_danger(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    late = now + timedelta(hours=23)
    assert counts(desk, late)["near_breach"] == 1
    act(desk, cast.lead_a, number, Verb.HOLD, late, reason="wait_material", until=late + timedelta(hours=5))
    assert counts(desk, late)["near_breach"] == 0
    act(desk, cast.crew_a, number, Verb.RESUME, late + timedelta(hours=3))
    assert counts(desk, late + timedelta(hours=3))["near_breach"] == 1


def test_an_escalation_waits_until_somebody_answers_or_the_ticket_ends(desk: Desk, cast: Cast, now: datetime) -> None:
    _, other = dispatched(desk, now), dispatched(desk, now)
    at = now + 16 * MINUTE  # two clocks of acceptance broken; the reminder at half of the arrival asks for nothing here
    escalation.sweep(desk, at)
    assert counts(desk, at)["unanswered"] == 2
    with desk.store.read() as tx:
        step, _ = tx.conn.execute(text("SELECT id FROM escalations WHERE ratio >= 1 ORDER BY id"))
    supervision.acknowledge(desk, cast.supervisor, step.id, at)
    assert counts(desk, at)["unanswered"] == 1
    act(desk, cast.agent, other, Verb.CANCEL, at, reason="by_caller")
    assert counts(desk, at)["unanswered"] == 0
    with desk.store.read() as tx:
        left = "SELECT count(*) FROM escalations WHERE acknowledged_at IS NULL AND ticket_id = :id"
        answered = "SELECT acknowledged_by FROM escalations WHERE ticket_id = :id"
        other_id = tx.conn.execute(text("SELECT id FROM tickets WHERE number = :n"), {"n": other}).scalar_one()
        assert tx.conn.execute(text(left), {"id": other_id}).scalar_one() == 0
        assert set(tx.conn.execute(text(answered), {"id": other_id}).scalars()) == {"坐席小周 (坐席) 取消"}


def test_closed_today_begins_at_midnight(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket_at(desk, Status.CLOSED, now)
    ticket_at(desk, Status.CANCELLED, now)
    with desk.store.read() as tx:
        assert queue.counts(tx, EVERYTHING, now, now)["closed_today"] == 1
        assert queue.counts(tx, EVERYTHING, now + timedelta(seconds=1), now)["closed_today"] == 0


def test_load_of_teams(desk: Desk, now: datetime) -> None:
    dispatched(desk, now, ZONE_A)
    dispatched(desk, now, ZONE_A, category="billing")
    dispatched(desk, now, ZONE_B)
    received(desk, now)
    with desk.store.read() as tx:
        assert queue.load(tx, now) == {TEAM_A: (2, 0), TEAM_B: (1, 0)}
        assert queue.load(tx, now + 10 * MINUTE) == {TEAM_A: (2, 1), TEAM_B: (1, 1)}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_questions_are_answered_by_partial_indices(desk: Desk, now: datetime) -> None:
    """SQLite takes a partial index only where the query says its condition word for word."""
    seen: list[str] = []
    with desk.store.read() as tx:
        for query in (
            queue._in_danger(tx, EVERYTHING, now),
            select(queue.CLOCKS.c.id)
            .where(queue._IS_RUNNING, queue.CLOCKS.c.id == queue._LEADING)
            .join(queue.TICKETS, queue.TICKETS.c.id == queue.CLOCKS.c.ticket_id)
            .order_by(queue.CLOCKS.c.due_at),
            select(queue.CLOCKS.c.due_at).where(queue._IS_RUNNING).order_by(queue.CLOCKS.c.due_at),
            select(escalations.ESCALATIONS.c.ticket_id).where(escalations.WAITING),
        ):
            sql = str(query.compile(tx.conn, compile_kwargs={"literal_binds": True}))
            seen += [row.detail for row in tx.conn.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    plan = "\n".join(seen)
    for index in ("ix_clocks_rescue", "ix_clocks_running", "ix_escalations_breached"):
        assert index in plan
