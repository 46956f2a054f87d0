"""Telephone events: what a telephone platform tells of a call, and what is known of the call from all of them.

The order in which events arrive, and how often, says nothing: each fills its own place with the earliest time told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.call import MAX_AGE, MAX_AHEAD, check_phone, check_text
from dispatch.domain.errors import DispatchError, InvalidInput

# No call is so long: what has not hung up by then has lost its last event.
LOST_AFTER = timedelta(hours=3)


class CtiEventKind(StrEnum):
    """What happened to the call."""

    RING = "ring"
    ANSWER = "answer"
    HANGUP = "hangup"


class CallTaken(DispatchError):
    """Somebody else has the call; `claimed_by` says who."""

    code = "call-taken"
    status = 409


class CallOver(DispatchError):
    """The caller has hung up before anybody took the call."""

    code = "call-over"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class CtiEvent:
    """One event.

    Attributes:
        call_id: The platform's id of the call.
        kind: What happened.
        at: When, aware, by the platform's clock.
        caller: Digits, or None where the number is withheld.
        line: The number that was dialled.
        seat: Where it rings or was answered.
    """

    call_id: str
    kind: CtiEventKind
    at: datetime
    caller: str | None = None
    line: str | None = None
    seat: str | None = None


def check_event(event: CtiEvent, now: datetime) -> None:
    """Raise InvalidInput, with the field, for an event that cannot be true.

    Args:
        event: The event.
        now: The server's time.
    """
    if event.at > now + MAX_AHEAD:
        raise InvalidInput("事件时间在未来, 请核对时钟和时区", field="at")
    if event.at < now - MAX_AGE:
        raise InvalidInput(f"事件时间早于 {MAX_AGE.days} 天前, 请核对", field="at")
    for name in ("call_id", "line", "seat"):
        check_text(getattr(event, name), name)
    check_phone(event.caller, "caller")


def state_of(answered_at: datetime | None, hung_up_at: datetime | None) -> str:
    """Return `ringing`, `answered` or `over`; an answer that is told before its ring is an answer."""
    if hung_up_at is not None:
        return "over"
    return "ringing" if answered_at is None else "answered"
