"""The shipped policy says what the table of service levels says: level by area, diameter and category."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dispatch.domain import policy_file
from dispatch.domain.calendar import Calendars
from dispatch.domain.errors import InvalidInput
from dispatch.domain.policy import Area, Limit, Question, Raise, Span
from dispatch.domain.sla import ClockKind
from dispatch.domain.times import SHANGHAI

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
POLICY = policy_file.parse(policy_file.read_toml(TOML.read_bytes()))
IN, OUT = Area.IN_CIRCLE, Area.OUTSIDE
# A Tuesday, 14:05 in Changsha.
START = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)

# level, area, DN, category → ack, arrive, isolate, fix, callback
TABLE = [
    ("P1", IN, None, "burst", "5 min", "30 min", "4 h", "24 h", "2 h"),
    ("P1", OUT, None, "burst", "5 min", "50 min", "4 h", "24 h", "2 h"),
    ("P1", IN, None, "hydrant", "5 min", "30 min", "4 h", "24 h", "2 h"),
    ("P1", IN, None, "cover", "5 min", "30 min", None, "24 h", "2 h"),
    ("P1", OUT, None, "mass_quality", "5 min", "50 min", None, "24 h", "2 h"),
    ("P1", IN, None, "no_water", "5 min", "30 min", None, "24 h", "2 h"),
    ("P1", IN, 100, "burst", "5 min", "30 min", "4 h", "24 h", "2 h"),
    ("P1", IN, 149, "burst", "5 min", "30 min", "4 h", "24 h", "2 h"),
    ("P1", IN, 150, "burst", "5 min", "30 min", "4 h", "36 h", "2 h"),
    ("P1", OUT, 300, "burst", "5 min", "50 min", "4 h", "36 h", "2 h"),
    ("P1", IN, 400, "burst", "5 min", "30 min", "4 h", "36 h", "2 h"),
    ("P1", IN, 500, "burst", "5 min", "30 min", "4 h", "48 h", "2 h"),
    ("P1", OUT, 1200, "burst", "5 min", "50 min", "4 h", "48 h", "2 h"),
    ("P2", IN, None, "no_water", "10 min", "30 min", None, "24 h", "24 h"),
    ("P2", OUT, None, "leak", "10 min", "60 min", None, "24 h", "24 h"),
    ("P2", IN, 500, "leak", "10 min", "30 min", None, "24 h", "24 h"),
    ("P3", IN, None, "pressure", "30 min", "4 h", None, "48 h", "1 wd"),
    ("P3", OUT, None, "noise", "30 min", "4 h", None, "48 h", "1 wd"),
    ("P4", IN, None, "billing", "2 h", None, None, "3 wd", "1 wd"),
    ("P4", OUT, None, "complaint", "2 h", None, None, "3 wd", "1 wd"),
    ("P5", IN, None, "install", "1 wd", "appointment", None, "5 wd", "1 wd"),
    ("P5", OUT, None, "transfer", "1 wd", "appointment", None, "5 wd", "1 wd"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(map(str, row[:4])))
def test_the_promises_of_each_level(
    row: tuple[str, Area, int | None, str, str, str | None, str | None, str, str],
) -> None:
    level, area, pipe_dn, category, *expected = row
    limits = POLICY.limits_for(level, area, pipe_dn, category)
    assert {kind: str(limit.within) for kind, limit in limits.items()} == {
        kind: within for kind, within in zip(ClockKind, expected, strict=True) if within is not None
    }


def test_every_promise_says_where_it_comes_from() -> None:
    assert all(limit.basis for level in POLICY.levels.values() for limit in level.limits)


def test_the_levels_of_the_categories() -> None:
    levels: dict[str | None, set[str]] = {}
    for category in POLICY.categories.values():
        levels.setdefault(category.level, set()).add(category.id)
    assert levels == {
        "P1": {"burst", "hydrant", "cover", "mass_quality"},
        "P2": {"no_water", "leak"},
        "P3": {"repair", "pressure", "quality", "noise"},
        "P4": {"billing", "complaint", "other"},
        "P5": {"install", "transfer"},
        None: {"inquiry"},
    }


@pytest.mark.parametrize("level", ["P1", "P2"])
def test_the_ladder_of_the_urgent_levels(level: str) -> None:
    ack = POLICY.steps(level, ClockKind.ACK)
    assert [(step.ratio, step.to) for step in ack] == [(1.0, ("backup", "dispatcher"))]
    arrive = POLICY.steps(level, ClockKind.ARRIVE)
    assert [(step.ratio, step.to, step.opens_supervision) for step in arrive] == [
        (0.5, ("crew",), False),
        (0.8, ("crew", "area_lead", "dispatcher"), False),
        (1.0, ("branch_duty",), False),
        (1.5, ("hotline_director",), True),
        (2.0, ("company_duty",), False),
    ]


@pytest.mark.parametrize("level", POLICY.levels)
def test_every_clock_of_every_level_has_a_ladder_with_the_breach(level: str) -> None:
    for limit in POLICY.levels[level].limits:
        assert 1.0 in [step.ratio for step in POLICY.steps(level, limit.clock)]


@pytest.mark.parametrize(
    ("span", "due"),
    [
        (Span(30, "min"), "2026-11-24T14:35:00"),
        (Span(36, "h"), "2026-11-26T02:05:00"),
        (Span(3, "wd"), "2026-11-27T14:05:00"),
        (Span(5, "wd"), "2026-12-01T14:05:00"),
    ],
)
def test_spans_end_where_people_expect(span: Span, due: str) -> None:
    assert span.after(START, POLICY.calendars, None, None) == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)


def test_a_span_is_measured_in_its_calendar() -> None:
    calendars = POLICY.calendars
    assert Span(2, "wd").calendar(calendars, "城南") == calendars.whole_days
    assert Span(2, "wh").calendar(calendars, "城南") == calendars.of("城南")
    assert Span(2, "h").calendar(calendars, "城南") is None


def test_an_appointment_is_due_when_it_was_made_for() -> None:
    agreed = START + timedelta(days=2)
    span = Span(0, "appointment")
    assert span.after(START, Calendars(), None, agreed) == agreed
    assert span.after(START, Calendars(), None, None) is None
    assert str(span) == "appointment"


def test_a_clock_starts_with_its_first_step_set() -> None:
    limit = POLICY.limits_for("P1", IN, None, "burst")[ClockKind.ARRIVE]
    clock = POLICY.start_clock("P1", limit, 2, START)
    assert clock is not None
    assert (clock.kind, clock.round, clock.start_at) == (ClockKind.ARRIVE, 2, START)
    assert clock.due_at == START + timedelta(minutes=30)
    assert clock.next_fire_at == START + timedelta(minutes=15)


def test_without_an_appointment_there_is_no_clock_of_it() -> None:
    limit = POLICY.limits_for("P5", IN, None, "install")[ClockKind.ARRIVE]
    assert POLICY.start_clock("P5", limit, 1, START) is None
    clock = POLICY.start_clock("P5", limit, 1, START, START + timedelta(hours=10))
    assert clock is not None
    assert clock.next_fire_at == START + timedelta(hours=8)


@pytest.mark.parametrize(
    ("limit", "area", "pipe_dn", "category", "fits"),
    [
        ({}, IN, None, "x", True),
        ({"area": IN}, IN, None, "x", True),
        ({"area": IN}, OUT, None, "x", False),
        ({"categories": ("x", "y")}, IN, None, "y", True),
        ({"categories": ("x", "y")}, IN, None, "z", False),
        ({"dn_min": 500}, IN, None, "x", False),
        ({"dn_min": 500}, IN, 499, "x", False),
        ({"dn_min": 500}, IN, 500, "x", True),
        ({"dn_max": 400}, IN, 400, "x", True),
        ({"dn_max": 400}, IN, 401, "x", False),
        ({"dn_max": 400}, IN, None, "x", False),
        ({"dn_min": 150, "dn_max": 400, "area": OUT}, OUT, 200, "x", True),
    ],
)
def test_where_a_limit_holds(
    limit: dict[str, object], area: Area, pipe_dn: int | None, category: str, fits: bool
) -> None:
    base = Limit(ClockKind.FIX, Span(1, "h"), "")
    assert replace(base, **limit).fits(area, pipe_dn, category) is fits  # type: ignore[arg-type]


def test_an_unknown_category_is_refused_with_the_known_ones() -> None:
    assert POLICY.category("burst").label == "爆管"
    with pytest.raises(InvalidInput, match="burst, hydrant") as caught:
        POLICY.category("x" * 500)
    assert caught.value.field == "category"
    assert "x" * 41 not in caught.value.detail


@pytest.mark.parametrize(
    ("category", "answers", "level"),
    [
        ("no_water", {}, "P2"),
        ("no_water", {"whole_building": True}, "P2"),
        ("no_water", {"whole_building": True, "hospital_or_school": False}, "P2"),
        ("no_water", {"hospital_or_school": True, "whole_building": False}, "P1"),
        ("leak", {"strength": "drip"}, "P2"),
        ("leak", {"strength": "jet", "traffic_affected": False}, "P1"),
        ("leak", {"traffic_affected": True, "strength": "drip"}, "P1"),
        ("no_water", {"notice_known": True}, "P2"),
        ("burst", {"traffic_affected": False, "water_off": True, "strength": "drip"}, "P1"),
        ("billing", {}, "P4"),
    ],
)
def test_answers_lift_the_level(category: str, answers: dict[str, bool | str], level: str) -> None:
    assert POLICY.level_of(POLICY.category(category), answers) == level


@pytest.mark.parametrize(
    ("category", "answers", "field"),
    [
        ("inquiry", {}, "category"),
        ("billing", {"strength": "jet"}, "answers.strength"),
        ("leak", {"strength": "flood"}, "answers.strength"),
        ("leak", {"strength": True}, "answers.strength"),
        ("leak", {"water_off": "yes"}, "answers.water_off"),
        ("leak", {"y" * 99: True}, "answers." + "y" * 40),
    ],
)
def test_wrong_answers_name_their_question(category: str, answers: dict[str, bool | str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        POLICY.level_of(POLICY.category(category), answers)
    assert caught.value.field == field


def test_who_needs_a_place() -> None:
    assert [level.id for level in POLICY.levels.values() if level.needs_place] == ["P1", "P2", "P3"]


@pytest.mark.parametrize("id_", ["A", "P2½", "Z"])
def test_what_is_urgent_is_told_by_the_order_of_the_levels_not_by_their_names(id_: str) -> None:
    """The first level of the policy by another name is still the first."""
    first, *rest = POLICY.levels.values()
    levels = {level.id: level for level in (replace(first, id=id_), *rest)}
    leak = POLICY.category("leak")
    jet, traffic = leak.questions[2], leak.questions[0]
    up = replace(jet, raises=Raise("jet", id_))
    down = replace(traffic, raises=Raise(True, "P3"))
    renamed = replace(POLICY, levels=levels)
    asked = replace(leak, questions=(up, down))
    assert renamed.level_of(asked, {"strength": "jet", "traffic_affected": True}) == id_
    assert renamed.level_of(asked, {"traffic_affected": True}) == "P2"


def test_a_raise_never_lowers() -> None:
    category = POLICY.category("burst")
    asked = POLICY.category("leak").questions[0]
    assert asked.raises is not None
    lower = replace(asked, raises=replace(asked.raises, level="P3"))
    assert POLICY.level_of(replace(category, questions=(lower,)), {asked.id: True}) == "P1"


def test_questions_check_their_answers() -> None:
    Question("q", "?").check_answer(True)
    Question("q", "?", ("a", "b")).check_answer("a")
    with pytest.raises(InvalidInput, match="只能回答: a, b"):
        Question("q", "?", ("a", "b")).check_answer("c")
    with pytest.raises(InvalidInput, match="true 或 false"):
        Question("q", "?").check_answer("a")


def test_a_version_of_before_takes_a_note_for_more_time() -> None:
    assert POLICY.check_extension("bad_weather", "") == "恶劣天气"
    old = replace(POLICY, reasons={**POLICY.reasons, "extend": {}})
    assert old.check_extension(None, "道路开挖") == ""
    for code, note, field in (("bad_weather", "道路开挖", "reason"), (None, "", "note")):
        with pytest.raises(InvalidInput) as caught:
            old.check_extension(code, note)
        assert caught.value.field == field


def test_reasons_are_coded() -> None:
    assert POLICY.check_reason("return", "not_ours") == "不属本网格"
    for code in (None, "because"):
        with pytest.raises(InvalidInput, match=r"wait_material \(等待材料\)") as caught:
            POLICY.check_reason("hold", code)
        assert caught.value.field == "reason"
