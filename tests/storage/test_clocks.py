"""The sweep's two questions are looks at a partial index, and clocks come back as they went in."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from dispatch.domain.sla import ClockKind, start
from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from dispatch.storage import clocks, escalations, outbox, tickets
from dispatch.storage.db import Store
from tests.support.cast import dispatched, ticket_at


def ticket_id(desk: Desk, number: str) -> int:
    with desk.store.read() as tx:
        ticket = tickets.lock(tx, number)
        assert ticket is not None
        return ticket.id


@contextmanager
def explained(store: Store) -> Iterator[list[str]]:
    """Collect the query plan of every SELECT that runs meanwhile."""
    plans: list[str] = []
    word = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "

    def explain(conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            rows = cursor.execute(word + statement, parameters).fetchall()
            plans.append("\n".join(str(row[-1]) for row in rows))

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)


@pytest.fixture
def many(desk: Desk, now: datetime) -> int:
    """Ten thousand clocks, most of them with nothing more to fire; returns the ticket's id."""
    of = ticket_id(desk, ticket_at(desk, Status.CLOSED, now))
    clock = start(ClockKind.FIX, 1, now, now + timedelta(hours=1))
    dice = random.Random(96533)
    values = [
        replace(clock, round=n, next_fire_at=None if n % 100 else now + timedelta(seconds=n))
        for n in dice.sample(range(10, 10_010), 10_000)
    ]
    with desk.store.write() as tx:
        clocks.save(tx, of, values)
    with desk.store.engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return of


def test_the_partial_index_answers_both_questions(desk: Desk, now: datetime, many: int) -> None:
    at = now + timedelta(seconds=300)
    with desk.store.write() as tx, explained(desk.store) as plans:
        assert clocks.next_due(tx) == now + timedelta(seconds=100)
        due = clocks.lock_due(tx, at, 200)
    assert [(one.ticket_id, one.clock.next_fire_at) for one in due] == [
        (many, now + timedelta(seconds=s)) for s in (100, 200, 300)
    ]
    assert len(plans) >= 2
    for plan in plans:
        assert "ix_clocks_unfired" in plan
        assert not re.search(r"SCAN clocks$|Seq Scan on clocks", plan, re.MULTILINE)


def test_a_batch_is_the_oldest_first(desk: Desk, now: datetime, many: int) -> None:
    with desk.store.write() as tx:
        due = clocks.lock_due(tx, now + timedelta(days=1), 7)
    assert [one.clock.round for one in due] == [100, 200, 300, 400, 500, 600, 700]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_what_another_transaction_holds_is_passed_over(desk: Desk, now: datetime) -> None:
    held, free = dispatched(desk, now), dispatched(desk, now)
    late = now + timedelta(days=1)
    with desk.store.write() as tx, desk.store.write() as second:
        assert tickets.lock(tx, held) is not None
        assert {due.number for due in clocks.lock_due(second, late, 100)} == {free}
        with desk.store.write() as third:
            assert clocks.lock_due(third, late, 100) == []


def test_clocks_come_back_as_they_went_in(desk: Desk, now: datetime) -> None:
    of = ticket_id(desk, dispatched(desk, now))
    with desk.store.write() as tx:
        before = clocks.of_ticket(tx, of)
        changed = replace(
            before[0],
            due_at=now + timedelta(hours=9),
            met_at=now,
            breached_at=now,
            noticed_at=now,
            paused_at=now,
            resume_at=now,
            paused_s=12.5,
            is_void=True,
            next_step=3,
            next_fire_at=now + timedelta(minutes=1),
        )
        fresh = start(ClockKind.CALLBACK, 2, now, now + timedelta(hours=2))
        clocks.save(tx, of, [changed, fresh])
        clocks.save(tx, of, [])
    assert tx.next_fire_at == now + timedelta(minutes=1)
    with desk.store.read() as tx:
        assert clocks.of_ticket(tx, of) == [changed, *before[1:], fresh]
        assert clocks.of_tickets(tx, [of, 0]) == {of: [changed, *before[1:], fresh], 0: []}


def test_nothing_to_write_is_no_statement(store: Store, now: datetime) -> None:
    with store.write() as tx:
        clocks.save_fired(tx, [])
        escalations.add(tx, [])
        escalations.open_supervision(tx, [])
        outbox.put(tx, [])
        assert clocks.next_due(tx) is None
    assert tx.next_fire_at is None
