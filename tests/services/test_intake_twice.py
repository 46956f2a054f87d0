"""The same call twice is one call, however it comes in."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput
from dispatch.services import intake
from dispatch.services.desk import Desk
from dispatch.services.intake import Receipt
from dispatch.storage import calls, health
from dispatch.storage.calls import CALLS
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tickets import TICKETS
from tests.support.cast import (
    ZONE_A,
    Cast,
    call,
    new_call,
    received,
    spot,
)
from tests.support.store import in_parallel, open_desk


def count(desk: Desk) -> tuple[int, int]:
    """How many calls and tickets there are."""
    with desk.store.read() as tx:
        found = [tx.conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (CALLS, TICKETS)]
    return found[0], found[1]


def notices(desk: Desk) -> list[tuple[list[str], str]]:
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(OUTBOX).order_by(OUTBOX.c.id))
        return [(row.recipients, row.text) for row in rows]


def test_the_same_cti_call_gets_the_first_answer(desk: Desk, cast: Cast, now: datetime) -> None:
    first = call(desk, cast.integration, now, cti_call_id="c1")
    told = new_call(now, cti_call_id="c1")
    later = now + timedelta(minutes=5)
    again = intake.register(desk, cast.integration, told, {"call": repr(told)}, later)
    assert (first.is_repeat, again) == (False, Receipt(first.body, True))
    assert count(desk) == (1, 1)


def test_another_body_under_the_same_id_is_refused(desk: Desk, cast: Cast, now: datetime) -> None:
    call(desk, cast.integration, now, cti_call_id="c1")
    with pytest.raises(IdempotencyMismatch) as caught:
        call(desk, cast.integration, now, cti_call_id="c1", description="别的事")
    assert caught.value.field == "cti_call_id"
    call(desk, cast.agent, now, key="k")
    with pytest.raises(IdempotencyMismatch) as caught:
        call(desk, cast.agent, now, key="k", description="别的事")
    assert caught.value.field == "Idempotency-Key"
    assert count(desk) == (2, 2)


def test_the_same_key_gets_the_first_answer(desk: Desk, cast: Cast, now: datetime) -> None:
    first = call(desk, cast.agent, now, key="k")
    assert call(desk, cast.agent, now, key="k") == Receipt(first.body, True)
    assert count(desk) == (1, 1)


def test_a_key_is_its_owners(desk: Desk, cast: Cast, now: datetime) -> None:
    assert not call(desk, cast.agent, now, key="k").is_repeat
    assert not call(desk, cast.supervisor, now, key="k").is_repeat
    assert count(desk) == (2, 2)


def test_a_key_that_came_later_is_as_good_as_the_first(desk: Desk, cast: Cast, now: datetime) -> None:
    first = call(desk, cast.integration, now, cti_call_id="c1")
    for key in ("k1", "k1", "k2", None, "k2"):
        assert call(desk, cast.integration, now, cti_call_id="c1", key=key) == Receipt(first.body, True)
    assert count(desk) == (1, 1)


def test_a_refused_call_keeps_no_key(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        call(desk, cast.integration, now, cti_call_id="c1", category="fire")
    assert not call(desk, cast.integration, now, cti_call_id="c1").is_repeat
    assert count(desk) == (1, 1)


def test_without_id_and_key_two_calls_are_two(desk: Desk, cast: Cast, now: datetime) -> None:
    assert received(desk, now) != received(desk, now)
    assert count(desk) == (2, 2)


@pytest.mark.parametrize("with_key", [False, True])
def test_fifty_copies_of_one_webhook_are_one_call(desk: Desk, cast: Cast, now: datetime, with_key: bool) -> None:
    key = "k" if with_key else None
    point = spot(desk, ZONE_A, now)
    jobs = [lambda: call(desk, cast.integration, now, cti_call_id="c1", key=key, point=point)] * 50
    receipts = [receipt for receipt in in_parallel(jobs) if isinstance(receipt, Receipt)]
    assert len(receipts) == 50
    assert sorted(receipt.is_repeat for receipt in receipts) == [False] + [True] * 49
    assert all(receipt.body == receipts[0].body for receipt in receipts)
    assert count(desk) == (1, 1)
    assert len(notices(desk)) == 1
    with desk.store.read() as tx:
        assert set(health.orphans(tx).values()) == {0}


def test_copies_that_meet_in_two_processes_are_one_call(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    second = open_desk(url)
    jobs = [lambda d=d: call(d, cast.integration, now, cti_call_id="c1") for d in (desk, second) * 8]
    receipts = in_parallel(jobs)
    assert [type(receipt) for receipt in receipts] == [Receipt] * 16
    assert count(desk) == (1, 1)
    second.store.close()


def test_a_copy_with_another_body_loses_even_in_a_race(desk: Desk, cast: Cast, now: datetime) -> None:
    jobs = [
        lambda n=n: call(desk, cast.integration, now, cti_call_id="c1", description=f"第 {n % 2} 种说法")
        for n in range(20)
    ]
    results = in_parallel(jobs)
    refused = [result for result in results if isinstance(result, IdempotencyMismatch)]
    assert len(refused) == 10
    assert len([result for result in results if isinstance(result, Receipt)]) == 10
    assert count(desk) == (1, 1)


def test_a_crash_before_the_commit_leaves_no_call(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(calls, "index_terms", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            call(desk, cast.integration, now, cti_call_id="c1")
    assert count(desk) == (0, 0)
    assert not call(desk, cast.integration, now, cti_call_id="c1").is_repeat
    assert count(desk) == (1, 1)
