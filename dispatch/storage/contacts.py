"""Where people are reached, and by which ways they want to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Row, delete, insert, select

from dispatch.domain.contact import Contact, Quiet
from dispatch.storage.columns import table_of
from dispatch.storage.contact_tables import ContactRow, QuietRow, WayChoiceRow
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import TicketRow, UserRow

CONTACTS, CHOICES, QUIET = table_of(ContactRow), table_of(WayChoiceRow), table_of(QuietRow)
USERS, TICKETS = table_of(UserRow), table_of(TicketRow)


@dataclass(frozen=True, slots=True)
class Person:
    """A user with his addresses, choices and quiet hours."""

    user_id: int
    login: str
    name: str
    contact: Contact
    choices: Mapping[str, bool]
    quiet: Quiet | None = None


def people(tx: Tx, logins: Collection[str]) -> dict[str, Person]:
    """Return the users of these logins who have not left, by login."""
    addresses = (CONTACTS.c.phone, CONTACTS.c.email, CONTACTS.c.wecom_id)
    found = (
        select(USERS.c.id, USERS.c.login, USERS.c.name, *addresses, QUIET.c.start_min, QUIET.c.end_min)
        .outerjoin_from(USERS, CONTACTS, CONTACTS.c.user_id == USERS.c.id)
        .outerjoin(QUIET, QUIET.c.user_id == USERS.c.id)
        .where(USERS.c.login.in_(logins), USERS.c.is_active)
    )
    rows = tx.conn.execute(found).all()
    chosen = _choices(tx, [row.id for row in rows])
    return {row.login: _person(row, chosen) for row in rows}


def _choices(tx: Tx, user_ids: Collection[int]) -> Mapping[int, dict[str, bool]]:
    found: dict[int, dict[str, bool]] = {user_id: {} for user_id in user_ids}
    query = select(CHOICES.c.user_id, CHOICES.c.way, CHOICES.c.is_on).where(CHOICES.c.user_id.in_(user_ids))
    for user_id, way, is_on in tx.conn.execute(query):
        found[user_id][way] = is_on
    return found


def _person(row: Row[*tuple[Any, ...]], chosen: Mapping[int, dict[str, bool]]) -> Person:
    quiet = None if row.start_min is None else Quiet(_time(row.start_min), _time(row.end_min))
    return Person(row.id, row.login, row.name, Contact(row.phone, row.email, row.wecom_id), chosen[row.id], quiet)


def _time(minutes: int) -> time:
    return time(*divmod(minutes, 60))


def put(tx: Tx, user_id: int, contact: Contact, now: datetime) -> None:
    """Write down where a user is reached, in place of what was known."""
    changed = {**asdict(contact), "changed_at": now}
    put = upsert(tx.dialect, CONTACTS).values(user_id=user_id, **changed)
    tx.conn.execute(put.on_conflict_do_update(index_elements=["user_id"], set_=changed))


def choose(tx: Tx, user_id: int, choices: Mapping[str, bool]) -> None:
    """Write down by which ways a user wants to be told."""
    for way, is_on in choices.items():
        put = upsert(tx.dialect, CHOICES).values(user_id=user_id, way=way, is_on=is_on)
        tx.conn.execute(put.on_conflict_do_update(index_elements=["user_id", "way"], set_={"is_on": is_on}))


def keep_quiet(tx: Tx, user_id: int, quiet: Quiet | None) -> None:
    """Write down in which hours a user hears of emergencies alone; None for no such hours."""
    tx.conn.execute(delete(QUIET).where(QUIET.c.user_id == user_id))
    if quiet is not None:
        minutes = {name: at.hour * 60 + at.minute for name, at in (("start_min", quiet.start), ("end_min", quiet.end))}
        tx.conn.execute(insert(QUIET).values(user_id=user_id, **minutes))


def levels_of(tx: Tx, ticket_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return level and policy version of tickets by id."""
    query = select(TICKETS.c.id, TICKETS.c.level, TICKETS.c.policy_version).where(TICKETS.c.id.in_(ticket_ids))
    return {row.id: (row.level, row.policy_version) for row in tx.conn.execute(query)}
