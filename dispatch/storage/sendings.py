"""What gateways took: counted by the month, and asked about until there is a receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from dispatch.storage.columns import table_of
from dispatch.storage.contact_tables import SendingRow
from dispatch.storage.db import Tx, upsert
from dispatch.storage.outbox import OUTBOX, Message

SENDINGS = table_of(SendingRow)
ACCEPTED = "accepted"
# Receipts come within seconds where the telephone is on.
FIRST_ASK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sending:
    """A notice whose receipt is asked for."""

    outbox_id: int
    address: str
    reference: str
    idempotency_key: str
    accepted_at: datetime
    asked: int


def add(tx: Tx, taken: Sequence[tuple[Message, str, str, int]], now: datetime) -> None:
    """Write down what was taken at `now`; of two senders who found the same one taken, the first does.

    Args:
        tx: The transaction.
        taken: Messages with the address they went to, the gateway's number, and as how many parts they are billed.
        now: The moment.
    """
    rows = [
        {
            "outbox_id": message.id,
            "channel": message.channel,
            "address": address,
            "reference": reference,
            "parts": parts,
            "accepted_at": now,
            "state": ACCEPTED,
            "detail": "",
            "asked": 0,
            "ask_at": now + FIRST_ASK,
        }
        for message, address, reference, parts in taken
    ]
    if rows:
        tx.conn.execute(upsert(tx.dialect, SENDINGS).on_conflict_do_nothing(index_elements=["outbox_id"]), rows)


def lease(tx: Tx, channel: str, now: datetime, lease_s: float, batch: int) -> list[Sending]:
    """Take up to `batch` sendings of a channel whose receipt is to be asked for, for a time."""
    columns = (
        SENDINGS.c.outbox_id, SENDINGS.c.address, SENDINGS.c.reference, OUTBOX.c.idempotency_key,
        SENDINGS.c.accepted_at, SENDINGS.c.asked,
    )  # fmt: skip
    due = (
        select(*columns)
        .join(OUTBOX, OUTBOX.c.id == SENDINGS.c.outbox_id)
        .where(SENDINGS.c.ask_at <= now, SENDINGS.c.channel == channel)
        .order_by(SENDINGS.c.ask_at)
        .limit(batch)
        .with_for_update(skip_locked=True, of=SENDINGS)
    )
    found = [Sending(**row._mapping) for row in tx.conn.execute(due)]
    taken = SENDINGS.c.outbox_id.in_([one.outbox_id for one in found])
    tx.conn.execute(update(SENDINGS).where(taken).values(ask_at=now + timedelta(seconds=lease_s)))
    return found


def note(tx: Tx, outbox_id: int, state: str, detail: str, ask_at: datetime | None) -> None:
    """Write down what the gateway said of a sending, and when to ask again; what is known already stays."""
    told = update(SENDINGS).where(SENDINGS.c.outbox_id == outbox_id, SENDINGS.c.state == ACCEPTED)
    tx.conn.execute(told.values(state=state, detail=detail, asked=SENDINGS.c.asked + 1, ask_at=ask_at))


def next_ask(tx: Tx, channel: str) -> datetime | None:
    """Return when the next receipt of a channel is to be asked for."""
    query = select(func.min(SENDINGS.c.ask_at)).where(SENDINGS.c.ask_at.is_not(None), SENDINGS.c.channel == channel)
    return tx.conn.execute(query).scalar()


def of_span(tx: Tx, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return `channel`, `state`, `messages` and `parts` of what was taken from `since` to before `until`."""
    query = (
        select(SENDINGS.c.channel, SENDINGS.c.state, func.count().label("messages"), func.sum(SENDINGS.c.parts))
        .where(SENDINGS.c.accepted_at >= since, SENDINGS.c.accepted_at < until)
        .group_by(SENDINGS.c.channel, SENDINGS.c.state)
        .order_by(SENDINGS.c.channel, SENDINGS.c.state)
    )
    names = ("channel", "state", "messages", "parts")
    return [dict(zip(names, (*row[:3], int(row[3])), strict=True)) for row in tx.conn.execute(query)]


def of_key(tx: Tx, key: str) -> dict[str, Any] | None:
    """Return how the message of an idempotency key stands: `state`, `error`, and `receipt` where a gateway told one."""
    columns = (OUTBOX.c.state, OUTBOX.c.error, SENDINGS.c.state.label("receipt"))
    query = select(*columns).outerjoin_from(OUTBOX, SENDINGS, SENDINGS.c.outbox_id == OUTBOX.c.id)
    row = tx.conn.execute(query.where(OUTBOX.c.idempotency_key == key)).mappings().first()
    return dict(row) if row else None
