"""decide(): every verb from every state, and what each of them needs, tells and changes."""

from dataclasses import replace

import pytest

from dispatch.domain.callback import Callers
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import ACTIVE, RULES, Status, Verb
from dispatch.domain.ticket import Command, Notice, Ticket, decide
from tests.domain.walk import (
    AGENT,
    CREW,
    OTHER,
    POLICY,
    TEAM_A,
    TEAM_B,
    TEAM_C,
    applied,
    at,
    clock_of,
    command,
    do,
    received,
    refused,
    ticket_at,
    wanting,
)

# ---------------------------------------------------------------- verbs and states


@pytest.mark.parametrize("status", Status)
def test_the_roads_lead_where_they_say(status: Status) -> None:
    assert ticket_at(status).status is status


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("status", Status)
def test_every_verb_from_every_state(status: Status, verb: Verb) -> None:
    ticket, now = ticket_at(status), at(20)
    if status not in RULES[verb].sources:
        refused(ticket, verb, now)
        return
    if verb is Verb.CLOSE:
        ticket = do(ticket, Verb.CALLBACK, now)
    transition = decide(ticket, command(ticket, verb, now), CREW, POLICY)
    assert (transition.verb, transition.source) == (verb, status)
    assert transition.target is (RULES[verb].target or status)
    assert (transition.at, transition.time_source) == (now, "server")
    assert transition.text.startswith("A班 水管家 (水管家) ")
    # Only a verb that leads to a state moves the ticket.
    assert transition.changes.get("moved_at") == (now if RULES[verb].target else None)
    met = [clock for clock in transition.clocks if clock.met_at == now]
    assert RULES[verb].meets is None or RULES[verb].meets in {clock.kind for clock in met}


def test_the_refusal_says_what_stands_in_the_way() -> None:
    assert refused(ticket_at(Status.WORKING), Verb.ACCEPT, at(20)).detail == "工单现在是“处置”, 不能接单"


def test_the_note_is_told_in_the_timeline() -> None:
    ticket = ticket_at(Status.DISPATCHED)
    plain = decide(ticket, command(ticket, Verb.ACCEPT, at(2)), CREW, POLICY)
    assert plain.text == "A班 水管家 (水管家) 接单"
    noted = decide(ticket, command(ticket, Verb.RETURN, at(2), note="是物业的管"), CREW, POLICY)
    assert noted.text == "A班 水管家 (水管家) 退单: 不属本网格; 是物业的管"
    assert noted.notices == (Notice(("dispatcher",), "GD20261124-000007 退单: 不属本网格"),)


# ---------------------------------------------------------------- dispatch, return, reassign


def test_dispatch_and_reassign_need_a_team() -> None:
    assert wanting(received(), Verb.DISPATCH, at(1), assignment=None) == "team_id"
    ticket = ticket_at(Status.ACCEPTED)
    assert wanting(ticket, Verb.REASSIGN, at(3), assignment=None) == "team_id"
    assert wanting(ticket, Verb.REASSIGN, at(3), assignment=TEAM_A) == "team_id"
    assert wanting(ticket, Verb.ASSIST, at(3), assignment=None) == "team_id"


def test_the_team_is_told_and_why() -> None:
    to = replace(TEAM_A, changes={"zone_id": "天心-01"})
    transition = decide(received(), Command(verb=Verb.DISPATCH, at=at(1), assignment=to), AGENT, POLICY)
    assert transition.changes == {
        "moved_at": at(1),
        "zone_id": "天心-01",
        "team_id": "tianxin-01",
        "branch": "城南",
    }
    assert transition.notices == (Notice(("crew",), "新工单 GD20261124-000007: 在天心-01网格内"),)
    assert transition.text == "坐席 (坐席) 派单: 天心一班, 在天心-01网格内"


def test_a_reassignment_tells_both_teams() -> None:
    ticket = ticket_at(Status.ACCEPTED)
    transition = decide(ticket, command(ticket, Verb.REASSIGN, at(3)), AGENT, POLICY)
    assert [notice.to for notice in transition.notices] == [("crew",), ("crew:tianxin-01",)]
    assert transition.changes["team_id"] == "tianxin-02"
    assert "ruled_team_id" not in transition.changes


def promised(ticket: Ticket) -> set[Clock]:
    """The clocks without what is guessed of the way."""
    return {replace(clock, travel_s=None, travel_kind=None, travel_due_at=None) for clock in ticket.clocks}


