"""A notice is leased, sent, marked; whoever lost the lease marks nothing."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.ticket import Notice
from dispatch.storage import outbox
from dispatch.storage.db import Store
from dispatch.storage.outbox import OUTBOX, Message
from tests.support.store import in_parallel

LEASE_S = 60.0


@dataclass
class Place:
    team_id: str | None
    branch: str | None


def queue(store: Store, now: datetime, *keys: str) -> None:
    with store.write() as tx:
        for key in keys:
            rows = outbox.rows_of(
                1, Place("tianxin-03", "城南"), Notice(("crew",), f"通知 {key}"), key, now, ("console",)
            )
            outbox.put(tx, [{**row, "ticket_id": None} for row in rows])


def lease(store: Store, now: datetime, batch: int = 50) -> list[Message]:
    with store.write() as tx:
        return outbox.lease(tx, ["console"], now, LEASE_S, batch)


def mark_sent(store: Store, messages: list[Message], now: datetime) -> int:
    with store.write() as tx:
        return outbox.mark_sent(tx, messages, now)


def rows(store: Store) -> list[dict[str, Any]]:
    with store.read() as tx:
        return [dict(row) for row in tx.conn.execute(select(OUTBOX).order_by(OUTBOX.c.id)).mappings()]


@pytest.mark.parametrize(
    ("to", "place", "expected"),
    [
        (("crew", "backup"), Place("t1", "城南"), ["crew:t1", "backup:t1"]),
        (("area_lead", "branch_duty"), Place("t1", "城南"), ["area_lead:城南", "branch_duty:城南"]),
        (("crew", "dispatcher", "area_lead"), Place(None, None), ["dispatcher"]),
        (("hotline_director", "crew:t9"), Place(None, None), ["hotline_director", "crew:t9"]),
    ],
)
def test_audiences_are_resolved_for_the_place(to: tuple[str, ...], place: Place, expected: list[str]) -> None:
    assert outbox.resolve(to, place) == expected


def test_every_channel_gets_its_own_row(now: datetime) -> None:
    made = outbox.rows_of(5, Place("t1", None), Notice(("crew",), "去"), "5:2:dispatch:0", now, ("console", "webhook"))
    assert [(row["channel"], row["idempotency_key"], row["recipients"]) for row in made] == [
        ("console", "5:2:dispatch:0:console", ["crew:t1"]),
        ("webhook", "5:2:dispatch:0:webhook", ["crew:t1"]),
    ]


def test_the_oldest_are_leased_first(store: Store, now: datetime) -> None:
    queue(store, now + timedelta(seconds=1), "later")
    queue(store, now, "first", "second")
    with store.read() as tx:
        assert outbox.next_try(tx, None) == now
    leased = lease(store, now + timedelta(seconds=5), batch=2)
    assert [(m.text, m.attempts, m.recipients) for m in leased] == [
        ("通知 first", 1, ("crew:tianxin-03",)),
        ("通知 second", 1, ("crew:tianxin-03",)),
    ]
    assert [m.text for m in lease(store, now + timedelta(seconds=5))] == ["通知 later"]
    assert lease(store, now + timedelta(seconds=5)) == []


def test_what_is_not_due_is_not_leased(store: Store, now: datetime) -> None:
    queue(store, now + timedelta(seconds=1), "later")
    assert lease(store, now) == []


def test_a_message_goes_to_one_sender_only(store: Store, now: datetime) -> None:
    queue(store, now, *map(str, range(40)))
    leased = in_parallel([lambda: lease(store, now, batch=7)] * 6)
    ids = [message.id for batch in leased if isinstance(batch, list) for message in batch]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 7
    ids += [message.id for message in lease(store, now)]
    assert len(set(ids)) == len(ids) == 40


def test_sent_is_sent_for_good(store: Store, now: datetime) -> None:
    queue(store, now, "a")
    leased = lease(store, now)
    later = now + timedelta(seconds=3)
    assert mark_sent(store, leased, later) == 1
    (row,) = rows(store)
    assert (row["state"], row["sent_at"], row["next_try_at"], row["error"]) == ("sent", later, None, None)
    assert mark_sent(store, leased, later) == 0
    assert lease(store, now + timedelta(days=1)) == []


def test_marking_nothing_is_no_statement(store: Store, now: datetime) -> None:
    assert mark_sent(store, [], now) == 0


def test_a_failed_try_waits_for_the_next(store: Store, now: datetime) -> None:
    queue(store, now, "a")
    (message,) = lease(store, now)
    again_at = now + timedelta(seconds=2)
    with store.write() as tx:
        assert outbox.mark(tx, message, "queued", next_try_at=again_at, error="HTTP 500")
    (row,) = rows(store)
    assert (row["state"], row["error"], row["next_try_at"]) == ("queued", "HTTP 500", again_at)
    assert lease(store, now + timedelta(seconds=1)) == []
    (second,) = lease(store, again_at)
    assert (second.id, second.attempts) == (message.id, 2)


def test_a_dead_senders_lease_runs_out(store: Store, now: datetime) -> None:
    queue(store, now, "a")
    lease(store, now)
    assert lease(store, now + timedelta(seconds=LEASE_S - 1)) == []
    (second,) = lease(store, now + timedelta(seconds=LEASE_S))
    assert second.attempts == 2


def test_a_lost_lease_marks_nothing(store: Store, now: datetime) -> None:
    queue(store, now, "a")
    slow = lease(store, now)
    quick = lease(store, now + timedelta(seconds=LEASE_S))
    late = now + timedelta(seconds=LEASE_S + 1)
    assert mark_sent(store, slow, late) == 0
    with store.write() as tx:
        assert not outbox.mark(tx, slow[0], "failed", next_try_at=None, error="too late")
    (row,) = rows(store)
    assert (row["state"], row["attempts"], row["error"]) == ("leased", 2, None)
    assert mark_sent(store, quick, late) == 1


def test_a_message_that_was_never_leased_is_not_marked(store: Store, now: datetime) -> None:
    queue(store, now, "a")
    (message,) = lease(store, now)
    with store.write() as tx:
        assert outbox.mark(tx, message, "queued", next_try_at=now, error="x")
    assert mark_sent(store, [message], now) == 0
    assert mark_sent(store, [replace(message, id=message.id + 1)], now) == 0


def test_counts_are_by_state(store: Store, now: datetime) -> None:
    queue(store, now, "a", "b", "c")
    mark_sent(store, lease(store, now, batch=1), now)
    lease(store, now, batch=1)
    with store.read() as tx:
        assert outbox.counts(tx) == {"sent": 1, "leased": 1, "queued": 1}
