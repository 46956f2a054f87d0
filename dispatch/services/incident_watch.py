"""Many calls of one kind, close together and soon after each other: proposed once as one incident, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.incident import Heard, IncidentStatus, gathered, number_of
from dispatch.domain.place import Wgs84Point
from dispatch.domain.policy import Policy
from dispatch.domain.roles import SYSTEM
from dispatch.domain.ticket import Notice
from dispatch.geocode.geodesic import distance_m
from dispatch.services import live
from dispatch.services.desk import Desk
from dispatch.storage import incident_watch, outbox
from dispatch.storage import incidents as stored
from dispatch.storage.db import Tx

# So often all is looked at again though no call has come: what a slow transaction brought late is not missed.
AGAIN_S = 15.0


class Watch:
    """What one process has seen already.

    Args:
        desk: The process's desk.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: tuple[int, datetime] | None = None

    def look(self, now: datetime) -> int:
        """Propose what is to be proposed, and return how many proposals were made or extended."""
        with self._desk.store.read() as tx:
            newest = incident_watch.newest_call(tx)
            if self._is_known(newest, now):
                return 0
            groups = _groups(tx, self._desk, now)
        self._seen = (newest, now)
        return propose(self._desk, now) if groups else 0

    def _is_known(self, newest: int, now: datetime) -> bool:
        return self._seen is not None and self._seen[0] == newest and (now - self._seen[1]).total_seconds() < AGAIN_S


def propose(desk: Desk, now: datetime) -> int:
    """Write the proposals of this moment, one process at a time; return how many were made or extended."""
    changed = 0
    with desk.store.write() as tx:
        incident_watch.alone(tx)
        for group in _groups(tx, desk, now):
            changed += _put(tx, desk, group, now)
    return changed


def _groups(tx: Tx, desk: Desk, now: datetime) -> list[list[Heard]]:
    settings = desk.settings
    policy = desk.rules(tx, now).policy
    since = now - timedelta(minutes=settings.incident_minutes)
    rows = incident_watch.heard(tx, since)
    heard = [
        Heard(row.ticket_id, row.category, Wgs84Point(row.lon, row.lat), row.calls)
        for row in rows
        if _is_watched(policy, row.category)
    ]
    return gathered(heard, settings.incident_calls, settings.incident_radius_m, policy.similar.are_related)


def _is_watched(policy: Policy, category: str) -> bool:
    """Only what a crew must drive to, and not by appointment: no bill and no complaint is a burst."""
    level = policy.categories[category].level if category in policy.categories else None
    return level is not None and policy.levels[level].needs_place


def _put(tx: Tx, desk: Desk, group: Sequence[Heard], now: datetime) -> bool:
    """Propose a group, or add it to what is suggested for the incident near it; False where all of it is known."""
    ids = [one.ticket_id for one in group]
    policy = desk.rules(tx, now).policy
    near = [row for row in incident_watch.of_late(tx, now) if _is_near(tx, desk, policy, row, group)]
    known = {one for row in near for one in row["suggested"]}
    fresh = sorted(set(ids) - known)
    if not fresh:
        return False
    alive = next((row for row in near if row["status"] != IncidentStatus.DISMISSED), None)
    if alive is not None:
        stored.change(tx, alive, {"suggested": [*alive["suggested"], *fresh]})
        live.tell(tx, "incident", number_of(alive["id"]), now)
        return True
    left = [one for one in group if one.ticket_id in fresh]
    if near and sum(one.calls for one in left) < desk.settings.incident_calls:
        return False  # it was dismissed, and not enough has come since
    _propose(tx, desk, left, now)
    return True


def _is_near(tx: Tx, desk: Desk, policy: Policy, row: Mapping[str, Any], group: Sequence[Heard]) -> bool:
    """Tell whether an incident is of the same kind, and one of its tickets near one of the group."""
    if not any(policy.similar.are_related(row["category"], one.category) for one in group):
        return False
    points = incident_watch.points(tx, row)
    radius_m = desk.settings.incident_radius_m
    return any(distance_m(here, one.point) <= radius_m for here in points for one in group)


def _propose(tx: Tx, desk: Desk, group: Sequence[Heard], now: datetime) -> None:
    settings, calls = desk.settings, sum(one.calls for one in group)
    ids = sorted(one.ticket_id for one in group)
    first = stored.rows(tx, ids)[0]
    category = desk.rules(tx, now).policy.categories[first["category"]]
    reason = (
        f"{settings.incident_minutes} 分钟内 {settings.incident_radius_m} m 内有 {calls} 个“{category.label}”来电, "
        f"{len(ids)} 张工单"
    )
    values = {
        "status": IncidentStatus.PROPOSED,
        "version": 1,
        "title": f"{category.label}: {first['address'] or first['zone_id'] or first['number']}"[:120],
        "category": category.id,
        "reason": reason,
        "suggested": ids,
        "created_by": SYSTEM.user_id,
        "created_at": now,
    }
    incident_id = stored.add(tx, values)
    number, text = number_of(incident_id), f"{SYSTEM.label} 提议: {reason}"
    stored.note(tx, incident_id, "propose", text, SYSTEM.user_id, now)
    tx.audit(now, SYSTEM, "incident-propose", number, text=text)
    live.tell(tx, "incident", number, now)
    told = Notice(("dispatcher",), f"{number} {reason}, 请确认是否同一事件")
    rows = outbox.rows_of(first["id"], _Nobody(), told, f"incident:{incident_id}", now, desk.channels)
    # Of no ticket: whoever watches locks incidents, and waits for no ticket.
    outbox.put(tx, [{**row, "ticket_id": None} for row in rows])


class _Nobody:
    """Whom a notice to the dispatcher needs not know."""

    team_id: str | None = None
    branch: str | None = None
