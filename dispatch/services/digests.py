"""Notices of steps that come together: in a surge one digest for each audience and period, in place of a flood.

The steps themselves are fired, kept and shown as always. What waits for a digest is written with the step, and marked
as told with the digest, each in one transaction: however many schedulers look, whatever is killed, each step is in one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.roles import SYSTEM
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import Line, digest_text
from dispatch.services.desk import Desk
from dispatch.storage import digests, outbox, surges
from dispatch.storage.db import Tx


def send(tx: Tx, desk: Desk, surge: Mapping[str, Any], now: datetime) -> int:
    """Queue a digest for each audience for which something waits; return how many.

    Args:
        tx: The transaction.
        desk: The process's desk.
        surge: Its row, locked.
        now: The moment.
    """
    every = timedelta(seconds=surge["digest_every_s"])
    digest = surge["digests"] + 1
    by_recipient: defaultdict[str, list[Line]] = defaultdict(list)
    items = digests.take(tx, surge["id"], digest)
    for item in items:
        line = Line(item.number, item.level, ClockKind(item.clock), item.ratio, item.label)
        by_recipient[item.recipient].append(line)
    since, link = items[0].at if items else now, f"{desk.settings.address}/board"
    rows = [
        row
        for recipient, lines in by_recipient.items()
        for row in _rows(recipient, digest_text(lines, since, now, link), f"digest:{surge['id']}:{digest}", now, desk)
    ]
    outbox.put(tx, rows)
    surges.note(tx, surge["id"], digest_at=now + every, digests=digest if items else surge["digests"])
    if items:
        tx.audit(now, SYSTEM, "digest", f"surge {surge['id']}", digest=digest, steps=len(items), to=list(by_recipient))
    return len(by_recipient)


def _rows(recipient: str, text: str, key: str, now: datetime, desk: Desk) -> list[dict[str, Any]]:
    return outbox.rows_to([recipient], text, f"{key}:{recipient}", now, desk.channels)
