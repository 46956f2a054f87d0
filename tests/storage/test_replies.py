"""Idempotency keys, on both databases: the second claim gets the first answer. And the last press on each ticket."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import IdempotencyMismatch
from dispatch.storage import replies
from dispatch.storage.db import Store
from dispatch.storage.replies import Press

KEYS = [("cti:1", "cti_call_id")]


def test_a_key_is_claimed_once_and_its_answer_given_again(store: Store, now: datetime) -> None:
    with store.write() as tx:
        assert replies.claim(tx, KEYS, "body", now) is None
        replies.keep(tx, KEYS, {"number": 1})
    with store.write() as tx:
        assert replies.claim(tx, KEYS, "body", now) == {"number": 1}


def test_a_key_with_another_body_is_refused(store: Store, now: datetime) -> None:
    with store.write() as tx:
        replies.claim(tx, KEYS, "body", now)
        with pytest.raises(IdempotencyMismatch):
            replies.claim(tx, KEYS, "other", now)


def test_the_last_press_on_a_ticket_takes_the_place_of_the_one_before(store: Store, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with store.write() as tx:
        assert replies.last_press(tx, "GD1") is None
        replies.keep_press(tx, "GD1", "accept", now)
        replies.keep_press(tx, "GD2", "urge", now)
        replies.keep_press(tx, "GD1", "depart", later)
    with store.read() as tx:
        assert [replies.last_press(tx, number) for number in ("GD1", "GD2")] == [
            Press("depart", later),
            Press("urge", now),
        ]
