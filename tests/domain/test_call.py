"""A call becomes one of three things, and is refused where it cannot be true."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.call import NewCall, Outcome, check_appointment, check_call, check_place, check_text, mask_phone
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Wgs84Point
from dispatch.domain.policy import Area, Category, Level, Limit, Question, Span
from dispatch.domain.sla import ClockKind

NOW = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BURST = Category("burst", "爆管", "P1")
INQUIRY = Category("inquiry", "咨询", None)
ASKED = Category("burst", "爆管", "P1", (Question("water_off", "用户停水了吗?"),))
CALL = NewCall(
    called_at=NOW, category="burst", description="水管爆了, 路上全是水 🚰\n快来\t谢谢", caller_phone="13812345678"
)


def test_a_call_becomes_a_ticket() -> None:
    assert check_call(CALL, BURST, NOW) is Outcome.TICKET


def test_or_joins_one_whatever_its_category() -> None:
    joined = replace(CALL, attach_to="GD20261124-000001")
    assert check_call(joined, BURST, NOW) is Outcome.ATTACHED
    assert check_call(joined, INQUIRY, NOW) is Outcome.ATTACHED


def test_or_is_answered() -> None:
    assert check_call(replace(CALL, answer="停水到 18 点"), INQUIRY, NOW) is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("changes", "category", "field"),
    [
        ({"called_at": NOW + timedelta(minutes=1) + SECOND}, BURST, "called_at"),
        ({"called_at": NOW - timedelta(days=7) - SECOND}, BURST, "called_at"),
        ({"description": "a\x00b"}, BURST, "description"),
        ({"address": "a\x1bb"}, BURST, "address"),
        ({"caller_name": "a\x85b"}, BURST, "caller_name"),
        ({"answer": "a\ud800b"}, INQUIRY, "answer"),
        ({"cti_call_id": "a\x7fb"}, BURST, "cti_call_id"),
        ({"attach_to": "a\x00b"}, BURST, "attach_to"),
        ({"caller_phone": ""}, BURST, "caller_phone"),
        ({"caller_phone": "12"}, BURST, "caller_phone"),
        ({"caller_phone": "1" * 21}, BURST, "caller_phone"),
        ({"caller_phone": "138-1234"}, BURST, "caller_phone"),
        ({"caller_phone": "138１２３４"}, BURST, "caller_phone"),
        ({"caller_phone": "+"}, BURST, "caller_phone"),
        ({"caller_phone": "13812345678\n"}, BURST, "caller_phone"),
        ({"appointment_at": NOW}, BURST, "appointment_at"),
        ({"appointment_at": NOW - timedelta(days=1)}, BURST, "appointment_at"),
        ({"attach_to": "GD1", "answer": "x"}, INQUIRY, "answer"),
        ({}, INQUIRY, "answer"),
        ({"answer": ""}, INQUIRY, "answer"),
        ({"answer": "x"}, BURST, "answer"),
        ({"answers": {"colour": "red"}}, BURST, "answers.colour"),
        ({"attach_to": "GD1", "answers": {"colour": "red"}}, BURST, "answers.colour"),
        ({"attach_to": "GD1", "answers": {"water_off": "yes"}}, ASKED, "answers.water_off"),
        ({"answer": "x", "answers": {"colour": "red"}}, INQUIRY, "answers.colour"),
        ({"attach_to": "GD1", "pipe_dn": 300}, BURST, "pipe_dn"),
        ({"attach_to": "GD1", "appointment_at": NOW + SECOND}, BURST, "appointment_at"),
        ({"answer": "x", "pipe_dn": 300}, INQUIRY, "pipe_dn"),
        ({"answer": "x", "appointment_at": NOW + SECOND}, INQUIRY, "appointment_at"),
    ],
)
def test_what_cannot_be_true_names_its_field(changes: dict[str, object], category: Category, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_call(replace(CALL, **changes), category, NOW)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"called_at": NOW + timedelta(minutes=1)},
        {"called_at": NOW - timedelta(days=7)},
        {"caller_phone": None},
        {"caller_phone": "110"},
        {"caller_phone": "96533"},
        {"caller_phone": "+8613812345678"},
        {"appointment_at": NOW + SECOND},
    ],
)
def test_the_edges_that_are_allowed(changes: dict[str, object]) -> None:
    assert check_call(replace(CALL, **changes), BURST, NOW) is Outcome.TICKET  # type: ignore[arg-type]


def level(*arrivals: str) -> Level:
    spans = [Span(0, unit) if unit == "appointment" else Span(30, unit) for unit in arrivals]
    arrive = [Limit(ClockKind.ARRIVE, span, "") for span in spans]
    return Level("any", "", (Limit(ClockKind.FIX, Span(3, "wd"), ""), *arrive), {})


@pytest.mark.parametrize("level", [level("min"), level("appointment", "h"), level("wd")])
def test_a_visit_needs_a_place(level: Level) -> None:
    for empty in ("", "  \t"):
        with pytest.raises(InvalidInput) as caught:
            check_place(replace(CALL, address=empty), level)
        assert caught.value.field == "location"
    check_place(replace(CALL, address="芙蓉路 1 号"), level)
    check_place(replace(CALL, point=Wgs84Point(112.98, 28.2)), level)


@pytest.mark.parametrize("level", [level(), level("appointment")])
def test_paperwork_and_an_agreed_visit_need_none(level: Level) -> None:
    check_place(CALL, level)


def test_an_appointment_is_for_levels_that_go_by_one() -> None:
    agreed = replace(CALL, appointment_at=NOW + SECOND)
    others = Limit(ClockKind.ARRIVE, Span(0, "appointment"), "", categories=("install",))
    mine = replace(others, categories=("install", CALL.category), area=Area.OUTSIDE, dn_min=500)
    for limits in ((), level("min").limits, (others,)):
        with pytest.raises(InvalidInput, match="请去掉 appointment_at") as caught:
            check_appointment(agreed, Level("any", "", limits, {}))
        assert caught.value.field == "appointment_at"
        check_appointment(CALL, Level("any", "", limits, {}))
    for limits in (level("min", "appointment").limits, (others, mine)):
        check_appointment(agreed, Level("any", "", limits, {}))


def test_the_character_is_named() -> None:
    check_text(None, "note")
    check_text("李娭毑\r\n\t😀 é", "note")
    with pytest.raises(InvalidInput, match=r"U\+0007"):
        check_text("叮\x07", "note")


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        (None, None),
        ("13812345678", "138****5678"),
        ("+8613812345678", "+86138****5678"),
        ("073185551234", "0731****1234"),
        ("85551234", "******34"),
        ("96533", "***33"),
        ("110", "*10"),
    ],
)
def test_numbers_are_masked(phone: str | None, shown: str | None) -> None:
    assert mask_phone(phone) == shown
