"""Wider clocks on both databases: proposed by one, approved by another, told on each ticket, over with the surge."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotFound, NotPermitted
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.domain.surge import NewWidening, SurgeConflict
from dispatch.services import board, console, escalation, surge, widening
from dispatch.services.console import Sketch
from dispatch.services.desk import Desk
from dispatch.storage import surges
from tests.support.cast import Cast, act, dispatched, ticket_at
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)
ASKED = NewWidening(levels=["P3"], clocks=[ClockKind.ACK, ClockKind.FIX], factor=2.0, word="寒潮")


def begin(desk: Desk, cast: Cast, now: datetime) -> None:
    surge.enter(desk, cast.supervisor, "寒潮", {}, now)


def propose(desk: Desk, cast: Cast, now: datetime, **changes: Any) -> int:
    told = replace(ASKED, **changes)
    return int(widening.propose(desk, cast.supervisor, told, {"told": repr(told)}, now)["id"])


def approve(desk: Desk, cast: Cast, now: datetime, **changes: Any) -> int:
    found = propose(desk, cast, now, **changes)
    widening.decide(desk, cast.admin, found, is_approved=True, note="", now=now)
    return found


def due_after(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, timedelta]:
    """How long after `now` each clock is due."""
    clocks = board.ticket(desk, cast.agent, number, now)["clocks"]
    return {clock["kind"]: datetime.fromisoformat(clock["due_at"]) - now for clock in clocks}


def texts(desk: Desk, cast: Cast, number: str, now: datetime) -> list[str]:
    return [event["text"] for event in board.ticket(desk, cast.agent, number, now)["timeline"]]


def carry_on(desk: Desk, now: datetime) -> int:
    return widening.carry_on(desk, lambda: now)


def test_new_tickets_get_them_once_another_person_has_approved(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    found = propose(desk, cast, now)
    before = dispatched(desk, now, category="pressure")
    with pytest.raises(NotPermitted, match="另一人"):
        widening.decide(desk, cast.supervisor, found, is_approved=True, note="", now=now)
    shown = widening.decide(desk, cast.admin, found, is_approved=True, note="同意", now=now)
    assert (shown["state"], shown["decided_by"], shown["is_under_way"]) == ("approved", cast.admin.label, False)
    after, urgent = dispatched(desk, now, category="pressure"), dispatched(desk, now)
    plain = {"ack": 30 * MINUTE, "arrive": 240 * MINUTE, "fix": 48 * 60 * MINUTE}
    assert due_after(desk, cast, before, now) == plain
    assert due_after(desk, cast, after, now) == plain | {"ack": 60 * MINUTE, "fix": 96 * 60 * MINUTE}
    assert due_after(desk, cast, urgent, now)["ack"] == 10 * MINUTE
    assert texts(desk, cast, after, now)[0].endswith("; 因寒潮放宽: 接单, 完工 ×2")
    first = {clock["kind"]: clock["original_due_at"] for clock in board.ticket(desk, cast.agent, after, now)["clocks"]}
    assert first["ack"] == (now + 30 * MINUTE).isoformat()
    promised = console.preview(desk, cast.agent, Sketch(called_at=now, category="pressure"), now)["clocks"]
    assert [clock["due_at"] for clock in promised if clock["kind"] == "ack"] == [(now + 60 * MINUTE).isoformat()]
    assert "因寒潮放宽" in promised[0]["basis"]
    assert carry_on(desk, now) == 0


def test_a_wider_clock_fires_by_its_new_time(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    approve(desk, cast, now)
    dispatched(desk, now, category="pressure")
    assert escalation.sweep(desk, now + 59 * MINUTE).fired == 0
    assert escalation.sweep(desk, now + 60 * MINUTE).fired == 1


def test_running_tickets_get_them_where_it_was_said_so(
    desk: Desk, cast: Cast, url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widening, "BATCH", 2)
    numbers = [dispatched(desk, now, category="pressure") for _ in range(5)]
    late = now + 31 * MINUTE
    broken = numbers[0]
    for number in numbers[1:]:
        act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    held = ticket_at(desk, Status.ON_HOLD, now, category="pressure")
    over = ticket_at(desk, Status.CLOSED, now, category="pressure")
    escalation.sweep(desk, late)
    begin(desk, cast, late)
    found = approve(desk, cast, late, is_for_running=True)
    other = open_desk(url)
    counts = in_parallel([partial(carry_on, one, late) for one in (desk, other)])
    assert sum(count for count in counts if isinstance(count, int)) + carry_on(desk, late) == 6
    other.store.close()
    for number in (*numbers, held):
        assert due_after(desk, cast, number, now)["fix"] >= 96 * 60 * MINUTE
        assert texts(desk, cast, number, now)[-1] == "因寒潮放宽: 完工 ×2 (原时限保留)"
    (ack, *_) = board.ticket(desk, cast.agent, broken, late)["clocks"]
    assert (ack["due_at"], ack["state"]) == ((now + 30 * MINUTE).isoformat(), "breached")
    assert "放宽" not in texts(desk, cast, over, now)[-1]
    assert carry_on(desk, late) == 0
    (shown,) = surge.state(desk, cast.agent, late)["surge"]["widenings"]
    assert (shown["id"], shown["widened"], shown["is_under_way"]) == (found, 6, False)
    audited = board.audited(desk, cast.auditor, subject=broken, after=0, limit=1)["items"]
    assert [entry["action"] for entry in audited] == ["widen"]


def test_a_ticket_with_nothing_left_to_widen_is_passed_over(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now, category="pressure")
    late = now + 31 * MINUTE
    begin(desk, cast, late)
    approve(desk, cast, late, clocks=[ClockKind.ACK], is_for_running=True)
    assert carry_on(desk, late) == 0
    assert due_after(desk, cast, number, now)["ack"] == 30 * MINUTE


def test_a_stop_leaves_the_rest_to_the_next(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now, category="pressure")
    begin(desk, cast, now)
    approve(desk, cast, now, is_for_running=True)
    assert widening.carry_on(desk, lambda: now, lambda: True) == 0
    assert carry_on(desk, now) == 1


def test_it_ends_with_the_surge_and_what_was_given_stays(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    approve(desk, cast, now, is_for_running=True)
    waiting = propose(desk, cast, now)
    wide = dispatched(desk, now, category="pressure")
    surge.leave(desk, cast.supervisor, "回落", 1, now)
    assert carry_on(desk, now) == 0
    plain = dispatched(desk, now, category="pressure")
    assert due_after(desk, cast, wide, now)["ack"] == 60 * MINUTE
    assert due_after(desk, cast, plain, now)["ack"] == 30 * MINUTE
    with pytest.raises(SurgeConflict):
        widening.decide(desk, cast.admin, waiting, is_approved=True, note="", now=now)
    (item,) = surge.history(desk, cast.agent, after=0, limit=5)["items"]
    assert [one["state"] for one in item["widenings"]] == ["ended", "ended"]


def test_work_that_another_has_finished_is_nobodys(desk: Desk, cast: Cast, now: datetime) -> None:
    """It was seen, and is gone by the time it is to be locked."""
    begin(desk, cast, now)
    approve(desk, cast, now, is_for_running=True)
    times: list[datetime] = [now]

    def late() -> datetime:
        if times:
            surge.leave(desk, cast.supervisor, "回落", 1, times.pop())
        return now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surges, "is_widening_to_do", lambda _tx: bool(late()))
        assert carry_on(desk, now) == 0


def test_a_refused_one_changes_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    found = propose(desk, cast, now)
    refused = widening.decide(desk, cast.supervisor, found, is_approved=False, note="不必", now=now)
    assert (refused["state"], refused["note"]) == ("refused", "不必")
    with pytest.raises(SurgeConflict):
        widening.decide(desk, cast.admin, found, is_approved=True, note="", now=now)
    number = dispatched(desk, now, category="pressure")
    assert due_after(desk, cast, number, now)["ack"] == 30 * MINUTE


def test_what_cannot_be(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(SurgeConflict):
        propose(desk, cast, now)
    with pytest.raises(NotFound):
        widening.decide(desk, cast.admin, 404, is_approved=True, note="", now=now)
    begin(desk, cast, now)
    with pytest.raises(InvalidInput) as refused:
        propose(desk, cast, now, levels=["P1"])
    assert refused.value.field == "levels"
    for who in (cast.dispatcher, cast.agent):
        with pytest.raises(NotPermitted):
            widening.propose(desk, who, ASKED, {}, now)
        with pytest.raises(NotPermitted):
            widening.decide(desk, who, 1, is_approved=True, note="", now=now)


def test_a_repeated_key_proposes_once(desk: Desk, cast: Cast, now: datetime) -> None:
    begin(desk, cast, now)
    first = widening.propose(desk, cast.supervisor, ASKED, {"a": 1}, now, "k")
    assert widening.propose(desk, cast.supervisor, ASKED, {"a": 1}, now, "k") == first
    with pytest.raises(IdempotencyMismatch):
        widening.propose(desk, cast.supervisor, ASKED, {"a": 2}, now, "k")
