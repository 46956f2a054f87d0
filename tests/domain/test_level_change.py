"""A ticket gets another level: each clock's due against a table worked out by hand, in a surge and after it.

All numbers are minutes after 受理, a Tuesday at 14:05.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from dispatch.domain.errors import IllegalTransition, InvalidInput
from dispatch.domain.sla import Clock, ClockKind, is_breached
from dispatch.domain.states import Verb
from dispatch.domain.surge import Widening
from dispatch.domain.ticket import Ticket, decide
from tests.domain.walk import AGENT, POLICY, START, TEAM_A, at, command, do, received, swept

DAY = 24 * 60
COLD = Widening(3, ("P3",), (ClockKind.ACK, ClockKind.FIX), 2.0, "寒潮")
Dues = dict[str, float]


def minutes(clock: Clock) -> tuple[float, float]:
    """From when it counts, and when it is due."""
    return (clock.start_at - START) / timedelta(minutes=1), (clock.due_at - START) / timedelta(minutes=1)


def dues(ticket: Ticket) -> Dues:
    return {clock.kind.value: minutes(clock)[1] for clock in ticket.clocks if not clock.is_void}


def relevel(ticket: Ticket, minute: float, level: str, *widenings: Widening) -> Ticket:
    return do(swept(ticket, at(minute))[0], Verb.RELEVEL, at(minute), level=level, widenings=widenings)


def leak(level: str, category: str = "leak", accepted: float | None = None, on_site: float | None = None) -> Ticket:
    ticket = do(received(level, category), Verb.DISPATCH, at(0), assignment=TEAM_A)
    if accepted is not None:
        ticket = do(ticket, Verb.ACCEPT, at(accepted))
    if on_site is not None:
        ticket = do(ticket, Verb.ARRIVE, at(on_site))
    return ticket


# before, after, when, accepted, on site → due of each clock
TABLE: list[tuple[str, str, float, float | None, float | None, Dues]] = [
    # In time: all of P1 from 受理.
    ("P3", "P1", 3, None, None, {"ack": 5, "arrive": 30, "fix": DAY}),
    # 5 minutes to accept were over: 5 from the change; 30 to arrive are not.
    ("P3", "P1", 20, None, None, {"ack": 25, "arrive": 30, "fix": DAY}),
    # … but no later than P3 had it.
    ("P3", "P1", 28, None, None, {"ack": 30, "arrive": 30, "fix": DAY}),
    ("P3", "P1", 180, 10, None, {"ack": 30, "arrive": 210, "fix": DAY}),
    ("P3", "P1", 225, 10, None, {"ack": 30, "arrive": 240, "fix": DAY}),
    # What was met is judged by the promise it was met under.
    ("P3", "P1", 120, 20, 100, {"ack": 30, "arrive": 240, "fix": DAY}),
    # Down: more time from 受理, unless it was broken before.
    ("P1", "P3", 3, None, None, {"ack": 30, "arrive": 240, "fix": 2 * DAY}),
    ("P1", "P3", 20, None, None, {"ack": 5, "arrive": 240, "fix": 2 * DAY}),
    ("P1", "P3", 40, None, None, {"ack": 5, "arrive": 30, "fix": 2 * DAY}),
    ("P2", "P1", 7, None, None, {"ack": 12 - 2, "arrive": 30, "fix": DAY}),
    # P4 promises no arrival, and three working days.
    ("P2", "P4", 8, None, None, {"ack": 120, "fix": 3 * DAY}),
    ("P4", "P2", 3, None, None, {"ack": 10, "arrive": 30, "fix": DAY}),
    ("P4", "P2", 60, 5, None, {"ack": 120, "arrive": 90, "fix": DAY}),
    # The crew is there already: nobody promises that it will come.
    ("P4", "P2", 60, 5, 50, {"ack": 120, "fix": DAY}),
    # P5: an appointment that nobody made.
    ("P3", "P5", 10, None, None, {"ack": DAY, "fix": 7 * DAY}),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(map(str, row[:5])))
def test_each_clock_is_due_as_worked_out_by_hand(
    row: tuple[str, str, float, float | None, float | None, Dues],
) -> None:
    before, after, when, accepted, on_site, expected = row
    ticket = leak(before, accepted=accepted, on_site=on_site)
    broken = {clock.kind for clock in ticket.clocks if is_breached(clock, at(when))}
    changed = relevel(ticket, when, after)
    assert dues(changed) == expected
    assert changed.level == after
    # No breach that was none a moment before.
    assert {clock.kind for clock in changed.clocks if is_breached(clock, at(when))} == broken
    for clock in changed.clocks:
        assert clock.next_fire_at is None or clock.next_fire_at > at(when) or clock.kind in broken


def test_a_burst_is_stopped_from_the_call_on() -> None:
    changed = relevel(leak("P3", "burst", accepted=5, on_site=40), 60, "P1")
    assert dues(changed)["isolate"] == 240


def test_pauses_are_kept() -> None:
    ticket = do(leak("P3", accepted=10, on_site=100), Verb.HOLD, at(120), until=at(300))
    worked = do(ticket, Verb.RESUME, at(300))
    assert dues(worked)["fix"] == 2 * DAY + 180
    assert dues(relevel(worked, 400, "P1"))["fix"] == DAY + 180
    # … and one that lasts goes on: it is judged by the moment at which it stood still.
    paused = do(ticket, Verb.RELEVEL, at(200), level="P1")
    fix = paused.running(ClockKind.FIX)
    assert fix is not None
    assert (minutes(fix)[1], fix.next_fire_at) == (DAY, at(300))
    assert dues(do(paused, Verb.RESUME, at(300)))["fix"] == DAY + 180


def test_what_began_at_the_change_forgets_the_pauses_before() -> None:
    ticket = do(leak("P3", accepted=10, on_site=100), Verb.HOLD, at(120), until=at(300))
    changed = relevel(do(ticket, Verb.RESUME, at(300)), DAY + 200, "P1")
    fix = changed.running(ClockKind.FIX)
    assert fix is not None
    assert (*minutes(fix), fix.paused_s) == (DAY + 200, 2 * DAY + 180, 0.0)


def test_there_and_back() -> None:
    down = relevel(leak("P2"), 8, "P4")
    assert "arrive" not in dues(down)
    assert dues(relevel(down, 9, "P2")) == {"ack": 120, "arrive": 30, "fix": DAY} | {"ack": 10}
    up = relevel(leak("P3"), 3, "P1")
    assert dues(relevel(up, 4, "P3")) == {"ack": 30, "arrive": 240, "fix": 2 * DAY}


def test_a_revived_arrival_that_is_over_begins_at_the_change() -> None:
    down = relevel(leak("P2", accepted=2), 8, "P4")
    assert dues(relevel(down, 50, "P2"))["arrive"] == 80


def test_a_lower_level_takes_away_no_time() -> None:
    """The fix of a leak was extended to the third day; P3 would have it on the second."""
    ticket = do(leak("P2"), Verb.EXTEND, at(5), until=at(3 * DAY))
    assert dues(relevel(ticket, 6, "P3"))["fix"] == 3 * DAY
    assert dues(relevel(ticket, 6, "P1"))["fix"] == DAY


# ---------------------------------------------------------------- surges


def test_in_a_surge_the_new_level_is_as_wide_as_for_new_tickets_and_narrow_after_it() -> None:
    wide = relevel(leak("P1"), 3, "P3", COLD)
    assert dues(wide) == {"ack": 60, "arrive": 240, "fix": 4 * DAY}
    assert {clock.kind for clock in wide.clocks if clock.widening_id == 3} == {ClockKind.ACK, ClockKind.FIX}
    # P2 is not widened, and after the surge nothing is.
    assert dues(relevel(wide, 5, "P2", COLD)) == {"ack": 10, "arrive": 30, "fix": DAY}
    back = relevel(relevel(wide, 5, "P2"), 6, "P3")
    assert dues(back) == {"ack": 30, "arrive": 240, "fix": 2 * DAY}
    assert all(clock.widening_id is None for clock in back.clocks)


def test_what_was_wide_is_not_cut_by_a_lower_level() -> None:
    wide = relevel(leak("P1"), 3, "P3", COLD)
    lower = relevel(wide, 5, "P4")
    assert dues(lower) == {"ack": 120, "fix": 4 * DAY}


# ---------------------------------------------------------------- the ladder


def test_the_ladder_is_entered_at_its_place_and_steps_keep_their_numbers() -> None:
    """P3 arrive 240: at 80 % (192) the first step. P1 from 200 on: due 230, half of it at 215."""
    ticket, fired = swept(leak("P3", accepted=5), at(195))
    assert [(step.index, step.step.ratio) for _, step in fired] == [(0, 0.8)]
    changed = relevel(ticket, 200, "P1")
    arrive = changed.running(ClockKind.ARRIVE)
    assert arrive is not None
    assert (minutes(arrive), arrive.next_fire_at) == ((200, 230), at(215))
    _, later = swept(changed, at(260))
    assert [(step.index, step.step.ratio, step.scheduled_at) for _, step in later] == [
        (1, 0.5, at(215)),
        (2, 0.8, at(224)),
        (3, 1.0, at(230)),
        (4, 1.5, at(245)),
        (5, 2.0, at(260)),
    ]


def test_alarms_of_before_anybody_knew_are_not_given() -> None:
    """P1 from 受理: half of the way is over at 15, at 20 it is raised; nobody was late with that alarm."""
    changed = relevel(leak("P3", accepted=5), 20, "P1")
    _, fired = swept(changed, at(31))
    assert [(step.step.ratio, step.scheduled_at) for _, step in fired] == [(0.8, at(24)), (1.0, at(30))]
    assert [step.index for _, step in fired] == [0, 1]


def test_a_broken_promise_goes_on_up_the_new_ladder() -> None:
    ticket, _ = swept(leak("P3", accepted=5), at(245))
    changed = relevel(ticket, 250, "P1")
    arrive = changed.running(ClockKind.ARRIVE)
    assert arrive is not None
    assert (minutes(arrive)[1], arrive.breached_at, arrive.next_fire_at) == (240, at(240), at(360))
    _, fired = swept(changed, at(480))
    assert [(step.index, step.step.ratio) for _, step in fired] == [(2, 1.5), (3, 2.0)]


def test_a_breach_that_nobody_had_seen_is_seen_and_told() -> None:
    changed = do(leak("P3", accepted=5), Verb.RELEVEL, at(250), level="P1")
    arrive = changed.running(ClockKind.ARRIVE)
    assert arrive is not None
    assert (arrive.breached_at, arrive.noticed_at) == (at(240), at(250))
    _, fired = swept(changed, at(250))
    assert [step.step.ratio for _, step in fired if step.scheduled_at <= at(240)] == [0.5, 0.8, 1.0]


def test_a_broken_promise_that_the_new_level_does_not_make_stays_broken() -> None:
    down = relevel(leak("P2", accepted=2), 40, "P4")
    arrive = next(clock for clock in down.clocks if clock.kind is ClockKind.ARRIVE)
    assert (arrive.is_void, arrive.breached_at) == (True, at(30))
    again = relevel(down, 50, "P2")
    assert next(clock for clock in again.clocks if clock.kind is ClockKind.ARRIVE) == arrive


# ---------------------------------------------------------------- what is refused, and appointments


@pytest.mark.parametrize(
    ("more", "field"),
    [({"level": "P9"}, "level"), ({"level": "P2"}, "level"), ({"level": None}, "level"), ({"note": ""}, "note")],
)
def test_what_is_refused(more: dict[str, str | None], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        do(leak("P2"), Verb.RELEVEL, at(5), **({"level": "P1"} | more))
    assert caught.value.field == field


def test_finished_work_keeps_its_level() -> None:
    done = do(do(leak("P2", accepted=1, on_site=9), Verb.DONE, at(50)), Verb.CALLBACK, at(60))
    with pytest.raises(IllegalTransition):
        do(done, Verb.RELEVEL, at(61), level="P1")


@pytest.mark.parametrize(("appointment", "due"), [(3 * DAY, 3 * DAY), (10, 240), (None, None)])
def test_an_appointment_holds_and_one_of_yesterday_gives_way(appointment: float | None, due: float | None) -> None:
    made = None if appointment is None else at(appointment)
    ticket = replace(leak("P3", accepted=5), appointment_at=made)
    assert dues(relevel(ticket, 60, "P5")).get("arrive") == due


def test_an_old_appointment_without_a_clock_is_a_day_from_now() -> None:
    ticket = replace(leak("P4", accepted=5), appointment_at=at(10))
    assert dues(relevel(ticket, 60, "P5"))["arrive"] == 60 + DAY


def test_the_timeline_says_what_changed() -> None:
    ticket = leak("P3", accepted=5)
    told = decide(ticket, command(ticket, Verb.RELEVEL, at(180), level="P1"), AGENT, POLICY)
    words = "P3 一般 → P1 特急; 到场 2026-11-24 17:35 (自改级起算), 完工 2026-11-25 14:05; 误判等级"
    assert told.text == f"{AGENT.label} 改级: {words}"
    assert [notice.to for notice in told.notices] == [("crew", "dispatcher")]
