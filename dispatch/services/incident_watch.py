"""Many calls of one kind, close together and soon after each other: proposed once as one incident, for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import shape as shape_of

from dispatch.domain.incident import Heard, IncidentStatus, calls_of, close_to, gathered, number_of
from dispatch.domain.place import Wgs84Point
from dispatch.domain.policy import Policy
from dispatch.domain.roles import SYSTEM
from dispatch.domain.ticket import Notice
from dispatch.services import live
from dispatch.services.desk import Desk
from dispatch.storage import incident_watch, outbox
from dispatch.storage import incidents as stored
from dispatch.storage.db import Tx

# So often all is looked at again though no call has come: what a slow transaction brought late is not missed.
AGAIN_S = 15.0


@dataclass(slots=True)
class _Plan:
    """What is to be written: tickets suggested for an incident there is, and groups to be proposed as one."""

    additions: list[tuple[Mapping[str, Any], list[int]]] = field(default_factory=list)
    groups: list[list[Heard]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.additions) + len(self.groups)


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
            plan = _plan(tx, self._desk, now, hold=False)
        self._seen = (newest, now)
        return propose(self._desk, now) if plan else 0

    def _is_known(self, newest: int, now: datetime) -> bool:
        return self._seen is not None and self._seen[0] == newest and (now - self._seen[1]).total_seconds() < AGAIN_S


def propose(desk: Desk, now: datetime) -> int:
    """Write the proposals of this moment, one process at a time; return how many were made or extended."""
    with desk.store.write() as tx:
        incident_watch.alone(tx)
        plan = _plan(tx, desk, now, hold=True)
        for row, ids in plan.additions:
            _extend(tx, row, ids, now)
        for group in plan.groups:
            _propose(tx, desk, group, now)
    return len(plan)


def _extend(tx: Tx, row: Mapping[str, Any], ids: Sequence[int], now: datetime) -> None:
    """Suggest more tickets to an incident that is there."""
    stored.change(tx, row, {"suggested": [*row["suggested"], *ids]})
    number = number_of(row["id"])
    text = f"{SYSTEM.label} 又提议 {len(ids)} 张工单: " + ", ".join(one["number"] for one in stored.rows(tx, ids))
    stored.note(tx, row["id"], "propose", text, SYSTEM.user_id, now)
    tx.audit(now, SYSTEM, "incident-propose", number, text=text)
    live.tell(tx, "incident", number, now)


def _plan(tx: Tx, desk: Desk, now: datetime, *, hold: bool) -> _Plan:
    """Near an incident there is, one ticket of its kind is enough; elsewhere it takes many calls.

    What was dismissed does not come again before as many calls have come anew.
    """
    settings, policy, plan = desk.settings, desk.rules(tx, now).policy, _Plan()
    related = policy.similar.are_related
    left = _heard(tx, policy, now - timedelta(minutes=settings.incident_minutes))
    for row in incident_watch.of_late(tx, now, hold=hold) if left else ():
        of_kind = [one for one in left if related(row["category"], one.category)]
        near = close_to(incident_watch.points(tx, row), of_kind, settings.incident_radius_m)
        near += [one for one in of_kind if one not in near and _is_within(row, one)]
        known = {one.ticket_id for one in near if one.ticket_id in row["suggested"]}
        if row["status"] != IncidentStatus.DISMISSED:
            known |= {one.ticket_id for one in near}
            fresh = sorted(known - set(row["suggested"]))
            plan.additions += [(row, fresh)] if fresh else []
        left = [one for one in left if one.ticket_id not in known]
    plan.groups = gathered(left, settings.incident_calls, settings.incident_radius_m, related)
    return plan


def _is_within(row: Mapping[str, Any], one: Heard) -> bool:
    """Whether a ticket lies in the area of an incident, however far from its tickets."""
    return row["area"] is not None and bool(shapely.intersects_xy(shape_of(row["area"]), one.point.lon, one.point.lat))


def _heard(tx: Tx, policy: Policy, since: datetime) -> list[Heard]:
    return [
        Heard(row.ticket_id, row.category, Wgs84Point(row.lon, row.lat), row.calls)
        for row in incident_watch.heard(tx, since)
        if _is_watched(policy, row.category)
    ]


def _is_watched(policy: Policy, category: str) -> bool:
    """Only what a crew must drive to, and not by appointment: no bill and no complaint is a burst."""
    level = policy.categories[category].level if category in policy.categories else None
    return level is not None and policy.levels[level].needs_place


def _propose(tx: Tx, desk: Desk, group: Sequence[Heard], now: datetime) -> None:
    settings, calls = desk.settings, calls_of(group)
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
