"""Surge mode: begun and ended by the thresholds of the policy or by hand, told to everybody, kept in the audit.

What a person says wins: a surge that was begun by hand does not end by itself, and after one that was ended by hand
none begins by itself, until the state is released to the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import SYSTEM, Actor, Permission, check_permitted
from dispatch.domain.surge import How, Move, Standing, SurgeConflict, judge
from dispatch.domain.surge_policy import SurgePolicy
from dispatch.services import digests, live, present
from dispatch.services.desk import Desk
from dispatch.storage import digests as items
from dispatch.storage import directory, replies, surges
from dispatch.storage.db import Tx

# What is counted where the policy names no window.
_WINDOW = timedelta(minutes=10)
# Without a policy nothing is gathered: the period says only how often there would be nothing to send.
_IDLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at the thresholds did."""

    move: Move | None = None
    digests: int = 0


# ---------------------------------------------------------------- by hand


def enter(
    desk: Desk, actor: Actor, reason: str, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Begin a surge by hand; it lasts until it is ended by hand, or released to the thresholds.

    Args:
        desk: The process's desk.
        actor: Who begins it.
        reason: Why.
        body: The request as it came, by which a repeated one is told from another.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role may not.
        InvalidInput: without a reason.
        SurgeConflict: if one is open.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.SURGE)
    _check_told(reason, "reason")
    keys = [(f"surge:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        policy = desk.surge_policy(tx, now)
        if not _open(tx, policy, How.HAND, actor, reason, now):
            raise SurgeConflict("大流量模式已在进行中")
        reply = _state(tx, policy, now)
        replies.keep(tx, keys, reply)
    return reply


def leave(desk: Desk, actor: Actor, reason: str, version: int, now: datetime) -> dict[str, Any]:
    """End the open surge by hand; what waits is sent, and none begins by itself until the state is released.

    Raises:
        NotPermitted: if the role may not.
        InvalidInput: without a reason.
        SurgeConflict: if none is open.
        StaleVersion: if it was changed since it was seen.
    """
    check_permitted(actor, Permission.SURGE)
    _check_told(reason, "reason")
    with desk.store.write() as tx:
        surge = _locked_open(tx)
        _close(tx, desk, surge, How.HAND, actor, reason, version, now)
        return _state(tx, desk.surge_policy(tx, now), now)


def release(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Leave it to the thresholds again; once more changes nothing.

    Raises:
        NotPermitted: if the role may not.
    """
    check_permitted(actor, Permission.SURGE)
    with desk.store.write() as tx:
        latest = surges.latest(tx, is_locked=True)
        if latest is not None and latest["is_held"]:
            surges.change(tx, latest["id"], latest["version"], {"is_held": False, "calm_since": None})
            tx.audit(now, actor, "release-surge", f"surge {latest['id']}")
            live.tell(tx, "surge", str(latest["id"]), now)
        return _state(tx, desk.surge_policy(tx, now), now)


def write(desk: Desk, actor: Actor, broadcast: str, public_text: str, version: int, now: datetime) -> dict[str, Any]:
    """Change what agents and crews, and what the public page, are told.

    Raises:
        NotPermitted: if the role may not.
        SurgeConflict: if none is open.
        StaleVersion: if it was changed since it was seen.
    """
    check_permitted(actor, Permission.SURGE)
    check_text(broadcast, "broadcast")
    check_text(public_text, "public_text")
    with desk.store.write() as tx:
        surge = _locked_open(tx)
        texts = {"broadcast": broadcast, "public_text": public_text}
        surges.change(tx, surge["id"], version, texts)
        tx.audit(now, actor, "write-surge", f"surge {surge['id']}", **texts)
        live.tell(tx, "surge", str(surge["id"]), now)
        return _state(tx, desk.surge_policy(tx, now), now)


def _check_told(text: str, field: str) -> None:
    check_text(text, field)
    if not text.strip():
        raise InvalidInput("请写明原因", field=field)


def _locked_open(tx: Tx) -> dict[str, Any]:
    surge = surges.latest(tx, is_locked=True)
    if surge is None or not surge["is_open"]:
        raise SurgeConflict("大流量模式没有开启")
    return surge


# ---------------------------------------------------------------- by the thresholds


def watch(desk: Desk, clock: Callable[[], datetime]) -> Watched:
    """Begin or end a surge where the thresholds say so, and send the digests that are due.

    Any number of schedulers may look: what they found is looked at again under the lock of the surge.
    """
    now = clock()
    with desk.store.read() as tx:
        policy, surge = desk.surge_policy(tx, now), surges.latest(tx)
        move = _judged(tx, policy, surge, now)
    is_due = surge is not None and surge["is_open"] and surge["digest_at"] <= now
    if move is None and not is_due:
        return Watched()
    sent = 0
    with desk.store.write() as tx:
        now = clock()
        surge = surges.latest(tx, is_locked=True)
        move = _judged(tx, policy, surge, now)
        if move is not None:
            sent += _follow(tx, desk, policy, surge, move, now)
        if surge is not None and surge["is_open"] and move is not Move.LEAVE and surge["digest_at"] <= now:
            sent += digests.send(tx, desk, surge, now)
    return Watched(move, sent)


def _judged(tx: Tx, policy: SurgePolicy | None, surge: Mapping[str, Any] | None, now: datetime) -> Move | None:
    standing = Standing(surge["is_open"], surge["is_held"], surge["calm_since"]) if surge else Standing()
    if policy is None or standing.is_held:
        return None
    return judge(standing, policy, surges.calls_between(tx, now - policy.window, now), now)


def _follow(
    tx: Tx, desk: Desk, policy: SurgePolicy | None, surge: dict[str, Any] | None, move: Move, now: datetime
) -> int:
    """Do what the thresholds ask for; return how many digests went out."""
    if surge is None or move is Move.ENTER:
        _open(tx, policy, How.THRESHOLDS, SYSTEM, "来电达到进入门槛", now)
        return 0
    if move is Move.LEAVE:
        return _close(tx, desk, surge, How.THRESHOLDS, SYSTEM, "来电已回落", surge["version"], now)
    surges.note(tx, surge["id"], calm_since=now if move is Move.CALM else None)
    return 0


# ---------------------------------------------------------------- what both do


def _open(tx: Tx, policy: SurgePolicy | None, how: How, actor: Actor, reason: str, now: datetime) -> bool:
    """Open a surge; False where one is."""
    figures = _figures(tx, policy, now)
    values = {
        "is_open": True,
        "is_held": how is How.HAND,
        "version": 1,
        "entered_at": now,
        "entered_how": how.value,
        "entered_by": actor.label,
        "reason": reason,
        "figures": figures,
        "broadcast": policy.broadcast if policy else "",
        "public_text": policy.public_text if policy else "",
        "digest_to": list(policy.digest_to) if policy else [],
        "at_once": list(policy.at_once) if policy else [],
        "digest_every_s": (policy.digest_every if policy else _IDLE).total_seconds(),
        "digest_at": now + (policy.digest_every if policy else _IDLE),
        "digests": 0,
    }
    surge_id = surges.open_new(tx, values)
    if surge_id is None:
        return False
    directory.turn_page(tx)
    tx.audit(now, actor, "enter-surge", f"surge {surge_id}", how=how.value, reason=reason, **figures)
    live.tell(tx, "surge", str(surge_id), now)
    return True


def _close(
    tx: Tx, desk: Desk, surge: Mapping[str, Any], how: How, actor: Actor, reason: str, version: int, now: datetime
) -> int:
    """Close a surge whose row is locked, and send what waits; return how many digests went out."""
    values = {"is_open": False, "is_held": how is How.HAND, "left_at": now, "left_how": how.value}
    surges.change(tx, surge["id"], version, {**values, "left_by": actor.label, "left_reason": reason})
    surges.end_widenings(tx, surge["id"])
    sent = digests.send(tx, desk, surge, now)
    directory.turn_page(tx)
    tx.audit(now, actor, "leave-surge", f"surge {surge['id']}", how=how.value, reason=reason)
    live.tell(tx, "surge", str(surge["id"]), now)
    return sent


# ---------------------------------------------------------------- what is shown


def state(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return how things stand: the open surge or None, the calls of the window, and the thresholds.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        return _state(tx, desk.surge_policy(tx, now), now)


def history(desk: Desk, actor: Actor, *, after: int, limit: int) -> dict[str, Any]:
    """Return a page of surges, newest first: `{items, next}`.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rows = surges.page(tx, after, limit + 1)
        widenings = surges.widenings(tx, [row["id"] for row in rows])
    shown = [_surge(row, [one for one in widenings if one["surge_id"] == row["id"]]) for row in rows[:limit]]
    return {"items": shown, "next": shown[-1]["id"] if len(rows) > limit else None}


def public_text(desk: Desk) -> str | None:
    """Return what the public page says of an open surge, or None."""
    with desk.store.read() as tx:
        latest = surges.latest(tx)
    return latest["public_text"] if latest is not None and latest["is_open"] else None


def _figures(tx: Tx, policy: SurgePolicy | None, now: datetime) -> dict[str, Any]:
    window = policy.window if policy else _WINDOW
    calls, window_s = surges.calls_between(tx, now - window, now), window.total_seconds()
    return {"calls": calls, "window_s": window_s, "calls_per_minute": round(calls * 60 / window_s, 1)}


def _state(tx: Tx, policy: SurgePolicy | None, now: datetime) -> dict[str, Any]:
    latest = surges.latest(tx)
    surge = latest if latest is not None and latest["is_open"] else None
    return {
        "server_time": present.time(now),
        "surge": surge and _surge(surge, surges.widenings(tx, [surge["id"]])),
        "is_held": bool(latest and latest["is_held"]),
        "is_automatic": policy is not None and not (latest and latest["is_held"]),
        **_figures(tx, policy, now),
        "enter_calls": policy and policy.enter_calls,
        "leave_calls": policy and policy.leave_calls,
        "calm_s": policy and policy.calm.total_seconds(),
        "waiting": items.waiting(tx, surge["id"]) if surge else 0,
        "widenable": {
            "levels": list(policy.levels) if policy else [],
            "clocks": list(policy.clocks) if policy else [],
            "most": policy.most if policy else 1.0,
        },
    }


_PLAIN = (
    "id", "version", "is_open", "entered_how", "entered_by", "reason", "figures", "left_how", "left_by", "left_reason",
    "broadcast", "public_text", "digest_to", "at_once", "digest_every_s", "digests",
)  # fmt: skip
_WIDENING = (
    "id", "state", "levels", "clocks", "factor", "word", "is_for_running", "proposed_by_id", "proposed_by",
    "decided_by", "note", "widened",
)  # fmt: skip


def _surge(row: Mapping[str, Any], widenings: list[dict[str, Any]]) -> dict[str, Any]:
    times = ("entered_at", "left_at", "calm_since", "digest_at")
    return {
        **{name: row[name] for name in _PLAIN},
        **{name: present.time(row[name]) for name in times},
        "widenings": [widening(one) for one in widenings],
    }


def widening(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public form of a widening."""
    times = ("proposed_at", "decided_at")
    return {
        **{name: row[name] for name in _WIDENING},
        **{name: present.time(row[name]) for name in times},
        "is_under_way": row["after"] is not None,
    }
