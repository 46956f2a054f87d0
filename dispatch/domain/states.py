"""The life of a ticket as data: states, verbs and which verb leads from where to where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.domain.sla import ClockKind


class Status(StrEnum):
    """Where a ticket stands."""

    RECEIVED = "received"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    WORKING = "working"
    ON_HOLD = "on_hold"
    RETURNED = "returned"
    DONE = "done"
    CLOSED = "closed"
    MERGED = "merged"
    CANCELLED = "cancelled"


class Verb(StrEnum):
    """What can be done to a ticket; each is a permission of the same name."""

    DISPATCH = "dispatch"
    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"
    ISOLATE = "isolate"
    WORK = "work"
    DONE = "done"
    CALLBACK = "callback"
    CLOSE = "close"
    RETURN = "return"
    REASSIGN = "reassign"
    HOLD = "hold"
    RESUME = "resume"
    EXTEND = "extend"
    URGE = "urge"
    SUPERVISE = "supervise"
    ASSIST = "assist"
    MERGE = "merge"
    CANCEL = "cancel"
    REWORK = "rework"
    RELEVEL = "relevel"


STATUS_LABELS = {
    Status.RECEIVED: "受理",
    Status.DISPATCHED: "派单",
    Status.ACCEPTED: "接单",
    Status.EN_ROUTE: "出发",
    Status.ON_SITE: "到场",
    Status.WORKING: "处置",
    Status.ON_HOLD: "挂起",
    Status.RETURNED: "退单",
    Status.DONE: "完工",
    Status.CLOSED: "办结",
    Status.MERGED: "并单",
    Status.CANCELLED: "取消",
}

VERB_LABELS = {
    Verb.DISPATCH: "派单",
    Verb.ACCEPT: "接单",
    Verb.DEPART: "出发",
    Verb.ARRIVE: "到场",
    Verb.ISOLATE: "止水",
    Verb.WORK: "处置",
    Verb.DONE: "完工",
    Verb.CALLBACK: "回访",
    Verb.CLOSE: "办结",
    Verb.RETURN: "退单",
    Verb.REASSIGN: "改派",
    Verb.HOLD: "挂起",
    Verb.RESUME: "恢复",
    Verb.EXTEND: "延期",
    Verb.URGE: "催单",
    Verb.SUPERVISE: "督办",
    Verb.ASSIST: "协办",
    Verb.MERGE: "并单",
    Verb.CANCEL: "取消",
    Verb.REWORK: "返工",
    Verb.RELEVEL: "改级",
}

# Who has to move next; the states at an end have nobody.
OWNERS = {
    Status.RECEIVED: "dispatcher",
    Status.DISPATCHED: "crew",
    Status.ACCEPTED: "crew",
    Status.EN_ROUTE: "crew",
    Status.ON_SITE: "crew",
    Status.WORKING: "crew",
    Status.ON_HOLD: "dispatcher",
    Status.RETURNED: "dispatcher",
    Status.DONE: "agent",
    Status.CLOSED: None,
    Status.MERGED: None,
    Status.CANCELLED: None,
}

ENDED = frozenset({Status.CLOSED, Status.MERGED, Status.CANCELLED})
OPEN = frozenset(Status) - ENDED
# The crew's work is not finished yet.
ACTIVE = OPEN - {Status.DONE}
_ASSIGNED = ACTIVE - {Status.RECEIVED, Status.RETURNED}
_AT_WORK = frozenset({Status.ON_SITE, Status.WORKING})


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a verb may start, where it leads (None: the state stays) and which clock it meets."""

    sources: frozenset[Status]
    target: Status | None
    meets: ClockKind | None = None


def _from(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


RULES: dict[Verb, Rule] = {
    Verb.DISPATCH: Rule(_from(Status.RECEIVED, Status.RETURNED), Status.DISPATCHED),
    Verb.ACCEPT: Rule(_from(Status.DISPATCHED), Status.ACCEPTED, ClockKind.ACK),
    Verb.DEPART: Rule(_from(Status.ACCEPTED), Status.EN_ROUTE),
    Verb.ARRIVE: Rule(_from(Status.ACCEPTED, Status.EN_ROUTE), Status.ON_SITE, ClockKind.ARRIVE),
    Verb.ISOLATE: Rule(_AT_WORK, None, ClockKind.ISOLATE),
    Verb.WORK: Rule(_from(Status.ON_SITE), Status.WORKING),
    Verb.DONE: Rule(_AT_WORK, Status.DONE, ClockKind.FIX),
    Verb.CALLBACK: Rule(_from(Status.DONE), None, ClockKind.CALLBACK),
    Verb.CLOSE: Rule(_from(Status.DONE), Status.CLOSED),
    Verb.RETURN: Rule(_from(Status.DISPATCHED, Status.ACCEPTED, Status.EN_ROUTE, Status.ON_SITE), Status.RETURNED),
    Verb.REASSIGN: Rule(_ASSIGNED, Status.DISPATCHED),
    Verb.HOLD: Rule(_AT_WORK, Status.ON_HOLD),
    Verb.RESUME: Rule(_from(Status.ON_HOLD), Status.WORKING),
    Verb.EXTEND: Rule(ACTIVE - {Status.ON_HOLD}, None),
    Verb.URGE: Rule(ACTIVE, None),
    Verb.SUPERVISE: Rule(OPEN, None),
    Verb.ASSIST: Rule(_ASSIGNED, None),
    Verb.MERGE: Rule(ACTIVE, Status.MERGED),
    Verb.CANCEL: Rule(ACTIVE - _AT_WORK - {Status.ON_HOLD}, Status.CANCELLED),
    Verb.REWORK: Rule(_from(Status.DONE), Status.DISPATCHED),
    Verb.RELEVEL: Rule(ACTIVE, None),
}


# Promises that a state has left behind, met or not.
BEHIND: dict[Status, frozenset[ClockKind]] = {
    **dict.fromkeys((Status.ACCEPTED, Status.EN_ROUTE), frozenset({ClockKind.ACK})),
    **dict.fromkeys((*_AT_WORK, Status.ON_HOLD), frozenset({ClockKind.ACK, ClockKind.ARRIVE})),
}


def legal_verbs(status: Status) -> tuple[Verb, ...]:
    """Return the verbs that fit `status`, in the order of Verb."""
    return tuple(verb for verb in Verb if status in RULES[verb].sources)


# A crew's own steps, in working order: the first that fits the state is the next one.
_STEPS = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE, Verb.RESUME)


def next_step(status: Status) -> Verb | None:
    """Return what a crew does next with a ticket in `status`; None where it waits for others."""
    return next((verb for verb in _STEPS if status in RULES[verb].sources), None)


def diagram() -> str:
    """Return the state diagram in Mermaid, made from RULES alone."""
    lines = ["stateDiagram-v2", "    [*] --> received"]
    for status in Status:
        lines.append(f"    {status}: {STATUS_LABELS[status]} {status}")
    for verb, rule in RULES.items():
        for source in Status:
            if source in rule.sources:
                lines.append(f"    {source} --> {rule.target or source}: {VERB_LABELS[verb]} {verb}")
    lines += [f"    {status} --> [*]" for status in Status if status in ENDED]
    return "\n".join(lines) + "\n"
