"""The five clocks of a ticket: what starts, meets, pauses, extends and breaks them, and whose time counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain import policy_file
from dispatch.domain.policy import Area
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.domain.ticket import decide
from tests.domain.walk import (
    CREW,
    KINDS,
    POLICY,
    START,
    TOML,
    at,
    clock_of,
    command,
    do,
    received,
    refused,
    swept,
    ticket_at,
    wanting,
)

# ---------------------------------------------------------------- the clocks of a ticket


@pytest.mark.parametrize(("level", "category", "area", "pipe_dn", "due"), KINDS)
def test_all_clocks_but_callback_run_from_the_call(
    level: str, category: str, area: Area, pipe_dn: int | None, due: dict[str, int]
) -> None:
    ticket = received(level, category, area, pipe_dn)
    assert {clock.kind: clock.due_at for clock in ticket.clocks} == {kind: at(m) for kind, m in due.items()}
    assert all(clock.start_at == START and clock.round == 1 and clock.next_fire_at for clock in ticket.clocks)


def test_only_the_clocks_of_the_current_round_are_asked() -> None:
    ticket = received()
    assert ticket.running(ClockKind.ACK) == clock_of(ticket, ClockKind.ACK)
    assert ticket.running(ClockKind.CALLBACK) is None
    assert replace(ticket, round=2).running(ClockKind.ACK) is None


def test_an_appointment_is_the_arrival_of_p5() -> None:
    ticket = received("P5", "install", appointment_at=at(600))
    assert clock_of(ticket, ClockKind.ARRIVE).due_at == at(600)


def test_each_clock_is_met_by_its_verb() -> None:
    ticket = ticket_at(Status.WORKING)
    ticket = do(ticket, Verb.ISOLATE, at(60))
    ticket = do(ticket, Verb.DONE, at(120))
    ticket = do(ticket, Verb.CALLBACK, at(130))
    assert {clock.kind: clock.met_at for clock in ticket.clocks} == {
        "ack": at(2),
        "arrive": at(4),
        "isolate": at(60),
        "fix": at(120),
        "callback": at(130),
    }
    assert not [clock for clock in ticket.clocks if clock.next_fire_at or clock.breached_at]


def test_done_also_means_isolated_and_starts_the_callback() -> None:
    ticket = do(ticket_at(Status.ON_SITE), Verb.DONE, at(100))
    assert clock_of(ticket, ClockKind.ISOLATE).met_at == at(100)
    callback = clock_of(ticket, ClockKind.CALLBACK)
    assert (callback.start_at, callback.due_at, callback.round) == (at(100), at(220), 1)
    assert callback.next_fire_at == at(220)


def test_an_earlier_isolation_keeps_its_time() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.ISOLATE, at(50))
    assert clock_of(do(ticket, Verb.DONE, at(100)), ClockKind.ISOLATE).met_at == at(50)


def test_water_is_stopped_once_and_only_at_bursts() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.ISOLATE, at(50))
    assert "止水" in refused(ticket, Verb.ISOLATE, at(51)).detail
    refused(ticket_at(Status.WORKING, category="cover"), Verb.ISOLATE, at(50))
    refused(ticket_at(Status.WORKING, level="P2", category="leak"), Verb.ISOLATE, at(50))


def test_the_callback_of_level_four_is_due_on_the_next_working_day() -> None:
    ticket = ticket_at(Status.ON_SITE, level="P4", category="billing")
    friday = datetime(2026, 11, 27, 6, 5, tzinfo=UTC)
    assert clock_of(do(ticket, Verb.DONE, friday), ClockKind.CALLBACK).due_at == friday + timedelta(days=3)


def test_a_callback_by_appointment_that_nobody_made_has_no_clock() -> None:
    raw = policy_file.read_toml(TOML.read_bytes())
    raw["levels"]["P4"]["limits"][2]["within"] = "appointment"
    policy = policy_file.parse(raw)
    ticket = ticket_at(Status.ON_SITE, level="P4", category="billing")
    transition = decide(ticket, command(ticket, Verb.DONE, at(9)), CREW, policy)
    assert [clock.kind for clock in transition.clocks] == [ClockKind.FIX]


def test_a_late_verb_breaks_its_clock() -> None:
    ticket = do(ticket_at(Status.DISPATCHED), Verb.ACCEPT, at(5))
    assert clock_of(ticket, ClockKind.ACK).breached_at is None
    late = clock_of(do(ticket_at(Status.DISPATCHED), Verb.ACCEPT, at(6)), ClockKind.ACK)
    assert (late.met_at, late.breached_at, late.noticed_at) == (at(6), at(5), at(6))


# ---------------------------------------------------------------- hold, resume, extend


def test_a_hold_pauses_fix_and_nothing_else() -> None:
    before = ticket_at(Status.WORKING)
    ticket = do(before, Verb.HOLD, at(60), until=at(120))
    for kind in (ClockKind.ACK, ClockKind.ARRIVE, ClockKind.ISOLATE):
        assert clock_of(ticket, kind) == clock_of(before, kind)
    fix = clock_of(ticket, ClockKind.FIX)
    assert (fix.paused_at, fix.resume_at, fix.next_fire_at) == (at(60), at(120), at(120))


def test_a_hold_needs_a_reason_and_an_end_ahead() -> None:
    ticket = ticket_at(Status.WORKING)
    assert wanting(ticket, Verb.HOLD, at(60), reason=None) == "reason"
    assert wanting(ticket, Verb.HOLD, at(60), until=None) == "until"
    assert wanting(ticket, Verb.HOLD, at(60), until=at(60)) == "until"


def test_a_resumption_moves_fix_by_the_length_of_the_hold() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(60), until=at(120))
    ticket = do(ticket, Verb.RESUME, at(90))
    fix = clock_of(ticket, ClockKind.FIX)
    assert fix.due_at == at(24 * 60 + 30)
    assert fix.original_due_at == at(24 * 60)
    assert fix.next_fire_at == at(0.8 * 24 * 60 + 30)
    assert ticket.status is Status.WORKING


def test_a_resumption_without_signal_ends_the_hold_when_it_happened() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(60), until=at(600))
    ticket = do(ticket, Verb.RESUME, at(300), device_at=at(90))
    assert clock_of(ticket, ClockKind.FIX).due_at == at(24 * 60 + 30)
    assert ticket.moved_at == at(90)


def test_a_hold_told_late_counts_from_its_approval() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(60), device_at=at(30), until=at(600))
    assert clock_of(ticket, ClockKind.FIX).paused_at == at(60)
    # A resumption whose device time lies before that gives nothing and takes nothing.
    ticket = do(ticket, Verb.RESUME, at(70), device_at=at(40))
    assert clock_of(ticket, ClockKind.FIX).due_at == at(24 * 60)


def test_a_reassignment_ends_a_hold() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(60), until=at(600))
    ticket = do(ticket, Verb.REASSIGN, at(80))
    fix = clock_of(ticket, ClockKind.FIX)
    assert (fix.paused_at, fix.due_at) == (None, at(24 * 60 + 20))


def test_an_overdue_ticket_on_hold_stays_broken() -> None:
    due = 24 * 60
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(due + 10), until=at(due + 90))
    ticket = do(ticket, Verb.RESUME, at(due + 70))
    ticket = do(ticket, Verb.DONE, at(due + 71))
    fix = clock_of(ticket, ClockKind.FIX)
    assert (fix.breached_at, fix.noticed_at) == (at(due), at(due + 10))


def test_an_extension_moves_fix_and_keeps_the_original() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.EXTEND, at(60), until=at(3000))
    fix = clock_of(ticket, ClockKind.FIX)
    assert (fix.due_at, fix.original_due_at, fix.next_fire_at) == (at(3000), at(24 * 60), at(2400))
    assert ticket.status is Status.WORKING


def test_an_extension_says_why_and_until_when() -> None:
    ticket = ticket_at(Status.WORKING)
    told = decide(ticket, command(ticket, Verb.EXTEND, at(60), note="夜间施工"), CREW, POLICY)
    assert "延期: 等待交警、占道许可, 完工时限改为" in told.text
    assert told.text.endswith("; 夜间施工")
    of_before = replace(POLICY, reasons={**POLICY.reasons, "extend": {}})
    told = decide(ticket, command(ticket, Verb.EXTEND, at(60), reason=None, note="夜间施工"), CREW, of_before)
    assert "延期: 完工时限改为" in told.text


def test_an_extension_must_be_asked_before_due() -> None:
    ticket, due = ticket_at(Status.WORKING), 24 * 60
    refused(ticket, Verb.EXTEND, at(due), until=at(due + 60))
    refused(ticket, Verb.EXTEND, at(due + 1), device_at=at(due - 1), until=at(due + 60))
    assert do(ticket, Verb.EXTEND, at(due - 0.1), until=at(due + 60)).status is Status.WORKING


def test_an_extension_needs_a_later_time_and_a_reason() -> None:
    ticket = ticket_at(Status.WORKING)
    assert wanting(ticket, Verb.EXTEND, at(60), until=None) == "until"
    assert wanting(ticket, Verb.EXTEND, at(60), until=at(24 * 60)) == "until"
    assert wanting(ticket, Verb.EXTEND, at(60), reason=None, note="道路开挖") == "reason"
    assert wanting(ticket, Verb.EXTEND, at(60), reason="not_ours") == "reason"


def test_a_ticket_without_a_fix_clock_is_held_and_resumed_all_the_same() -> None:
    ticket = replace(ticket_at(Status.WORKING), clocks=())
    held = do(ticket, Verb.HOLD, at(60))
    assert held.clocks == ()
    assert do(held, Verb.RESUME, at(61)).clocks == ()
    refused(ticket, Verb.EXTEND, at(60), until=at(90))
    assert do(ticket, Verb.REASSIGN, at(60)).clocks == ()


# ---------------------------------------------------------------- whose time counts

# device, server → the time that counts and whose it is; the ticket was dispatched at minute 1
TIMES = [
    (None, 4, 4, "server"),
    (3, 4, 3, "device"),
    (1, 4, 1, "device"),  # at the very moment of the dispatch
    (0.99, 4, 4, "server"),  # before the last move
    (4, 4, 4, "server"),
    (5, 4, 4, "server"),  # two minutes of skew are forgiven, and change nothing
    (6, 4, 4, "server"),
    (6.1, 4, 4, "server"),
    (1, 1 + 24 * 60, 1, "device"),
    (1, 1.1 + 24 * 60, 1.1 + 24 * 60, "server"),  # older than a day
]


@pytest.mark.parametrize(("device", "server", "counts", "source"), TIMES)
def test_the_earlier_trustworthy_time_counts(device: float | None, server: float, counts: float, source: str) -> None:
    ticket = ticket_at(Status.DISPATCHED)
    device_at = None if device is None else at(device)
    transition = decide(ticket, command(ticket, Verb.ACCEPT, at(server), device_at=device_at), CREW, POLICY)
    assert (transition.at, transition.time_source) == (at(counts), source)
    assert transition.changes["moved_at"] == at(counts)
    (ack,) = transition.clocks
    assert ack.met_at == at(counts)


def test_without_forgiven_skew_the_edge_is_the_server_time() -> None:
    ticket = ticket_at(Status.DISPATCHED)
    strict = replace(POLICY, device_time_skew_s=0.0)
    for device in (4.0, 4.1):
        transition = decide(ticket, command(ticket, Verb.ACCEPT, at(4), device_at=at(device)), CREW, strict)
        assert (transition.at, transition.time_source) == (at(4), "server")


def test_a_breach_is_withdrawn_when_the_crew_was_in_time_without_signal() -> None:
    ticket, fired = swept(ticket_at(Status.EN_ROUTE), at(46))
    arrive = clock_of(ticket, ClockKind.ARRIVE)
    assert (arrive.breached_at, arrive.noticed_at, arrive.next_step) == (at(30), at(46), 4)
    assert [step.index for clock, step in fired if clock.kind is ClockKind.ARRIVE] == [0, 1, 2, 3]
    ticket = do(ticket, Verb.ARRIVE, at(50), device_at=at(29))
    arrive = clock_of(ticket, ClockKind.ARRIVE)
    assert (arrive.met_at, arrive.breached_at, arrive.noticed_at) == (at(29), None, None)
    # What was fired stays fired.
    assert (arrive.next_step, arrive.next_fire_at) == (4, None)


def test_otherwise_the_first_breach_is_permanent() -> None:
    ticket, _ = swept(ticket_at(Status.EN_ROUTE), at(46))
    for device in (30.1, 2.0, None):  # late, before the last move, untold
        told = {} if device is None else {"device_at": at(device)}
        arrive = clock_of(do(ticket, Verb.ARRIVE, at(50), **told), ClockKind.ARRIVE)
        assert (arrive.breached_at, arrive.noticed_at) == (at(30), at(46))


@pytest.mark.parametrize("told_at", [90, 400])  # the second one later than the two hours of the callback
def test_the_callback_runs_from_when_it_is_known_that_the_work_is_done(told_at: float) -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.DONE, at(told_at), device_at=at(60))
    assert clock_of(ticket, ClockKind.FIX).met_at == at(60)
    assert ticket.moved_at == at(60)
    callback = clock_of(ticket, ClockKind.CALLBACK)
    assert (callback.start_at, callback.due_at) == (at(told_at), at(told_at + 120))
    assert swept(ticket, at(told_at))[1] == []
