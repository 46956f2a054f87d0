"""Rosters: read as drafts, checked against grids, leave and time, published in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.roster import Plan, Roster
from dispatch.domain.roster_checks import check_plan, check_zones, uncovered
from dispatch.domain.roster_file import Finding, InvalidRoster, raw_of, read_plan
from dispatch.domain.times import shanghai_text
from dispatch.domain.zones import Zone
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.roster_book import plan_from
from dispatch.storage import directory, rosters
from dispatch.storage.db import Tx

# So far ahead holes are looked for, and shifts that overlap.
AHEAD = timedelta(weeks=4)
# The clocks of two machines differ a little.
_SLACK = timedelta(minutes=5)
_MOST_NAME = 100
_MOST_TOLD = 500


class RosterHoles(DispatchError):
    """A roster that leaves zones without anybody, and nobody has said that this is known."""

    code = "roster-holes"
    status = 409


def add(
    desk: Desk, actor: Actor, name: str, raw: Mapping[str, Any], now: datetime, *, is_sample: bool = False
) -> dict[str, Any]:
    """Store a roster as a draft and return it with all that is odd about it; one with a mistake is not kept at all.

    Raises:
        NotPermitted: if the role makes no rosters.
        InvalidInput: for an unusable name.
        InvalidRoster: with all mistakes by list, row and field.
    """
    check_permitted(actor, Permission.ROSTER)
    # What is kept is what was understood: anything else in the file is left behind.
    plan, _ = checked(name, raw, now)
    with desk.store.write() as tx:
        roster_id = keep(tx, actor, name.strip(), plan, now, is_sample=is_sample)
    return get(desk, actor, roster_id, now)


def keep(tx: Tx, actor: Actor, name: str, plan: Plan, now: datetime, *, is_sample: bool) -> int:
    """Store a checked plan as a draft inside a transaction, and return its id."""
    told = {"name": name, "body": raw_of(plan), "is_sample": is_sample}
    roster_id = rosters.add(tx, {**told, "made_by": actor.name, "made_at": now})
    tx.audit(now, actor, "add-roster", f"roster {roster_id}", name=name)
    return roster_id


def checked(name: str, raw: Mapping[str, Any], now: datetime) -> tuple[Plan, list[Finding]]:
    """Return the plan of a roster and what is odd about it; errors as of `add`."""
    if not name.strip() or len(name) > _MOST_NAME:
        raise InvalidInput(f"请给排班表起名, 最多 {_MOST_NAME} 个字", field="name")
    check_text(name, "name")
    return _checked(raw, now)


def _checked(raw: Mapping[str, Any], start_at: datetime) -> tuple[Plan, list[Finding]]:
    """Return a plan and what is odd about it, looked at from a time on; raise InvalidRoster for what is wrong."""
    plan, findings = read_plan(raw)
    if plan is not None:
        findings = check_plan(plan, start_at, start_at + AHEAD)
    fatal = [one.form() for one in findings if one.is_fatal]
    if plan is None or fatal:
        raise InvalidRoster(f"排班表有 {len(fatal)} 处错误, 未导入任何内容", findings=fatal[:_MOST_TOLD])
    return plan, findings


def listed(desk: Desk, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return all rosters without their content, the last one first, and which of them holds."""
    check_permitted(actor, Permission.ROSTER)
    with desk.store.read() as tx:
        live, found = desk.roster_id(tx, now), rosters.heads(tx)
    return [_head(row, is_live=row["id"] == live) for row in found]


def _head(row: Mapping[str, Any], *, is_live: bool) -> dict[str, Any]:
    times = {name: present.time(row[name]) for name in ("made_at", "valid_from", "published_at")}
    names = ("id", "name", "is_sample", "made_by", "published_by", "note", "uncovered_h")
    return {**{name: row[name] for name in names}, **times, "is_live": is_live}


