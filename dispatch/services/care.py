"""Customer flags beyond the caller's own ticket: who joins one, who is answered, and whom an incident carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.domain.flags import Care, CustomerFlag, care_for
from dispatch.domain.policy import Policy
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import Verb
from dispatch.domain.ticket import Command, Notice, Ticket, decide
from dispatch.services.desk import Desk
from dispatch.services.outage_answers import KnownOutage
from dispatch.services.routing import Placing
from dispatch.storage import outbox, tickets
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a caller is whom no ticket has."""

    team_id: str | None
    branch: str | None


def named(policy: Policy, labels: Sequence[str]) -> list[CustomerFlag]:
    """Return the flags of a policy by what they are called."""
    return [flag for flag in policy.flags.values() if flag.label in labels]


def join(
    tx: Tx, desk: Desk, ticket: Ticket, flags: Sequence[CustomerFlag], key: str, at: datetime, now: datetime
) -> Ticket:
    """Let a locked ticket take over flags of somebody who joins it, and return it: told, and lifted where they lift.

    Args:
        tx: The transaction.
        desk: The process's desk.
        ticket: The ticket, open.
        flags: Those of the caller and of the place.
        key: Of what joins: a second time it changes nothing.
        at: When it joined.
        now: The server's time.
    """
    policy = desk.policy(tx, ticket.policy_version)
    care = care_for(flags, ticket.category, ticket.level, list(policy.levels).index)
    held = tickets.take_care(tx, ticket, care.labels, care.notify)
    if held is None:
        return ticket
    tickets.note(tx, held, "customer", care.text, SYSTEM, now, at=at)
    told = Notice(care.notify, f"{ticket.number} 又涉及重点保障用户: {'、'.join(care.labels)}")
    outbox.put(tx, outbox.rows_of(ticket.id, ticket, told, f"{key}:care", now, desk.channels))
    if care.level == ticket.level:
        return held
    command = Command(verb=Verb.RELEVEL, at=now, level=care.level, note=care.text, widenings=tuple(desk.widenings(tx)))
    tickets.apply(tx, held, decide(held, command, SYSTEM, policy), SYSTEM, now, desk.channels)
    return tickets.lock_id(tx, ticket.id)


def tell_answered(
    tx: Tx, desk: Desk, care: Care, placing: Placing, outage: KnownOutage, call_id: int, now: datetime
) -> None:
    """Tell those who must know that a flagged customer has no water and nobody is sent, since an outage explains it."""
    to = placing.assignment
    place = _Place(to.team_id, to.branch) if to else _Place(None, None)
    text = (
        f"{'、'.join(care.labels)} 来电 {call_id}, 在停水公告 {outage.id}“{outage.title}”内, 已按公告答复, 未派单;"
        " 请联系用户, 核实是否需要送水"
    )
    notice = Notice(care.notify, text)
    outbox.put(tx, outbox.rows_of(None, place, notice, f"call:{call_id}:care", now, desk.channels))
    tx.audit(now, SYSTEM, "customer", f"call {call_id}", flags=list(care.labels), outage=outage.id)
