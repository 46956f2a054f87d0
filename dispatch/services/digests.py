"""Notices of steps that come together: in a surge one digest for each audience and each person, in place of a flood.

The steps themselves are fired, kept and shown as always. What waits for a digest is written with the step, and marked
as told with the digest, each in one transaction: however many schedulers look, whatever is killed, each step is in one.
A person has the message of each step on his page at once, and answers it there; only what is sent to him is gathered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import PEOPLE
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import Gathering, Line, digest_text
from dispatch.services import recipients
from dispatch.services.desk import Desk
from dispatch.storage import digests, messages, outbox, surges
from dispatch.storage.db import Tx
from dispatch.storage.digests import USER, Item
from dispatch.storage.messages import User


def open_surge(tx: Tx, desk: Desk) -> Gathering | None:
    """Return the surge that gathers notices, kept open until the transaction ends; before anything else is locked."""
    surge = desk.gathering(tx)
    return surge if surge is not None and surges.stays_open(tx, surge.surge_id) else None


def send(tx: Tx, desk: Desk, surge: Mapping[str, Any], now: datetime) -> int:
    """Queue a digest for each audience and each person for whom something waits; return how many.

    Args:
        tx: The transaction.
        desk: The process's desk.
        surge: Its row, locked.
        now: The moment.
    """
    every = timedelta(seconds=surge["digest_every_s"])
    digest = surge["digests"] + 1
    by_recipient: defaultdict[str, list[Item]] = defaultdict(list)
    items = digests.take(tx, surge["id"], digest)
    for item in items:
        by_recipient[item.recipient].append(item)
    scene = _Scene(tx, desk, items[0].at if items else now, now, recipients.emergencies(tx, desk, _tickets(items)))
    people = messages.users(tx, [one.removeprefix(USER) for one in by_recipient if one.startswith(USER)])
    for recipient, gathered in by_recipient.items():
        key = digests.key(surge["id"], digest, recipient)
        if not recipient.startswith(USER):
            _tell_audience(scene, recipient, gathered, key)
        elif recipient.removeprefix(USER) in people:  # who has left is told nothing
            _tell_person(scene, people[recipient.removeprefix(USER)], gathered, key)
    surges.note(tx, surge["id"], digest_at=now + every, digests=digest if items else surge["digests"])
    if items:
        tx.audit(now, SYSTEM, "digest", f"surge {surge['id']}", digest=digest, steps=len(items), to=list(by_recipient))
    return len(by_recipient)


@dataclass(frozen=True, slots=True)
class _Scene:
    """When digests are sent, of what has happened since when, and which of their tickets are emergencies."""

    tx: Tx
    desk: Desk
    since: datetime
    now: datetime
    emergencies: Collection[int]

    def text(self, items: Sequence[Item], page: str) -> str:
        lines = [Line(one.number, one.level, ClockKind(one.clock), one.ratio, one.label) for one in items]
        return digest_text(lines, self.since, self.now, f"{self.desk.settings.address}/{page}")


def _tickets(items: Sequence[Item]) -> set[int]:
    return {item.ticket_id for item in items}


def _tell_audience(scene: _Scene, recipient: str, items: Sequence[Item], key: str) -> None:
    outbox.put(scene.tx, outbox.rows_to([recipient], scene.text(items, "board"), key, scene.now, scene.desk.channels))


def _tell_person(scene: _Scene, user: User, items: Sequence[Item], key: str) -> None:
    """Keep the digest among what he was told, and queue it by his ways; one with an emergency waits for no morning."""
    text = scene.text(items, "messages")
    told = {"user_id": user.user_id, "at": scene.now, "text": text, "why": "大流量期间合成一条, 请逐条应答", "key": key}
    messages.add(scene.tx, [told])
    if PEOPLE in scene.desk.channels:
        urgent = next(iter(sorted(_tickets(items).intersection(scene.emergencies))), None)
        row = outbox.row(urgent, PEOPLE, [f"{USER}{user.login}"], text, f"{key}:{PEOPLE}", scene.now)
        outbox.put(scene.tx, [row])
