"""Kinds of values that come in: text without control characters, times in UTC, numbers within 64 bits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from dispatch.domain.states import Status

# No control characters but tab and line breaks; lone surrogates are no text anyway. The same rule as check_text.
PRINTABLE = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$"
_YEARS = range(2000, 2101)


def _told_as_text(value: Any) -> Any:
    if not isinstance(value, str) or value.isdecimal():
        raise PydanticCustomError("time_text", "时间应为带时区的文字, 例如 2026-11-24T14:05:00+08:00")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.year not in _YEARS:
        raise PydanticCustomError("time_range", f"年份应在 {_YEARS[0]} 到 {_YEARS[-1]} 之间, 请核对")
    return value.astimezone(UTC)


def _whole(value: Any) -> Any:
    """To JSON, 2.0 is an integer; to the strict models it is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _answer(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError as error:
        raise PydanticCustomError("answer", "回答应为 true、false 或不超过 200 个字的文字") from error


# In JSON a time is text: the one place where strictness must give way.
Time = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    BeforeValidator(_told_as_text),
    Field(strict=False, description="ISO 8601 with time zone"),
]
Text = Annotated[str, StringConstraints(pattern=PRINTABLE)]
Key = Annotated[Text, Field(min_length=1, max_length=200)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]
Diameter = Annotated[int, Field(ge=15, le=4000), BeforeValidator(_whole)]
Answer = Annotated[StrictBool | Annotated[Text, Field(max_length=200)], WrapValidator(_answer)]
# Keyset positions are ids: positive and within 64 bits on both databases.
Position = Annotated[int, Field(ge=0, le=2**63 - 1)]


def _known_statuses(text: str) -> str:
    unknown = [part for part in split(text) if part not in set(Status)]
    if unknown:
        raise PydanticCustomError("status", f"只能取 {', '.join(Status)}, 多个用逗号分隔")
    return text


def split(text: str | None) -> tuple[str, ...]:
    """Return the values of a filter."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


_ONE_STATUS = f" *({'|'.join(Status)})? *"
STATUSES = f"^{_ONE_STATUS}(,{_ONE_STATUS})*$"
Statuses = Annotated[Text, AfterValidator(_known_statuses)]
