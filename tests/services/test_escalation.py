"""Every step fires exactly once, whoever sweeps and whenever, and says how late it is."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from dispatch.domain.errors import NotFound
from dispatch.domain.states import Status, Verb
from dispatch.services import board, escalation, supervision
from dispatch.services.desk import Desk
from dispatch.services.escalation import RETRY, Sweep, sweep, sweep_until
from dispatch.services.health import beat, status
from dispatch.storage import clocks, escalations, health, tickets
from dispatch.storage.clocks import CLOCKS
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tickets import TICKETS
from tests.support.cast import BRANCH, TEAM_A, Cast, act, dispatched, received, ticket_at
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def steps(desk: Desk, number: str) -> list[tuple[str, float]]:
    """(clock, ratio) of what fired, in order."""
    with desk.store.read() as tx:
        ticket = tickets.lock(tx, number)
        assert ticket is not None
        return [(row["clock"], row["ratio"]) for row in escalations.of_ticket(tx, ticket.id)]


def is_sound(desk: Desk) -> bool:
    with desk.store.read() as tx:
        return set(health.orphans(tx).values()) == {0}


def set_clock(desk: Desk, number: str, kind: str, **values: Any) -> None:
    """Spoil a clock row, as no service would."""
    with desk.store.write() as tx:
        ticket = select(TICKETS.c.id).where(TICKETS.c.number == number).scalar_subquery()
        tx.conn.execute(update(CLOCKS).where(CLOCKS.c.ticket_id == ticket, CLOCKS.c.kind == kind).values(**values))


def test_nothing_is_due(desk: Desk, now: datetime) -> None:
    assert sweep(desk, now) == Sweep()
    dispatched(desk, now)
    done = sweep(desk, now)
    assert (done.fired, done.next_due_at) == (0, now + 10 * MINUTE)


def test_a_step_fires_at_its_time_and_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    due = now + 10 * MINUTE
    assert sweep(desk, due - timedelta(microseconds=1)).fired == 0
    done = sweep(desk, due)
    assert (done.fired, done.breached, done.max_late_s) == (1, 1, 0.0)
    assert done.next_due_at == now + 15 * MINUTE
    assert sweep(desk, due).fired == 0
    full = board.ticket(desk, cast.crew_a, number, due)
    (step,) = full["escalations"]
    assert (step["clock"], step["step"], step["ratio"], step["late_s"]) == ("ack", 0, 1.0, 0.0)
    assert step["recipients"] == [f"backup:{TEAM_A}", "dispatcher"]
    assert step["scheduled_at"] == step["fired_at"] == due.isoformat()
    event = full["timeline"][-1]
    assert (event["kind"], event["text"]) == ("escalate", "接单时限已用 100%: 接单超时, 通知B角和调度")
    with desk.store.read() as tx:
        notice = tx.conn.execute(select(OUTBOX).order_by(OUTBOX.c.id.desc())).first()
    assert notice is not None
    assert (notice.recipients, notice.text) == (step["recipients"], f"{number} {event['text']}")
    (entry, *_) = board.audited(desk, cast.auditor, subject=number, after=0, limit=5)["items"]
    assert (entry["action"], entry["detail"]["late_s"]) == ("escalate", 0.0)


def test_the_whole_ladder(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    done = sweep_until(desk, now, now + 2 * HOUR)
    ladder = [("arrive", 0.5), ("arrive", 0.8), ("arrive", 1.0), ("arrive", 1.5), ("arrive", 2.0)]
    assert steps(desk, number) == [("ack", 1.0), *ladder]
    assert (done.fired, done.breached, done.max_late_s) == (6, 2, 0.0)
    full = board.ticket(desk, cast.supervisor, number, now + 2 * HOUR)
    assert [step["recipients"] for step in full["escalations"]] == [
        [f"backup:{TEAM_A}", "dispatcher"],
        [f"crew:{TEAM_A}"],
        [f"crew:{TEAM_A}", f"area_lead:{BRANCH}", "dispatcher"],
        [f"branch_duty:{BRANCH}"],
        ["hotline_director"],
        ["company_duty"],
    ]
    assert full["is_supervised"]
    assert is_sound(desk)


def test_supervision_that_is_open_stays_as_it_is(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    version = act(desk, cast.supervisor, number, Verb.SUPERVISE, now)["version"]
    sweep(desk, now + HOUR)
    after = board.ticket(desk, cast.supervisor, number, now)
    assert (after["is_supervised"], after["version"]) == (True, version)


def test_after_downtime_all_missed_steps_fire_with_their_lateness(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    back = now + 3 * HOUR
    done = sweep(desk, back)
    assert (done.fired, done.max_late_s) == (6, 170 * 60.0)
    full = board.ticket(desk, cast.supervisor, number, back)
    assert {step["ratio"]: step["late_s"] for step in full["escalations"] if step["clock"] == "arrive"} == {
        0.5: 165 * 60.0,
        0.8: 156 * 60.0,
        1.0: 150 * 60.0,
        1.5: 135 * 60.0,
        2.0: 120 * 60.0,
    }
    assert full["timeline"][-1]["text"].endswith("系统晚发 2 小时 00 分")
    arrive = next(clock for clock in full["clocks"] if clock["kind"] == "arrive")
    assert (arrive["breached_at"], arrive["noticed_at"]) == ((now + 30 * MINUTE).isoformat(), back.isoformat())
    assert is_sound(desk)


def test_what_was_met_or_ended_does_not_fire(desk: Desk, cast: Cast, now: datetime) -> None:
    arrived = ticket_at(desk, Status.ON_SITE, now)
    over = ticket_at(desk, Status.CANCELLED, now)
    sweep(desk, now + 5 * HOUR)
    assert (steps(desk, arrived), steps(desk, over)) == ([], [])


def test_a_new_round_has_its_own_ladder(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    sweep(desk, now + 10 * MINUTE)
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.WORK, Verb.DONE):
        act(desk, cast.crew_a, number, verb, now + 11 * MINUTE)
    act(desk, cast.agent, number, Verb.REWORK, now + HOUR, note="又漏了")
    sweep(desk, now + HOUR + 10 * MINUTE)
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(ESCALATIONS.c.clock, ESCALATIONS.c.round, ESCALATIONS.c.step)).all()
    assert sorted(map(tuple, rows)) == [("ack", 1, 0), ("ack", 2, 0)]


def test_without_a_team_the_dispatcher_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    sweep(desk, now + 30 * MINUTE)
    full = board.ticket(desk, cast.dispatcher, number, now)
    assert {tuple(step["recipients"]) for step in full["escalations"]} == {("dispatcher",)}


@pytest.mark.parametrize("sweepers", [3])
def test_several_sweepers_fire_each_step_once(desk: Desk, cast: Cast, now: datetime, url: str, sweepers: int) -> None:
    numbers = [dispatched(desk, now) for _ in range(12)]
    desks = [desk, *(open_desk(url) for _ in range(sweepers - 1))]
    for at in (now + 10 * MINUTE, now + 30 * MINUTE, now + 2 * HOUR):
        results = in_parallel([partial(sweep, d, at) for d in desks * 2])
        assert {type(result) for result in results} == {Sweep}
        assert sweep(desk, at).next_due_at
    for number in numbers:
        assert Counter(steps(desk, number)) == Counter(
            [("ack", 1.0), *(("arrive", ratio) for ratio in (0.5, 0.8, 1.0, 1.5, 2.0))]
        )
    assert is_sound(desk)
    for other in desks[1:]:
        other.store.close()


def test_what_another_sweeper_holds_is_left_to_it(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    dispatched(desk, now)
    with monkeypatch.context() as patched:
        patched.setattr(clocks, "lock_due", lambda *_: [])
        done = sweep(desk, now + HOUR)
    assert (done.fired, done.next_due_at) == (0, now + 10 * MINUTE)
    assert sweep(desk, now + HOUR).fired == 6


# ---------------------------------------------------------------- holds


def test_a_hold_ends_at_its_time_however_late_the_sweep(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_HOLD, now)
    assert sweep(desk, now + HOUR).resumed == 0
    late = now + 3 * HOUR
    done = sweep(desk, late)
    assert (done.resumed, done.fired) == (1, 0)
    full = board.ticket(desk, cast.crew_a, number, late)
    assert full["status"] == "working"
    fix = next(clock for clock in full["clocks"] if clock["kind"] == "fix")
    assert fix["due_at"] == (now + 26 * HOUR).isoformat()
    event = full["timeline"][-1]
    assert (event["kind"], event["text"]) == ("resume", "调度系统 (系统) 恢复: 挂起时间已到")
    assert (event["effective_at"], event["at"]) == ((now + 2 * HOUR).isoformat(), late.isoformat())
    assert is_sound(desk)


def test_a_resumed_clock_that_is_due_at_once_fires_in_the_same_sweep(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_HOLD, now)
    back = now + 48 * HOUR
    done = sweep(desk, back)
    assert done.resumed == 1
    assert steps(desk, number) == [("fix", 0.8), ("fix", 1.0), ("fix", 1.5)]
    assert is_sound(desk)


def test_what_fires_beside_a_hold_that_ends_is_told_of_a_ticket_in_work(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_HOLD, now, category="burst")
    sweep(desk, now + 5 * HOUR)
    timeline = board.ticket(desk, cast.crew_a, number, now)["timeline"]
    assert [(e["kind"], e["from_status"], e["to_status"]) for e in timeline[-3:]] == [
        ("resume", "on_hold", "working"),
        ("escalate", "working", "working"),
        ("escalate", "working", "working"),
    ]


def test_during_a_hold_isolate_runs_on(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now, category="burst")
    act(desk, cast.lead_a, number, Verb.HOLD, now, reason="wait_permit", until=now + 10 * HOUR)
    sweep(desk, now + 5 * HOUR)
    assert steps(desk, number) == [("isolate", 0.8), ("isolate", 1.0)]
    event = board.ticket(desk, cast.crew_a, number, now)["timeline"][-1]
    assert (event["from_status"], event["to_status"]) == ("on_hold", "on_hold")


# ---------------------------------------------------------------- what goes wrong


def test_a_bad_row_does_not_hold_up_the_others(desk: Desk, cast: Cast, now: datetime) -> None:
    bad, good = dispatched(desk, now), dispatched(desk, now)
    set_clock(desk, bad, "fix", paused_at=now, resume_at=now + MINUTE, next_fire_at=now + MINUTE)
    at = now + 10 * MINUTE
    done = sweep(desk, at)
    assert (done.fired, done.resumed) == (2, 0)
    assert [error.partition(":")[0] for error in done.errors] == [bad]
    assert steps(desk, good) == steps(desk, bad) == [("ack", 1.0)]
    assert done.next_due_at == at + RETRY
    again = sweep(desk, at + RETRY)
    assert len(again.errors) == 1
    assert not is_sound(desk)


def test_a_step_that_cannot_be_fired_keeps_the_lamp_red_until_it_is(desk: Desk, now: datetime) -> None:
    number = dispatched(desk, now)
    at = now + 10 * MINUTE
    with desk.store.write() as tx:
        tx.conn.execute(update(TICKETS).where(TICKETS.c.number == number).values(level="P9"))
    assert len(sweep(desk, at).errors) == 1
    later = at + RETRY / 2
    beat(desk, "test", later, Sweep())
    assert status(desk, later)["status"] == "late"
    sweep(desk, at + RETRY)  # a second try does not make it young again
    with desk.store.read() as tx:
        since = clocks.stuck_since(tx)
    assert since is not None
    assert since <= at
    with desk.store.write() as tx:
        tx.conn.execute(update(TICKETS).where(TICKETS.c.number == number).values(level="P2"))
    healed = at + 2 * RETRY
    assert sweep(desk, healed).errors == []
    beat(desk, "test", healed, Sweep())
    assert status(desk, healed)["status"] == "ok"


class PowerCut(BaseException):
    """No error of the row: nothing of the process is left to handle it."""


def test_a_step_that_fired_already_holds_up_nobody(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalation, "BATCH", 2)
    bad = dispatched(desk, now)
    at = now + 10 * MINUTE
    sweep(desk, at)
    good = [dispatched(desk, now) for _ in range(4)]
    set_clock(desk, bad, "ack", next_step=0, next_fire_at=at - MINUTE)
    done = sweep(desk, at)
    assert (done.fired, len(done.errors)) == (4, 1)
    assert done.errors[0].startswith(f"{bad}: IntegrityError")
    assert [steps(desk, number) for number in (bad, *good)] == [[("ack", 1.0)]] * 5
    assert len(sweep(desk, at + RETRY).errors) == 1


def test_a_database_that_is_away_puts_nothing_off(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    number = dispatched(desk, now)

    def away(*_: object) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr(clocks, "lock_due", away)
        with pytest.raises(ConnectionError):
            sweep(desk, now + 10 * MINUTE)
    assert sweep(desk, now + 10 * MINUTE).errors == []
    assert steps(desk, number) == [("ack", 1.0)]


def test_a_crash_in_a_batch_leaves_the_batch_to_the_next(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = dispatched(desk, now)

    def crash(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(tickets, "add_events", crash)
        with pytest.raises(PowerCut):
            sweep(desk, now + 10 * MINUTE)
    assert steps(desk, number) == []
    assert is_sound(desk)
    assert sweep(desk, now + 10 * MINUTE).fired == 1
    assert steps(desk, number) == [("ack", 1.0)]


def test_a_clock_that_jumps_fires_nothing_twice_and_nothing_early(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    ahead = now + 2 * HOUR
    assert sweep(desk, ahead).fired == 6
    for at in (now, now + 10 * MINUTE, now - HOUR, now + HOUR, ahead):
        assert sweep(desk, at).fired == 0
    assert len(steps(desk, number)) == 6
    second = dispatched(desk, now + MINUTE)
    assert sweep(desk, now + 5 * MINUTE).fired == 0
    assert sweep(desk, now + 11 * MINUTE).fired == 1
    assert steps(desk, second) == [("ack", 1.0)]
    assert is_sound(desk)


def test_simulated_time_stops_at_every_due_moment(desk: Desk, now: datetime) -> None:
    dispatched(desk, now)
    assert sweep_until(desk, now, now) == Sweep(next_due_at=now + 10 * MINUTE)
    done = sweep_until(desk, now, now + 30 * MINUTE)
    assert (done.fired, done.max_late_s, done.next_due_at) == (4, 0.0, now + 45 * MINUTE)
    late = sweep_until(desk, now + 50 * MINUTE, now + 50 * MINUTE)
    assert (late.fired, late.max_late_s) == (1, 300.0)


# ---------------------------------------------------------------- answers


def test_a_step_is_answered_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    at = now + 10 * MINUTE
    sweep(desk, at)
    (step,) = board.fired(desk, cast.dispatcher, is_unanswered=True, after=0, limit=5)["items"]
    first = supervision.acknowledge(desk, cast.dispatcher, step["id"], at)
    assert (first["acknowledged_by"], first["acknowledged_at"]) == (cast.dispatcher.label, at.isoformat())
    assert supervision.acknowledge(desk, cast.supervisor, step["id"], at + MINUTE) == first
    assert board.fired(desk, cast.dispatcher, is_unanswered=True, after=0, limit=5)["items"] == []
    kinds = [event["kind"] for event in board.ticket(desk, cast.dispatcher, number, at)["timeline"]]
    assert kinds.count("acknowledge") == 1


def test_of_many_answers_at_once_one_stays(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now)
    at = now + 10 * MINUTE
    sweep(desk, at)
    (step,) = board.fired(desk, cast.dispatcher, is_unanswered=True, after=0, limit=5)["items"]
    people = [cast.dispatcher, cast.supervisor, cast.crew_a, cast.lead_a] * 3
    answers = in_parallel([partial(supervision.acknowledge, desk, who, step["id"], at) for who in people])
    assert {answer["acknowledged_by"] for answer in answers if isinstance(answer, dict)} == {
        board.fired(desk, cast.dispatcher, is_unanswered=False, after=0, limit=5)["items"][0]["acknowledged_by"]
    }
    assert all(isinstance(answer, dict) for answer in answers)


def test_an_unknown_step_cannot_be_answered(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        supervision.acknowledge(desk, cast.dispatcher, 4711, now)


def test_sums_of_sweeps() -> None:
    total = Sweep(fired=1, breached=1, resumed=1, max_late_s=3.0, errors=["a"])
    total.add(Sweep(fired=2, breached=0, resumed=1, max_late_s=1.0, next_due_at=None, errors=["b"]))
    assert replace(total) == Sweep(fired=3, breached=1, resumed=2, max_late_s=3.0, errors=["a", "b"])
