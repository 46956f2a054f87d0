"""The outbox: notices written with the change that causes them, leased by a sender, then marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, bindparam, case, func, insert, null, select, update

from dispatch.domain.settings import PEOPLE
from dispatch.domain.ticket import Notice
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import OutboxRow

OUTBOX = table_of(OutboxRow)
_INSERT = insert(OUTBOX).inline()
_OF_TEAM = ("crew", "backup")
# Recipients that are single people: users by login, callers by number.
_PEOPLE = ("user:", "sms:")
_OF_BRANCH = ("area_lead", "branch_duty")
# Channels that reach callers. A number stands in no log: the console is standard output, and Web Push is for crews.
_TO_CALLERS = ("webhook", PEOPLE)


class Addressed(Protocol):
    """What an audience is resolved against: a ticket, or a due clock of one."""

    @property
    def team_id(self) -> str | None: ...  # noqa: D102

    @property
    def branch(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Message:
    """A leased notice.

    Attributes:
        tried_at: When the try began of which nobody knows whether it was taken: by the answer that was lost, or by a
            sender that died. The moment of the lease where this is the only one.
        leased_at: The moment of the lease.
    """

    id: int
    ticket_id: int | None
    channel: str
    recipients: tuple[str, ...]
    text: str
    idempotency_key: str
    attempts: int
    created_at: datetime
    leased_until: datetime
    tried_at: datetime
    leased_at: datetime
    html: str | None = None

    @property
    def in_doubt_since(self) -> datetime | None:
        """When an earlier try began that may have been taken; None where there was none."""
        return None if self.tried_at == self.leased_at else self.tried_at


def resolve(to: Sequence[str], place: Addressed) -> list[str]:
    """Return recipients such as `crew:tianxin-03` or `branch_duty:城南`; without a team the dispatcher is told."""
    resolved = []
    for audience in to:
        if audience in _OF_TEAM:
            resolved.append(f"{audience}:{place.team_id}" if place.team_id else "dispatcher")
        elif audience in _OF_BRANCH:
            resolved.append(f"{audience}:{place.branch}" if place.branch else "dispatcher")
        else:
            resolved.append(audience)
    return list(dict.fromkeys(resolved))


def rows_of(
    ticket_id: int | None, place: Addressed, notice: Notice, key: str, now: datetime, channels: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the rows that carry a notice, about a ticket if it is one, one for each channel."""
    return rows_to(resolve(notice.to, place), notice.text, key, now, channels, ticket_id)


def rows_to(
    recipients: Sequence[str],
    text: str,
    key: str,
    now: datetime,
    channels: Sequence[str],
    ticket_id: int | None = None,
) -> list[dict[str, Any]]:
    """Return the rows that carry a text to resolved recipients, one for each channel; none for nobody."""
    is_for_people = any(one.startswith(_PEOPLE) for one in recipients)
    return [
        row(ticket_id, channel, list(recipients), text, f"{key}:{channel}", now)
        for channel in channels
        if recipients and (channel != PEOPLE or is_for_people)
    ]


def to_callers(channels: Sequence[str]) -> list[str]:
    """Return those of some channels that reach callers."""
    return [channel for channel in channels if channel in _TO_CALLERS]


def rows_to_caller(
    phone: str, text: str, key: str, now: datetime, channels: Sequence[str], ticket_id: int | None = None
) -> list[dict[str, Any]]:
    """Return the rows that carry a text to a caller's number, to `sms:<digits>`; none without a gateway."""
    return rows_to([f"sms:{phone}"], text, key, now, to_callers(channels), ticket_id)


def row(
    ticket_id: int | None, channel: str, recipients: list[str], text: str, key: str, now: datetime
) -> dict[str, Any]:
    """Return the row that carries a text by one channel, under a key of its own."""
    return {
        "ticket_id": ticket_id,
        "channel": channel,
        "recipients": recipients,
        "text": text,
        "idempotency_key": key,
        "state": "queued",
        "attempts": 0,
        "created_at": now,
        "next_try_at": now,
    }


def known(tx: Tx, keys: Collection[str]) -> set[str]:
    """Return which of some keys have a row."""
    return set(tx.conn.execute(select(OUTBOX.c.idempotency_key).where(OUTBOX.c.idempotency_key.in_(keys))).scalars())