def get(desk: Desk, actor: Actor, roster_id: int, now: datetime, valid_from: datetime | None = None) -> dict[str, Any]:
    """Return a roster with what is odd about it, and the hours of the four weeks to come without anybody.

    Args:
        desk: The process's desk.
        actor: Who asks.
        roster_id: Which.
        now: The server's time.
        valid_from: The four weeks begin here; by default when it becomes valid, and never before now.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where there is none.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.read() as tx:
        row = _existing(rosters.read(tx, roster_id))
        start = max(valid_from or row["valid_from"] or now, now)
        zones = _zones(tx, desk, start)
        roster = _ahead(tx, desk, row, start)
        live = desk.roster_id(tx, now)
    findings = [*check_plan(roster.plan, start, start + AHEAD), *check_zones(roster.plan, zones)]
    return {
        **_head(row, is_live=roster_id == live),
        "body": row["body"],
        "findings": [one.form() for one in findings[:_MOST_TOLD]],
        **holes_of(roster, zones, start),
    }


def _existing(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise NotFound("没有这份排班表")
    return row


def _zones(tx: Tx, desk: Desk, at: datetime) -> Sequence[Zone]:
    return desk.rules(tx, at).zones.zones


def _ahead(tx: Tx, desk: Desk, row: Mapping[str, Any], start: datetime) -> Roster:
    return desk.rosters.under(tx, plan_from(row["body"]), start, start + AHEAD)


def holes_of(roster: Roster, zones: Sequence[Zone], start: datetime) -> dict[str, Any]:
    """Return the zone-hours of the four weeks from `start` on without anybody, as the API tells them."""
    found = uncovered(roster, zones, start, start + AHEAD)
    return {
        "checked_from": present.time(start),
        "checked_to": present.time(start + AHEAD),
        "zone_hours": round(sum(one.zone_hours for one in found), 2),
        "holes": [
            {
                "unit_id": one.hole.unit_id,
                "zone_ids": list(one.zone_ids),
                "start_at": present.time(one.hole.start_at),
                "end_at": present.time(one.hole.end_at),
                "zone_hours": round(one.zone_hours, 2),
            }
            for one in found[:_MOST_TOLD]
        ],
        "hole_count": len(found),
    }


def publish(
    desk: Desk,
    actor: Actor,
    roster_id: int,
    valid_from: datetime,
    note: str,
    now: datetime,
    *,
    accepts_holes: bool = False,
) -> dict[str, Any]:
    """Let a draft hold from a time on, and return it; what holds until then is not touched.

    Args:
        desk: The process's desk.
        actor: Who publishes.
        roster_id: The draft.
        valid_from: From when on; not in the past.
        note: Why, for the record.
        now: The server's time.
        accepts_holes: Whether the hours without anybody, as `get` lists them, are known and accepted.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where there is none.
        InvalidInput: for a time in the past, or a roster that is published already.
        InvalidRoster: where shifts overlap from then on.
        RosterHoles: where zones are left without anybody, and that is not accepted.
    """
    check_permitted(actor, Permission.ROSTER)
    check_text(note, "note")
    if valid_from < now - _SLACK:
        raise InvalidInput("生效时间不能早于现在", field="valid_from")
    # Checked outside of the transaction that writes: a draft never changes, and calls must not wait for this.
    told = get(desk, actor, roster_id, now, valid_from)
    _checked(told["body"], valid_from)
    if told["hole_count"] and not accepts_holes:
        raise left_open(told)
    with desk.store.write() as tx:
        if _existing(rosters.read(tx, roster_id, is_locked=True))["valid_from"] is not None:
            raise InvalidInput("这份排班表已经发布", field="id")
        let_hold(tx, actor, roster_id, valid_from, note, told["zone_hours"], now)
    return get(desk, actor, roster_id, now)


def left_open(told: Mapping[str, Any]) -> RosterHoles:
    """Return the error that tells the holes, as of `holes_of`."""
    detail = f"{told['hole_count']} 段时间无人当班, 共 {told['zone_hours']} 网格·小时; 请补排, 或确认后发布"
    return RosterHoles(detail, zone_hours=told["zone_hours"], holes=told["holes"])


def let_hold(
    tx: Tx, actor: Actor, roster_id: int, valid_from: datetime, note: str, uncovered_h: float, now: datetime
) -> None:
    """Let a draft hold from a time on, inside a transaction."""
    values = {"valid_from": valid_from, "published_by": actor.name, "published_at": now, "note": note.strip()}
    rosters.publish(tx, roster_id, {**values, "uncovered_h": uncovered_h})
    directory.turn_page(tx)
    more = {"valid_from": shanghai_text(valid_from), "uncovered_h": uncovered_h, "note": note}
    tx.audit(now, actor, "publish-roster", f"roster {roster_id}", **more)


def drop(desk: Desk, actor: Actor, roster_id: int, now: datetime) -> dict[str, Any]:
    """Throw a draft away, and return what it was.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where there is none.
        InvalidInput: for one that is published: it is history.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        row = _existing(rosters.read(tx, roster_id, is_locked=True))
        if row["valid_from"] is not None:
            raise InvalidInput("已发布的排班表不能删除, 请发布新的一份", field="id")
        rosters.drop(tx, roster_id)
        tx.audit(now, actor, "drop-roster", f"roster {roster_id}", name=row["name"])
    return _head(row, is_live=False)
