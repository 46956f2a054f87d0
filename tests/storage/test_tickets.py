"""Numbers are unique, updates are guarded, and two who want the same pair do not block each other."""

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dispatch.domain.errors import StaleVersion
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import Status, Verb
from dispatch.domain.ticket import Command, Ticket, Transition, decide
from dispatch.domain.times import SHANGHAI, shanghai_day
from dispatch.services.desk import Desk
from dispatch.storage import board, outbox, tickets
from dispatch.storage.db import Store
from tests.support.cast import Cast, act, dispatched, received, ticket_at
from tests.support.store import in_parallel

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 24)


def number(store: Store, day: date = DAY) -> int:
    with store.write() as tx:
        return tickets.reserve_numbers(tx, day, 1)


def test_numbers_count_up_within_a_day(store: Store) -> None:
    assert [number(store) for _ in range(3)] == [1, 2, 3]
    assert number(store, date(2026, 11, 25)) == 1
    with store.write() as tx:
        assert tickets.reserve_numbers(tx, DAY, 20) == 23


def test_a_number_of_a_failed_transaction_leaves_no_trace(store: Store) -> None:
    with contextlib.suppress(ZeroDivisionError), store.write() as tx:
        assert tickets.reserve_numbers(tx, DAY, 1) == 1
        raise ZeroDivisionError
    assert number(store) == 1


def test_numbers_are_unique_over_threads(store: Store) -> None:
    given = in_parallel([lambda: number(store)] * 32)
    assert sorted(given) == list(range(1, 33))  # type: ignore[type-var]


NUMBERS = """
import sys
from datetime import date
from dispatch.storage import tickets
from tests.support.store import open_store
store = open_store(sys.argv[1])
sys.stdin.readline()
for _ in range(25):
    with store.write() as tx:
        number = tickets.reserve_numbers(tx, date(2026, 11, 24), 1)
    print(number, flush=True)
store.close()
"""


@pytest.mark.processes
def test_numbers_are_unique_over_processes(store: Store, url: str) -> None:
    command = [sys.executable, "-c", NUMBERS, url]
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, env=os.environ) for _ in range(2)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    given = [int(line) for child in children for line in child.communicate()[0].split()]
    assert [child.returncode for child in children] == [0, 0]
    assert sorted(given) == list(range(1, 51))


def test_the_day_of_a_number_is_the_one_in_changsha(desk: Desk, cast: Cast) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=SHANGHAI)
    assert received(desk, midnight - timedelta(seconds=1)).startswith("GD20261124-")
    assert received(desk, midnight).startswith("GD20261125-")
    assert shanghai_day(midnight - timedelta(seconds=1)) == DAY


def accepted(desk: Desk, ticket: Ticket, cast: Cast, now: datetime) -> Transition:
    with desk.store.read() as tx:
        policy = desk.policy(tx, ticket.policy_version)
    return decide(ticket, Command(verb=Verb.ACCEPT, at=now), cast.crew_a, policy)


@pytest.mark.parametrize(
    "changes", [{"version": 1}, {"version": 7}, {"status": Status.ACCEPTED}, {"id": 999_999}], ids=str
)
def test_what_was_decided_on_another_state_is_not_written(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, object]
) -> None:
    named = dispatched(desk, now)
    with desk.store.read() as tx:
        ticket = tickets.lock(tx, named)
        before = board.find(tx, named), board.timeline(tx, ticket.id if ticket else 0), outbox.counts(tx)
    assert ticket is not None
    transition = accepted(desk, ticket, cast, now)
    with pytest.raises(StaleVersion), desk.store.write() as tx:
        tickets.apply(tx, replace(ticket, **changes), transition, cast.crew_a, now, ("console",))  # type: ignore[arg-type]
    with desk.store.read() as tx:
        assert (board.find(tx, named), board.timeline(tx, ticket.id), outbox.counts(tx)) == before


def test_of_two_decisions_on_one_state_one_is_written(desk: Desk, cast: Cast, now: datetime) -> None:
    named = dispatched(desk, now)
    with desk.store.read() as tx:
        ticket = tickets.lock(tx, named)
    assert ticket is not None
    transition = accepted(desk, ticket, cast, now)

    def write() -> int:
        with desk.store.write() as tx:
            return tickets.apply(tx, ticket, transition, cast.crew_a, now, ("console",))

    results = in_parallel([write] * 8)
    assert [result for result in results if not isinstance(result, StaleVersion)] == [ticket.version + 1]


def test_a_transition_is_written_whole(desk: Desk, cast: Cast, now: datetime) -> None:
    named = dispatched(desk, now)
    later = now + timedelta(minutes=4)
    act(desk, cast.crew_a, named, Verb.ACCEPT, later)
    with desk.store.read() as tx:
        ticket = tickets.lock(tx, named)
        assert ticket is not None
        assert (ticket.status, ticket.version, ticket.moved_at) == (Status.ACCEPTED, 3, later)
        (ack,) = (clock for clock in ticket.clocks if clock.kind == "ack")
        assert (ack.met_at, ack.next_fire_at) == (later, None)
        last = board.timeline(tx, ticket.id)[-1]
        assert (last["kind"], last["from_status"], last["to_status"]) == ("accept", "dispatched", "accepted")
        assert (last["at"], last["effective_at"], last["time_source"]) == (later, later, "server")
        assert (last["actor_id"], re.sub(r"\s", "", last["text"])) == (cast.crew_a.user_id, "水管家甲(水管家)接单")


def test_what_is_not_there_is_not_locked(store: Store) -> None:
    with store.write() as tx:
        assert tickets.lock(tx, "GD19000101-000001") is None
        assert (tickets.ids_of(tx, ("GD19000101-000001",)), tickets.lock_all(tx, list)) == ({}, {})


def test_no_events_are_no_statement(desk: Desk, now: datetime) -> None:
    named = ticket_at(desk, Status.DISPATCHED, now)
    with desk.store.write() as tx:
        row = board.find(tx, named)
        assert row is not None
        before = board.timeline(tx, row["id"])
        tickets.add_events(tx, [])
        assert board.timeline(tx, row["id"]) == before
    assert before[0]["actor_id"] != SYSTEM.user_id
