"""Transactions: whole or not at all, one writer after the other, and only aware times."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from dispatch.domain.roles import SYSTEM
from dispatch.storage import health
from dispatch.storage.columns import UtcDateTime
from dispatch.storage.db import Store
from dispatch.storage.health import BEATS
from tests.support.store import in_parallel, open_store

ROOT = Path(__file__).parents[2]


def beats(store: Store) -> list[str]:
    with store.read() as tx:
        return sorted(tx.conn.execute(select(BEATS.c.worker)).scalars())


def test_a_crash_in_the_middle_leaves_nothing(store: Store, now: datetime) -> None:
    def crash() -> None:
        with store.write() as tx:
            health.beat(tx, "lost", now, 0, 0.0)
            tx.audit(now, SYSTEM, "test", "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert beats(store) == []
    with store.write() as tx:
        health.beat(tx, "kept", now, 0, 0.0)
    assert beats(store) == ["kept"]
    with store.read() as tx:
        assert tx.conn.execute(text("SELECT count(*) FROM audit WHERE subject = 'lost'")).scalar_one() == 0


def test_an_error_of_the_database_leaves_nothing_either(store: Store, now: datetime) -> None:
    row = {"worker": "twice", "started_at": now, "beat_at": now, "swept": 0, "max_late_s": 0.0}
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.conn.execute(insert(BEATS), [row, row])
    assert beats(store) == []


def test_of_many_writers_the_failed_ones_alone_are_undone(store: Store, now: datetime) -> None:
    def write(number: int) -> None:
        with store.write() as tx:
            health.beat(tx, f"{number:02d}", now, number, 0.0)
            if number % 3 == 0:
                raise ZeroDivisionError

    results = in_parallel([lambda n=n: write(n) for n in range(24)])  # type: ignore[misc]
    assert [isinstance(result, ZeroDivisionError) for result in results] == [n % 3 == 0 for n in range(24)]
    assert beats(store) == [f"{n:02d}" for n in range(24) if n % 3]


def test_a_reader_sees_no_half_of_a_transaction(store: Store, now: datetime) -> None:
    with store.write() as tx:
        health.beat(tx, "soon", now, 0, 0.0)
        assert beats(store) == []
    assert beats(store) == ["soon"]


def test_a_reader_changes_nothing(store: Store, now: datetime) -> None:
    with store.read() as tx:
        health.beat(tx, "never", now, 0, 0.0)
    assert beats(store) == []


def test_the_earliest_alarm_is_told_after_the_commit(store: Store, now: datetime) -> None:
    told: list[tuple[datetime, list[str]]] = []
    store.on_commit = lambda at: told.append((at, beats(store)))
    with store.write() as tx:
        health.beat(tx, "a", now, 0, 0.0)
        for minutes in (3, 1, 2):
            tx.wake_at(now + timedelta(minutes=minutes))
        tx.wake_at(None)
    assert told == [(now + timedelta(minutes=1), ["a"])]
    with store.write() as tx:
        tx.wake_at(None)
    with contextlib.suppress(ZeroDivisionError), store.write() as tx:
        tx.wake_at(now)
        raise ZeroDivisionError
    assert len(told) == 1


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_sqlite_is_durable_and_checks_its_keys(store: Store) -> None:
    with store.read() as tx:
        settings = {
            name: tx.conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_every_thread_has_a_connection_however_few_answer_requests(url: str) -> None:
    """The jobs of a scheduler are threads as well, and more of them than of one that answers."""
    jobs = 24
    store = open_store(url, threads=1)
    all_read = threading.Barrier(jobs)

    def look() -> str | None:
        with store.read() as tx:
            all_read.wait(20)
            return tx.conn.execute(text("SELECT version_num FROM alembic_version")).scalar()

    found = in_parallel([look] * jobs)
    store.close()
    assert len(set(found)) == 1
    assert isinstance(found[0], str)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_writers_come_in_the_order_in_which_they_asked(store: Store, now: datetime) -> None:
    entered: list[int] = []
    asked = threading.Semaphore(0)

    def write(number: int) -> None:
        asked.release()
        with store.write() as tx:
            entered.append(number)
            health.beat(tx, str(number), now, 0, 0.0)

    threads = []
    with store.write():
        for number in range(12):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            asked.acquire()
            time.sleep(0.02)  # until it stands in the line
    for thread in threads:
        thread.join()
    assert entered == list(range(12))


HOLD_AND_SAY = """
import sys
from tests.support.store import open_store
store = open_store(sys.argv[1])
with store.write():
    print("mine", flush=True)
    sys.stdin.readline()
store.close()
"""


@pytest.mark.processes
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_writer_waits_for_one_in_another_process(store: Store, url: str, now: datetime) -> None:
    command = [sys.executable, "-c", HOLD_AND_SAY, url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, env=os.environ) as other:
        assert other.stdout
        assert other.stdout.readline() == "mine\n"
        done = threading.Event()

        def write() -> None:
            with store.write() as tx:
                health.beat(tx, "second", now, 0, 0.0)
            done.set()

        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.3)
        other.communicate("\n")
        thread.join(10)
        assert done.is_set()
    assert other.returncode == 0
    assert beats(store) == ["second"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_two_stores_of_one_file_take_turns_too(store: Store, url: str, now: datetime) -> None:
    second = open_store(url)
    with store.write():
        thread = threading.Thread(target=lambda: schedule(second, now))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join(10)
    assert beats(store) == ["scheduler"]
    second.close()


def schedule(store: Store, now: datetime) -> None:
    with store.write() as tx:
        health.beat(tx, "scheduler", now, 0, 0.0)


def test_naive_times_are_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="naive datetime"), store.write() as tx:
        health.beat(tx, "naive", datetime(2026, 11, 24), 0, 0.0)  # noqa: DTZ001 - the point of the test
    assert beats(store) == []


def test_times_come_back_in_utc_whatever_their_zone(store: Store, now: datetime) -> None:
    in_changsha = now.astimezone(timezone(timedelta(hours=8)))
    with store.write() as tx:
        health.beat(tx, "east", in_changsha, 0, 0.0)
    with store.read() as tx:
        beat_at = tx.conn.execute(select(BEATS.c.beat_at)).scalar_one()
        none = tx.conn.execute(select(bindparam("nothing", None, UtcDateTime()))).scalar()
    assert beat_at == now
    assert beat_at.tzinfo is UTC
    assert none is None


def test_microseconds_keep_their_order(store: Store, now: datetime) -> None:
    times = [now, now + timedelta(microseconds=1), now + timedelta(seconds=1)]
    with store.write() as tx:
        for number, at in enumerate(times):
            health.beat(tx, str(number), at, 0, 0.0)
        assert health.last_beat(tx, times[-1]) == times[-1]
        health.forget_before(tx, times[1])
    assert beats(store) == ["1", "2"]
