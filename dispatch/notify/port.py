"""The port of a channel: console, webhook and Web Push stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a channel carries.

    Attributes:
        id: Number of the notice.
        recipients: Such as `crew:tianxin-03` or `dispatcher`.
        text: What they are told, in Chinese.
        idempotency_key: The same for every attempt, so that a receiver can drop the second.
        created_at: When it was written.
    """

    id: int
    recipients: Sequence[str]
    text: str
    idempotency_key: str
    created_at: datetime


class DeliveryError(Exception):
    """A notice that was not delivered; `is_permanent` says that another try is useless."""

    def __init__(self, detail: str, *, is_permanent: bool) -> None:
        super().__init__(detail)
        self.is_permanent = is_permanent


class Abandoned(Exception):
    """Nobody waited for the answer: whether the notice arrived is not known, and it is neither sent nor refused."""


class Channel(Protocol):
    """Carries one notice to its people, or raises DeliveryError."""

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Send, and return only when the other side has taken it."""
