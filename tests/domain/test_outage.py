"""What a notice must be, how it moves from state to state, and how it stands at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from dispatch.domain.errors import IllegalTransition, InvalidInput, NotPermitted
from dispatch.domain.outage import (
    KEPT_AFTER_END,
    LONGEST,
    MOST_ESTATES,
    OUTAGE_RULES,
    OUTAGE_STATUS_LABELS,
    OUTAGE_VERB_LABELS,
    NewOutage,
    Outage,
    OutageCommand,
    OutageStatus,
    OutageVerb,
    Phase,
    check_outage,
    decide_outage,
    next_alarm,
    outage_verbs,
    phase,
)

S, V = OutageStatus, OutageVerb
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = NewOutage(
    title="坡子街 DN300 抢修",
    place="坡子街, 黄兴路到下河街",
    is_planned=False,
    zone_ids=("天心-03",),
    starts_at=NOW - HOUR,
    ends_at=NOW + 4 * HOUR,
)
KNOWN = {"天心-03", "天心-04"}
WRITER, OTHER = 1, 2


def outage(status: OutageStatus, **changes: Any) -> Outage:
    """Planned for the day after tomorrow."""
    told = Outage(status=status, is_planned=True, starts_at=NOW + 30 * HOUR, ends_at=NOW + 36 * HOUR, created_by=WRITER)
    return replace(told, **changes)


def command(verb: OutageVerb, **changes: Any) -> OutageCommand:
    """By another person than wrote it, with all that any verb needs."""
    at = NOW + 35 * HOUR if verb is V.RESTORE else NOW
    return replace(OutageCommand(verb=verb, at=at, by=OTHER, note="原因", ends_at=NOW + 40 * HOUR), **changes)


def test_a_notice_may_have_begun_already() -> None:
    check_outage(TOLD, KNOWN, NOW)
    check_outage(replace(TOLD, starts_at=NOW + HOUR, ends_at=NOW + HOUR + LONGEST), KNOWN, NOW)
    check_outage(replace(TOLD, zone_ids=(), estates=("岳麓公馆",), late_return_h=2), KNOWN, NOW)
    check_outage(replace(TOLD, zone_ids=(), area={"type": "Polygon"}), KNOWN, NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"place": "\n"}, "place"),
        ({"title": "a\0"}, "title"),
        ({"zone_ids": ()}, "zone_ids"),
        ({"zone_ids": ("天心-03", "月球-01")}, "zone_ids"),
        ({"ends_at": NOW - HOUR}, "ends_at"),
        ({"starts_at": NOW - 3 * HOUR, "ends_at": NOW}, "ends_at"),
        ({"ends_at": NOW + LONGEST}, "ends_at"),
        ({"estates": ("岳麓公馆", " ")}, "estates"),
        ({"estates": ("a\0",)}, "estates"),
        ({"estates": ("岳麓公馆",) * (MOST_ESTATES + 1)}, "estates"),
        ({"late_return_h": 0}, "late_return_h"),
        ({"late_return_h": 73}, "late_return_h"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_outage(replace(TOLD, **changes), KNOWN, NOW)
    assert caught.value.field == field


# ---------------------------------------------------------------- states


def test_everything_has_a_name() -> None:
    assert set(OUTAGE_STATUS_LABELS) == set(S)
    assert set(OUTAGE_VERB_LABELS) == set(V) == set(OUTAGE_RULES)


EDGES = {
    (S.DRAFT, V.REVISE): S.DRAFT,
    (S.DRAFT, V.APPROVE): S.APPROVED,
    (S.DRAFT, V.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, V.REVISE): S.DRAFT,
    (S.APPROVED, V.PUBLISH): S.PUBLISHED,
    (S.APPROVED, V.WITHDRAW): S.WITHDRAWN,
    (S.PUBLISHED, V.EXTEND): S.PUBLISHED,
    (S.PUBLISHED, V.RESTORE): S.RESTORED,
    (S.PUBLISHED, V.CANCEL): S.CANCELLED,
}


@pytest.mark.parametrize(("status", "verb"), list(product(S, V)))
def test_each_edge_of_a_planned_one(status: OutageStatus, verb: OutageVerb) -> None:
    before = outage(status)
    assert (verb in outage_verbs(before)) == ((status, verb) in EDGES)
    if (status, verb) in EDGES:
        assert decide_outage(before, command(verb)).target is EDGES[status, verb]
    else:
        with pytest.raises(IllegalTransition):
            decide_outage(before, command(verb))


def test_an_emergency_is_published_by_one_person_and_recorded_so() -> None:
    burst = outage(S.DRAFT, is_planned=False, starts_at=NOW)
    assert V.PUBLISH in outage_verbs(burst)
    step = decide_outage(burst, command(V.PUBLISH, by=WRITER, note=""))
    assert (step.target, step.text) == (S.PUBLISHED, "紧急公告, 由一人发布")
    assert decide_outage(burst, command(V.APPROVE, by=WRITER)).changes["short_reason"] is None


def test_a_planned_one_is_approved_by_another_person() -> None:
    with pytest.raises(NotPermitted):
        decide_outage(outage(S.DRAFT), command(V.APPROVE, by=WRITER))
    step = decide_outage(outage(S.DRAFT), command(V.APPROVE, note=""))
    assert (step.text, step.changes["short_reason"]) == ("批准", None)


def test_less_than_a_day_needs_a_reason_of_the_approver() -> None:
    soon = outage(S.DRAFT, starts_at=NOW + 23 * HOUR)
    with pytest.raises(InvalidInput) as caught:
        decide_outage(soon, command(V.APPROVE, note=" "))
    assert caught.value.field == "note"
    step = decide_outage(soon, command(V.APPROVE, note="阀门已裂"))
    assert step.changes["short_reason"] == "阀门已裂"
    with pytest.raises(InvalidInput) as caught:  # approved in time, published too late
        decide_outage(replace(soon, status=S.APPROVED), command(V.PUBLISH))
    assert caught.value.field == "starts_at"
    told = replace(soon, status=S.APPROVED, short_reason="阀门已裂")
    assert decide_outage(told, command(V.PUBLISH)).target is S.PUBLISHED
    with pytest.raises(InvalidInput) as caught:
        decide_outage(told, command(V.PUBLISH, at=NOW + 37 * HOUR))
    assert caught.value.field == "ends_at"


@pytest.mark.parametrize("ends_at", [None, NOW + 36 * HOUR, NOW + LONGEST + 31 * HOUR])
def test_an_end_moves_later_and_not_too_far(ends_at: datetime | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        decide_outage(outage(S.PUBLISHED), command(V.EXTEND, ends_at=ends_at))
    assert caught.value.field == "ends_at"


def test_an_extension_says_from_when_to_when() -> None:
    step = decide_outage(outage(S.PUBLISHED), command(V.EXTEND, note=""))
    assert step.text == "预计恢复时间由 2026-11-25 22:00 延至 2026-11-26 02:00"
    with pytest.raises(InvalidInput):  # later than before, and past already
        decide_outage(outage(S.PUBLISHED), command(V.EXTEND, at=NOW + 50 * HOUR))


def test_water_comes_back_only_where_it_was_off_and_says_how_late() -> None:
    with pytest.raises(InvalidInput) as caught:
        decide_outage(outage(S.PUBLISHED), command(V.RESTORE, at=NOW))
    assert caught.value.field == "starts_at"
    late = decide_outage(outage(S.PUBLISHED), command(V.RESTORE, at=NOW + 37 * HOUR, note=""))
    assert late.text == "恢复供水, 比预计晚 1 小时 00 分"


@pytest.mark.parametrize(("status", "verb"), [(S.DRAFT, V.WITHDRAW), (S.PUBLISHED, V.CANCEL)])
def test_what_will_not_be_says_why(status: OutageStatus, verb: OutageVerb) -> None:
    with pytest.raises(InvalidInput) as caught:
        decide_outage(outage(status), command(verb, note=""))
    assert caught.value.field == "note"
    with pytest.raises(InvalidInput):
        decide_outage(outage(status), command(verb, note="a\0"))
    assert decide_outage(outage(status), command(verb)).changes == {"closed_reason": "原因"}


# ---------------------------------------------------------------- at a moment


@pytest.mark.parametrize(
    ("after_start", "status", "expected"),
    [
        (-1, S.PUBLISHED, Phase.COMING),
        (0, S.PUBLISHED, Phase.CURRENT),
        (4, S.PUBLISHED, Phase.CURRENT),
        (5, S.PUBLISHED, Phase.LATE),
        (29, S.PUBLISHED, Phase.LATE),
        (29.1, S.PUBLISHED, Phase.OVER),
        (2, S.RESTORED, Phase.OVER),
        (2, S.CANCELLED, Phase.OVER),
        (2, S.DRAFT, Phase.UNPUBLISHED),
        (2, S.APPROVED, Phase.UNPUBLISHED),
        (2, S.WITHDRAWN, Phase.OVER),
    ],
)
def test_how_a_notice_stands(after_start: float, status: OutageStatus, expected: Phase) -> None:
    now = TOLD.starts_at + timedelta(hours=after_start)
    assert phase(status, TOLD.starts_at, TOLD.ends_at, now) is expected


def test_alarms_ring_before_the_end_at_it_and_hourly_until_it_is_forgotten() -> None:
    half = timedelta(minutes=30)
    assert [next_alarm(NOW, half, rung) for rung in range(4)] == [NOW - half, NOW, NOW + HOUR, NOW + 2 * HOUR]
    assert [next_alarm(NOW, half, rung) for rung in (25, 26)] == [NOW + KEPT_AFTER_END, None]
