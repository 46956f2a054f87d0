"""Idempotency keys, on both databases: the second claim gets the first answer."""

from __future__ import annotations

from datetime import datetime

import pytest

from dispatch.domain.errors import IdempotencyMismatch
from dispatch.storage import replies
from dispatch.storage.db import Store

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
