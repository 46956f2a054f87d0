"""Telephone numbers in the forms that people write them."""

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.phones import Phone, PhoneKind, mobile, parse

MOBILE, FIXED, SERVICE, FOREIGN = PhoneKind.MOBILE, PhoneKind.FIXED, PhoneKind.SERVICE, PhoneKind.FOREIGN


@pytest.mark.parametrize(
    ("written", "text", "kind"),
    [
        ("13000000001", "13000000001", MOBILE),
        (" 130 0000-0001 ", "13000000001", MOBILE),
        ("+86 130-0000-0001", "13000000001", MOBILE),
        ("008613000000001", "13000000001", MOBILE),
        ("8613000000001", "13000000001", MOBILE),
        ("＋８６１３００００００００１", "13000000001", MOBILE),
        ("0731-8866 5533", "073188665533", FIXED),
        ("(0731)88665533", "073188665533", FIXED),
        ("+86 731 88665533", "073188665533", FIXED),
        ("0086-0731-88665533", "073188665533", FIXED),
        ("010-62345678", "01062345678", FIXED),
        ("96533", "96533", SERVICE),
        ("+86 96533", "96533", SERVICE),
        ("12345", "12345", SERVICE),
        ("110", "110", SERVICE),
        ("400-800-1234", "4008001234", SERVICE),
        ("+852 2123 4567", "+85221234567", FOREIGN),
        ("00852 2123 4567", "+85221234567", FOREIGN),
    ],
)
def test_every_form_has_one_form(written: str, text: str, kind: PhoneKind) -> None:
    assert parse(written) == Phone(text, kind)
    assert parse(text) == parse(written)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "只能由数字组成"),
        ("无", "只能由数字组成"),
        ("0731-88665533转801", "分机号请去掉"),
        ("1" * 41, "只能由数字组成"),
        ("88665533", "请加区号"),
        ("1300000000", "不是有效的电话号码"),
        ("0731-12345", "不是有效的电话号码"),
        ("+999123", "不是电话号码"),
    ],
)
def test_what_is_none_is_refused_with_its_field(written: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        parse(written, "caller_phone")
    assert caught.value.field == "caller_phone"


def test_a_message_goes_to_a_mobile_alone() -> None:
    assert (mobile("13000000001"), mobile("+8613000000001")) == ("13000000001", "13000000001")
    assert [mobile(one) for one in ("073188665533", "96533", "+85221234567", "")] == [None] * 4
