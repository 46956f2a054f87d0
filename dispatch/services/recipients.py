"""From an audience to people: one row of the outbox for each person and each way to him.

A notice is written once for all people (the channel `people`), in the transaction that causes it. Here its row is
taken, its people are looked up, and their rows are queued, in one transaction that marks it as sent: each person has
each notice once by each way, however many schedulers run. A role such as `dispatcher` is no person: it is told by
console, webhook, Web Push and group robot, and by SMS only where the ladder names people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from dispatch.domain import phones
from dispatch.domain.contact import Way, ways
from dispatch.domain.settings import PEOPLE
from dispatch.services.desk import Desk
from dispatch.storage import contacts, outbox
from dispatch.storage.contacts import Person
from dispatch.storage.db import Tx
from dispatch.storage.outbox import Message

BATCH = 200
_LEASE_S = 60.0
_PERSON, _CALLER = "user:", "sms:"


def fan_out(desk: Desk, now: datetime) -> int:
    """Queue what waits for people, for each by the ways to him; return how many rows were queued."""
    queued = 0
    while True:
        with desk.store.read() as tx:
            next_at = outbox.next_try(tx, (PEOPLE,))
        if next_at is None or next_at > now:
            return queued
        with desk.store.write() as tx:
            messages = outbox.lease(tx, (PEOPLE,), now, _LEASE_S, BATCH)
            rows = list(_rows(tx, desk, messages, now))
            outbox.put(tx, rows)
            outbox.mark_sent(tx, messages, now)
        queued += len(rows)


def _rows(tx: Tx, desk: Desk, messages: list[Message], now: datetime) -> Iterator[dict[str, Any]]:
    logins = {to.removeprefix(_PERSON) for one in messages for to in one.recipients if to.startswith(_PERSON)}
    people = contacts.people(tx, logins)
    urgent = emergencies(tx, desk, {one.ticket_id for one in messages if one.ticket_id is not None})
    for message in messages:
        key = message.idempotency_key.removesuffix(f":{PEOPLE}")
        for recipient in message.recipients:
            phone = phones.mobile(recipient.removeprefix(_CALLER)) if recipient.startswith(_CALLER) else None
            if phone and Way.SMS in desk.settings.ways and desk.settings.sms_caller_template:
                yield _row(message, Way.SMS, [f"{_CALLER}{phone}"], f"{key}:{Way.SMS}", now)
            person = people.get(recipient.removeprefix(_PERSON)) if recipient.startswith(_PERSON) else None
            if person is not None:
                yield from _rows_of(desk, message, person, key, message.ticket_id in urgent, now)


def emergencies(tx: Tx, desk: Desk, ticket_ids: Collection[int]) -> set[int]:
    """Return those of some tickets that are emergencies: their notices wait for no morning."""
    tickets = contacts.levels_of(tx, ticket_ids)
    return {
        ticket_id for ticket_id, (level, version) in tickets.items() if desk.policy(tx, version).is_emergency(level)
    }


def _rows_of(
    desk: Desk, message: Message, person: Person, key: str, is_urgent: bool, now: datetime
) -> Iterator[dict[str, Any]]:
    chosen: Mapping[Way, str] = ways(person.contact, desk.settings.ways, person.choices, is_urgent=is_urgent)
    # What is no emergency waits for the morning; it is written all the same, and stands on the person's page at once.
    later = person.quiet.until(now) if person.quiet and not is_urgent else None
    for way, address in chosen.items():
        to = [f"{way}:{address}", f"{_PERSON}{person.login}"]
        yield _row(message, way, to, f"{key}:{way}:{person.user_id}", later or now)


def _row(message: Message, way: Way, to: list[str], key: str, now: datetime) -> dict[str, Any]:
    return outbox.row(message.ticket_id, way, to, message.text, key, now) | {"created_at": message.created_at}


class Mentions:
    """The book of the group robot: the telephones of the people that a notice names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def phones(self, recipients: tuple[str, ...]) -> list[str]:
        """Return the mobile numbers of `user:` recipients, in their order."""
        logins = [to.removeprefix(_PERSON) for to in recipients if to.startswith(_PERSON)]
        if not logins:
            return []
        with self._desk.store.read() as tx:
            people = contacts.people(tx, logins)
        found = (people[login].contact.address(Way.SMS) for login in logins if login in people)
        return [phone for phone in found if phone]
