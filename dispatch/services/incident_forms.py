"""How an incident is shown: in lists, and whole with its tickets and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.errors import NotFound
from dispatch.domain.incident import INCIDENT_LABELS, IncidentStatus, id_of, number_of
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees
from dispatch.domain.states import STATUS_LABELS, Status
from dispatch.domain.ticket import Ticket
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import board, incidents
from dispatch.storage.db import Tx
from dispatch.storage.incidents import Summary

_PLAIN = ("version", "title", "category", "reason", "area", "area_how", "affected_users", "affected_basis")
_TIMES = ("isolated_at", "restore_expected_at", "restored_at", "created_at", "decided_at", "closed_at")
_NOBODY = Summary(IncidentStatus.PROPOSED, "", 0, 0, None)
_TICKET = (
    "number",
    "status",
    "version",
    "category",
    "team_id",
    "zone_id",
    "address",
    "description",
    "lon",
    "lat",
    "calls",
)


def label(status: str) -> str:
    """Return the Chinese word for a state."""
    return INCIDENT_LABELS[IncidentStatus(status)]


def title_of(tx: Tx, desk: Desk, lead: Ticket) -> str:
    """Return what an incident is called that nobody has named: the category and where."""
    row = board.find(tx, lead.number) or {}
    category = desk.policy(tx, lead.policy_version).categories[lead.category].label
    return f"{category}: {row.get('address') or row.get('zone_id') or lead.number}"[:120]


def listed(
    desk: Desk, actor: Actor, *, statuses: tuple[str, ...], after: int, limit: int, now: datetime
) -> dict[str, Any]:
    """Return a page of incidents, newest first: `{items, next}`."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rows = incidents.page(tx, statuses, after, limit + 1)
        told = incidents.summaries(tx, [row["id"] for row in rows[:limit]])
        items = [_form(tx, desk, row, told.get(row["id"], _NOBODY), now) for row in rows[:limit]]
    return {"items": items, "next": rows[limit - 1]["id"] if len(rows) > limit else None}


def get(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Return one incident with its tickets, those suggested, and what happened; crews see what they work at.

    Raises:
        NotFound: if there is none for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        incident_id = id_of(number)
        row = incidents.find(tx, incident_id) if incident_id is not None else None
        if row is None:
            raise NotFound(f"没有事件 {number[:20]}")
        lead = next(iter(incidents.tickets(tx, row["id"])), None)
        if lead is None:
            check_sees(actor, number, None, ())
        else:
            check_sees(actor, number, lead["team_id"], tuple(lead["assisting"]))
        return detail(tx, desk, row, now)


def detail(tx: Tx, desk: Desk, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the whole public form of an incident."""
    told = incidents.summaries(tx, [row["id"]])[row["id"]]
    members = incidents.tickets(tx, row["id"])
    mine = {member["id"] for member in members}
    suggested = incidents.rows(tx, [one for one in row["suggested"] if one not in mine])
    free = [one for one in suggested if one["incident_id"] is None and one["ended_at"] is None]
    return {
        **_form(tx, desk, row, told, now),
        "tickets": [_ticket(member) for member in members],
        "suggested": [_ticket(one) for one in free],
        "timeline": [
            {"at": present.time(line["at"]), "kind": line["kind"], "text": line["text"]}
            for line in incidents.timeline(tx, row["id"])
        ],
    }


def _form(tx: Tx, desk: Desk, row: Mapping[str, Any], told: Summary, now: datetime) -> dict[str, Any]:
    category = desk.rules(tx, now).policy.categories.get(row["category"])
    return {
        "id": row["id"],
        "number": number_of(row["id"]),
        "status": row["status"],
        "status_label": label(row["status"]),
        "category_label": category.label if category else row["category"],
        **{name: row[name] for name in _PLAIN},
        **{name: present.time(row.get(name)) for name in _TIMES},
        "lead": told.lead,
        "ticket_count": told.tickets,
        "callers": told.callers,
        "suggested_count": len(row["suggested"]),
    }


def _ticket(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _TICKET},
        "status_label": STATUS_LABELS[Status(row["status"])],
        "received_at": present.time(row["received_at"]),
        "is_lead": row["incident_id"] is not None and not row["is_carried"],
    }
