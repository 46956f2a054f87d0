"""Notices that water is off: published, restored, listed; open screens hear of each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from dispatch.domain import outage
from dispatch.domain.errors import NotFound
from dispatch.domain.outage import KEPT_AFTER_END, NewOutage, check_outage
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import live, present
from dispatch.services.desk import Desk, Rules
from dispatch.storage import outages, replies
from dispatch.storage.db import Tx


def publish(
    desk: Desk, actor: Actor, told: NewOutage, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Publish a notice and return it.

    Args:
        desk: The process's desk.
        actor: Who publishes.
        told: The notice.
        body: Its JSON form as it came, by which a repeated request is told from another one.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role publishes none.
        InvalidInput: with the field at fault.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.OUTAGE)
    keys = [(f"outage:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        rules = desk.rules(tx, now)
        check_outage(told, _names(rules), now)
        zone_ids = list(dict.fromkeys(told.zone_ids))
        values = {**asdict(told), "zone_ids": zone_ids, "published_by": actor.user_id, "published_at": now}
        outage_id = outages.add(tx, values | {"restored_at": None})
        tx.audit(now, actor, "outage", f"outage {outage_id}", title=told.title, zone_ids=zone_ids)
        live.tell(tx, "outage", str(outage_id), now)
        reply = _shown(outages.find(tx, outage_id), rules, now)
        replies.keep(tx, keys, reply)
    return reply


def restore(desk: Desk, actor: Actor, outage_id: int, now: datetime) -> dict[str, Any]:
    """Write down that water is back and return the notice; once more changes nothing.

    Raises:
        NotPermitted: if the role publishes none.
        NotFound: if there is no such notice.
    """
    check_permitted(actor, Permission.OUTAGE)
    with desk.store.write() as tx:
        if outages.restore(tx, outage_id, now):
            tx.audit(now, actor, "restore", f"outage {outage_id}")
            live.tell(tx, "outage", str(outage_id), now)
        return _shown(outages.find(tx, outage_id), desk.rules(tx, now), now)


def listed(desk: Desk, actor: Actor, *, after: int, limit: int, now: datetime) -> dict[str, Any]:
    """Return a page of all notices, newest first: `{items, next}`."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        rows = outages.page(tx, after, limit + 1)
    items = [_shown(row, rules, now) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def known(desk: Desk, now: datetime) -> list[dict[str, Any]]:
    """Return what everybody may know: the notices that hold now or will, in order of their start."""
    with desk.store.read() as tx:
        return known_in(tx, desk.rules(tx, now), now)


def known_in(tx: Tx, rules: Rules, now: datetime, zone_id: str | None = None) -> list[dict[str, Any]]:
    """Return the notices that hold now or will, of one grid if it is given."""
    rows = outages.open_(tx, now - KEPT_AFTER_END)
    return [_shown(row, rules, now) for row in rows if zone_id is None or zone_id in row["zone_ids"]]


def _shown(row: Mapping[str, Any] | None, rules: Rules, now: datetime) -> dict[str, Any]:
    """Return the public form of a notice: who published it is no part of it."""
    if row is None:
        raise NotFound("没有这条停水公告")
    names = _names(rules)
    return {
        **{name: row[name] for name in ("id", "title", "place", "is_planned", "zone_ids")},
        "zones": [names.get(zone_id, zone_id) for zone_id in row["zone_ids"]],
        **{name: present.time(row[name]) for name in ("starts_at", "ends_at", "restored_at", "published_at")},
        "phase": outage.phase(row["starts_at"], row["ends_at"], row["restored_at"], now).value,
    }


def _names(rules: Rules) -> dict[str, str]:
    return {zone.zone_id: zone.name for zone in rules.zones.zones}
