"""How a ticket is shown: one JSON form for the API and the screens, with labels, due times and what may come next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dispatch.domain import sla
from dispatch.domain.errors import NotFound
from dispatch.domain.incident import JOB, number_of
from dispatch.domain.policy import Area, Policy
from dispatch.domain.sla import CLOCK_LABELS, Clock
from dispatch.domain.states import STATUS_LABELS, Status, legal_verbs
from dispatch.services.desk import Desk
from dispatch.storage import board, clocks, escalations, incidents
from dispatch.storage.db import Tx

_PLAIN = (
    "number", "version", "round", "level", "category", "area", "policy_version", "team_id", "branch", "steward",
    "zone_id", "zone_set_id", "route_status", "route_reason", "lon", "lat", "address", "description", "pipe_dn",
    "assisting", "is_supervised", "urge_count", "callback_attempts", "is_solved", "is_satisfied", "merged_into",
    "rework_of",
    "nth_call",
    "outcome", "temporary_kind", "follow_up_of",
)  # fmt: skip
_TIMES = ("received_at", "appointment_at", "ended_at")


def time(value: datetime | None) -> str | None:
    """Return ISO 8601 in UTC, or None."""
    if value is None:
        return None
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()


def ticket(
    row: Mapping[str, Any], clock_values: Sequence[Clock], policy: Policy, now: datetime, unanswered: int = 0
) -> dict[str, Any]:
    """Return the public form of a ticket: no caller, no phone number.

    Args:
        row: Columns of the ticket's row; a missing one counts as NULL.
        clock_values: Its clocks.
        policy: The version that the ticket keeps.
        now: For which moment the clocks are judged.
        unanswered: How many steps of its ladder, at the breach or beyond, wait for an answer.
    """
    status, is_carried = Status(row["status"]), bool(row.get("is_carried"))
    limits = policy.limits_for(row["level"], Area(row["area"]), row.get("pipe_dn"), row["category"])
    bases = {kind: limit.basis for kind, limit in limits.items()}
    return {
        **{name: row.get(name) for name in _PLAIN},
        **{name: time(row.get(name)) for name in _TIMES},
        "status": status.value,
        "status_label": STATUS_LABELS[status],
        "level_label": policy.levels[row["level"]].label,
        "category_label": policy.categories[row["category"]].label,
        "unanswered": unanswered,
        "is_carried": is_carried,
        "incident": None,
        "verbs": [verb.value for verb in legal_verbs(status) if not (is_carried and verb in JOB)],
        "flags": row.get("flags") or [],
        "clocks": [_clock(clock, bases.get(clock.kind, ""), now) for clock in clock_values],
    }


def _clock(clock: Clock, basis: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": clock.kind.value,
        "label": CLOCK_LABELS[clock.kind],
        "round": clock.round,
        "state": _state(clock, now),
        "start_at": time(clock.start_at),
        "due_at": time(clock.due_at),
        "original_due_at": time(clock.original_due_at),
        "met_at": time(clock.met_at),
        "breached_at": time(clock.breached_at or (clock.due_at if sla.is_breached(clock, now) else None)),
        "noticed_at": time(clock.noticed_at),
        "resume_at": time(clock.resume_at),
        "rescue_at": time(clock.rescue_at),
        "travel_s": clock.travel_s,
        "travel_kind": clock.travel_kind,
        "basis": basis,
    }


def _state(clock: Clock, now: datetime) -> str:
    if sla.is_breached(clock, now):
        return "breached"
    if clock.is_void:
        return "void"
    if clock.met_at is not None:
        return "met"
    return "paused" if clock.paused_at else "running"


_ESCALATION = (
    "id", "number", "clock", "round", "step", "ratio", "label", "recipients", "late_s", "acknowledged_by",
)  # fmt: skip


def escalation(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public form of a fired step."""
    times = ("scheduled_at", "fired_at", "acknowledged_at")
    return {**{name: row[name] for name in _ESCALATION}, **{name: time(row[name]) for name in times}}


def rating(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the public form of what the caller thinks of a round, or None."""
    if row is None:
        return None
    return {**{name: row[name] for name in ("stars", "words", "round")}, "at": time(row["at"])}


def load(tx: Tx, desk: Desk, number: str, now: datetime) -> dict[str, Any]:
    """Return the public form of a ticket by number.

    Raises:
        NotFound: if there is none.
    """
    return from_row(tx, desk, find(tx, number), now)


def find(tx: Tx, number: str) -> dict[str, Any]:
    """Return the row of a ticket by number.

    Raises:
        NotFound: if there is none.
    """
    row = board.find(tx, number)
    if row is None:
        raise NotFound(f"没有工单 {number}")
    return row


def from_row(tx: Tx, desk: Desk, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the public form of a ticket whose row has been read."""
    return from_rows(tx, desk, [row], now)[0]


def from_rows(tx: Tx, desk: Desk, rows: Sequence[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return the public forms of tickets whose rows have been read."""
    ids = [row["id"] for row in rows]
    values, waiting = clocks.of_tickets(tx, ids), escalations.unanswered(tx, ids)
    belonging = incidents_of(tx, rows)
    return [
        ticket(row, values[row["id"]], desk.policy(tx, row["policy_version"]), now, waiting.get(row["id"], 0))
        | belonging.get(row["id"], {})
        for row in rows
    ]


def water_form(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return when the water of an incident was stopped, is expected back and came back, as the API tells it."""
    return {name: time(at) for name, at in told.items()}


def incidents_of(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return what the public form says of the incident of each ticket that has one, by the ticket's id."""
    ids = {row["id"]: row["incident_id"] for row in rows if row.get("incident_id") is not None}
    water = incidents.water(tx, ids.values())
    told = {
        incident_id: {
            "number": number_of(incident_id),
            "status": found.status.value,
            "title": found.title,
            "lead": found.lead,
            "tickets": found.tickets,
            "callers": found.callers,
            **water_form(water[incident_id]),
        }
        for incident_id, found in incidents.summaries(tx, ids.values()).items()
    }
    return {ticket_id: {"incident": told[incident_id]} for ticket_id, incident_id in ids.items()}
