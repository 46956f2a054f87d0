"""Reading what is new: each row once, also one whose transaction commits after later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text

from dispatch.storage import live
from dispatch.storage.db import Store, Tx
from dispatch.storage.live import Tail
from tests.support.store import in_parallel

DAY = timedelta(days=1)


def add(tx: Tx, key: str, at: datetime) -> None:
    live.add_signals(tx, [{"at": at, "topic": "test", "key": key}])


def commit(store: Store, key: str, at: datetime) -> None:
    with store.write() as tx:
        add(tx, key, at)


def take_back(store: Store, key: str, at: datetime) -> None:
    with suppress(ZeroDivisionError), store.write() as tx:
        add(tx, key, at)
        raise ZeroDivisionError


def read(store: Store, tail: Tail) -> list[str]:
    """All that is new, in as many looks as it takes."""
    found: list[str] = []
    with store.read() as tx:
        while rows := tail.more(tx):
            found += [row.key for row in rows]
    return found


@pytest.fixture
def tail(store: Store) -> Tail:
    """A tail that has read what is there."""
    made = Tail(live.SIGNALS)
    with store.read() as tx:
        made.begin(tx)
    return made


@pytest.fixture
def open_write(store: Store) -> Iterator[ExitStack]:
    """A transaction that stays open until the test closes it."""
    with ExitStack() as stack:
        yield stack


def test_each_row_is_read_once(store: Store, tail: Tail, now: datetime) -> None:
    assert read(store, tail) == []
    commit(store, "one", now)
    commit(store, "two", now)
    assert read(store, tail) == ["one", "two"]
    assert read(store, tail) == []


def test_it_begins_behind_what_is_there(store: Store, now: datetime) -> None:
    for key in ("one", "two"):
        commit(store, key, now)
    tail = Tail(live.SIGNALS)
    with store.read() as tx:
        tail.begin(tx)
        assert (live.newest(tx), tail.mark) == ((0, 2), 2)
    assert read(store, tail) == []


def test_many_rows_come_in_several_looks(store: Store, tail: Tail, now: datetime) -> None:
    keys = [str(n) for n in range(2 * live.AT_MOST + 1)]
    with store.write() as tx:
        live.add_signals(tx, [{"at": now, "topic": "test", "key": key} for key in keys])
    with store.read() as tx:
        assert len(tail.more(tx)) == live.AT_MOST
    assert read(store, tail) == keys[live.AT_MOST :]


def test_what_is_taken_back_is_no_news(store: Store, tail: Tail, now: datetime) -> None:
    take_back(store, "lost", now)
    commit(store, "kept", now)
    assert read(store, tail) == ["kept"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_transaction_that_commits_late_is_read(
    store: Store, tail: Tail, open_write: ExitStack, now: datetime
) -> None:
    add(open_write.enter_context(store.write()), "late", now)
    commit(store, "early", now)
    before = tail.mark
    assert read(store, tail) == ["early"]
    # Whoever comes back with this mark is told of both.
    assert tail.mark == before
    assert tail.high == before + 2
    open_write.close()
    assert read(store, tail) == ["late"]
    assert tail.mark == tail.high


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_one_that_was_under_way_at_the_beginning_is_read(store: Store, open_write: ExitStack, now: datetime) -> None:
    add(open_write.enter_context(store.write()), "late", now)
    commit(store, "early", now)
    tail = Tail(live.SIGNALS)
    with store.read() as tx:
        tail.begin(tx)
    assert read(store, tail) == []
    open_write.close()
    assert read(store, tail) == ["late"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_missing_number_is_given_up_when_nobody_can_bring_it(
    store: Store, tail: Tail, open_write: ExitStack, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(open_write.enter_context(store.write()), "late", now)
    take_back(store, "never", now)
    commit(store, "early", now)
    read(store, tail)
    assert len(tail.missing) == 2
    monkeypatch.setattr(live, "_KEPT_S", 0.0)
    read(store, tail)
    assert len(tail.missing) == 2, "while the first runs, it may bring either"
    open_write.close()
    assert read(store, tail) == ["late"]
    read(store, tail)
    assert tail.missing == {}


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_number_is_kept_for_a_while_though_nobody_seems_to_run(store: Store, tail: Tail, now: datetime) -> None:
    take_back(store, "never", now)
    commit(store, "early", now)
    for _ in range(3):
        read(store, tail)
    assert len(tail.missing) == 1


def test_writers_at_once_lose_nothing(store: Store, tail: Tail, now: datetime) -> None:
    def write(n: int) -> list[str]:
        for m in range(20):
            commit(store, f"{n}-{m}", now)
        return []

    def look() -> list[str]:
        found: list[str] = []
        while len(found) < 160:
            found += read(store, tail)
        return found

    jobs: list[Callable[[], list[str]]] = [partial(write, n) for n in range(8)]
    *_, found = in_parallel([*jobs, look])
    assert isinstance(found, list)
    assert sorted(found) == sorted(f"{n}-{m}" for n in range(8) for m in range(20))


def test_old_signals_are_forgotten_but_the_newest(store: Store, now: datetime) -> None:
    for key, at in (("old", now - 2 * DAY), ("older", now - 3 * DAY)):
        commit(store, key, at)
    with store.write() as tx:
        live.forget_signals(tx, now - DAY)
        assert live.oldest_signal(tx) == 2
    commit(store, "new", now)
    with store.write() as tx:
        live.forget_signals(tx, now - DAY)
        assert list(tx.conn.execute(select(live.SIGNALS.c.key)).scalars()) == ["new"]
        assert live.oldest_signal(tx) == 3


def test_who_wants_to_know_is_told_after_the_commit(store: Store, now: datetime) -> None:
    told: list[str] = []

    def hear() -> None:
        with store.read() as tx:
            told.extend(tx.conn.execute(select(live.SIGNALS.c.key)).scalars())

    store.on_news = hear
    take_back(store, "lost", now)
    with store.write() as tx:
        tx.audit_entries.clear()
    assert told == []
    commit(store, "kept", now)
    assert told == ["kept"]


def test_a_connection_apart_is_in_no_transaction(store: Store, now: datetime) -> None:
    conn = store.connect_apart()
    count = "SELECT count(*) FROM signals"
    assert conn.execute(count).fetchone() == (0,)
    commit(store, "new", now)
    assert conn.execute(count).fetchone() == (1,)
    conn.close()
    with store.read() as tx:
        assert tx.conn.execute(text(count)).scalar_one() == 1