def test_neither_return_nor_reassignment_resets_a_clock() -> None:
    ticket = ticket_at(Status.ACCEPTED)
    before = promised(ticket)
    ticket = do(ticket, Verb.RETURN, at(5))
    assert promised(ticket) == before
    ticket = do(ticket, Verb.DISPATCH, at(6), assignment=TEAM_B)
    assert promised(ticket) == before
    ticket = do(ticket, Verb.REASSIGN, at(7), assignment=TEAM_C)
    assert promised(ticket) == before
    # Only how long the way is must be found out anew.
    assert clock_of(ticket, ClockKind.ARRIVE).travel_due_at == at(7)
    # The second team's acceptance does not touch what the first one met.
    ticket = do(ticket, Verb.ACCEPT, at(20))
    assert clock_of(ticket, ClockKind.ACK).met_at == at(2)
    ticket = do(ticket, Verb.ARRIVE, at(31))
    assert clock_of(ticket, ClockKind.ARRIVE).breached_at == at(30)


def test_sent_back_to_the_team_that_returned_it_is_a_ruling() -> None:
    ticket = do(ticket_at(Status.RETURNED), Verb.DISPATCH, at(5))
    assert ticket.ruled_team_id == "tianxin-01"
    assert "裁定" in refused(ticket, Verb.RETURN, at(6)).detail
    # … and holds in every later state.
    ticket = do(ticket, Verb.ACCEPT, at(7))
    refused(ticket, Verb.RETURN, at(8))
    # Another team may return it, the ruled one still may not.
    other = do(ticket, Verb.REASSIGN, at(9))
    assert do(other, Verb.RETURN, at(10)).status is Status.RETURNED
    back = do(other, Verb.REASSIGN, at(10), assignment=TEAM_A)
    refused(back, Verb.RETURN, at(11))


def test_sent_to_another_team_is_none() -> None:
    ticket = do(ticket_at(Status.RETURNED), Verb.DISPATCH, at(5), assignment=TEAM_B)
    assert ticket.ruled_team_id is None
    assert do(ticket, Verb.RETURN, at(6)).status is Status.RETURNED


def test_a_dispatch_may_be_ruled_at_once() -> None:
    ticket = received()
    transition = decide(ticket, command(ticket, Verb.DISPATCH, at(1), is_ruled=True), AGENT, POLICY)
    assert transition.text.endswith("(裁定, 不得再退)")
    refused(applied(ticket, transition), Verb.RETURN, at(2))


def test_a_return_needs_a_coded_reason() -> None:
    assert wanting(ticket_at(Status.DISPATCHED), Verb.RETURN, at(2), reason="keine Lust") == "reason"


# ---------------------------------------------------------------- callback, close, rework


def test_an_unanswered_callback_meets_nothing() -> None:
    ticket = do(
        ticket_at(Status.DONE), Verb.CALLBACK, at(10), is_reached=False, is_solved=None, callers=Callers(waiting=1)
    )
    assert ticket.callback_attempts == 1
    assert clock_of(ticket, ClockKind.CALLBACK).is_running


def test_an_answered_one_must_say_whether_it_is_solved() -> None:
    assert wanting(ticket_at(Status.DONE), Verb.CALLBACK, at(10), is_solved=None) == "is_solved"


@pytest.mark.parametrize(
    ("is_solved", "is_satisfied", "words"),
    [
        (True, None, "已解决"),
        (True, True, "已解决, 满意"),
        (True, False, "已解决, 不满意"),
        (False, False, "未解决, 不满意"),
    ],
)
def test_what_the_caller_said(is_solved: bool, is_satisfied: bool | None, words: str) -> None:
    ticket = ticket_at(Status.DONE)
    said = command(ticket, Verb.CALLBACK, at(10), is_solved=is_solved, is_satisfied=is_satisfied)
    transition = decide(ticket, said, AGENT, POLICY)
    assert transition.text == f"坐席 (坐席) 回访: {words}"
    assert (transition.changes["is_solved"], transition.changes["is_satisfied"]) == (is_solved, is_satisfied)
    assert bool(transition.notices) is not is_solved
    assert [clock.met_at for clock in transition.clocks] == [at(10)]


def test_close_needs_a_solved_callback() -> None:
    ticket = ticket_at(Status.DONE)
    assert "请先回访: 还有 1 位" in refused(ticket, Verb.CLOSE, at(10), callers=Callers(waiting=1)).detail
    unsolved = do(ticket, Verb.CALLBACK, at(10), is_solved=False)
    assert "请返工" in refused(unsolved, Verb.CLOSE, at(11)).detail
    closed = do(do(unsolved, Verb.CALLBACK, at(12)), Verb.CLOSE, at(13))
    assert closed.status is Status.CLOSED


