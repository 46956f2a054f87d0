"""How a person can be reached, and by which ways a notice goes to him."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from dispatch.domain import phones
from dispatch.domain.errors import InvalidInput
from dispatch.domain.times import SHANGHAI

_WECOM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
# Of what RFC 5321 allows, what mailboxes have: no quotes, no comments, a domain with a dot.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}"
)
_LONGEST_EMAIL = 254


class Way(StrEnum):
    """The channels to one person, in the order in which an emergency prefers them."""

    SMS = "sms"
    WECOM = "wecom"
    EMAIL = "email"


WAY_LABELS = {Way.SMS: "短信", Way.WECOM: "企业微信", Way.EMAIL: "邮件"}


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person is reached; None where that is not known."""

    phone: str | None = None
    email: str | None = None
    wecom_id: str | None = None

    def address(self, way: Way) -> str | None:
        """Return where a way leads, or None where it leads nowhere: no SMS goes to a fixed line."""
        if way is Way.SMS:
            return phones.mobile(self.phone) if self.phone else None
        return self.wecom_id if way is Way.WECOM else self.email


def contact_of(phone: str, email: str, wecom_id: str) -> Contact:
    """Return a contact as it is kept; what is empty is not known.

    Raises:
        InvalidInput: for a number, an address or an id that is none.
    """
    told_phone, told_email, told_wecom = phone.strip(), email.strip(), wecom_id.strip()
    if told_email and (len(told_email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(told_email)):
        raise InvalidInput(f"“{told_email}”不是电子邮箱地址", field="email")
    if told_wecom and not _WECOM_ID.fullmatch(told_wecom):
        raise InvalidInput("企业微信账号由字母、数字和 _ - . @ 组成, 最多 64 位", field="wecom_id")
    return Contact(phones.parse(told_phone).text if told_phone else None, told_email or None, told_wecom or None)


def floor(contact: Contact, offered: Collection[Way]) -> Way | None:
    """Return the way that no choice closes in an emergency: the first by which the person can be reached at all."""
    return next((way for way in Way if way in offered and contact.address(way)), None)


def ways(contact: Contact, offered: Collection[Way], choices: Mapping[str, bool], *, is_urgent: bool) -> dict[Way, str]:
    """Return by which ways a notice goes to a person, and where each leads.

    Args:
        contact: Where he is reached.
        offered: The ways that the installation has.
        choices: Which of them he switched off or on; on is what he did not choose.
        is_urgent: In an emergency the floor holds whatever he chose.
    """
    least = floor(contact, offered) if is_urgent else None
    open_ways = {way: contact.address(way) for way in Way if way in offered}
    return {way: to for way, to in open_ways.items() if to and (choices.get(way, True) or way is least)}


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of each day, in Shanghai, in which nothing but emergencies rings; they may go across midnight."""

    start: time
    end: time

    def until(self, at: datetime) -> datetime | None:
        """Return when the quiet that holds at an instant is over, or None where none holds."""
        local = at.astimezone(SHANGHAI)
        over = datetime.combine(local.date(), self.end, SHANGHAI)
        if self.start < self.end:
            return over if self.start <= local.time() < self.end else None
        if local.time() < self.end:
            return over
        return over + timedelta(days=1) if local.time() >= self.start else None


def quiet_of(start: str, end: str) -> Quiet | None:
    """Return quiet hours as they are kept, from `22:00` and `07:00`; None for two empty texts.

    Raises:
        InvalidInput: for what is no time of day, for one without the other, or for hours of no length.
    """
    if not start.strip() and not end.strip():
        return None
    try:
        quiet = Quiet(*(time.fromisoformat(text.strip()).replace(second=0, tzinfo=None) for text in (start, end)))
    except ValueError as error:
        raise InvalidInput("免打扰时段请填开始和结束, 例如 22:00 和 07:00; 都留空为不设", field="quiet") from error
    if quiet.start == quiet.end:
        raise InvalidInput("免打扰时段的开始和结束不能相同", field="quiet")
    return quiet