def put(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue rows made by `rows_of`."""
    if rows:
        tx.conn.execute(_INSERT, list(rows))


def lease(tx: Tx, channels: Sequence[str], now: datetime, lease_s: float, batch: int) -> list[Message]:
    """Take up to `batch` messages of these channels that wait (or whose sender died), oldest first, for a time."""
    # A CTE: PostgreSQL may run a subquery with LIMIT more than once, and lease more than was asked for.
    waiting = (
        select(OUTBOX.c.id)
        .where(OUTBOX.c.next_try_at <= now, OUTBOX.c.channel.in_(channels))
        .order_by(OUTBOX.c.next_try_at, OUTBOX.c.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    take = (
        update(OUTBOX)
        .where(OUTBOX.c.id.in_(select(waiting.c.id)))
        .values(state="leased", attempts=OUTBOX.c.attempts + 1, next_try_at=now + timedelta(seconds=lease_s))
        .values(tried_at=func.coalesce(OUTBOX.c.tried_at, now))
        .returning(
            OUTBOX.c.id, OUTBOX.c.ticket_id, OUTBOX.c.channel, OUTBOX.c.recipients, OUTBOX.c.text,
            OUTBOX.c.idempotency_key, OUTBOX.c.attempts, OUTBOX.c.created_at,
            OUTBOX.c.next_try_at.label("leased_until"), OUTBOX.c.tried_at, OUTBOX.c.html,
        )
    )  # fmt: skip
    rows = [dict(r._mapping) for r in tx.conn.execute(take)]
    messages = [Message(**{**r, "recipients": tuple(r["recipients"]), "leased_at": now}) for r in rows]
    return sorted(messages, key=lambda message: message.id)


_MARK = (
    update(OUTBOX)
    # The lease is the ticket to mark: a sender that came back too late finds another lease and marks nothing.
    .where(OUTBOX.c.id == bindparam("row_id"), OUTBOX.c.next_try_at == bindparam("leased_until"))
    .where(OUTBOX.c.state == "leased")
    .values(state=bindparam("new_state"), next_try_at=bindparam("new_next_try_at"), error=bindparam("new_error"))
    .values(tried_at=bindparam("new_tried_at"))
)


def mark(tx: Tx, message: Message, state: str, *, next_try_at: datetime | None, error: str) -> bool:
    """Mark a leased message that was not sent, and return False if the lease was lost.

    It is `queued` for another try, `failed`, or `unknown`: nobody knows whether the other side took it.
    """
    values = {
        "row_id": message.id,
        "leased_until": message.leased_until,
        "new_state": state,
        "new_next_try_at": next_try_at,
        "new_error": error,
        "new_tried_at": message.tried_at if state == "unknown" else None,
    }
    return bool(tx.conn.execute(_MARK, values).rowcount)


def mark_sent(tx: Tx, messages: Sequence[Message], sent_at: datetime) -> int:
    """Mark messages of one lease as sent, all at once; return how many still were under that lease."""
    if not messages:
        return 0
    sent = (
        update(OUTBOX)
        .where(*_still_leased(messages))
        .values(state="sent", next_try_at=None, tried_at=None, sent_at=sent_at, error=None)
    )
    return tx.conn.execute(sent).rowcount


def release(tx: Tx, messages: Sequence[Message], now: datetime) -> None:
    """Give leased messages back that were not tried: they wait as before, and the lease counts as no attempt."""
    if not messages:
        return
    is_new = OUTBOX.c.tried_at == messages[0].leased_at
    back = (
        update(OUTBOX)
        .where(*_still_leased(messages))
        .values(state=case((is_new, "queued"), else_="unknown"), next_try_at=now, attempts=OUTBOX.c.attempts - 1)
        .values(tried_at=case((is_new, null()), else_=OUTBOX.c.tried_at))
    )
    tx.conn.execute(back)


def _still_leased(messages: Sequence[Message]) -> tuple[ColumnElement[bool], ...]:
    """The rows of these messages, all of one lease, as far as nobody has taken them since."""
    ids = [message.id for message in messages]
    return OUTBOX.c.id.in_(ids), OUTBOX.c.state == "leased", OUTBOX.c.next_try_at == messages[0].leased_until


def counts(tx: Tx) -> dict[str, int]:
    """Return how many messages are in each state."""
    query = select(OUTBOX.c.state, func.count()).group_by(OUTBOX.c.state)
    return dict(list(tx.conn.execute(query)))


def troubles(tx: Tx) -> list[tuple[str, int, str]]:
    """Return each channel with messages that wait after a try went wrong: their number, and one of the faults."""
    query = (
        select(OUTBOX.c.channel, func.count(), func.max(OUTBOX.c.error))
        .where(OUTBOX.c.next_try_at.is_not(None), OUTBOX.c.error.is_not(None))
        .group_by(OUTBOX.c.channel)
        .order_by(OUTBOX.c.channel)
    )
    return [(row[0], int(row[1]), str(row[2])) for row in tx.conn.execute(query)]


def next_try(tx: Tx, channels: Sequence[str] | None) -> datetime | None:
    """Return when the next message of these channels, or of any, is due to be sent."""
    query = select(func.min(OUTBOX.c.next_try_at)).where(OUTBOX.c.next_try_at.is_not(None))
    return tx.conn.execute(query if channels is None else query.where(OUTBOX.c.channel.in_(channels))).scalar()
