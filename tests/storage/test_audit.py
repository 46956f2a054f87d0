"""The chain holds as long as nobody touches it, and says where somebody did."""

from datetime import datetime

import pytest
from sqlalchemy import text

from dispatch.domain.audit import GENESIS
from dispatch.domain.roles import SYSTEM
from dispatch.storage import audit, schema
from dispatch.storage.db import Store
from tests.support.store import in_parallel


def broken_at(store: Store) -> int | None:
    with store.read() as tx:
        return audit.broken_at(tx.conn)


def seal(store: Store, batch: int = 1000) -> int:
    with store.write() as tx:
        return audit.seal(tx.conn, batch)


def run(store: Store, statement: str) -> None:
    with store.write() as tx:
        tx.conn.execute(text(statement))


def say(store: Store, now: datetime, *subjects: str) -> None:
    with store.write() as tx:
        for subject in subjects:
            tx.audit(now, SYSTEM, "test", subject, text="一句“话”", late_s=0.1, number=3, flag=True, nothing=None)


def test_an_empty_chain_is_whole(bare_store: Store) -> None:
    schema.upgrade(bare_store)
    assert broken_at(bare_store) is None
    with bare_store.read() as tx:
        assert tx.conn.execute(text("SELECT seq, hash FROM audit_head")).one() == (0, GENESIS)


def test_entries_are_chained_in_order(store: Store, now: datetime) -> None:
    before = seal(store)
    say(store, now, "one", "two")
    say(store, now, "three")
    say(store, now)
    assert seal(store, 2) == 2
    assert seal(store, 2) == 1
    assert seal(store) == 0
    with store.read() as tx:
        rows = audit.page(tx.conn, 0, 3, None)
    assert [(row["seq"], row["subject"]) for row in rows] == [
        (before + 3, "three"),
        (before + 2, "two"),
        (before + 1, "one"),
    ]
    assert rows[0]["detail"] == {"text": "一句“话”", "late_s": 0.1, "number": 3, "flag": True, "nothing": None}
    assert len({row["hash"] for row in rows}) == 3
    assert broken_at(store) is None


def test_an_entry_waits_unsealed_until_somebody_seals(store: Store, now: datetime) -> None:
    seal(store)
    with store.read() as tx:
        assert audit.unsealed_since(tx.conn) is None
    say(store, now, "new")
    with store.read() as tx:
        assert audit.unsealed_since(tx.conn) == now
        assert audit.page(tx.conn, 0, 1, None)[0]["hash"] is None


def test_many_sealers_make_one_chain(store: Store, now: datetime) -> None:
    before = seal(store)
    say(store, now, *map(str, range(40)))
    assert sum(map(int, map(str, in_parallel([lambda: seal(store, 5)] * 8)))) == 40
    assert broken_at(store) is None
    with store.read() as tx:
        assert {row["seq"] for row in audit.page(tx.conn, 0, 40, None)} == set(range(before + 1, before + 41))


def test_many_writers_make_one_chain(store: Store, now: datetime) -> None:
    in_parallel([lambda n=n: say(store, now, f"{n}a", f"{n}b") for n in range(16)])  # type: ignore[misc]
    seal(store)
    assert broken_at(store) is None
    with store.read() as tx:
        subjects = {row["subject"] for row in audit.page(tx.conn, 0, 32, None)}
    assert subjects == {f"{n}{letter}" for n in range(16) for letter in "ab"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 3",
        "UPDATE audit SET actor_id = 77 WHERE seq = 3",
        "UPDATE audit SET action = 'nothing' WHERE seq = 3",
        "UPDATE audit SET subject = 'other' WHERE seq = 3",
        "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 3",
        "UPDATE audit SET detail = '{}' WHERE seq = 3",
        "UPDATE audit SET hash = 'forged' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
    ],
)
def test_every_change_of_an_entry_shows(store: Store, now: datetime, change: str) -> None:
    say(store, now, "last")
    seal(store)
    assert broken_at(store) is None
    run(store, change)
    assert broken_at(store) == 3


def test_a_cut_tail_shows(store: Store, now: datetime) -> None:
    say(store, now, "last")
    last = seal(store)
    run(store, f"DELETE FROM audit WHERE seq = {last}")
    assert broken_at(store) == last


def test_pages_go_back_in_time(store: Store, now: datetime) -> None:
    say(store, now, "a", "b", "a", "b", "a")
    with store.read() as tx:
        first = audit.page(tx.conn, 0, 2, "a")
        second = audit.page(tx.conn, first[-1]["id"], 2, "a")
        third = audit.page(tx.conn, second[-1]["id"], 2, "a")
    assert [len(first), len(second), len(third)] == [2, 1, 0]
    ids = [row["id"] for row in (*first, *second)]
    assert ids == sorted(ids, reverse=True)
