"""In a surge notices come as digests, on both databases: each step in exactly one, whoever looks and whatever dies."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.services import escalation, surge
from dispatch.services.desk import Desk
from dispatch.storage import health
from dispatch.storage import surges as surge_rows
from dispatch.storage.digests import ITEMS
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import BRANCH, TEAM_A, Cast, dispatched
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)


def notices(desk: Desk) -> list[Any]:
    """What was queued for steps: (recipients, text, key), in order."""
    query = select(OUTBOX.c.recipients, OUTBOX.c.text, OUTBOX.c.idempotency_key).order_by(OUTBOX.c.id)
    with desk.store.read() as tx:
        rows = tx.conn.execute(query).all()
    return [row for row in rows if "新工单" not in row.text]


def digest_rows(desk: Desk) -> list[Any]:
    return [row for row in notices(desk) if row.idempotency_key.startswith("digest:")]


def steps(desk: Desk) -> int:
    with desk.store.read() as tx:
        return len(tx.conn.execute(select(ESCALATIONS.c.id)).all())


def assert_sound(desk: Desk) -> None:
    with desk.store.read() as tx:
        assert set(health.orphans(tx).values()) == {0}
        told = tx.conn.execute(select(ITEMS.c.digest)).scalars().all()
    assert all(one is not None for one in told)


def begin(desk: Desk, cast: Cast, now: datetime) -> None:
    surge.enter(desk, cast.supervisor, "寒潮", {}, now)


def look(desk: Desk, at: datetime) -> surge.Watched:
    return surge.watch(desk, lambda: at)


def test_supervisors_get_one_digest_and_crews_each_notice(desk: Desk, cast: Cast, now: datetime) -> None:
    for _ in range(6):
        dispatched(desk, now)
    begin(desk, cast, now)
    escalation.sweep(desk, now + 30 * MINUTE)  # accept missed, 50 %, 80 %, arrival missed
    assert steps(desk) == 6 * 4
    single = Counter(one for row in notices(desk) for one in row.recipients)
    assert single == {f"backup:{TEAM_A}": 6, f"crew:{TEAM_A}": 12}
    assert surge.state(desk, cast.supervisor, now)["waiting"] == 6 * 4  # the dispatcher twice for each
    assert look(desk, now + 30 * MINUTE).digests == 3
    told = {tuple(row.recipients): row.text for row in digest_rows(desk)}
    assert set(told) == {("dispatcher",), (f"area_lead:{BRANCH}",), (f"branch_duty:{BRANCH}",)}
    assert "升级 12 步, 工单 6 张: 接单 100% 接单超时, 通知B角和调度 6, 到场 80% 仍可挽回 6" in told["dispatcher",]
    assert look(desk, now + 30 * MINUTE).digests == 0
    assert look(desk, now + 35 * MINUTE).digests == 0  # nothing new
    assert_sound(desk)


def test_a_breach_of_the_first_level_comes_at_once(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now, category="burst")
    begin(desk, cast, now)
    escalation.sweep(desk, now + 30 * MINUTE)
    single = Counter(one for row in notices(desk) for one in row.recipients)
    assert single["dispatcher"] == 1  # accept missed
    assert single[f"branch_duty:{BRANCH}"] == 1
    with desk.store.read() as tx:
        waiting = tx.conn.execute(select(ITEMS.c.recipient, ITEMS.c.ratio)).all()
    assert {tuple(row) for row in waiting} == {(f"area_lead:{BRANCH}", 0.8), ("dispatcher", 0.8)}


def test_what_waits_is_sent_when_the_surge_ends(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now)
    begin(desk, cast, now)
    escalation.sweep(desk, now + 10 * MINUTE)
    surge.leave(desk, cast.supervisor, "回落", 1, now + 11 * MINUTE)
    assert [row.recipients for row in digest_rows(desk)] == [["dispatcher"]]
    escalation.sweep(desk, now + 30 * MINUTE)
    assert f"branch_duty:{BRANCH}" in {one for row in notices(desk) for one in row.recipients}
    assert len(digest_rows(desk)) == 1
    assert_sound(desk)


def test_a_sweep_that_has_not_heard_of_the_end_tells_singly(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched(desk, now)
    begin(desk, cast, now)
    with desk.store.read() as tx:
        old = desk.gathering(tx)
    surge.leave(desk, cast.supervisor, "回落", 1, now)
    monkeypatch.setattr(Desk, "gathering", lambda *_: old)
    escalation.sweep(desk, now + 10 * MINUTE)
    assert [row.recipients for row in notices(desk)] == [[f"backup:{TEAM_A}", "dispatcher"]]
    assert_sound(desk)


class PowerCut(BaseException):
    """Nothing of the process is left to handle it."""


def test_a_crash_before_the_commit_loses_and_doubles_nothing(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched(desk, now)
    begin(desk, cast, now)
    escalation.sweep(desk, now + 10 * MINUTE)

    def crash(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(surge_rows, "note", crash)
        with pytest.raises(PowerCut):
            look(desk, now + 10 * MINUTE)
    assert digest_rows(desk) == []
    assert look(desk, now + 10 * MINUTE).digests == 1
    assert len(digest_rows(desk)) == 1
    assert_sound(desk)


def test_many_sweepers_and_watchers_at_once(desk: Desk, cast: Cast, url: str, now: datetime) -> None:
    for _ in range(20):
        dispatched(desk, now)
    begin(desk, cast, now)
    others = [desk, *(open_desk(url) for _ in range(2))]
    for minute in (10, 16, 24, 30, 46):
        at = now + minute * MINUTE
        jobs = [partial(escalation.sweep, one, at) for one in others] + [partial(look, one, at) for one in others]
        found = in_parallel(jobs * 2)
        assert not [one for one in found if isinstance(one, Exception)]
        escalation.sweep(desk, at)  # what the others passed over
    surge.leave(desk, cast.supervisor, "回落", 1, now + 50 * MINUTE)
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(ITEMS)).all()
    assert steps(desk) == 20 * 5
    assert Counter(row.recipient for row in rows) == {
        "dispatcher": 40, f"area_lead:{BRANCH}": 20, f"branch_duty:{BRANCH}": 20, "hotline_director": 20,
    }  # fmt: skip
    told = {row.idempotency_key.removesuffix(":console") for row in digest_rows(desk)}
    assert told == {f"digest:{row.surge_id}:{row.digest}:{row.recipient}" for row in rows}
    assert len(digest_rows(desk)) == len(told)
    assert_sound(desk)
    for one in others[1:]:
        one.store.close()


def test_nothing_waits_where_nothing_happened(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    assert look(desk, now + 5 * MINUTE) == surge.Watched()
    assert notices(desk) == []