def test_or_three_calls_that_nobody_answered() -> None:
    ticket = ticket_at(Status.DONE)
    for attempt, waiting in ((1, 1), (2, 1), (3, 0)):
        refused(ticket, Verb.CLOSE, at(9 + attempt), callers=Callers(waiting=1))
        ticket = do(
            ticket, Verb.CALLBACK, at(9 + attempt), is_reached=False, is_solved=None, callers=Callers(waiting=waiting)
        )
    closed = do(ticket, Verb.CLOSE, at(20))
    assert closed.status is Status.CLOSED
    callback = clock_of(closed, ClockKind.CALLBACK)
    assert (callback.is_void, callback.met_at, callback.next_fire_at) == (True, None, None)


def test_the_clock_of_several_callers_is_met_by_the_last() -> None:
    ticket = do(ticket_at(Status.DONE), Verb.CALLBACK, at(10), callers=Callers(waiting=1))
    assert clock_of(ticket, ClockKind.CALLBACK).is_running
    heard = do(ticket, Verb.CALLBACK, at(12), is_reached=False, is_solved=None, callers=Callers(is_heard=True))
    assert clock_of(heard, ClockKind.CALLBACK).met_at == at(12)


def test_without_anybody_to_ring_no_callback_is_promised() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.DONE, at(9), callers=Callers(can_ring=0))
    assert ticket.running(ClockKind.CALLBACK) is None
    assert do(ticket, Verb.CLOSE, at(10)).status is Status.CLOSED


@pytest.mark.parametrize(
    ("is_solved", "others", "whole"), [(True, False, False), (False, True, False), (True, None, True)]
)
def test_one_no_is_a_no(is_solved: bool, others: bool | None, whole: bool) -> None:
    ticket = do(ticket_at(Status.DONE), Verb.CALLBACK, at(10), is_solved=is_solved, callers=Callers(solved=others))
    assert ticket.is_solved is whole


def test_who_has_a_ticket_of_ones_own_stands_in_nobodys_way() -> None:
    ticket = ticket_at(Status.DONE)
    said = command(
        ticket,
        Verb.CALLBACK,
        at(10),
        is_solved=False,
        callers=Callers(has_own_ticket=True, follow_up="另开工单 X", solved=True),
    )
    transition = decide(ticket, said, AGENT, POLICY)
    assert transition.text == "坐席 (坐席) 回访: 未解决, 另开工单 X"
    assert [notice.text for notice in transition.notices] == [f"{ticket.number} 回访未解决, 另开工单 X"]
    assert do(applied(ticket, transition), Verb.CLOSE, at(11)).status is Status.CLOSED


def test_unanswered_calls_after_a_no_do_not_close() -> None:
    ticket = do(ticket_at(Status.DONE), Verb.CALLBACK, at(10), is_solved=False)
    for minute in (11, 12, 13):
        ticket = do(ticket, Verb.CALLBACK, at(minute), is_reached=False, is_solved=None)
    refused(ticket, Verb.CLOSE, at(14))


def test_rework_opens_a_new_round_of_clocks() -> None:
    ticket = do(ticket_at(Status.DONE), Verb.CALLBACK, at(10), is_solved=False)
    history = ticket.clocks
    transition = decide(ticket, command(ticket, Verb.REWORK, at(30)), AGENT, POLICY)
    assert transition.notices == (Notice(("crew",), "返工 GD20261124-000007: 又漏了"),)
    again = applied(ticket, transition)
    assert (again.status, again.round, again.team_id) == (Status.DISPATCHED, 2, "tianxin-01")
    assert (again.is_solved, again.callback_attempts) == (None, 0)
    assert again.clocks[: len(history)] == history
    fresh = {clock.kind: clock for clock in again.clocks if clock.round == 2}
    assert {kind: clock.due_at for kind, clock in fresh.items()} == {
        "ack": at(35),
        "arrive": at(60),
        "isolate": at(270),
        "fix": at(30 + 24 * 60),
    }
    assert all((clock.next_step, clock.met_at, clock.breached_at) == (0, None, None) for clock in fresh.values())


def test_rework_voids_the_callback_that_was_running() -> None:
    ticket = do(ticket_at(Status.DONE), Verb.REWORK, at(30))
    assert clock_of(ticket, ClockKind.CALLBACK).is_void
    ticket = do(ticket, Verb.ACCEPT, at(31))
    assert clock_of(ticket, ClockKind.ACK, 2).met_at == at(31)
    assert clock_of(ticket, ClockKind.ACK, 1).met_at == at(2)


