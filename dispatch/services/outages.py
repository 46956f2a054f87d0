"""Notices that water is off, from draft to restored; open screens hear of each change, every version is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import shapely

from dispatch.domain.errors import InvalidInput, StaleVersion
from dispatch.domain.outage import (
    NewOutage,
    OutageCommand,
    OutageStatus,
    OutageStep,
    OutageVerb,
    check_outage,
    decide_outage,
    next_alarm,
)
from dispatch.domain.outage_area import read_area, touched
from dispatch.domain.outage_words import back_text, cancelled_text
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import live, places, present
from dispatch.services.desk import Desk, Rules
from dispatch.services.outage_view import existing, geojson_of, names_of, outage_of, whole
from dispatch.storage import outages, outbox, replies
from dispatch.storage.db import Tx

_KEPT = ("title", "place", "is_planned", "late_return_h", "starts_at", "ends_at")
_SNAPSHOT = ("status", "title", "place", "is_planned", "zone_ids", "estates", "late_return_h", "extensions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody does to a notice; `version` is the one that was seen, if told."""

    verb: OutageVerb
    note: str = ""
    ends_at: datetime | None = None
    version: int | None = None


Work = Callable[[Tx, Rules], dict[str, Any]]


def publish(
    desk: Desk, actor: Actor, told: NewOutage, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Publish an emergency at once, by one person, and return it.

    Args:
        desk: The process's desk.
        actor: Who publishes.
        told: The notice.
        body: Its JSON form as it came, by which a repeated request is told from another one.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role publishes none.
        InvalidInput: with the field at fault; a planned one is drafted and approved first.
        IdempotencyMismatch: if the key came before with another body.
    """

    def work(tx: Tx, rules: Rules) -> dict[str, Any]:
        if told.is_planned:
            raise InvalidInput("计划停水请先存为草稿, 由另一人批准后再发布", field="is_planned")
        row = _add(tx, desk, rules, actor, told, now)
        return _do(tx, desk, rules, actor, row, Deed(verb=OutageVerb.PUBLISH), now)

    return _once(desk, actor, work, body, now, key)


def draft(
    desk: Desk, actor: Actor, told: NewOutage, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Keep a notice as a draft and return it; the arguments and errors of `publish`."""

    def work(tx: Tx, rules: Rules) -> dict[str, Any]:
        return whole(tx, _add(tx, desk, rules, actor, told, now), rules, now)

    return _once(desk, actor, work, body, now, key)


def revise(desk: Desk, actor: Actor, outage_id: int, told: NewOutage, deed: Deed, now: datetime) -> dict[str, Any]:
    """Change what a notice says before it is published, and return it; whoever changes it is who wrote it.

    Raises:
        NotFound: if there is no such notice.
        IllegalTransition: if it is published, or at its end.
        InvalidInput: with the field at fault.
        StaleVersion: if somebody else was faster.
    """
    check_permitted(actor, Permission.OUTAGE)
    with desk.store.write() as tx:
        row, rules = existing(outages.find(tx, outage_id, is_locked=True)), desk.rules(tx, now)
        _check_version(row, deed)
        step = decide_outage(outage_of(row), _command(actor, deed, now))
        values = _values(tx, desk, rules, told, now)
        changes = {**values, **step.changes, "created_by": actor.user_id}
        changed = OutageStep(step.target, step.text, changes)
        return whole(tx, _apply(tx, desk, actor, row, changed, deed.verb, now), rules, now)


def act(
    desk: Desk, actor: Actor, outage_id: int, deed: Deed, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Approve, publish, extend, restore, withdraw or cancel a notice, and return it.

    Args:
        desk: The process's desk.
        actor: Who acts.
        outage_id: Which notice.
        deed: What is done to it.
        body: Its JSON form as it came.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role writes none, or one approves what the same person wrote.
        NotFound: if there is no such notice.
        IllegalTransition: if its state does not allow it.
        InvalidInput: with the field at fault.
        StaleVersion: if somebody else was faster.
        IdempotencyMismatch: if the key came before with another body.
    """

    def work(tx: Tx, rules: Rules) -> dict[str, Any]:
        row = existing(outages.find(tx, outage_id, is_locked=True))
        _check_version(row, deed)
        if deed.verb is OutageVerb.RESTORE and row["status"] == OutageStatus.RESTORED:
            return whole(tx, row, rules, now)  # once more changes nothing
        return _do(tx, desk, rules, actor, row, deed, now)

    named = {"outage": outage_id, "verb": deed.verb.value, **body}
    return _once(desk, actor, work, named, now, key)


def restore(desk: Desk, actor: Actor, outage_id: int, now: datetime) -> dict[str, Any]:
    """Write down that water is back and return the notice; once more changes nothing. `act` tells what it raises."""
    return act(desk, actor, outage_id, Deed(verb=OutageVerb.RESTORE), {}, now)


# ---------------------------------------------------------------- inside the transaction


def _once(
    desk: Desk, actor: Actor, work: Work, body: Mapping[str, Any], now: datetime, key: str | None
) -> dict[str, Any]:
    """Do it once for each key, and give its answer again."""
    check_permitted(actor, Permission.OUTAGE)
    keys = [(f"outage:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        reply = work(tx, desk.rules(tx, now))
        replies.keep(tx, keys, reply)
    return reply


def _check_version(row: Mapping[str, Any], deed: Deed) -> None:
    if deed.version is not None and deed.version != row["version"]:
        raise StaleVersion("公告刚被他人更新, 请刷新后重试", field="version", current_version=row["version"])


def _command(actor: Actor, deed: Deed, now: datetime) -> OutageCommand:
    return OutageCommand(verb=deed.verb, at=now, by=actor.user_id, note=deed.note, ends_at=deed.ends_at)


def _values(tx: Tx, desk: Desk, rules: Rules, told: NewOutage, now: datetime) -> dict[str, Any]:
    """Return the columns of what was written, checked."""
    check_outage(told, names_of(rules), now)
    area = read_area(told.area, rules.zones) if told.area is not None else None
    values = {name: getattr(told, name) for name in _KEPT}
    values |= {
        "zone_ids": list(dict.fromkeys(told.zone_ids)),
        "area": shapely.to_wkb(area) if area is not None else None,
        "estates": [places.estate_form(desk, tx, words.strip()) for words in dict.fromkeys(told.estates)],
        "first_ends_at": told.ends_at,
    }
    return values | {"touched_ids": touched(values, rules.zones)}


def _add(tx: Tx, desk: Desk, rules: Rules, actor: Actor, told: NewOutage, now: datetime) -> dict[str, Any]:
    row = {
        **_values(tx, desk, rules, told, now),
        **dict.fromkeys(("approved_by", "approved_at", "published_by", "published_at", "restored_at", "alarm_at")),
        **{"short_reason": None, "closed_reason": None, "extensions": [], "alarms": 0},
        **{"status": OutageStatus.DRAFT.value, "version": 1, "created_by": actor.user_id, "created_at": now},
    }
    row["id"] = outages.add(tx, row)
    _note(tx, actor, row, "draft", "起草", now)
    return row


def _do(
    tx: Tx, desk: Desk, rules: Rules, actor: Actor, row: dict[str, Any], deed: Deed, now: datetime
) -> dict[str, Any]:
    step = decide_outage(outage_of(row), _command(actor, deed, now))
    return whole(tx, _apply(tx, desk, actor, row, step, deed.verb, now), rules, now)


def _apply(
    tx: Tx, desk: Desk, actor: Actor, row: Mapping[str, Any], step: OutageStep, verb: OutageVerb, now: datetime
) -> dict[str, Any]:
    """Write what was decided: the columns, a version, the audit, and who is told; return the notice after it."""
    changes = {**step.changes, "status": step.target.value, "version": row["version"] + 1}
    if verb is OutageVerb.EXTEND:
        moved = {"ends_from": present.time(row["ends_at"]), "ends_to": present.time(changes["ends_at"])}
        changes["extensions"] = [*row["extensions"], {"at": present.time(now), **moved}]
    ends_at = changes.get("ends_at", row["ends_at"])
    before = timedelta(minutes=desk.settings.outage_alarm_min)
    is_on = step.target is OutageStatus.PUBLISHED
    changes |= {"alarms": 0, "alarm_at": next_alarm(ends_at, before, 0) if is_on else None}
    outages.change(tx, row["id"], changes)
    after = {**row, **changes}
    _note(tx, actor, after, verb.value, step.text, now)
    if verb is OutageVerb.RESTORE:
        _tell_callers(tx, desk, after, "back", back_text(after), now)
    elif verb is OutageVerb.CANCEL and row["starts_at"] <= now:
        _tell_callers(tx, desk, after, "cancelled", cancelled_text(after), now)
    return after


def _note(tx: Tx, actor: Actor, row: Mapping[str, Any], verb: str, text: str, now: datetime) -> None:
    """Keep a version; whoever looks later sees who made it and how the notice stood."""
    snapshot = {name: row[name] for name in _SNAPSHOT}
    snapshot |= {name: present.time(row[name]) for name in ("starts_at", "ends_at")}
    snapshot["area"] = geojson_of(row["area"])
    told = {"version": row["version"], "at": now, "by": actor.label, "verb": verb, "text": text, "shown": snapshot}
    outages.add_version(tx, {"outage_id": row["id"], **told})
    tx.audit(now, actor, f"outage-{verb}", f"outage {row['id']}", text=text, title=row["title"], version=row["version"])
    live.tell(tx, "outage", str(row["id"]), now)


def _tell_callers(tx: Tx, desk: Desk, row: Mapping[str, Any], what: str, text: str, now: datetime) -> None:
    """Queue how it ended for everybody who called about it: one message for a number, however often it called."""
    for n, phone in enumerate(outages.phones(tx, row["id"]) if outbox.to_callers(desk.channels) else ()):
        outbox.put(tx, outbox.rows_to_caller(phone, text, f"outage:{row['id']}:{what}:{n}", now, desk.channels))
