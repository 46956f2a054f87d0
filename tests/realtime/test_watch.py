"""How a process hears of a change: SQLite's counter, PostgreSQL's notices, and what happens when these fail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest

from dispatch.realtime import pg
from dispatch.realtime.pg import Listener, Notifier
from dispatch.realtime.sqlite import DataVersion
from dispatch.storage import live
from dispatch.storage.db import Store
from tests.support.processes import wait_for
from tests.support.store import in_parallel, open_store

LONG_S = 20.0
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


def change(store: Store, now: datetime) -> None:
    with store.write() as tx:
        live.add_signals(tx, [{"at": now, "topic": "test", "key": "1"}])


def seconds(run: Any) -> float:
    begun = time.monotonic()
    run()
    return time.monotonic() - begun


# ---------------------------------------------------------------- SQLite


@on_sqlite
def test_a_commit_of_any_process_is_seen_soon(store: Store, url: str, now: datetime) -> None:
    watch, other = DataVersion(store.connect_apart), open_store(url)
    assert watch.wait(0), "the first look is always due"
    for writer in (store, other):
        assert not watch.wait(0.1)
        change(writer, now)
        assert seconds(lambda: watch.wait(LONG_S)) < 1
    watch.close()
    other.close()


@on_sqlite
def test_a_commit_wakes_who_waits(store: Store, now: datetime) -> None:
    watch = DataVersion(store.connect_apart)
    watch.wait(0)

    def write() -> bool:
        time.sleep(0.2)
        change(store, now)
        return True

    assert seconds(lambda: in_parallel([lambda: watch.wait(LONG_S), write])) < 5
    watch.close()


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture
def listener(store: Store) -> Iterator[Listener]:
    made = Listener(store.connect_apart)
    yield made
    made.close()


@pytest.fixture
def notifier(store: Store) -> Iterator[Notifier]:
    made = Notifier(store.connect_apart)
    yield made
    made.stop()


@on_postgresql
def test_a_notice_ends_the_wait(listener: Listener, notifier: Notifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pg, "NET_S", LONG_S)
    assert listener.wait(LONG_S), "it has just begun to listen"
    notifier.tell()
    assert seconds(lambda: listener.wait(LONG_S)) < 5


@on_postgresql
def test_without_a_notice_it_is_time_to_look_after_a_second(listener: Listener) -> None:
    listener.wait(0)
    assert listener.wait(0.01)
    assert 0.9 < seconds(lambda: listener.wait(LONG_S)) < 5


@on_postgresql
def test_many_commits_are_few_notices(store: Store, notifier: Notifier) -> None:
    heard: list[Any] = []
    conn = store.connect_apart()
    conn.execute(f"LISTEN {pg.CHANNEL}")
    begun = time.monotonic()
    while time.monotonic() - begun < 0.5:
        notifier.tell()
    heard += conn.notifies(timeout=0.3)
    conn.close()
    assert 2 <= len(heard) <= 12


def hang_up(store: Store, query: str) -> None:
    """End the connections whose last query was this one, as a restart of the server would."""
    with store.write() as tx:
        ended = tx.conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND query LIKE '{query}%%' AND pid <> pg_backend_pid()"
        )
        assert ended.all() == [(True,)]


@on_postgresql
def test_a_lost_connection_is_opened_again(
    store: Store, listener: Listener, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg, "_FIRST_PAUSE_S", 0.2)
    listener.wait(0)
    notifier.tell()
    listener.wait(LONG_S)
    hang_up(store, "LISTEN")
    hang_up(store, "NOTIFY")
    for _ in range(4):  # lost, too early, listening, and what came meanwhile
        assert listener.wait(0.15)
    notifier.tell()  # its connection is gone as well: this one is lost, and found by the look after a second
    time.sleep(0.5)
    notifier.tell()
    monkeypatch.setattr(pg, "NET_S", LONG_S)
    assert seconds(lambda: listener.wait(LONG_S)) < 5


def test_a_server_that_is_away_is_asked_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def refuse() -> Any:
        tried.append(time.monotonic())
        raise psycopg.OperationalError

    monkeypatch.setattr(pg, "_FIRST_PAUSE_S", 0.1)
    listener = Listener(refuse)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.0:
        assert listener.wait(0.02)
    assert 3 <= len(tried) <= 5


def test_a_notifier_that_cannot_connect_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def refuse() -> Any:
        tried.append(time.monotonic())
        raise psycopg.OperationalError

    monkeypatch.setattr(pg, "_FIRST_PAUSE_S", 0.01)
    notifier = Notifier(refuse)
    for count in (1, 2):
        assert seconds(notifier.tell) < 0.5
        wait_for(lambda count=count: len(tried) == count, "it has tried")  # type: ignore[misc]
    notifier.stop()
    assert seconds(notifier.tell) < 0.5


def test_a_notifier_that_has_nothing_to_tell_starts_nothing() -> None:
    notifier = Notifier(lambda: 1 / 0)
    notifier.stop()
    notifier.tell()
    assert notifier._thread is None
