"""Telephone numbers as people write them, brought into one form.

Source: 工业和信息化部, 电信网编号计划 (2017 年版) for mobile and short numbers; area codes and numbers abroad by the
metadata of the package phonenumbers, which calls service numbers such as 96533 and 12345 invalid: those by own rule.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

from dispatch.domain.errors import InvalidInput

_SEPARATORS = re.compile(r"[\s().·\-‐-―]+")
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9]\d{9})")
# 110, 12345, 10086, 95598, 96533, 400 and 800 numbers.
_SERVICE = re.compile(r"(?:(?:\+|00)86)?(1[012]\d{1,3}|1[012]\d{6}|9[56]\d{3,6}|[48]00\d{7})")
_LOCAL = re.compile(r"[2-8]\d{6,7}")
_LONGEST = 40


class PhoneKind(StrEnum):
    """What a number leads to."""

    MOBILE = "mobile"
    FIXED = "fixed"
    SERVICE = "service"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number: `13800138000`, `073188665533`, `96533` or `+85221234567`."""

    text: str
    kind: PhoneKind


def mobile(text: str) -> str | None:
    """Return the eleven digits that a mainland gateway carries a message to, or None for any other number."""
    found = _MOBILE.fullmatch(text)
    return found[1] if found else None


def parse(text: str, field: str = "phone") -> Phone:
    """Return a number in its one form.

    Args:
        text: As a person wrote it: with spaces, hyphens, brackets, full-width digits, `+86`, `0086`, an area code.
        field: Named in the error.

    Raises:
        InvalidInput: for what is none, or could be many: a fixed line without its area code, one with an extension.
    """
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if len(text) > _LONGEST or not re.fullmatch(r"\+?\d+", plain, re.ASCII):
        raise InvalidInput("电话号码只能由数字组成, 可以 + 开头; 分机号请去掉", field=field)
    if found := _MOBILE.fullmatch(plain):
        return Phone(found[1], PhoneKind.MOBILE)
    if found := _SERVICE.fullmatch(plain):
        return Phone(found[1], PhoneKind.SERVICE)
    if _LOCAL.fullmatch(plain):
        raise InvalidInput("固定电话请加区号, 例如 0731-88665533", field=field)
    return _by_metadata(plain, field)


def _by_metadata(plain: str, field: str) -> Phone:
    told = f"+{plain[2:]}" if plain.startswith("00") else plain
    try:
        number = phonenumbers.parse(told, "CN")
    except phonenumbers.NumberParseException as error:
        raise InvalidInput(f"“{plain}”不是电话号码", field=field) from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidInput(f"“{plain}”不是有效的电话号码, 请核对", field=field)
    if number.country_code == 86:
        return Phone(f"0{number.national_number}", PhoneKind.FIXED)
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), PhoneKind.FOREIGN)
