"""What its owner and the desk do for a case: visits noted, another owner, another rhythm, closed and opened again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dispatch.domain import case as rules_of
from dispatch.domain.call import check_text
from dispatch.domain.case import Case, CaseStatus, Change, EntryKind, Solved, Visit, check_version, number_of
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import case_log, case_shown, watching
from dispatch.services.cases import owner_of
from dispatch.services.desk import Desk
from dispatch.storage import cases, replies, tickets, watched
from dispatch.storage.db import Tx

Decide = Callable[[Tx, Case], Change]


def note_visit(
    desk: Desk, actor: Actor, case_id: int, visit: Visit, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Note a visit, a neighbour who was asked, a call or a measure, and return the case.

    Raises:
        NotPermitted: if the role works on no cases.
        NotFound: if there is no such case.
        InvalidInput: with the field at fault.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.CASEWORK)
    for name in ("whom", "finding", "next_step"):
        check_text(getattr(visit, name), name)
    keys = [(f"case-visit:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint({"case": case_id, **body}), now)
        if first is not None:
            return first
        reply = _carry_out(tx, desk, actor, case_id, None, lambda _tx, case: rules_of.visited(case, visit, now), now)
        replies.keep(tx, keys, reply)
    return reply


def solve(desk: Desk, actor: Actor, case_id: int, told: Solved, version: int | None, now: datetime) -> dict[str, Any]:
    """Close a case with its root cause and outcome; it is watched for a time. Returns it.

    Raises:
        InvalidInput: without cause or outcome.
        IllegalTransition: if it is not open.
        StaleVersion: if it is not the version that was seen.
    """
    check_text(told.note, "note")
    check_text(told.outcome, "outcome")
    return _act(desk, actor, case_id, version, lambda _tx, case: rules_of.solved(case, told, actor.user_id, now), now)


def reopen(desk: Desk, actor: Actor, case_id: int, why: str, version: int | None, now: datetime) -> dict[str, Any]:
    """Open a case again, and return it.

    Raises:
        InvalidInput: without a reason, or where the person or house has another case by now.
        IllegalTransition: if it is open.
        StaleVersion: if it is not the version that was seen.
    """
    check_text(why, "note")
    if not why.strip():
        raise InvalidInput("请写明为什么重开", field="note")
    return _act(desk, actor, case_id, version, lambda _tx, case: rules_of.reopened(case, why, now), now)


def hand_over(desk: Desk, actor: Actor, case_id: int, owner: str, version: int | None, now: datetime) -> dict[str, Any]:
    """Give a case to another owner, and return it.

    Raises:
        InvalidInput: if that one may own none.
        StaleVersion: if it is not the version that was seen.
    """

    def decide(tx: Tx, case: Case) -> Change:
        return rules_of.handed(case, owner_of(tx, actor, owner), owner)

    return _act(desk, actor, case_id, version, decide, now)


def pace(desk: Desk, actor: Actor, case_id: int, days: int, version: int | None, now: datetime) -> dict[str, Any]:
    """Change how often a case is followed up, and return it.

    Raises:
        InvalidInput: for a rhythm that is none.
        StaleVersion: if it is not the version that was seen.
    """
    return _act(desk, actor, case_id, version, lambda _tx, case: rules_of.paced(case, days, now), now)


def link(desk: Desk, actor: Actor, case_id: int, number: str, now: datetime) -> dict[str, Any]:
    """Link a ticket by hand, and return the case; once more changes nothing.

    Raises:
        NotFound: if there is no such ticket or case.
    """
    check_permitted(actor, Permission.CASEWORK)
    with desk.store.write() as tx:
        ticket = tickets.lock(tx, number)
        if ticket is None:
            raise NotFound(f"没有工单 {number}", field="number")
        row = _locked(tx, case_id)
        if cases.link(tx, case_id, [ticket.id], now, actor.user_id, is_auto=False):
            case_log.write(tx, desk, row, Change(EntryKind.LINKED, number), actor, now)
            tickets.note(tx, ticket, "case", f"{actor.label} 关联个案 {number_of(case_id)}", actor, now, at=now)
        return case_shown.detail(tx, desk.rules(tx, now).policy, case_id)


def _act(desk: Desk, actor: Actor, case_id: int, version: int | None, decide: Decide, now: datetime) -> dict[str, Any]:
    check_permitted(actor, Permission.CASEWORK)
    with desk.store.write() as tx:
        return _carry_out(tx, desk, actor, case_id, version, decide, now)


def _carry_out(
    tx: Tx, desk: Desk, actor: Actor, case_id: int, version: int | None, decide: Decide, now: datetime
) -> dict[str, Any]:
    row = _locked(tx, case_id)
    case = cases.case_of(row)
    check_version(case, version)
    change = decide(tx, case)
    if case.status is CaseStatus.CLOSED:
        _watch_again(tx, row)
    case_log.write(tx, desk, row, change, actor, now)
    return case_shown.detail(tx, desk.rules(tx, now).policy, case_id)


def _watch_again(tx: Tx, row: Mapping[str, Any]) -> None:
    other = cases.alive(tx, row["kind"], row["key"])
    if other is not None:
        raise InvalidInput(f"已另有个案 {number_of(other)}, 请在其中继续", field="note")
    watched.watch(tx, watching.case_keys(row), case_id=row["id"])


def _locked(tx: Tx, case_id: int) -> dict[str, Any]:
    row = cases.lock(tx, case_id)
    if row is None:
        raise NotFound(f"没有个案 {number_of(case_id)}")
    return row
