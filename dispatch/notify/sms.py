"""Notices as short messages, through whichever gateway stands behind the port.

No gateway drops a repetition: OutId (Aliyun) and SessionContext (Tencent) are handed back, and nothing else. So a
message whose answer was lost is never sent again unasked. It is looked for at the gateway; where the gateway lists all
that it took (Aliyun), one that is not there after a while was not taken and may be sent; where it lists only what has a
receipt (Tencent), one that stays unseen is given up: the ladder goes on, and nobody is woken twice by one message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from dispatch.domain import sms
from dispatch.domain.push import hide_phones
from dispatch.notify.port import DeliveryError, Parcel, Taken, Unanswered

# A gateway's list is behind by some seconds.
SETTLED_AFTER = timedelta(minutes=2)
GIVEN_UP_AFTER = timedelta(hours=1)
_NUMBER, _NO_NUMBER = re.compile(r"GD\d{8}-\d{4,}"), "-"
# The last sentence of an escalation: the link of whom it is for.
_LINK = re.compile(r"。?[^。]*https?://\S+/m/([\w-]+)$")


class State(StrEnum):
    """What a gateway knows of a message that it took."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """What a gateway is given.

    Attributes:
        phone: Eleven digits.
        template: Its number at the gateway.
        params: Names and values of its variables, in their order.
        key: Handed back with all that is told of the message.
    """

    phone: str
    template: str
    params: Sequence[tuple[str, str]]
    key: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a gateway answered: its number of the message, and its bill where it tells one."""

    reference: str
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a gateway tells of a message to one telephone: whose key, its number, its state, in words."""

    key: str
    reference: str
    state: State
    detail: str


class Gateway(Protocol):
    """Aliyun or Tencent Cloud.

    Attributes:
        lists_all: Whether `look` finds each message that was taken, also where there is no receipt yet.
    """

    lists_all: bool

    def send(self, message: ShortMessage, now: datetime) -> Accepted:
        """Send, or raise DeliveryError or Unanswered."""

    def look(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        """Return what is known of the messages to a telephone since then, or raise DeliveryError or Unanswered."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the messages of an installation are made of.

    Attributes:
        sign: Signature, as it stands in brackets before each message.
        staff: Template of `number` and `text`.
        callers: Template of `text`, or None.
        alerts: Template of `number`, `text` and `code`, whose own words hold the link up to the code; or None.
        text_max: Characters that `text` may have.
    """

    sign: str
    staff: str
    callers: str | None
    text_max: int
    alerts: str | None = None


class Sms:
    """Sends each notice to the one telephone that it names."""

    def __init__(self, gateway: Gateway, wording: Wording) -> None:
        self._gateway, self._wording = gateway, wording

    def send(self, parcel: Parcel, now: datetime) -> Taken:
        """Send, unless an earlier try may have been taken: then ask.

        Raises:
            DeliveryError: if it was surely not taken.
            Unanswered: if nobody knows.
        """
        message = self._message(parcel)
        try:
            if parcel.in_doubt_since is not None:
                return self._found(message, parcel.in_doubt_since, now)
            accepted = self._gateway.send(message, now)
        except (DeliveryError, Unanswered):
            raise
        except Exception as error:  # an answer of another form: the message may be under way
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        return Taken(message.phone, accepted.reference, accepted.parts or self._parts(message))

    def receipts(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        """Return what the gateway tells of the messages to a telephone since then.

        Raises:
            DeliveryError: if it tells nothing now.
            Unanswered: likewise.
        """
        try:
            return self._gateway.look(phone, since, now)
        except (DeliveryError, Unanswered):
            raise
        except Exception as error:  # a receipt of another form
            raise Unanswered(f"{type(error).__name__}: {error}") from error

    def _found(self, message: ShortMessage, since: datetime, now: datetime) -> Taken:
        try:
            reports = self._gateway.look(message.phone, since, now)
        except DeliveryError as error:
            raise Unanswered(f"还问不到上一次的结果: {error}") from error
        for one in reports:
            if one.key == message.key:
                return Taken(message.phone, one.reference, self._parts(message))
        age = now - since
        if self._gateway.lists_all and age >= SETTLED_AFTER:
            raise DeliveryError("网关没有收到上一次的短信, 重新发送", is_permanent=False)
        if age >= GIVEN_UP_AFTER:
            raise DeliveryError("网关始终没有回音, 不知是否已发出: 没有重发", is_permanent=True)
        raise Unanswered("网关还没有这条短信的记录, 稍后再问")

    def _message(self, parcel: Parcel) -> ShortMessage:
        phone = parcel.to("sms")
        template = self._wording.staff if parcel.to("user") else self._wording.callers
        if not phone or not template:
            raise DeliveryError("没有手机号码或短信模板", is_permanent=True)
        found = _NUMBER.search(parcel.text) if parcel.to("user") else None
        text = parcel.text.replace(found[0], "", 1).strip(" :：,，") if found else parcel.text
        # Gateways let no link into a variable, and bound its length: the template has the link, and gets its end.
        link = _LINK.search(text) if parcel.to("user") else None
        text = text[: link.start()] if link else text
        told = [("text", sms.shorten(hide_phones(text), self._wording.text_max))]
        if parcel.to("user"):
            told.insert(0, ("number", found[0] if found else _NO_NUMBER))
        if link and self._wording.alerts:
            template = self._wording.alerts
            told.append(("code", link[1]))
        return ShortMessage(phone, template, told, parcel.idempotency_key)

    def _parts(self, message: ShortMessage) -> int:
        """Estimate the bill: the fixed words of a template are not known here, its values and the signature are."""
        return sms.parts(f"【{self._wording.sign}】" + "".join(value for _, value in message.params))
