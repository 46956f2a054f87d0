"""The lamp, and the doctor who finds every broken law."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text

from dispatch.domain.progress import Counted
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.domain.states import Status
from dispatch.services import delivery, health, setup
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep, sweep
from dispatch.storage import audit
from dispatch.storage.db import Store
from tests.support import rosters
from tests.support.cast import Spy, dispatched, ticket_at
from tests.support.store import DATA, SINCE

T = TypeVar("T")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def bad(desk: Desk, now: datetime) -> list[str]:
    return [finding.what for finding in health.examine(desk, now) if not finding.is_good]


def live(desk: Desk, now: datetime) -> None:
    """Do what a scheduler does all the time, so that nothing is to be complained of."""
    health.beat(desk, "host:1", now, Sweep())
    sweep(desk, now)
    delivery.deliver(desk, {"console": Spy()}, lambda: now)
    while True:
        with desk.store.write() as tx:
            if not audit.seal(tx.conn, 1000):
                return


def run(desk: Desk, *statements: str) -> None:
    with desk.store.write() as tx:
        for statement in statements:
            tx.conn.execute(text(statement))


# ---------------------------------------------------------------- the lamp


def test_without_a_scheduler_it_is_down(desk: Desk, now: datetime) -> None:
    state = health.status(desk, now)
    assert (state["status"], state["heartbeat_at"], state["heartbeat_age_s"]) == ("down", None, None)


def test_with_one_it_is_ok(desk: Desk, now: datetime) -> None:
    dispatched(desk, now)
    health.beat(desk, "host:1", now, Sweep())
    assert health.status(desk, now + 3 * SECOND) == {
        "status": "ok",
        "now": (now + 3 * SECOND).isoformat(),
        "late_s": 0.0,
        "next_due_at": (now + 10 * MINUTE).isoformat(),
        "heartbeat_at": now.isoformat(),
        "heartbeat_age_s": 3.0,
        "outbox_waiting_s": 3.0,
        "geocoders": [],
    }


def test_a_silent_scheduler_is_down(desk: Desk, now: datetime) -> None:
    health.beat(desk, "host:1", now, Sweep())
    limit = timedelta(seconds=health.SILENT_AFTER_S)
    assert health.status(desk, now + limit)["status"] == "ok"
    assert health.status(desk, now + limit + SECOND)["status"] == "down"


def test_an_unfired_step_makes_it_late(desk: Desk, now: datetime) -> None:
    dispatched(desk, now)
    due = now + 10 * MINUTE
    health.beat(desk, "host:1", due, Sweep())
    limit = timedelta(seconds=desk.settings.late_after_s)
    assert health.status(desk, due + limit)["status"] == "ok"
    state = health.status(desk, due + limit + SECOND)
    assert (state["status"], state["late_s"]) == ("late", desk.settings.late_after_s + 1)
    sweep(desk, due + limit + SECOND)
    assert health.status(desk, due + limit + SECOND)["status"] == "ok"


def test_a_beat_from_before_the_clock_was_set_back_means_nothing(desk: Desk, now: datetime) -> None:
    health.beat(desk, "host:1", now + timedelta(hours=1), Sweep())
    assert health.status(desk, now)["status"] == "down"
    health.beat(desk, "host:2", now, Sweep())
    assert health.status(desk, now)["status"] == "ok"


def test_a_scheduler_silent_for_a_day_is_forgotten(desk: Desk, now: datetime) -> None:
    health.beat(desk, "host:1", now, Sweep())
    health.beat(desk, "host:1", now + MINUTE, Sweep(fired=3, max_late_s=0.5))
    health.beat(desk, "host:2", now + timedelta(days=1), Sweep())
    with desk.store.read() as tx:
        first = tx.conn.execute(text("SELECT swept, max_late_s FROM heartbeats WHERE worker = 'host:1'")).one()
        assert tuple(first) == (3, 0.5)
    health.beat(desk, "host:2", now + timedelta(days=1) + 2 * MINUTE, Sweep())
    with desk.store.read() as tx:
        assert tx.conn.execute(text("SELECT count(*) FROM heartbeats")).scalar_one() == 1


# ---------------------------------------------------------------- the doctor


def test_a_sound_installation(desk: Desk, now: datetime) -> None:
    for status in Status:
        ticket_at(desk, status, now)
    live(desk, now)
    findings = health.examine(desk, now)
    assert [finding for finding in findings if not finding.is_good] == []
    assert {"schema", "policy", "holidays", "zones", "audit", "scheduler", "clocks", "outbox", "outbox failed"} <= {
        finding.what for finding in findings
    }


def test_hours_without_anybody_and_people_without_an_account_are_told(desk: Desk, now: datetime) -> None:
    rosters.publish(desk, now - timedelta(days=1))
    (found,) = [one for one in health.examine(desk, now) if one.what == "roster"]
    assert not found.is_good
    # 110 grids whose teams are on no roster, and one of the teams has nobody at night: 12 hours of one grid.
    hours = float(found.detail.split()[2])
    assert hours == 24 * 110 + 12
    assert "4 人没有账号" in found.detail


def test_what_takes_long_says_how_far_it_is(desk: Desk, now: datetime) -> None:
    live(desk, now)
    told: dict[str, tuple[int, int]] = {}

    def track(label: str, items: Counted[T]) -> Iterable[T]:
        walked = 0
        for item in items:
            yield item
            walked += 1
        told[label] = (walked, len(items))

    health.examine(desk, now, track)
    assert set(told) == {"核对审计链", "查找孤立记录"}
    assert all(walked == length > 0 for walked, length in told.values())


def test_an_empty_database(bare_store: Store, now: datetime) -> None:
    desk = Desk(bare_store, Settings(database_url=str(bare_store.engine.url)))
    (finding,) = health.examine(desk, now)
    assert (finding.what, finding.is_good) == ("schema", False)
    assert "空" in finding.detail


def test_a_schema_of_another_version(desk: Desk, now: datetime) -> None:
    live(desk, now)
    run(desk, "UPDATE alembic_version SET version_num = '0000'")
    assert bad(desk, now) == ["schema"]


@pytest.mark.parametrize(
    ("year", "is_good", "detail"),
    [
        (2026, True, "2027 年放假安排未知, 按周一至周五计算: 请更新政策的 workdays"),
        (2027, False, "2027、2028 年放假安排未知, 按周一至周五计算: 请更新政策的 workdays"),
    ],
)
def test_a_year_without_announced_holidays_is_told(desk: Desk, year: int, is_good: bool, detail: str) -> None:
    findings = health.examine(desk, datetime(year, 12, 24, 2, tzinfo=UTC))
    (found,) = [finding for finding in findings if finding.what == "holidays"]
    assert (found.is_good, found.detail) == (is_good, detail)


def test_a_table_that_knows_next_year_has_nothing_to_warn_of(desk: Desk, now: datetime) -> None:
    told = (DATA / "policy.toml").read_bytes().replace(b'"2026-11-01"', b'"next"')
    setup.load_policy(desk, SYSTEM, told.replace(b"extra = [", b"extra = [2027-01-02, ", 1), now)
    (found,) = [finding for finding in health.examine(desk, now) if finding.what == "holidays"]
    assert (found.is_good, found.detail) == (True, "今明两年已知")


def test_before_policy_and_zones_hold(desk: Desk) -> None:
    early = SINCE - timedelta(days=30)
    live(desk, early)
    assert set(bad(desk, early)) == {"policy", "zones"}


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ("UPDATE calls SET ticket_id = NULL", ["calls without their ticket", "tickets without a call"]),
        ("DELETE FROM clocks", ["tickets without clocks"]),
        ("DELETE FROM events", ["tickets without a timeline"]),
        ("UPDATE tickets SET ended_at = received_at, status = 'closed'", ["alarms on ended tickets"]),
        (
            "UPDATE clocks SET met_at = start_at WHERE kind = 'fix'",
            ["alarms on clocks that are over"],
        ),
        ("UPDATE clocks SET is_void = {true} WHERE kind = 'fix'", ["alarms on clocks that are over"]),
        ("UPDATE clocks SET paused_at = start_at WHERE kind = 'fix'", ["pauses outside a hold"]),
        ("UPDATE clocks SET next_step = 2 WHERE kind = 'fix'", ["clocks whose ladder disagrees with what fired"]),
        ("DELETE FROM escalations", ["clocks whose ladder disagrees with what fired"]),
        ("DELETE FROM outbox WHERE idempotency_key LIKE '%:ack:%'", ["escalations without a notice"]),
        ("UPDATE outbox SET state = 'failed', next_try_at = NULL", ["outbox failed"]),
        ("UPDATE outbox SET next_try_at = '{later}', error = 'HTTP 401'", ["channel console"]),
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 2", ["audit"]),
        ("DELETE FROM heartbeats", ["scheduler"]),
        ("UPDATE clocks SET next_fire_at = start_at WHERE kind = 'fix'", ["clocks"]),
        ("UPDATE outbox SET next_try_at = created_at, state = 'queued'", ["outbox"]),
    ],
)
def test_every_broken_law_is_found(desk: Desk, now: datetime, spoil: str, found: list[str]) -> None:
    dispatched(desk, now)
    at = now + 11 * MINUTE
    live(desk, at)
    assert bad(desk, at) == []
    later = "2027-01-01 00:00:00.000000" if desk.store.is_sqlite else "2027-01-01T00:00:00Z"
    run(desk, spoil.format(true="1" if desk.store.is_sqlite else "true", later=later))
    assert bad(desk, at) == found


def test_an_audit_that_nobody_seals(desk: Desk, now: datetime) -> None:
    live(desk, now)
    dispatched(desk, now)
    delivery.deliver(desk, {"console": Spy()}, lambda: now)
    late = now + timedelta(seconds=health._UNSEALED_FOR_S)
    health.beat(desk, "host:1", late, Sweep())
    assert bad(desk, late) == []
    assert bad(desk, late + SECOND) == ["audit seal"]
