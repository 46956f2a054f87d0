"""The order that follows a temporary fix: opened by the crew's own 完工, in the same transaction, and only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.place import Wgs84Point
from dispatch.domain.policy import TemporaryKind
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import STATUS_LABELS, Status, Verb
from dispatch.domain.temporary import Temporary, due_at, kind_of
from dispatch.domain.ticket import Command, Ticket, decide, first_clocks
from dispatch.domain.times import shanghai_day, shanghai_text
from dispatch.domain.zones import RouteStatus
from dispatch.services import present
from dispatch.services.actions import Scene, with_detail
from dispatch.services.desk import Rules
from dispatch.services.numbering import number_text
from dispatch.services.routing import Placing, assign, place
from dispatch.storage import follow_ups, tickets
from dispatch.storage.db import Tx


def with_rest(scene: Scene, command: Command, told: Temporary) -> Command:
    """Open the order for what `told` leaves to do, and say so in the 完工 that is being told.

    One that is open already from an earlier round is gone on with: its timeline is told what is left now.

    Raises:
        InvalidInput: for a kind that the policy does not have, or without a word of what is left.
    """
    tx, now = scene.tx, command.at
    rules = scene.desk.rules(tx, now)
    kind = kind_of(told, rules.policy.temporary)
    due = due_at(told, kind, rules.policy, now, scene.ticket.branch)
    left = told.left.strip()
    known = follow_ups.open_of(tx, scene.ticket.number)
    if known is None:
        number = _open(scene, rules, kind, left, due, now)
    else:
        number = _tell(scene, known, f"{scene.ticket.number} 再次临时处理 ({kind.label}), 待办: {left}", now)
    text = f"临时处理: {kind.label}; 待办: {left}; 后续工单 {number}, {shanghai_text(due)} 前完成"
    return replace(with_detail(command, text), temporary=told)


def _tell(scene: Scene, ticket_id: int, text: str, now: datetime) -> str:
    """Tell the timeline of a ticket, and return its number."""
    # A follow-up is younger than what it follows: two that lock both do so in the same order.
    ticket = tickets.lock_id(scene.tx, ticket_id)
    tickets.note(scene.tx, ticket, "follow_up", text, scene.actor, now, at=now)
    return ticket.number


def _open(scene: Scene, rules: Rules, kind: TemporaryKind, left: str, due: datetime, now: datetime) -> str:
    tx, first, policy = scene.tx, scene.ticket, rules.policy
    row = present.find(tx, first.number)
    placing = _placing(rules, row)
    day = shanghai_day(now)
    fresh = Ticket(
        id=0,
        # Out of the line of the process's own numbers: to ask for more of them is a transaction.
        number=number_text(day, tickets.reserve_numbers(tx, day, 1)),
        status=Status.RECEIVED,
        version=1,
        round=1,
        level=kind.level,
        category=kind.category,
        area=placing.area,
        policy_version=policy.version,
        moved_at=now,
        branch=placing.assignment.branch if placing.assignment else None,
        pipe_dn=row["pipe_dn"],
        appointment_at=due if policy.levels[kind.level].goes_by_appointment(kind.category) else None,
    )
    fresh = replace(fresh, clocks=first_clocks(fresh, policy, now))
    dispatch = None
    if placing.assignment:
        dispatch = decide(fresh, Command(verb=Verb.DISPATCH, at=now, assignment=placing.assignment), SYSTEM, policy)
    told = {
        "received_at": now,
        "address": row["address"],
        "description": f"{left} (后续: {first.number} {kind.label}; 原诉求: {row['description']})",
        "follow_up_of": first.number,
        "origin_id": row["origin_id"] or first.id,
        **placing.columns(rules),
    }
    created = tickets.create(tx, fresh, told, dispatch)
    ticket = replace(fresh, id=created["id"])
    why = f"{first.number} 临时处理 ({kind.label}), 自动开后续工单; 待办: {left}; {shanghai_text(due)} 前完成"
    received = tickets.note_row(ticket, "receive", why, scene.actor, now, now)
    tickets.begin(tx, ticket, received, scene.actor, dispatch, SYSTEM, now, scene.desk.channels)
    return fresh.number


def _placing(rules: Rules, row: Mapping[str, Any]) -> Placing:
    """Where the first ticket lies, to the team of the grid of today; else to the team that has been there."""
    point = None if row["lon"] is None else Wgs84Point(row["lon"], row["lat"])
    placing = place(rules, point, PlacedBy(row["placed_by"] or PlacedBy.APPROXIMATE))
    if placing.assignment is not None:
        return placing
    zone = placing.zone or next((one for one in rules.zones.zones if one.zone_id == row["zone_id"]), None)
    team = rules.teams.get(zone.team_id or "" if zone else "") or rules.teams.get(row["team_id"] or "")
    if team is None:
        return placing
    to = assign(rules, team, f"随原工单 {row['number']}")
    status = RouteStatus.ROUTED if zone else placing.status
    return replace(placing, status=status, reason=to.reason, zone=zone, steward=to.changes["steward"], assignment=to)


def shown(tx: Tx, number: str) -> list[dict[str, Any]]:
    """Return the public form of the tickets that follow one: `{number, status, status_label, appointment_at}`."""
    return [
        {
            "number": row["number"],
            "status": row["status"],
            "status_label": STATUS_LABELS[Status(row["status"])],
            "appointment_at": present.time(row["appointment_at"]),
        }
        for row in follow_ups.of(tx, number)
    ]
