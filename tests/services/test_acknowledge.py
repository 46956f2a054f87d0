"""Answering a step of the ladder: once, and with the ticket locked first, as by everybody else."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from dispatch.domain.errors import NotFound
from dispatch.domain.states import Verb
from dispatch.services import board, escalation, supervision
from dispatch.services.desk import Desk
from dispatch.storage import tickets
from dispatch.storage.db import Store
from tests.support.cast import TEAM_B, Cast, act, dispatched
from tests.support.store import in_parallel


def fired_step(desk: Desk, cast: Cast, now: datetime) -> int:
    """The id of the one step that has fired."""
    escalation.sweep(desk, now)
    (step,) = board.fired(desk, cast.dispatcher, is_unanswered=True, after=0, limit=5)["items"]
    return int(step["id"])


def wait_for_a_waiter(store: Store) -> None:
    """Return when somebody waits for a lock of this database."""
    query = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with store.read() as tx:
            if tx.conn.execute(query).first():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_the_first_answer_stays(desk: Desk, cast: Cast, now: datetime) -> None:
    number, later = dispatched(desk, now), now + timedelta(minutes=10)
    step = fired_step(desk, cast, later)
    people = [cast.crew_a, cast.lead_a, cast.dispatcher, cast.supervisor] * 3
    answers = in_parallel([partial(supervision.acknowledge, desk, person, step, later) for person in people])
    by = {answer["acknowledged_by"] for answer in answers if isinstance(answer, dict)}
    assert (len(by), len([answer for answer in answers if isinstance(answer, dict)])) == (1, 12)
    kinds = [event["kind"] for event in board.ticket(desk, cast.crew_a, number, later)["timeline"]]
    assert kinds.count("acknowledge") == 1


def test_there_must_be_a_step(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        supervision.acknowledge(desk, cast.dispatcher, 999_999, now)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_the_ticket_is_locked_before_its_step(desk: Desk, cast: Cast, now: datetime) -> None:
    number, later = dispatched(desk, now), now + timedelta(minutes=10)
    step = fired_step(desk, cast, later)
    with ThreadPoolExecutor(1) as pool:
        with desk.store.write() as tx:
            tickets.lock(tx, number)
            waiting = pool.submit(supervision.acknowledge, desk, cast.crew_a, step, later)
            wait_for_a_waiter(desk.store)
            # Whoever has the ticket finds its step free.
            tx.conn.execute(text("SELECT id FROM escalations WHERE id = :id FOR UPDATE NOWAIT"), {"id": step}).one()
            tx.conn.execute(text("UPDATE tickets SET team_id = :team"), {"team": TEAM_B})
        with pytest.raises(NotFound):  # the ticket went to another team while the answer waited for it
            waiting.result(30)
    (unanswered,) = board.fired(desk, cast.crew_b, is_unanswered=True, after=0, limit=5)["items"]
    assert unanswered["id"] == step


def test_answers_verbs_and_sweeps_do_not_block_each_other(desk: Desk, cast: Cast, now: datetime) -> None:
    number, later = dispatched(desk, now), now + timedelta(minutes=10)
    step = fired_step(desk, cast, later)
    jobs = [
        *(partial(supervision.acknowledge, desk, person, step, later) for person in (cast.crew_a, cast.supervisor)),
        *(partial(act, desk, person, number, Verb.URGE, later) for person in (cast.agent, cast.dispatcher)),
        *(partial(escalation.sweep, desk, now + timedelta(hours=hours)) for hours in (1, 2)),
    ]
    results = in_parallel(jobs)  # type: ignore[arg-type]
    assert [result for result in results if isinstance(result, Exception)] == []
    assert board.ticket(desk, cast.crew_a, number, later)["urge_count"] == 2
