"""Receipts: what became of a message that a gateway took; asked for until it is known, counted by the month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from dispatch.domain.times import SHANGHAI
from dispatch.notify.port import DeliveryError, Unanswered
from dispatch.notify.sms import Report, State
from dispatch.services.desk import Desk
from dispatch.storage import sendings
from dispatch.storage.sendings import Sending

# After each of these a receipt is asked for once more; then nobody asks again.
PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=4), timedelta(hours=24))
UNHEARD = "unheard"
_LEASE_S = 60.0
_BATCH = 20


class Teller(Protocol):
    """A channel that knows what became of its messages."""

    def receipts(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        """Return what is known of the messages to a telephone since then."""


def ask(desk: Desk, channel: str, teller: Teller, clock: Callable[[], datetime]) -> int:
    """Ask for the receipts that are due, a batch of them, and return how many came.

    Args:
        desk: The process's desk.
        channel: Whose messages.
        teller: The channel itself.
        clock: Reads the time.
    """
    now = clock()
    with desk.store.read() as tx:
        next_at = sendings.next_ask(tx, channel)
    if next_at is None or next_at > now:
        return 0
    with desk.store.write() as tx:
        due = sendings.lease(tx, channel, now, _LEASE_S, _BATCH)
    told = [(one, _report(teller, one, clock())) for one in due]
    with desk.store.write() as tx:
        for one, report in told:
            is_known = report is not None and report.state is not State.ACCEPTED
            if report is not None and is_known:
                sendings.note(tx, one.outbox_id, report.state, report.detail, None)
            else:
                again_at = now + PAUSES[one.asked] if one.asked < len(PAUSES) else None
                state = sendings.ACCEPTED if again_at else UNHEARD
                sendings.note(tx, one.outbox_id, state, "", again_at)
    return sum(report is not None and report.state is not State.ACCEPTED for _, report in told)


def _report(teller: Teller, sending: Sending, now: datetime) -> Report | None:
    """Return the receipt of one message; a gateway that does not tell, or tells nonsense, tells none."""
    try:
        reports = teller.receipts(sending.address, sending.accepted_at, now)
    except (DeliveryError, Unanswered):
        return None
    mine = (one for one in reports if one.key == sending.idempotency_key or _is_same(one, sending))
    return next(mine, None)


def _is_same(report: Report, sending: Sending) -> bool:
    return bool(sending.reference) and report.reference == sending.reference


def month(desk: Desk, day: datetime) -> list[dict[str, Any]]:
    """Return what the Shanghai month around `day` costs: `channel`, `state`, `messages` and billed `parts`."""
    local = day.astimezone(SHANGHAI)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (first + timedelta(days=32)).replace(day=1)
    with desk.store.read() as tx:
        return sendings.of_span(tx, first.astimezone(UTC), after.astimezone(UTC))
