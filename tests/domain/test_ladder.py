"""The ladder: each step once, in order, with how late it is; pauses and extensions move what has not fired."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import ladder, sla
from dispatch.domain.ladder import Step, climb, fired_text, schedule
from dispatch.domain.sla import Clock, ClockKind

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
STEPS = (
    Step(0.5, ("crew",), "提醒到场"),
    Step(0.8, ("crew", "area_lead", "dispatcher"), "仍可挽回"),
    Step(1.0, ("branch_duty",), "到场超时"),
    Step(1.5, ("hotline_director",), "督办", opens_supervision=True),
    Step(2.0, ("company_duty",), "报公司值班领导"),
)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def arrive() -> Clock:
    return schedule(sla.start(ClockKind.ARRIVE, 1, START, at(30)), STEPS)


def test_a_fresh_clock_waits_for_its_first_step() -> None:
    assert arrive().next_fire_at == at(15)


def test_every_step_fires_once_at_its_time_and_in_order() -> None:
    clock, seen = arrive(), []
    for minute in range(0, 90):
        clock, fired = climb(clock, STEPS, at(minute))
        seen += [(one.index, one.step.label, minute, one.late_s) for one in fired]
    assert seen == [
        (0, "提醒到场", 15, 0.0),
        (1, "仍可挽回", 24, 0.0),
        (2, "到场超时", 30, 0.0),
        (3, "督办", 45, 0.0),
        (4, "报公司值班领导", 60, 0.0),
    ]
    assert (clock.next_step, clock.next_fire_at) == (5, None)
    assert (clock.breached_at, clock.noticed_at) == (at(30), at(30))


def test_nothing_is_due_yet() -> None:
    clock = arrive()
    assert climb(clock, STEPS, at(14.99)) == (clock, ())


def test_the_breach_is_noticed_with_the_step_and_not_before() -> None:
    at_risk, _ = climb(arrive(), STEPS, at(24))
    assert at_risk.breached_at is None
    assert at_risk.next_fire_at == at(30)


def test_after_downtime_all_missed_steps_fire_saying_how_late() -> None:
    clock, fired = climb(arrive(), STEPS, at(50))
    assert [(one.index, one.scheduled_at, one.late_s) for one in fired] == [
        (0, at(15), 35 * 60),
        (1, at(24), 26 * 60),
        (2, at(30), 20 * 60),
        (3, at(45), 5 * 60),
    ]
    assert (clock.breached_at, clock.noticed_at) == (at(30), at(50))
    assert clock.next_fire_at == at(60)
    assert climb(clock, STEPS, at(50)) == (clock, ())


def test_a_clock_set_back_fires_nothing_twice() -> None:
    clock, _ = climb(arrive(), STEPS, at(30))
    assert climb(clock, STEPS, at(20)) == (clock, ())


def test_met_and_void_clocks_stand_still() -> None:
    for ended in (sla.meet(arrive(), at(10), at(10)), sla.void(arrive(), at(10))):
        assert climb(ended, STEPS, at(999)) == (ended, ())
        assert schedule(ended, STEPS).next_fire_at is None


def test_a_paused_clock_fires_nothing_and_wakes_at_its_resumption() -> None:
    paused = sla.pause(arrive(), at(10), at(100))
    assert climb(paused, STEPS, at(200)) == (paused, ())
    assert schedule(paused, STEPS).next_fire_at == at(100)


def test_a_pause_moves_only_what_has_not_fired() -> None:
    clock, _ = climb(arrive(), STEPS, at(15))
    clock = schedule(sla.resume(sla.pause(clock, at(20), at(60)), at(40)), STEPS)
    assert clock.next_step == 1
    assert clock.next_fire_at == at(44)
    clock, fired = climb(clock, STEPS, at(50))
    assert [(one.index, one.scheduled_at) for one in fired] == [(1, at(44)), (2, at(50))]
    assert clock.breached_at == at(50)


def test_an_extension_moves_only_what_has_not_fired() -> None:
    clock, _ = climb(arrive(), STEPS, at(25))
    clock = schedule(sla.extend(clock, at(60)), STEPS)
    # The second step has fired at 24 minutes; 48 would be its time now, but it fires once.
    assert clock.next_step == 2
    assert clock.next_fire_at == at(60)
    clock, fired = climb(clock, STEPS, at(90))
    assert [(one.index, one.scheduled_at) for one in fired] == [(2, at(60)), (3, at(90))]


def test_steps_in_words() -> None:
    clock = arrive()
    _, fired = climb(clock, STEPS, at(24))
    assert fired_text(clock, fired[1]) == "到场时限已用 80%: 仍可挽回"
    assert fired_text(clock, fired[0]) == "到场时限已用 50%: 提醒到场; 系统晚发 9 分 00 秒"


@pytest.mark.parametrize(("late_s", "is_told"), [(0.0, False), (0.999, False), (1.0, True)])
def test_lateness_is_told_from_a_second_on(late_s: float, is_told: bool) -> None:
    fired = ladder.Fired(2, STEPS[2], at(30), late_s)
    assert ("系统晚发" in fired_text(arrive(), fired)) is is_told


@given(st.lists(st.integers(0, 120), min_size=1, max_size=20))
def test_whenever_the_sweeps_come_each_step_fires_once_in_order(looks: list[int]) -> None:
    clock, indexes = arrive(), []
    for minute in looks:
        clock, fired = climb(clock, STEPS, at(minute))
        indexes += [one.index for one in fired]
        assert all(one.late_s == (at(minute) - one.scheduled_at).total_seconds() >= 0 for one in fired)
        assert clock.next_step == len(indexes)
    assert indexes == list(range(sum(at(max(looks)) >= START + timedelta(minutes=30) * s.ratio for s in STEPS)))
