"""A call from where water is known to be off is answered, and nobody is sent: by which notice, in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.outage import KEPT_AFTER_END, OutageStatus, phase
from dispatch.domain.outage_area import Whence, covers
from dispatch.domain.outage_words import known_text
from dispatch.domain.road_segment import house_of
from dispatch.services import places
from dispatch.services.desk import Desk, Rules
from dispatch.services.routing import Placing
from dispatch.storage import outages
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class KnownOutage:
    """The notice that a call is answered with."""

    id: int
    title: str
    text: str

    def overridden(self) -> str:
        """Return the note on the ticket of a call for which somebody is sent all the same."""
        return f"; 在停水公告 {self.id}“{self.title}”内, 仍要派单"

    def form(self) -> dict[str, Any]:
        """Return its public form."""
        return {"id": self.id, "title": self.title, "text": self.text}


def covering(
    tx: Tx,
    desk: Desk,
    rules: Rules,
    category: str | None,
    placing: Placing,
    address: str,
    *,
    is_exact: bool,
    at: datetime,
) -> KnownOutage | None:
    """Return the notice that a call is answered with, or None: one query, and only for what an outage explains.

    Args:
        tx: The transaction.
        desk: The process's desk.
        rules: What holds now.
        category: What the call is about.
        placing: Where it lies.
        address: The same in words.
        is_exact: Whether its point is the caller's own.
        at: When the call came.
    """
    if category not in rules.policy.outage_categories:
        return None
    rows = [row for row in outages.open_(tx, at - KEPT_AFTER_END) if row["starts_at"] <= at]
    if not rows:
        return None
    whence = _whence(tx, desk, placing, address, is_exact)
    # Of several the one that lasts longest: nobody is promised water before it is back.
    row = max((row for row in rows if covers(row, whence)), key=lambda row: row["ends_at"], default=None)
    return None if row is None else KnownOutage(row["id"], row["title"], text_of(row, at))


def _whence(tx: Tx, desk: Desk, placing: Placing, address: str, is_exact: bool) -> Whence:
    estate = places.estate_of(desk, tx, address)
    zone_id = placing.zone.zone_id if placing.zone else None
    return Whence(placing.point, is_exact, zone_id, *estate, house_of(address))


def text_of(row: Mapping[str, Any], at: datetime) -> str:
    """Return what a caller is told at a moment."""
    return known_text(row, phase(OutageStatus(row["status"]), row["starts_at"], row["ends_at"], at))
