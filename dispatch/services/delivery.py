"""Delivery: lease, send, mark. No network call is made inside a transaction.

A sender that dies between send and mark leaves its lease to run out; the notice is sent again under the same
idempotency key, by which the receiver drops it. So every notice arrives at least once, and counts once. A receiver that
drops nothing, such as a gateway of SMS, is told that the notice is in doubt, and asked before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.notify.port import Abandoned, Channel, DeliveryError, Parcel, Taken, Unanswered
from dispatch.services.desk import Desk
from dispatch.storage import outbox, sendings
from dispatch.storage.db import Tx
from dispatch.storage.outbox import Message

LEASE_S = 60.0
BATCH = 200
# With the pauses below about three days: a receiver may be away over a weekend.
MAX_ATTEMPTS = 300
# A send takes no longer: what is begun within the lease ends within it.
_SLOWEST_SEND_S = 15.0
_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 900.0


@dataclass(slots=True)
class Delivered:
    """What a round did, in messages."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    unknown: int = 0


# What became of a message.
_Outcome = DeliveryError | Unanswered | Taken | None


def pause_s(attempts: int) -> float:
    """Return the seconds to wait after so many attempts: doubling from 2 s, at most 15 min."""
    return min(_FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 16), _LONGEST_PAUSE_S)


def deliver(
    desk: Desk,
    channels: Mapping[str, Channel],
    clock: Callable[[], datetime],
    is_stopped: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send all that waits for these channels.

    Args:
        desk: The process's desk.
        channels: By name. What waits for another one is left alone: a slow channel must hold up no other, so each
            has a job of its own, and one that nobody serves shows as waiting in `doctor`.
        clock: Reads the time: sending takes some, and a lease must not outlive it.
        is_stopped: Asked before each message; once it says yes, what is not begun is given back.
    """
    done = Delivered()
    while True:
        if is_stopped() or not _is_waiting(desk, tuple(channels), clock()):
            return done
        with desk.store.write() as tx:
            messages = outbox.lease(tx, tuple(channels), clock(), LEASE_S, BATCH)
        if not messages:  # another sender was faster
            return done
        tried, left = _send_all(channels, messages, clock, is_stopped)
        with desk.store.write() as tx:
            _mark(tx, tried, clock(), done)
            outbox.release(tx, left, clock())
        if len(tried) < len(messages):  # a slow channel, or a stop: the rest waits for the next look
            return done


def _is_waiting(desk: Desk, channels: Sequence[str], now: datetime) -> bool:
    with desk.store.read() as tx:
        next_try_at = outbox.next_try(tx, channels)
    return next_try_at is not None and next_try_at <= now


def _send_all(
    channels: Mapping[str, Channel],
    messages: Sequence[Message],
    clock: Callable[[], datetime],
    is_stopped: Callable[[], bool],
) -> tuple[list[tuple[Message, _Outcome]], Sequence[Message]]:
    """Send while the lease lasts; return what was answered, and what was not begun.

    In neither is a message whose answer nobody waited for: it keeps its lease, and comes again under the same key.
    """
    stop_at = clock() + timedelta(seconds=LEASE_S - _SLOWEST_SEND_S)
    tried: list[tuple[Message, _Outcome]] = []
    for n, message in enumerate(messages):
        now = clock()
        if now > stop_at or is_stopped():
            return tried, messages[n:]
        try:
            tried.append((message, _send(channels[message.channel], message, now)))
        except Abandoned:
            return tried, messages[n + 1 :]
    return tried, ()


def _send(channel: Channel, message: Message, now: datetime) -> _Outcome:
    parcel = Parcel(
        message.id,
        message.recipients,
        message.text,
        message.idempotency_key,
        message.created_at,
        message.in_doubt_since,
        message.html,
    )
    try:
        return channel.send(parcel, now)
    except Abandoned:
        raise
    except (DeliveryError, Unanswered) as error:
        return error
    except Exception as error:  # a channel's own fault must hold up neither its other messages nor other channels
        return DeliveryError(f"{type(error).__name__}: {error}", is_permanent=False)


def _mark(tx: Tx, tried: Sequence[tuple[Message, _Outcome]], now: datetime, done: Delivered) -> None:
    sent = [(message, outcome) for message, outcome in tried if outcome is None or isinstance(outcome, Taken)]
    done.sent += outbox.mark_sent(tx, [message for message, _ in sent], now)
    sendings.add(tx, [(message, told.address, told.reference, told.parts) for message, told in sent if told], now)
    for message, outcome in tried:
        if isinstance(outcome, DeliveryError):
            _mark_unsent(tx, message, outcome, now, done)
        elif isinstance(outcome, Unanswered):
            _mark_unknown(tx, message, outcome, now, done)


def _mark_unsent(tx: Tx, message: Message, error: DeliveryError, now: datetime, done: Delivered) -> None:
    if error.is_permanent or message.attempts >= MAX_ATTEMPTS:
        done.failed += outbox.mark(tx, message, "failed", next_try_at=None, error=str(error))
    else:
        again_at = now + timedelta(seconds=max(pause_s(message.attempts), error.after_s))
        done.retried += outbox.mark(tx, message, "queued", next_try_at=again_at, error=str(error))


def _mark_unknown(tx: Tx, message: Message, error: Unanswered, now: datetime, done: Delivered) -> None:
    if message.attempts >= MAX_ATTEMPTS:
        done.failed += outbox.mark(tx, message, "failed", next_try_at=None, error=str(error))
    else:
        again_at = now + timedelta(seconds=pause_s(message.attempts))
        done.unknown += outbox.mark(tx, message, "unknown", next_try_at=again_at, error=str(error))