def test_rework_needs_to_say_why_and_an_old_appointment_does_not_return() -> None:
    assert wanting(ticket_at(Status.DONE), Verb.REWORK, at(30), note="") == "note"
    ticket = ticket_at(Status.DONE, level="P5", category="install", appointment_at=at(600))
    transition = decide(ticket, command(ticket, Verb.REWORK, at(700)), AGENT, POLICY)
    again = applied(ticket, transition)
    assert {clock.kind for clock in again.clocks if clock.round == 2} == {ClockKind.ACK, ClockKind.FIX}
    assert transition.text == "坐席 (坐席) 返工: 第 2 轮, 无预约, 到场时限不计; 又漏了"


@pytest.mark.parametrize(("level", "category"), [("P1", "burst"), ("P4", "billing")])
def test_where_no_appointment_is_missing_rework_speaks_of_none(level: str, category: str) -> None:
    ticket = ticket_at(Status.DONE, level=level, category=category)
    transition = decide(ticket, command(ticket, Verb.REWORK, at(700)), AGENT, POLICY)
    assert transition.text == "坐席 (坐席) 返工: 第 2 轮; 又漏了"


# ---------------------------------------------------------------- urge, supervise, assist, merge, cancel


def test_urging_counts_and_tells() -> None:
    ticket = ticket_at(Status.EN_ROUTE)
    once = do(ticket, Verb.URGE, at(10))
    transition = decide(once, command(once, Verb.URGE, at(11)), AGENT, POLICY)
    assert transition.changes == {"urge_count": 2}
    assert transition.notices == (Notice(("crew", "dispatcher"), "GD20261124-000007 第 2 次催单"),)
    assert transition.clocks == ()


def test_supervision_opens_once() -> None:
    ticket = do(ticket_at(Status.EN_ROUTE), Verb.SUPERVISE, at(10))
    assert ticket.is_supervised
    assert "督办" in refused(ticket, Verb.SUPERVISE, at(11)).detail


def test_assistance_is_asked_once_of_each_team() -> None:
    ticket = ticket_at(Status.WORKING)
    assert wanting(ticket, Verb.ASSIST, at(10), assignment=TEAM_A) == "team_id"
    ticket = do(ticket, Verb.ASSIST, at(10), assignment=TEAM_B)
    assert wanting(ticket, Verb.ASSIST, at(11), assignment=TEAM_B) == "team_id"
    transition = decide(ticket, command(ticket, Verb.ASSIST, at(12)), AGENT, POLICY)
    assert transition.changes == {"assisting": ["tianxin-02", "yuhua-01"]}
    assert transition.notices[0].to == ("crew:yuhua-01",)


def test_a_merge_needs_another_ticket_that_is_alive() -> None:
    ticket = ticket_at(Status.WORKING)
    assert wanting(ticket, Verb.MERGE, at(10), target=None) == "into"
    assert wanting(ticket, Verb.MERGE, at(10), target=ticket) == "into"
    for status in set(Status) - ACTIVE:
        assert wanting(ticket, Verb.MERGE, at(10), target=replace(OTHER, status=status)) == "into"


@pytest.mark.parametrize(("verb", "status"), [(Verb.MERGE, Status.MERGED), (Verb.CANCEL, Status.CANCELLED)])
def test_merge_and_cancel_end_all_clocks_without_judging_them(verb: Verb, status: Status) -> None:
    ticket = ticket_at(Status.ACCEPTED)
    ended = do(ticket, verb, at(4))
    assert ended.status is status
    assert ended.merged_into == ("GD20261124-000008" if verb is Verb.MERGE else None)
    assert clock_of(ended, ClockKind.ACK) == clock_of(ticket, ClockKind.ACK)
    rest = [clock for clock in ended.clocks if clock.kind is not ClockKind.ACK]
    assert all(clock.is_void and clock.next_fire_at is None and clock.breached_at is None for clock in rest)
    assert len(rest) == 3


@pytest.mark.parametrize("verb", [Verb.MERGE, Verb.CANCEL])
def test_an_end_does_not_hide_a_breach_that_no_sweep_has_seen(verb: Verb) -> None:
    ended = do(ticket_at(Status.ACCEPTED), verb, at(40))
    arrive = clock_of(ended, ClockKind.ARRIVE)
    assert (arrive.is_void, arrive.breached_at, arrive.noticed_at) == (True, at(30), at(40))
    assert clock_of(ended, ClockKind.FIX).breached_at is None


def test_a_merge_ends_a_hold() -> None:
    ticket = do(ticket_at(Status.WORKING), Verb.HOLD, at(60))
    fix = clock_of(do(ticket, Verb.MERGE, at(70)), ClockKind.FIX)
    assert (fix.is_void, fix.next_fire_at, fix.breached_at) == (True, None, None)


def test_a_cancellation_needs_a_coded_reason() -> None:
    assert wanting(ticket_at(Status.DISPATCHED), Verb.CANCEL, at(2), reason=None) == "reason"
