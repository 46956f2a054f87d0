"""Wider clocks in a surge: proposed by one, approved by another, as far as the policy allows.

New tickets of the named levels get them with their first clocks; those that run already where it was said so, in
transactions of at most BATCH tickets, each ticket once however often the work is broken off. The first due time is
kept, what is broken stays broken, and all of it ends with the surge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from dispatch.domain import ladder
from dispatch.domain.call import check_text
from dispatch.domain.errors import NotFound, NotPermitted
from dispatch.domain.policy import Policy
from dispatch.domain.roles import SYSTEM, Actor, Permission, check_permitted
from dispatch.domain.sla import Clock
from dispatch.domain.surge import NewWidening, SurgeConflict, Widening, check_widening, widen, widened_text
from dispatch.services import live, surge
from dispatch.services.desk import Desk
from dispatch.storage import clocks, directory, replies, surges, tickets
from dispatch.storage.db import Tx

BATCH = 100


def propose(
    desk: Desk, actor: Actor, told: NewWidening, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Propose wider clocks for the open surge, and return the proposal; another person decides.

    Args:
        desk: The process's desk.
        actor: Who proposes.
        told: The proposal.
        body: The request as it came, by which a repeated one is told from another.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role may not.
        SurgeConflict: if no surge is open.
        InvalidInput: if the policy does not allow it.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.SURGE)
    keys = [(f"widening:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        latest = _locked_open(tx)
        check_widening(told, desk.surge_policy(tx, now))
        values = {
            **asdict(told),
            "levels": list(told.levels),
            "clocks": list(told.clocks),
            "surge_id": latest["id"],
            "state": "proposed",
            "proposed_by_id": actor.user_id,
            "proposed_by": actor.label,
            "proposed_at": now,
            "note": "",
            "widened": 0,
        }
        widening_id = surges.add_widening(tx, values)
        tx.audit(now, actor, "propose-widening", f"surge {latest['id']}", widening=widening_id, **_of(values))
        live.tell(tx, "surge", str(latest["id"]), now)
        reply = _shown(tx, widening_id)
        replies.keep(tx, keys, reply)
    return reply


def decide(
    desk: Desk, actor: Actor, widening_id: int, *, is_approved: bool, note: str, now: datetime
) -> dict[str, Any]:
    """Approve or refuse a proposal, and return it.

    Raises:
        NotPermitted: if the role may not, or who approves has proposed it.
        NotFound: if there is no such proposal.
        SurgeConflict: if it is decided already, or its surge is over.
    """
    check_permitted(actor, Permission.SURGE)
    check_text(note, "note")
    with desk.store.write() as tx:
        latest = surges.latest(tx, is_locked=True)
        row = surges.lock_widening(tx, widening_id)
        if row is None:
            raise NotFound("没有这项放宽")
        if row["state"] != "proposed" or latest is None or row["surge_id"] != latest["id"]:
            raise SurgeConflict("这项放宽已有结论, 或大流量已经结束")
        if is_approved and row["proposed_by_id"] == actor.user_id:
            raise NotPermitted("放宽须由另一人批准, 提议人不能批准自己的提议")
        values: dict[str, Any] = {"decided_by": actor.label, "decided_at": now, "note": note}
        values["state"] = "approved" if is_approved else "refused"
        values["after"] = 0 if is_approved and row["is_for_running"] else None
        surges.change_widening(tx, widening_id, **values)
        if is_approved:
            directory.turn_page(tx)
        action = "approve-widening" if is_approved else "refuse-widening"
        tx.audit(now, actor, action, f"surge {row['surge_id']}", widening=widening_id, note=note, **_of(row))
        live.tell(tx, "surge", str(row["surge_id"]), now)
        return _shown(tx, widening_id)


def _locked_open(tx: Tx) -> dict[str, Any]:
    latest = surges.latest(tx, is_locked=True)
    if latest is None or not latest["is_open"]:
        raise SurgeConflict("大流量模式没有开启, 不能放宽时限")
    return latest


def _of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("levels", "clocks", "factor", "word", "is_for_running")}


def _shown(tx: Tx, widening_id: int) -> dict[str, Any]:
    row = surges.lock_widening(tx, widening_id)
    return surge.widening(row or {})


# ---------------------------------------------------------------- tickets


def apply(
    values: Sequence[Clock], level: str, policy: Policy, widenings: Sequence[Widening], now: datetime
) -> tuple[tuple[Clock, ...], str]:
    """Return clocks of a ticket under what holds, and what to say of those that changed; empty where none did."""
    if not widenings:
        return tuple(values), ""
    wide = []
    for clock in values:
        wider = widen(clock, level, widenings, now)
        wide.append(clock if wider is clock else ladder.schedule(wider, policy.steps(level, clock.kind)))
    changed = [after for before, after in zip(values, wide, strict=True) if after is not before]
    return tuple(wide), widened_text(changed, widenings)


def carry_on(desk: Desk, clock: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Widen running tickets as far as was approved; return how many.

    Args:
        desk: The process's desk.
        clock: Reads the time, anew in each transaction.
        is_stopped: Asked before each transaction; once it says yes, the rest is left to the next one.
    """
    done = 0
    while not is_stopped():
        with desk.store.read() as tx:
            if not surges.is_widening_to_do(tx):
                break
        count = _batch(desk, clock)
        if count is None:
            break
        done += count
    return done


def _batch(desk: Desk, clock: Callable[[], datetime]) -> int | None:
    """Work off one batch and return how many tickets changed; None where another process has the work."""
    with desk.store.write() as tx:
        now = clock()
        found = surges.lock_to_do(tx)
        if found is None:
            return None
        by, after, widened = found
        ids = surges.running_tickets(tx, by, after, BATCH)
        count = sum(_widen(tx, desk, ticket_id, by, now) for ticket_id in ids)
        is_last = len(ids) < BATCH
        surges.change_widening(tx, by.id, after=None if is_last else ids[-1], widened=widened + count)
    return count


def _widen(tx: Tx, desk: Desk, ticket_id: int, by: Widening, now: datetime) -> bool:
    """Widen the clocks of one ticket; False where there was nothing to widen any more."""
    ticket = tickets.lock_id(tx, ticket_id)
    policy = desk.policy(tx, ticket.policy_version)
    values = [one for one in ticket.clocks if one.round == ticket.round]
    wide, text = apply(values, ticket.level, policy, [by], now)
    if not text:
        return False
    clocks.save(tx, ticket.id, [after for before, after in zip(values, wide, strict=True) if after is not before])
    tickets.note(tx, replace(ticket, clocks=wide), "widen", f"{text} (原时限保留)", SYSTEM, now, at=now)
    return True
