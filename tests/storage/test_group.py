"""Writers who share a commit share its failure; whoever comes next starts afresh."""

import threading
import time
from datetime import datetime
from sqlite3 import OperationalError
from typing import NoReturn

import pytest
from sqlalchemy import event, select

from dispatch.storage import group, health
from dispatch.storage.db import Store
from tests.support.store import in_parallel

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def beat(store: Store, name: str, now: datetime) -> None:
    with store.write() as tx:
        health.beat(tx, name, now, 0, 0.0)


def beats(store: Store) -> list[str]:
    with store.read() as tx:
        return sorted(tx.conn.execute(select(health.BEATS.c.worker)).scalars())


def together(store: Store, now: datetime, count: int) -> list[Exception | None]:
    """Let `count` writers stand in line behind a first one, so that they share its transaction."""
    results: list[Exception | None] = []

    def write(number: int) -> None:
        try:
            beat(store, f"{number:02d}", now)
        except Exception as error:
            results.append(error)
        else:
            results.append(None)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    try:
        with store.write():
            for thread in threads:
                thread.start()
            time.sleep(0.2)
    finally:
        for thread in threads:
            thread.join(10)
    return results


def test_those_who_wait_share_one_commit(store: Store, now: datetime) -> None:
    commits: list[int] = []
    event.listen(store.engine, "commit", lambda _conn: commits.append(1))
    assert together(store, now, 8) == [None] * 8
    assert len(beats(store)) == 8
    assert len(commits) < 4


def test_a_group_is_not_endless(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "MOST", 3)
    commits: list[int] = []
    event.listen(store.engine, "commit", lambda _conn: commits.append(1))
    assert together(store, now, 8) == [None] * 8
    assert len(beats(store)) == 8
    assert len(commits) >= 3


def test_a_commit_that_fails_fails_for_all_and_for_nobody_after(store: Store, now: datetime) -> None:
    def fail(_conn: object) -> NoReturn:
        raise OperationalError("disk I/O error")

    event.listen(store.engine, "commit", fail)
    results: list[Exception | None] = []
    with pytest.raises(OperationalError, match="disk I/O error"):
        results += together(store, now, 4)
    event.remove(store.engine, "commit", fail)
    assert beats(store) == []
    beat(store, "after", now)
    assert beats(store) == ["after"]


def test_every_member_learns_of_the_failure(store: Store, now: datetime) -> None:
    def fail(_conn: object) -> NoReturn:
        raise OperationalError("disk I/O error")

    event.listen(store.engine, "commit", fail)
    results = in_parallel([lambda: beat(store, "lost", now)] * 6)
    event.remove(store.engine, "commit", fail)
    assert {type(result) for result in results} == {OperationalError}
    assert beats(store) == []


def test_a_transaction_that_sqlite_ended_is_not_taken_for_written(store: Store, now: datetime) -> None:
    with pytest.raises(OperationalError, match="nothing of it is written"), store.write() as tx:
        tx.conn.exec_driver_sql("ROLLBACK")
    assert beats(store) == []
    beat(store, "after", now)
    assert beats(store) == ["after"]


def test_an_error_after_sqlite_ended_the_transaction_is_told_as_it_is(store: Store, now: datetime) -> None:
    def lose() -> None:
        with store.write() as tx:
            tx.conn.exec_driver_sql("ROLLBACK")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lose()
    beat(store, "after", now)
    assert beats(store) == ["after"]


def test_a_database_that_cannot_be_opened_blocks_nobody(
    store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> NoReturn:
        raise OperationalError("unable to open database file")

    with monkeypatch.context() as patched:
        patched.setattr(store.engine, "connect", away)
        with pytest.raises(OperationalError, match="unable to open"):
            beat(store, "lost", now)
    beat(store, "after", now)
    assert beats(store) == ["after"]
