"""A simulated surge loses and doubles nothing, fires every step, and begins and ends once."""

from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest
from sqlalchemy import delete, insert, select

from dispatch.domain.surge import Move, judge
from dispatch.services import flood, surge
from dispatch.services.desk import Desk
from dispatch.services.flood import DAY, HOUR, Flood, Flooded, Plan, check
from dispatch.storage.surges import CALLS
from tests.support.cast import Cast, Spy

MINUTE = timedelta(minutes=1)
# Two minutes of many calls are enough where a tenth of them begins a surge.
SMALL = Plan([2] * 4 + [12] * 8 + [1] * 40, 5 * MINUTE, 10)


def play(desk: Desk, cast: Cast, now: datetime, spy: Spy, stop_after: int = 10**9) -> Flooded:
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    steps = count()
    told = Flood(
        desk, cast.agent, zones, now, Random(1), {"console": spy}, lambda _at, _text: None,
        plan=SMALL, timer=lambda: 0.0, is_stopped=lambda: next(steps) > stop_after,
    )  # fmt: skip
    return told.play()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "_ONE_TWICE_OF", 10)
    monkeypatch.setattr(surge, "judge", lambda standing, policy, calls, now: judge(standing, policy, 3 * calls, now))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_small_surge(desk: Desk, cast: Cast, now: datetime) -> None:
    spy = Spy()
    flooded = play(desk, cast, now, spy)
    found = check(desk.store, flooded)
    assert (flooded.taken, flooded.repeats, flooded.is_complete) == (SMALL.calls, SMALL.calls // 10, True)
    assert flooded.outcomes.total() == SMALL.calls
    assert flooded.outcomes["attached"] == 9
    assert found.is_good, found
    assert (found.lost, found.doubled, found.overdue, dict(found.wrong)) == (0, 0, 0, {})
    assert [move for _, move in flooded.moves] == [Move.ENTER, Move.LEAVE]
    assert (found.surges, found.left) == (1, 1)
    assert found.steps > 0
    assert 0 < found.digests < found.gathered
    assert len([one for one in spy.parcels if one.text.startswith("大流量汇总")]) == found.digests
    assert len(flooded.looks_s) == len(SMALL.per_minute) + 1


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_stop_is_heeded_and_what_is_missing_is_found(desk: Desk, cast: Cast, now: datetime) -> None:
    flooded = play(desk, cast, now, Spy(), stop_after=30)
    assert not flooded.is_complete
    assert check(desk.store, flooded).is_good
    with desk.store.write() as tx:
        row = tx.conn.execute(select(CALLS).where(CALLS.c.outcome == "ticket").limit(1)).mappings().one()
        again = {**row, "id": 9_999, "cti_call_id": None}
        tx.conn.execute(insert(CALLS), again)
    assert check(desk.store, flooded).doubled == 2
    with desk.store.write() as tx:
        tx.conn.execute(delete(CALLS).where(CALLS.c.id.in_([row["id"], 9_999])))
    found = check(desk.store, flooded)
    assert (found.lost, found.is_good) == (1, False)
    assert found.wrong == {"tickets without a call": 1}


def test_the_shipped_plans_are_what_they_say() -> None:
    assert (HOUR.calls, HOUR.burst_calls, set(HOUR.per_minute)) == (1_400, 200, {20})
    assert DAY.calls == 4 * flood.DAILY
    assert list(DAY.per_minute).count(20) == 60
    assert max(DAY.per_minute) == 20
