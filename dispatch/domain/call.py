"""A call as the agent or the telephone system tells it, and what must be true of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Point
from dispatch.domain.policy import Category, Level

MAX_AHEAD = timedelta(minutes=1)
MAX_AGE = timedelta(days=7)
_PHONE = re.compile(r"\+?[0-9]{3,20}")
_BREAKS = "\n\r\t"
_NO_APPOINTMENT = "该类别不按预约计时, 请去掉 appointment_at"


class Outcome(StrEnum):
    """What became of a call: one of three, never two."""

    TICKET = "ticket"
    ATTACHED = "attached"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """One call.

    Attributes:
        called_at: When it came in, aware; all clocks but callback are measured from here.
        category: Id of a category of the policy.
        description: What the caller said.
        cti_call_id: The telephone system's id; two with the same are one call.
        caller_phone: Digits, or None where the number is withheld.
        point: Where, in its own datum, or None where only an address is known.
        is_approximate: The point is the middle of something larger, not the caller's door.
        address: Where, in words.
        answers: Answers to the category's questions, by question id.
        pipe_dn: Pipe diameter in mm, if known.
        appointment_at: When the visit was agreed for; only where a clock of the level goes by it (P5).
        attach_to: Number of the ticket that the agent joins this call to.
        answer: What the agent answered, where no ticket is needed (咨询).
        not_same: Numbers of tickets that the agent found to be about something else.
        override_outage: Somebody is to be sent although the place lies in a known outage.
        article_id: The article that it was answered by, if any.
        article_version: The version of it that the agent read; None: the current one.
    """

    called_at: datetime
    category: str
    description: str = ""
    cti_call_id: str | None = None
    caller_phone: str | None = None
    caller_name: str | None = None
    point: Point | None = None
    is_approximate: bool = False
    address: str = ""
    answers: Mapping[str, bool | str] = field(default_factory=dict)
    pipe_dn: int | None = None
    appointment_at: datetime | None = None
    attach_to: str | None = None
    answer: str | None = None
    not_same: tuple[str, ...] = ()
    override_outage: bool = False
    article_id: int | None = None
    article_version: int | None = None


def check_call(call: NewCall, category: Category, now: datetime) -> Outcome:
    """Return what the call is to become.

    Raises:
        InvalidInput: where it lies in the future or too far back, contradicts itself, or lacks what it needs.
    """
    if call.called_at > now + MAX_AHEAD:
        raise InvalidInput("来电时间在未来, 请核对时钟和时区", field="called_at")
    if call.called_at < now - MAX_AGE:
        raise InvalidInput(f"来电时间早于 {MAX_AGE.days} 天前, 请核对", field="called_at")
    for name in ("description", "address", "caller_name", "answer", "cti_call_id", "attach_to"):
        check_text(getattr(call, name), name)
    for number in call.not_same:
        check_text(number, "not_same")
    check_phone(call.caller_phone, "caller_phone")
    if call.appointment_at is not None and call.appointment_at <= call.called_at:
        raise InvalidInput("预约时间须晚于来电时间", field="appointment_at")
    if call.attach_to and call.answer:
        raise InvalidInput("attach_to 和 answer 只能二选一: 并入工单, 或直接答复", field="answer")
    category.check_answers(call.answers)
    if call.attach_to:
        _check_attached(call)
        return Outcome.ATTACHED
    if category.level is None:
        return _check_answered(call)
    if call.answer:
        raise InvalidInput(f"“{category.label}”须生成工单, 直接答复请改用咨询类", field="answer")
    return Outcome.TICKET


def _check_answered(call: NewCall) -> Outcome:
    if not call.answer:
        raise InvalidInput("咨询类来电请填写答复内容", field="answer")
    if call.pipe_dn is not None:
        raise InvalidInput("咨询类不生成工单, 没有管径, 请去掉 pipe_dn", field="pipe_dn")
    if call.not_same:
        raise InvalidInput("咨询类不生成工单, 无须排除其他工单, 请去掉 not_same", field="not_same")
    if call.appointment_at is not None:
        raise InvalidInput(_NO_APPOINTMENT, field="appointment_at")
    return Outcome.ANSWERED


def _check_attached(call: NewCall) -> None:
    """A ticket keeps its own diameter and appointment: those of a later call would be lost without a word."""
    for name, label in (("pipe_dn", "管径"), ("appointment_at", "预约时间")):
        if getattr(call, name) is not None:
            detail = f"并入的来电不能更改工单的{label}: 请去掉 {name}, 或去掉 attach_to 另建工单"
            raise InvalidInput(detail, field=name)
    if call.attach_to in call.not_same:
        raise InvalidInput(f"{call.attach_to} 不能既并入又排除", field="not_same")


def check_place(call: NewCall, level: Level) -> None:
    """Raise InvalidInput where a level that needs a place has neither point nor address."""
    if level.needs_place and call.point is None and not call.address.strip():
        raise InvalidInput("请给出位置 (坐标和坐标系) 或地址", field="location")


def check_appointment(call: NewCall, level: Level) -> None:
    """Raise InvalidInput for an appointment that no clock of the level would go by."""
    if call.appointment_at is not None and not level.goes_by_appointment(call.category):
        raise InvalidInput(_NO_APPOINTMENT, field="appointment_at")


def check_text(value: str | None, field_name: str) -> None:
    """Raise InvalidInput for characters that no person types: control characters and lone surrogates."""
    for char in value or "":
        if unicodedata.category(char) in ("Cc", "Cs") and char not in _BREAKS:
            raise InvalidInput(f"含有不可见的控制字符 (U+{ord(char):04X}), 请删除后再提交", field=field_name)


def check_phone(phone: str | None, field_name: str) -> None:
    """Raise InvalidInput for what is no telephone number; None is a number withheld."""
    if phone is not None and not _PHONE.fullmatch(phone):
        raise InvalidInput("电话号码只能是 3–20 位数字, 可以 + 开头", field=field_name)


def mask_phone(phone: str | None) -> str | None:
    """Return a number as people without need see it: `138****5678`."""
    if phone is None:
        return None
    return phone[:-8] + "****" + phone[-4:] if len(phone) >= 11 else "*" * (len(phone) - 2) + phone[-2:]
