"""Where people are reached, and what no choice closes."""

from datetime import datetime

import pytest

from dispatch.domain.contact import Contact, Way, contact_of, floor, quiet_of, ways
from dispatch.domain.errors import InvalidInput
from dispatch.domain.sms import parts, shorten

FULL = Contact("13000000001", "jia@example.cn", "jia.01")


def test_a_contact_is_kept_in_one_form() -> None:
    assert contact_of(" +86 130 0000 0001", " jia@example.cn ", "jia.01") == FULL
    assert contact_of("", " ", "") == Contact()


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("phone", ("138", "", "")),
        ("email", ("", "jia", "")),
        ("email", ("", "jia@localhost", "")),
        ("email", ("", "a@b.cn\nBcc: c@d.cn", "")),
        ("email", ("", "a@b.cn,c@d.cn", "")),
        ("email", ("", "a..b@c.cn", "")),
        ("email", ("", "甲@example.cn", "")),
        ("email", ("", "a@" + "b" * 250 + ".cn", "")),
        ("wecom_id", ("", "", "水管家甲")),
        ("wecom_id", ("", "", "a|b")),
    ],
)
def test_what_is_no_address_is_refused(field: str, told: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        contact_of(*told)
    assert caught.value.field == field


def test_a_notice_goes_by_every_way_that_is_not_switched_off() -> None:
    assert ways(FULL, tuple(Way), {}, is_urgent=False) == {
        Way.SMS: "13000000001",
        Way.WECOM: "jia.01",
        Way.EMAIL: "jia@example.cn",
    }
    off = {"sms": False, "wecom": True, "email": False}
    assert list(ways(FULL, tuple(Way), off, is_urgent=False)) == [Way.WECOM]
    assert list(ways(FULL, (Way.EMAIL,), off, is_urgent=False)) == []


def test_in_an_emergency_one_way_stays_open_whatever_was_chosen() -> None:
    off = {"sms": False, "wecom": False, "email": False}
    assert list(ways(FULL, tuple(Way), off, is_urgent=True)) == [Way.SMS]
    landline = Contact("073188665533", "jia@example.cn", "jia.01")
    assert list(ways(landline, tuple(Way), off, is_urgent=True)) == [Way.WECOM]
    assert list(ways(Contact(email="jia@example.cn"), tuple(Way), off, is_urgent=True)) == [Way.EMAIL]
    assert ways(Contact(), tuple(Way), {}, is_urgent=True) == {}
    assert floor(FULL, (Way.EMAIL,)) is Way.EMAIL
    assert floor(FULL, ()) is None


def test_a_message_is_billed_by_parts() -> None:
    assert [parts("字" * n) for n in (0, 1, 70, 71, 134, 135, 201, 202)] == [1, 1, 1, 2, 2, 3, 3, 4]
    assert parts("😀" * 35) == 1
    assert parts("😀" * 36) == 2


def test_what_is_cut_shows() -> None:
    assert shorten("坡子街\n 停水", 10) == "坡子街 停水"
    assert shorten("一二三四五六", 5) == "一二三四…"


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (("22:00", "07:00"), "2026-11-24T23:30", "2026-11-25T07:00"),
        (("22:00", "07:00"), "2026-11-24T22:00", "2026-11-25T07:00"),
        (("22:00", "07:00"), "2026-11-25T06:59", "2026-11-25T07:00"),
        (("22:00", "07:00"), "2026-11-25T07:00", None),
        (("22:00", "07:00"), "2026-11-24T21:59", None),
        (("12:00", "13:30"), "2026-11-24T12:15", "2026-11-24T13:30"),
        (("12:00", "13:30"), "2026-11-24T13:30", None),
    ],
)
def test_quiet_hours_go_across_midnight(hours: tuple[str, str], at: str, until: str | None) -> None:
    quiet = quiet_of(*hours)
    assert quiet is not None
    moment = datetime.fromisoformat(f"{at}+08:00")
    assert quiet.until(moment) == (datetime.fromisoformat(f"{until}+08:00") if until else None)


def test_no_quiet_hours_and_wrong_ones() -> None:
    assert quiet_of("", " ") is None
    for hours in (("22:00", ""), ("", "7:00"), ("22", "7 Uhr"), ("25:00", "07:00"), ("07:00", "07:00")):
        with pytest.raises(InvalidInput) as caught:
            quiet_of(*hours)
        assert caught.value.field == "quiet"
