"""The port of a channel: console, webhook, Web Push, SMS, WeCom and e-mail stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

# What an account or a set-up lacks, somebody has to mend: minutes matter no more.
MENDED_AFTER_S = 300.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a channel carries.

    Attributes:
        id: Number of the notice.
        recipients: Such as `crew:tianxin-03` or `dispatcher`.
        text: What they are told, in Chinese.
        idempotency_key: The same for every attempt, so that a receiver can drop the second.
        created_at: When it was written.
        in_doubt_since: When an earlier try began that may have been taken, or None. A channel whose receiver drops
            repetitions need not care; another asks before it sends again.
        html: Of a letter, the document that goes with it; the first line of its text is the subject.
    """

    id: int
    recipients: Sequence[str]
    text: str
    idempotency_key: str
    created_at: datetime
    in_doubt_since: datetime | None = None
    html: str | None = None

    def to(self, kind: str) -> str | None:
        """Return the address of one kind among the recipients, such as that of `sms:13000000001`; None without one."""
        return next((one.partition(":")[2] for one in self.recipients if one.startswith(f"{kind}:")), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a gateway says of a notice that it took, where it bills for it and knows later whether it arrived.

    Attributes:
        address: To whom.
        reference: The gateway's number of it.
        parts: How many messages it is billed as.
    """

    address: str
    reference: str
    parts: int


class DeliveryError(Exception):
    """A notice that was surely not taken.

    Attributes:
        is_permanent: Another try is useless.
        after_s: No sooner than after so many seconds is another try worth it.
    """

    def __init__(self, detail: str, *, is_permanent: bool, after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.is_permanent = is_permanent
        self.after_s = after_s


class Unanswered(Exception):
    """Nobody knows whether the notice was taken: the answer was lost, or is none. It is not sent again unasked."""


class Abandoned(Exception):
    """Nobody waited for the answer: whether the notice arrived is not known, and it is neither sent nor refused."""


class Channel(Protocol):
    """Carries one notice to its people, or raises DeliveryError or Unanswered."""

    def send(self, parcel: Parcel, now: datetime) -> Taken | None:
        """Send, and return only when the other side has taken it."""
