"""How a notice is shown: to everybody, to the caller on the line, and to those who write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import shapely

from dispatch.domain import outage_picture
from dispatch.domain.errors import NotFound
from dispatch.domain.outage import (
    CANCELLED_FOR,
    KEPT_AFTER_END,
    Outage,
    OutageStatus,
    extension_words,
    outage_verbs,
    phase,
)
from dispatch.domain.outage_area import footprint, overlapping, segment_in, shape_of
from dispatch.domain.outage_words import announcement, known_text, late_return
from dispatch.domain.roles import PERMISSIONS, Actor, Permission, check_permitted
from dispatch.domain.times import shanghai_text
from dispatch.services import present
from dispatch.services.desk import Desk, Rules
from dispatch.storage import outages
from dispatch.storage.db import Tx

# What those see who write none: a draft promises nothing yet.
_PUBLIC = (OutageStatus.PUBLISHED, OutageStatus.RESTORED, OutageStatus.CANCELLED)
_PLAIN = ("id", "title", "place", "is_planned", "status", "zone_ids", "late_return_h")
_TIMES = ("starts_at", "ends_at", "restored_at", "published_at")


def shown(row: Mapping[str, Any], rules: Rules, now: datetime) -> dict[str, Any]:
    """Return the public form of a notice: who wrote it is no part of it."""
    names = names_of(rules)
    stands = phase(OutageStatus(row["status"]), row["starts_at"], row["ends_at"], now)
    return {
        **{name: row[name] for name in _PLAIN},
        **{name: present.time(row[name]) for name in _TIMES},
        "zones": [names.get(zone_id, zone_id) for zone_id in row["zone_ids"]],
        "estates": [estate["text"] for estate in row["estates"]],
        "area": geojson_of(row["area"]),
        "late_note": late_return(row["late_return_h"]),
        "extensions": [_extension(one) for one in row["extensions"]],
        "text": known_text(row, stands),
        "phase": stands.value,
    }


def geojson_of(wkb: bytes | None) -> dict[str, Any] | None:
    """Return an area as it is kept as GeoJSON, or None."""
    return None if wkb is None else json.loads(shapely.to_geojson(shape_of(wkb)))


def _extension(one: Mapping[str, str]) -> dict[str, str]:
    before, after = (datetime.fromisoformat(one[name]) for name in ("ends_from", "ends_to"))
    return {**one, "text": extension_words(before, after)}


def _is_words_alone(estate: Mapping[str, Any]) -> bool:
    return not estate["name"] and estate["lon"] is None and segment_in(estate) is None


def names_of(rules: Rules) -> dict[str, str]:
    """Return the names of the grids by id."""
    return {zone.zone_id: zone.name for zone in rules.zones.zones}


def staff_form(row: Mapping[str, Any], rules: Rules, now: datetime) -> dict[str, Any]:
    """Return the form for those who write notices: with its version and what may come next."""
    verbs = [verb.value for verb in outage_verbs(outage_of(row))]
    told = {name: row[name] for name in ("version", "created_by", "short_reason", "closed_reason")}
    return {**shown(row, rules, now), **told, "alarm_at": present.time(row["alarm_at"]), "verbs": verbs}


def outage_of(row: Mapping[str, Any]) -> Outage:
    """Return what the rules must know of a notice."""
    names = ("is_planned", "starts_at", "ends_at", "created_by", "short_reason")
    return Outage(status=OutageStatus(row["status"]), **{name: row[name] for name in names})


def whole(tx: Tx, row: Mapping[str, Any], rules: Rules, now: datetime) -> dict[str, Any]:
    """Return a notice with its history, what overlaps it, how many it answered, and its text for the newspaper."""
    names = names_of(rules)
    others = [other for other in outages.alive(tx, now) if other["id"] != row["id"]]
    history = outages.versions(tx, row["id"])
    return {
        **staff_form(row, rules, now),
        "warnings": [_overlap(other) for other in overlapping(row, others, rules.zones)],
        "answered": outages.answered(tx, row["id"]),
        "announcement": announcement(row, [names.get(zone_id, zone_id) for zone_id in row["zone_ids"]]),
        "unmatched": [estate["text"] for estate in row["estates"] if _is_words_alone(estate)],
        "history": [
            {**{name: one[name] for name in ("version", "by", "verb", "text", "shown")}, "at": present.time(one["at"])}
            for one in history
        ],
    }


def _overlap(other: Mapping[str, Any]) -> str:
    span = f"{shanghai_text(other['starts_at'])} 至 {shanghai_text(other['ends_at'])}"
    return f"与公告 {other['id']}“{other['title']}”的时间和范围重叠 ({span})"


def existing(row: dict[str, Any] | None) -> dict[str, Any]:
    """Return a notice that was looked for.

    Raises:
        NotFound: if there is none.
    """
    if row is None:
        raise NotFound("没有这条停水公告")
    return row


# ---------------------------------------------------------------- who asks


def listed(desk: Desk, actor: Actor, *, after: int, limit: int, now: datetime) -> dict[str, Any]:
    """Return a page of all notices that `actor` may know of, newest first: `{items, next}`."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        rows = outages.page(tx, after, limit + 1, () if _may_write(actor) else _PUBLIC)
    items = [staff_form(row, rules, now) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def detail(desk: Desk, actor: Actor, outage_id: int, now: datetime) -> dict[str, Any]:
    """Return a notice with all that is known of it.

    Raises:
        NotFound: if there is none, or it is a draft and not for the eyes of `actor`.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        return whole(tx, _seen(tx, actor, outage_id), desk.rules(tx, now), now)


def picture(desk: Desk, actor: Actor, outage_id: int, now: datetime) -> str:
    """Return a notice as a picture (SVG); `detail` tells what it raises."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        row, rules = _seen(tx, actor, outage_id), desk.rules(tx, now)
    names = names_of(rules)
    near = [names.get(zone_id, zone_id) for zone_id in row["zone_ids"]]
    return outage_picture.svg(row, rules.zones.zones, near, footprint(row, rules.zones))


def _seen(tx: Tx, actor: Actor, outage_id: int) -> dict[str, Any]:
    row = existing(outages.find(tx, outage_id))
    return existing(row if _may_write(actor) or row["status"] in _PUBLIC else None)


def _may_write(actor: Actor) -> bool:
    return Permission.OUTAGE in PERMISSIONS[actor.role]


def known(desk: Desk, now: datetime) -> list[dict[str, Any]]:
    """Return what everybody may know: the notices that hold now or will, then those cancelled within a day."""
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        gone = outages.cancelled(tx, now - CANCELLED_FOR)
        return known_in(tx, rules, now) + [shown(row, rules, now) for row in gone]


def known_in(tx: Tx, rules: Rules, now: datetime, zone_id: str | None = None) -> list[dict[str, Any]]:
    """Return the notices that hold now or will, of those that touch one grid if it is given."""
    rows = outages.open_(tx, now - KEPT_AFTER_END)
    return [shown(row, rules, now) for row in rows if zone_id is None or zone_id in row["touched_ids"]]
