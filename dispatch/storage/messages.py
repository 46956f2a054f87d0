"""What single people were told: kept with the notice that tells them, read by them and by who answers for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, insert, select

from dispatch.domain.roles import Actor, Role
from dispatch.storage.columns import table_of
from dispatch.storage.contact_tables import ContactRow, SendingRow
from dispatch.storage.db import Tx
from dispatch.storage.digests import ITEMS, USER
from dispatch.storage.message_tables import MessageRow
from dispatch.storage.tables import EscalationRow, OutboxRow, TicketRow, UserRow

MESSAGES, ESCALATIONS = table_of(MessageRow), table_of(EscalationRow)
USERS, TICKETS, CONTACTS = table_of(UserRow), table_of(TicketRow), table_of(ContactRow)
OUTBOX, SENDINGS = table_of(OutboxRow), table_of(SendingRow)
_STEP = ("ticket_id", "clock", "round", "step")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can be told."""

    user_id: int
    login: str
    name: str


def users(tx: Tx, logins: Collection[str]) -> dict[str, User]:
    """Return the users of these logins who have not left, by login."""
    query = select(USERS.c.id, USERS.c.login, USERS.c.name).where(USERS.c.login.in_(logins), USERS.c.is_active)
    return {row.login: User(*row) for row in tx.conn.execute(query)}


def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert what was told; the unique keys refuse to tell a person twice, or two as the same."""
    if rows:
        tx.conn.execute(insert(MESSAGES), list(rows))


def told(tx: Tx, step: Mapping[str, Any]) -> list[int]:
    """Return the ids of the users who were told of a step, in their order."""
    query = select(MESSAGES.c.user_id).where(*(MESSAGES.c[name] == step[name] for name in _STEP))
    return list(tx.conn.execute(query.order_by(MESSAGES.c.nth)).scalars())


def of_user(tx: Tx, user_id: int, before: int, limit: int) -> list[dict[str, Any]]:
    """Return what a user was told, newest first, with id below `before` (0: from the newest)."""
    query = _full().where(MESSAGES.c.user_id == user_id).order_by(MESSAGES.c.id.desc()).limit(limit)
    return _rows(tx, query.where(MESSAGES.c.id < before) if before else query)


def by_token(tx: Tx, token_sha256: str) -> dict[str, Any] | None:
    """Return what a link is about, or None."""
    return next(iter(_rows(tx, _full().where(MESSAGES.c.token_sha256 == token_sha256))), None)


def newest_by_phone(tx: Tx, phone: str, ending: str, at: datetime) -> dict[str, Any] | None:
    """Return the newest step that somebody with this number had been told of by `at`, of a ticket that ends so.

    What came in a digest is not among them: one word would answer what nobody has read.
    """
    query = (
        _full()
        .join(CONTACTS, CONTACTS.c.user_id == MESSAGES.c.user_id)
        .where(CONTACTS.c.phone == phone, MESSAGES.c.step.is_not(None), MESSAGES.c.at <= at, ITEMS.c.id.is_(None))
        .where(TICKETS.c.number.endswith(ending, autoescape=True))
        .order_by(MESSAGES.c.id.desc())
        .limit(1)
    )
    return next(iter(_rows(tx, query)), None)


def deliveries(tx: Tx, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what became of notices: way, state, time and receipt, by idempotency key."""
    query = (
        select(OUTBOX.c.idempotency_key, OUTBOX.c.channel, OUTBOX.c.state, OUTBOX.c.sent_at, SENDINGS.c.state)
        .outerjoin_from(OUTBOX, SENDINGS, SENDINGS.c.outbox_id == OUTBOX.c.id)
        .where(OUTBOX.c.idempotency_key.in_(keys))
    )
    found = tx.conn.execute(query).all()
    return {key: {"way": way, "state": state, "at": at, "receipt": receipt} for key, way, state, at, receipt in found}


def sent_at(tx: Tx, user_id: int, keys: Collection[str]) -> dict[str, datetime]:
    """Return when a user was told under some keys."""
    query = select(MESSAGES.c.key, MESSAGES.c.at).where(MESSAGES.c.user_id == user_id, MESSAGES.c.key.in_(keys))
    return {row.key: row.at for row in tx.conn.execute(query)}


def _full() -> Select[Any]:
    """What was told, to whom, of which ticket, who has answered the step, and which digest it went out with."""
    is_step = and_(*(ESCALATIONS.c[name] == MESSAGES.c[name] for name in _STEP))
    is_item = and_(*(ITEMS.c[name] == MESSAGES.c[name] for name in _STEP), ITEMS.c.recipient == USER + USERS.c.login)
    return (
        select(
            MESSAGES, TICKETS.c.number, TICKETS.c.status, TICKETS.c.level, TICKETS.c.category, TICKETS.c.zone_id,
            USERS.c.login, USERS.c.name, USERS.c.role, USERS.c.team_id, USERS.c.is_active,
            ESCALATIONS.c.id.label("escalation_id"), ESCALATIONS.c.label, ESCALATIONS.c.acknowledged_at,
            ESCALATIONS.c.acknowledged_by, ITEMS.c.surge_id, ITEMS.c.digest,
        )
        .join(USERS, USERS.c.id == MESSAGES.c.user_id)
        .outerjoin(TICKETS, TICKETS.c.id == MESSAGES.c.ticket_id)
        .outerjoin(ESCALATIONS, is_step)
        .outerjoin(ITEMS, is_item)
    )  # fmt: skip


def _rows(tx: Tx, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def actor_of(row: Mapping[str, Any]) -> Actor:
    """Return who was told, as somebody who acts."""
    return Actor(row["user_id"], row["name"], Role(row["role"]), row["team_id"])
