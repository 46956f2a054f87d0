"""One clock: breach by timestamps, pauses, extensions, and arithmetic that holds for all values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import sla
from dispatch.domain.sla import CLOCK_LABELS, Clock, ClockKind

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
DUE = START + timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def fresh(kind: ClockKind = ClockKind.ARRIVE) -> Clock:
    return sla.start(kind, 1, START, DUE)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_there_are_five_clocks_each_with_a_label() -> None:
    assert list(ClockKind) == ["ack", "arrive", "isolate", "fix", "callback"]
    assert set(CLOCK_LABELS) == set(ClockKind)


def test_a_fresh_clock_runs_and_keeps_its_first_due_time() -> None:
    clock = fresh()
    assert clock.is_running
    assert clock.original_due_at == clock.due_at == DUE
    assert clock.budget == timedelta(minutes=30)
    assert (clock.met_at, clock.breached_at, clock.noticed_at, clock.next_step) == (None, None, None, 0)


@pytest.mark.parametrize(("ratio", "minutes"), [(0.5, 15), (0.8, 24), (1.0, 30), (1.5, 45), (2.0, 60)])
def test_ratios_of_the_budget(ratio: float, minutes: int) -> None:
    assert fresh().at_ratio(ratio) == at(minutes)


def test_it_breaks_at_the_due_time_itself() -> None:
    assert not sla.is_breached(fresh(), DUE - SECOND)
    assert sla.is_breached(fresh(), DUE)


def test_met_on_the_dot_is_in_time_and_a_moment_later_is_not() -> None:
    in_time = sla.meet(fresh(), DUE, DUE)
    assert not in_time.is_running
    assert not sla.is_breached(in_time, at(9999))
    late = sla.meet(fresh(), DUE + SECOND, DUE + SECOND)
    assert sla.is_breached(late, at(9999))
    assert (late.breached_at, late.noticed_at) == (DUE, DUE + SECOND)


def test_both_times_of_a_breach_are_stored_once() -> None:
    noticed = sla.notice_breach(fresh(), at(37))
    assert (noticed.breached_at, noticed.noticed_at) == (DUE, at(37))
    assert sla.notice_breach(noticed, at(50)) is noticed
    in_time = fresh()
    assert sla.notice_breach(in_time, at(29)) is in_time


def test_the_first_breach_stays_when_it_is_met_late() -> None:
    late = sla.meet(sla.notice_breach(fresh(), at(31)), at(40), at(40))
    assert (late.met_at, late.breached_at, late.noticed_at) == (at(40), DUE, at(31))


def test_a_breach_is_withdrawn_when_the_trusted_time_was_in_time() -> None:
    climbed = sla.notice_breach(fresh(), at(31))
    kept = sla.meet(climbed, at(29), at(55))
    assert (kept.met_at, kept.breached_at, kept.noticed_at) == (at(29), None, None)
    assert not sla.is_breached(kept, at(55))


def test_meeting_ends_the_watch() -> None:
    clock = sla.meet(sla.pause(fresh(), at(5), at(10)), at(8), at(8))
    assert (clock.paused_at, clock.resume_at, clock.next_fire_at) == (None, None, None)


def test_a_void_clock_is_not_judged() -> None:
    clock = sla.void(fresh(), at(29))
    assert clock.is_void
    assert not clock.is_running
    assert not sla.is_breached(clock, at(9999))


def test_voiding_does_not_hide_a_breach_that_no_sweep_has_seen() -> None:
    clock = sla.void(fresh(), at(33))
    assert (clock.breached_at, clock.noticed_at) == (DUE, at(33))
    assert sla.is_breached(clock, at(33))


def test_a_noticed_breach_stays_when_it_is_voided() -> None:
    clock = sla.void(sla.notice_breach(fresh(), at(31)), at(50))
    assert (clock.breached_at, clock.noticed_at) == (DUE, at(31))


def test_a_met_clock_cannot_be_voided() -> None:
    met = sla.meet(fresh(), at(10), at(10))
    assert sla.void(met, at(20)) is met


def test_a_pause_moves_the_due_time_by_its_length_and_keeps_the_original() -> None:
    paused = sla.pause(fresh(), at(10), at(25))
    assert (paused.paused_at, paused.resume_at, paused.next_fire_at) == (at(10), at(25), at(25))
    assert not sla.is_breached(paused, at(9999))
    again = sla.resume(paused, at(22))
    assert again.due_at == at(42)
    assert again.original_due_at == DUE
    assert again.paused_s == 12 * 60
    assert again.budget == timedelta(minutes=30)
    assert (again.paused_at, again.resume_at) == (None, None)


def test_pauses_add_up() -> None:
    once = sla.resume(sla.pause(fresh(), at(1), at(9)), at(5))
    twice = sla.resume(sla.pause(once, at(8), at(20)), at(10))
    assert twice.due_at == at(36)
    assert twice.paused_s == 6 * 60


def test_resuming_what_runs_changes_nothing() -> None:
    clock = fresh()
    assert sla.resume(clock, at(10)) is clock


def test_a_resumption_before_the_pause_takes_nothing_away() -> None:
    clock = sla.resume(sla.pause(fresh(), at(10), at(25)), at(8))
    assert clock.due_at == DUE
    assert clock.paused_s == 0


def test_a_pause_does_not_hide_a_breach_that_no_sweep_has_seen() -> None:
    paused = sla.pause(fresh(), at(32), at(60))
    assert (paused.breached_at, paused.noticed_at) == (DUE, at(32))
    assert sla.is_breached(paused, at(40))


def test_no_pause_makes_a_noticed_breach_good() -> None:
    broken = sla.resume(sla.pause(fresh(), at(32), at(60)), at(60))
    assert broken.due_at == at(58)
    assert sla.is_breached(broken, at(33))
    assert sla.meet(broken, at(50), at(61)).breached_at == DUE


def test_an_extension_moves_the_due_time_and_keeps_the_original() -> None:
    clock = sla.extend(fresh(), at(60))
    assert (clock.due_at, clock.original_due_at) == (at(60), DUE)
    assert clock.budget == timedelta(hours=1)
    assert clock.at_ratio(0.5) == at(30)


# ---------------------------------------------------------------- arithmetic

minutes = st.integers(1, 60 * 24 * 30)
ratios = st.floats(0.01, 10, allow_nan=False)


@given(minutes, ratios, ratios)
def test_later_ratios_are_not_earlier(length: int, one: float, other: float) -> None:
    clock = sla.start(ClockKind.FIX, 1, START, at(length))
    low, high = sorted((one, other))
    assert clock.at_ratio(low) <= clock.at_ratio(high)
    assert clock.at_ratio(1.0) == clock.due_at


@given(
    minutes, st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), timedelta(days=30)), ratios
)
def test_a_pause_shifts_everything_by_exactly_its_length(
    length: int, begin: timedelta, gap: timedelta, ratio: float
) -> None:
    before = sla.start(ClockKind.FIX, 1, START, at(length))
    paused_at = START + begin
    after = sla.resume(sla.pause(before, paused_at, paused_at + gap + MINUTE), paused_at + gap)
    assert after.due_at - before.due_at == gap
    assert after.at_ratio(ratio) - before.at_ratio(ratio) == gap
    assert after.budget == before.budget
    assert after.original_due_at == before.original_due_at


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), max_size=8))
def test_many_pauses_lose_no_microsecond(pauses: list[tuple[int, int]]) -> None:
    clock = before = sla.start(ClockKind.FIX, 1, START, START + timedelta(days=5))
    now, total = START, timedelta()
    for wait_us, gap_us in pauses:
        now += timedelta(microseconds=wait_us)
        gap = timedelta(microseconds=gap_us)
        clock = sla.resume(sla.pause(clock, now, now + gap + SECOND), now + gap)
        now, total = now + gap, total + gap
    assert clock.due_at == before.due_at + total
    assert clock.budget == before.budget


@given(
    st.integers(-600, 600),
    st.integers(0, 600),
    st.one_of(st.none(), st.integers(-600, 600)),
)
def test_the_verdict_never_depends_on_the_sweep(met: int, delay: int, swept: int | None) -> None:
    """Whether a sweep looked in between, and when, changes nothing but `noticed_at`."""
    met_at = DUE + timedelta(seconds=met)
    told_at = met_at + timedelta(seconds=delay)
    clock = fresh()
    if swept is not None and DUE + timedelta(seconds=swept) <= told_at:
        clock = sla.notice_breach(clock, DUE + timedelta(seconds=swept))
    clock = sla.meet(clock, met_at, told_at)
    assert sla.is_breached(clock, told_at) is (met_at > DUE)
    assert clock.breached_at == (DUE if met_at > DUE else None)
    assert (clock.noticed_at is None) is (clock.breached_at is None)
