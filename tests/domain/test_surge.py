"""Thresholds with hysteresis, what is gathered, what may be wider."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain import sla
from dispatch.domain.errors import InvalidInput
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import (
    Gathering,
    Line,
    Move,
    NewWidening,
    Standing,
    Widening,
    check_widening,
    digest_text,
    judge,
    widen,
    widened_text,
)
from dispatch.domain.surge_policy import SurgePolicy

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = SurgePolicy(
    basis="测试",
    window=10 * MINUTE,
    enter_calls=150,
    leave_calls=100,
    calm=20 * MINUTE,
    digest_to=("branch_duty", "dispatcher"),
    digest_every=5 * MINUTE,
    at_once=("P1",),
    broadcast="",
    public_text="",
    levels=("P3", "P4"),
    clocks=(ClockKind.ACK, ClockKind.FIX),
    most=3.0,
)
OPEN = Standing(is_open=True)
CALM = Standing(is_open=True, calm_since=NOW - 10 * MINUTE)


@pytest.mark.parametrize(
    ("standing", "calls", "move"),
    [
        (Standing(), 149, None),
        (Standing(), 150, Move.ENTER),
        (Standing(is_held=True), 999, None),
        (OPEN, 149, None),  # below what began it, above what ends it
        (OPEN, 100, None),
        (OPEN, 99, Move.CALM),
        (replace(OPEN, is_held=True), 0, None),
        (CALM, 99, None),
        (CALM, 100, Move.BUSY),
        (replace(CALM, calm_since=NOW - 20 * MINUTE), 99, Move.LEAVE),
    ],
)
def test_what_the_thresholds_ask_for(standing: Standing, calls: int, move: Move | None) -> None:
    assert judge(standing, POLICY, calls, NOW) is move
    assert judge(standing, None, calls, NOW) is None


def test_whose_notices_are_gathered() -> None:
    surge = Gathering(1, POLICY.digest_to, POLICY.at_once, POLICY.digest_every)
    assert surge.gathers("branch_duty:城南", "P2", 1.0)
    assert surge.gathers("dispatcher", "P1", 0.8)
    assert not surge.gathers("dispatcher", "P1", 1.0)
    assert not surge.gathers("crew:tianxin-03", "P2", 0.8)


def test_a_digest_counts_all_and_names_the_worst() -> None:
    lines = [Line(f"GD-{n}", "P2", ClockKind.ARRIVE, 0.8, "仍可挽回") for n in range(7)]
    lines += [Line("GD-1", "P2", ClockKind.ARRIVE, 1.5, "督办"), Line("GD-9", "P1", ClockKind.FIX, 0.8, "仍可挽回")]
    text = digest_text(lines, NOW, NOW + 5 * MINUTE, "http://x/board")
    assert text == (
        "大流量汇总 10:00–10:05: 升级 9 步, 工单 8 张: 到场 80% 仍可挽回 7, 到场 150% 督办 1, 完工 80% 仍可挽回 1; "
        "最急: GD-9 (P1 完工 80%), GD-1 (P2 到场 150%), GD-0 (P2 到场 80%), GD-2 (P2 到场 80%), GD-3 (P2 到场 80%); "
        "http://x/board"
    )


ASKED = NewWidening(levels=["P3"], clocks=[ClockKind.ACK], factor=2.0, word="寒潮")


def test_what_the_policy_allows_to_be_wider() -> None:
    check_widening(ASKED, POLICY)
    check_widening(replace(ASKED, factor=3.0), POLICY)
    for field, told in {
        "levels": replace(ASKED, levels=["P1"]),
        "clocks": replace(ASKED, clocks=[ClockKind.ARRIVE]),
        "factor": replace(ASKED, factor=3.1),
        "word": replace(ASKED, word=" "),
    }.items():
        with pytest.raises(InvalidInput) as refused:
            check_widening(told, POLICY)
        assert refused.value.field == field
    for factor in (1.0, float("nan")):
        with pytest.raises(InvalidInput, match="倍数"):
            check_widening(replace(ASKED, factor=factor), POLICY)
    for policy in (None, replace(POLICY, levels=())):
        with pytest.raises(InvalidInput, match="不允许放宽"):
            check_widening(ASKED, policy)
    with pytest.raises(InvalidInput, match="只能放宽"):
        check_widening(replace(ASKED, levels=[]), POLICY)


WIDENING = Widening(7, ("P3",), (ClockKind.ACK,), 2.0, "寒潮")
ACK = sla.start(ClockKind.ACK, 1, NOW, NOW + 30 * MINUTE)


def test_a_clock_gets_wider_once_and_keeps_its_first_due_time() -> None:
    later = replace(WIDENING, id=8, factor=3.0, word="抢修")
    wide = widen(ACK, "P3", [WIDENING, later], NOW)
    assert (wide.due_at, wide.original_due_at, wide.widening_id) == (NOW + 90 * MINUTE, NOW + 30 * MINUTE, 8)
    assert widen(wide, "P3", [WIDENING], NOW) is wide
    assert widened_text([wide, ACK], [WIDENING, later]) == "因抢修放宽: 接单 ×3"
    assert widened_text([ACK], [WIDENING]) == ""


def test_what_is_over_broken_or_not_meant_stays() -> None:
    broken = sla.notice_breach(ACK, NOW + 30 * MINUTE)
    for clock in (sla.meet(ACK, NOW, NOW), sla.void(ACK, NOW), broken, replace(ACK, kind=ClockKind.FIX)):
        assert widen(clock, "P3", [WIDENING], NOW) is clock
    assert widen(ACK, "P3", [WIDENING], NOW + 30 * MINUTE) is ACK
    assert widen(ACK, "P2", [WIDENING], NOW) is ACK


def test_an_extended_clock_is_wider_by_what_was_promised_at_first() -> None:
    extended = sla.extend(ACK, NOW + 60 * MINUTE)
    assert widen(extended, "P3", [WIDENING], NOW).due_at == NOW + 90 * MINUTE
