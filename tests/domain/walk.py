"""A ticket of the domain alone: made, moved and swept in memory as storage does it in the database."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain import policy_file
from dispatch.domain.errors import IllegalTransition, InvalidInput
from dispatch.domain.ladder import Fired, climb
from dispatch.domain.policy import Area, Policy
from dispatch.domain.roles import Actor, Role
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.domain.ticket import Assignment, Command, Ticket, Transition, decide, first_clocks

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
POLICY = policy_file.parse(policy_file.read_toml(TOML.read_bytes()))
# A Tuesday, 14:05 in Changsha.
START = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
AGENT = Actor(1, "坐席", Role.AGENT)
CREW = Actor(2, "A班 水管家", Role.CREW, "tianxin-01")
TEAM_A = Assignment("tianxin-01", "天心一班", "城南", "在天心-01网格内")
TEAM_B = Assignment("tianxin-02", "天心二班", "城南", "人工指派")
TEAM_C = Assignment("yuhua-01", "雨花一班", "城东", "人工指派")
COLUMNS = {f.name for f in fields(Ticket)}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def received(
    level: str = "P1",
    category: str = "burst",
    area: Area = Area.IN_CIRCLE,
    pipe_dn: int | None = None,
    appointment_at: datetime | None = None,
    policy: Policy = POLICY,
) -> Ticket:
    ticket = Ticket(
        id=7,
        number="GD20261124-000007",
        status=Status.RECEIVED,
        version=1,
        round=1,
        level=level,
        category=category,
        area=area,
        policy_version=policy.version,
        moved_at=START,
        pipe_dn=pipe_dn,
        appointment_at=appointment_at,
    )
    return replace(ticket, clocks=first_clocks(ticket, policy, START))


OTHER = replace(received(), id=8, number="GD20261124-000008")


def applied(ticket: Ticket, transition: Transition) -> Ticket:
    """Do in memory what storage does with a transition."""
    changes: dict[str, Any] = {name: value for name, value in transition.changes.items() if name in COLUMNS}
    if "assisting" in changes:
        changes["assisting"] = tuple(changes["assisting"])
    clocks = {(clock.kind, clock.round): clock for clock in (*ticket.clocks, *transition.clocks)}
    return replace(
        ticket,
        status=transition.target,
        version=ticket.version + 1,
        clocks=tuple(clocks.values()),
        **changes,
    )


def swept(ticket: Ticket, now: datetime) -> tuple[Ticket, list[tuple[Clock, Fired]]]:
    """Do in memory what a sweep does."""
    fired: list[tuple[Clock, Fired]] = []
    clocks = []
    for clock in ticket.clocks:
        kept = clock
        if clock.next_fire_at is not None and clock.next_fire_at <= now and clock.paused_at is None:
            kept, steps = climb(clock, POLICY.steps(ticket.level, clock.kind), now)
            fired += [(kept, step) for step in steps]
        clocks.append(kept)
    return replace(ticket, clocks=tuple(clocks)), fired


# What each verb needs to be let through, besides its state.
NEEDS: dict[Verb, dict[str, Any]] = {
    Verb.DISPATCH: {"assignment": TEAM_A},
    Verb.REASSIGN: {"assignment": TEAM_B},
    Verb.ASSIST: {"assignment": TEAM_C},
    Verb.CALLBACK: {"is_solved": True},
    Verb.RETURN: {"reason": "not_ours"},
    Verb.CANCEL: {"reason": "by_caller"},
    Verb.HOLD: {"reason": "wait_user"},
    Verb.EXTEND: {"reason": "traffic_permit"},
    Verb.REWORK: {"note": "又漏了"},
    Verb.RELEVEL: {"note": "误判等级", "level": "P3"},
    Verb.MERGE: {"target": OTHER},
}


def command(ticket: Ticket, verb: Verb, now: datetime, **more: Any) -> Command:
    values = dict(NEEDS.get(verb, {}))
    if verb is Verb.HOLD:
        values["until"] = now + timedelta(hours=1)
    if verb is Verb.EXTEND:
        fix = ticket.running(ClockKind.FIX)
        values["until"] = fix.due_at + timedelta(hours=5) if fix else None
    return Command(verb=verb, at=now, **(values | more))


def do(ticket: Ticket, verb: Verb, now: datetime, **more: Any) -> Ticket:
    return applied(ticket, decide(ticket, command(ticket, verb, now, **more), CREW, POLICY))


ROADS: dict[Status, tuple[Verb, ...]] = {
    Status.RECEIVED: (),
    Status.DISPATCHED: (Verb.DISPATCH,),
    Status.ACCEPTED: (Verb.DISPATCH, Verb.ACCEPT),
    Status.EN_ROUTE: (Verb.DISPATCH, Verb.ACCEPT, Verb.DEPART),
    Status.ON_SITE: (Verb.DISPATCH, Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE),
    Status.WORKING: (Verb.DISPATCH, Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK),
    Status.ON_HOLD: (Verb.DISPATCH, Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.HOLD),
    Status.RETURNED: (Verb.DISPATCH, Verb.RETURN),
    Status.DONE: (Verb.DISPATCH, Verb.ACCEPT, Verb.ARRIVE, Verb.DONE),
    Status.CLOSED: (Verb.DISPATCH, Verb.ACCEPT, Verb.ARRIVE, Verb.DONE, Verb.CALLBACK, Verb.CLOSE),
    Status.MERGED: (Verb.MERGE,),
    Status.CANCELLED: (Verb.CANCEL,),
}


def ticket_at(status: Status, **kinds: Any) -> Ticket:
    """Walk a fresh ticket to `status`, one verb a minute."""
    ticket = received(**kinds)
    for minute, verb in enumerate(ROADS[status], 1):
        ticket = do(ticket, verb, at(minute))
    return ticket


def clock_of(ticket: Ticket, kind: ClockKind, round_: int = 1) -> Clock:
    return next(clock for clock in ticket.clocks if clock.kind is kind and clock.round == round_)


def refused(ticket: Ticket, verb: Verb, now: datetime, **more: Any) -> IllegalTransition:
    with pytest.raises(IllegalTransition) as caught:
        do(ticket, verb, now, **more)
    assert caught.value.status == 409
    assert caught.value.extra == {"current_status": ticket.status.value, "current_version": ticket.version}
    return caught.value


def wanting(ticket: Ticket, verb: Verb, now: datetime, **more: Any) -> str | None:
    with pytest.raises(InvalidInput) as caught:
        do(ticket, verb, now, **more)
    return caught.value.field


KINDS = [
    ("P1", "burst", Area.IN_CIRCLE, None, {"ack": 5, "arrive": 30, "isolate": 240, "fix": 24 * 60}),
    ("P1", "burst", Area.OUTSIDE, 300, {"ack": 5, "arrive": 50, "isolate": 240, "fix": 36 * 60}),
    ("P1", "cover", Area.IN_CIRCLE, 600, {"ack": 5, "arrive": 30, "fix": 48 * 60}),
    ("P2", "leak", Area.OUTSIDE, None, {"ack": 10, "arrive": 60, "fix": 24 * 60}),
    ("P3", "noise", Area.IN_CIRCLE, None, {"ack": 30, "arrive": 240, "fix": 48 * 60}),
    ("P4", "billing", Area.IN_CIRCLE, None, {"ack": 120, "fix": 3 * 24 * 60}),
    ("P5", "install", Area.IN_CIRCLE, None, {"ack": 24 * 60, "fix": 7 * 24 * 60}),
]
