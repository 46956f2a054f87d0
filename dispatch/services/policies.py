"""Versions of the policy: read, checked, tried on the past, and published by one person with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import dry_run, policy_checks, policy_words
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.policy import Policy
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.sla import CLOCK_LABELS
from dispatch.domain.times import shanghai_day
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import directory, policies, replies
from dispatch.storage.db import Tx

# The newest are shown; a city publishes a few a year.
_SHOWN = 200
PAST = timedelta(days=90)
# Tickets of one step of a dry run: some tenths of a second.
STEP = 1000
_DRAFT = "draft"


def versions(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the versions, the one that is valid last first, and which one holds now.

    Raises:
        NotPermitted: if the role may not.
    """
    check_permitted(actor, Permission.POLICY)
    with desk.store.read() as tx:
        current = directory.book(tx).policy_at(now)
        return {"items": [_head(row, current) for row in policies.heads(tx, _SHOWN)], "current": current}


def version(desk: Desk, actor: Actor, name: str, now: datetime) -> dict[str, Any]:
    """Return one version with its content, in plain language too.

    Raises:
        NotPermitted: if the role may not.
        NotFound: if there is no such version.
    """
    check_permitted(actor, Permission.POLICY)
    with desk.store.read() as tx:
        row = policies.find(tx, name)
        if row is None:
            raise NotFound(f"没有政策版本“{name[:40]}”")
        policy = desk.policy(tx, name)
        current = directory.book(tx).policy_at(now)
    return {**_head(row, current), "policy": row["raw"], "preview": _preview(policy, now)}


def check(desk: Desk, actor: Actor, form: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what is wrong about a form, and what it says in plain language; nothing is kept.

    Raises:
        NotPermitted: if the role may not.
        InvalidPolicy: if it is larger than any policy, or has characters that no person types.
    """
    check_permitted(actor, Permission.POLICY)
    policy, problems = policy_checks.read(_raw(form, now))
    told = [{"field": problem.field, "detail": problem.detail} for problem in problems]
    return {"problems": told, "preview": _preview(policy, now) if policy else []}


def publish(
    desk: Desk,
    actor: Actor,
    form: Mapping[str, Any],
    *,
    reason: str,
    valid_from: datetime | None,
    now: datetime,
    key: str | None = None,
) -> dict[str, Any]:
    """Keep a form as a new version, valid from `valid_from` or from now on; tickets keep the one they were made under.

    Raises:
        NotPermitted: if the role may not.
        InvalidPolicy: if something is wrong about it, with all of it as `problems`.
        InvalidInput: without a reason, or for a time that has passed.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.POLICY)
    if not reason.strip():
        raise InvalidInput("请写明修改原因", field="reason")
    check_text(reason, "reason")
    if valid_from is not None and valid_from < now:
        raise InvalidInput("生效时间不能早于现在", field="valid_from")
    since = valid_from or now
    policy_checks.check(_raw(form, since))
    keys = [(f"policy:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    told = {"policy": dict(form), "reason": reason, "valid_from": present.time(valid_from)}
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(told), now)
        if first is not None:
            return first
        name = _keep(tx, actor, form, reason, since, now)
        row = policies.find(tx, name) or {}
        reply = _head(row, name if since <= now else None)
        replies.keep(tx, keys, reply)
    return reply


def _keep(tx: Tx, actor: Actor, form: Mapping[str, Any], reason: str, since: datetime, now: datetime) -> str:
    """Store the form under the first free name of the day."""
    count = 1
    while True:
        name = f"{shanghai_day(now)}-{count}"
        raw = policy_checks.form(form, name, since.isoformat())
        if directory.add_policy(tx, name, since, raw, now, author=actor.label, reason=reason):
            tx.audit(now, actor, "publish-policy", name, reason=reason, valid_from=since.isoformat())
            return name
        count += 1


def try_on_the_past(desk: Desk, actor: Actor, form: Mapping[str, Any], after: int, now: datetime) -> dict[str, Any]:
    """Count which clocks of the last 90 days would have been broken under a form; one step, `next` is where to go on.

    Raises:
        NotPermitted: if the role may not.
        InvalidPolicy: if something is wrong about it.
    """
    check_permitted(actor, Permission.POLICY)
    policy = policy_checks.check(_raw(form, now))
    count = dry_run.Count()
    with desk.store.read() as tx:
        total = policies.count_since(tx, now - PAST) if after == 0 else None
        past, tickets, last = policies.past(tx, now - PAST, after, STEP)
    count.add(past, policy, now)
    return {
        "tickets": tickets,
        "total": total,
        "clocks": count.clocks,
        "before": count.before.total(),
        "after": count.after.total(),
        "rows": [
            {
                "level": level,
                "clock": kind.value,
                "label": CLOCK_LABELS[kind],
                "before": count.before[level, kind],
                "after": count.after[level, kind],
            }
            for level, kind in sorted(count.before)
        ],
        "next": last,
    }


def _raw(form: Mapping[str, Any], since: datetime) -> dict[str, Any]:
    return policy_checks.form(form, _DRAFT, since.isoformat())


def _preview(policy: Policy, now: datetime) -> list[dict[str, str]]:
    return [asdict(sentence) for sentence in policy_words.sentences(policy, now)]


def _head(row: Mapping[str, Any], current: str | None) -> dict[str, Any]:
    return {
        "version": row["version"],
        "valid_from": present.time(row["valid_from"]),
        "loaded_at": present.time(row["loaded_at"]),
        "author": row["author"],
        "reason": row["reason"],
        "is_current": row["version"] == current,
    }
