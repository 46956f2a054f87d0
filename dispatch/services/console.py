"""What the agent sees while the caller speaks: who it is, where it would go, what is open nearby. Saves nothing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.call import check_phone, mask_phone
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.flags import Care
from dispatch.domain.place import Point, Wgs84Point, metres_per_degree, to_wgs84
from dispatch.domain.policy import Policy
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.sla import CLOCK_LABELS, ClockKind
from dispatch.domain.states import STATUS_LABELS, Status
from dispatch.geocode.geodesic import distance_m
from dispatch.services import outage_answers, outage_view, present, recommend, similar, watching, widening
from dispatch.services.desk import Desk, Rules
from dispatch.services.routing import Placing, place_call
from dispatch.services.watching import Known
from dispatch.storage import callers, cti
from dispatch.storage.db import Tx

FREQUENT_WITHIN = timedelta(days=30)
_CALLS_SHOWN, _TICKETS_SHOWN, _NEAR_SHOWN, _GRIDS_SHOWN = 5, 9, 9, 9
# No name is given twice; a household has a few.
_CALLS_READ = 30


# ---------------------------------------------------------------- who calls


def caller(desk: Desk, actor: Actor, key: str, now: datetime) -> dict[str, Any]:
    """Return what is known of a number: names, open tickets, the last calls. That it was looked at is audited.

    Args:
        desk: The process's desk.
        actor: Who looks; the one who claimed the call sees the number itself.
        key: The id of a call of the telephone platform, or a number.
        now: The server's time.

    Raises:
        NotFound: for a key that is neither a known call nor a number.
    """
    check_permitted(actor, Permission.CALL)
    with desk.store.write() as tx:
        phone, is_revealed = _phone_of(tx, actor, key)
        history = callers.last_calls(tx, phone, _CALLS_READ) if phone else []
        rows = callers.open_tickets(tx, phone, _TICKETS_SHOWN) if phone else []
        calls_30d = callers.count_since(tx, phone, now - FREQUENT_WITHIN) if phone else 0
        if phone:
            seen = sorted({row["number"] for row in history[:_CALLS_SHOWN] if row["number"]})
            tx.audit(now, actor, "view-caller", f"caller {mask_phone(phone)}", tickets=seen)
        policy = desk.rules(tx, now).policy
        return {
            "caller_phone": phone if is_revealed else mask_phone(phone),
            "is_revealed": is_revealed,
            "names": list(dict.fromkeys(row["caller_name"] for row in history if row["caller_name"])),
            "calls_30d": calls_30d,
            "is_frequent": calls_30d >= desk.settings.frequent_calls,
            "open_tickets": [present.from_row(tx, desk, row, now) for row in rows],
            "calls": [_past_call(row, policy) for row in history[:_CALLS_SHOWN]],
        }


def _phone_of(tx: Tx, actor: Actor, key: str) -> tuple[str | None, bool]:
    """Return the number, and whether `actor` may see it: she is talking to it, or typed it herself."""
    row = cti.find(tx, key)
    if row is not None:
        return row["caller_phone"], row["claimed_by"] == actor.user_id
    try:
        check_phone(key, "key")
    except InvalidInput:
        raise NotFound(f"没有来电或号码 {key[:40]}", field="key") from None
    return key, True


def _past_call(row: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    category = policy.categories.get(row["category"])
    return {
        **{name: row[name] for name in ("outcome", "category", "description", "address", "answer", "number")},
        "call_id": row["id"],
        "called_at": present.time(row["called_at"]),
        "category_label": category.label if category else row["category"],
        "status": row["status"],
        "status_label": STATUS_LABELS[Status(row["status"])] if row["status"] else None,
    }


# ---------------------------------------------------------------- where it would go


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A call as far as it is written down; None or empty is what nobody has said yet."""

    called_at: datetime
    category: str | None = None
    answers: Mapping[str, bool | str] = field(default_factory=dict)
    point: Point | None = None
    address: str = ""
    description: str = ""
    caller_phone: str | None = None
    pipe_dn: int | None = None
    appointment_at: datetime | None = None
    is_approximate: bool = False


def preview(desk: Desk, actor: Actor, sketch: Sketch, now: datetime) -> dict[str, Any]:
    """Return where a call would go, what would be due when, as intake would do it, and the outages known there.

    `suggestions` are the open tickets that it may be about, the most likely first.
    `answered_by` is the one that the call would be answered with instead of a dispatch, or None.
    `advice` says who should go and, in words, where nobody is expected in time; None without a place in the city.

    Raises:
        InvalidInput: for an unknown category, or an answer that does not fit it.
    """
    check_permitted(actor, Permission.CALL)
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        placing = place_call(desk, tx, rules, sketch.point, sketch.address, PlacedBy.PIN)
        suggestions = _suggestions(tx, desk, sketch, placing, now)
        known = outage_view.known_in(tx, rules, now, placing.zone.zone_id) if placing.zone else []
        is_exact = not sketch.is_approximate
        answered = outage_answers.covering(
            tx, desk, rules, sketch.category, placing, sketch.address, is_exact=is_exact, at=sketch.called_at
        )
        care = _care(tx, rules.policy, sketch, now)
    level = care.level if care else None
    promises = _promises(rules, sketch, level, placing, now)
    told = {
        "outages": known,
        "suggestions": suggestions,
        "answered_by": answered and answered.form(),
        "care": care.text or None if care else None,
        "advice": _advice(desk, placing, promises["clocks"], now),
    }
    return {**_place_form(placing), **promises, **told}


def _suggestions(tx: Tx, desk: Desk, sketch: Sketch, placing: Placing, now: datetime) -> list[dict[str, Any]]:
    if sketch.category is None:
        return []
    probe = similar.Probe(
        point=placing.point,
        address=sketch.address,
        category=sketch.category,
        description=sketch.description,
        caller_phone=sketch.caller_phone,
        called_at=sketch.called_at,
    )
    return similar.shown(tx, desk, similar.find(tx, desk, probe, now))


def _advice(desk: Desk, placing: Placing, clocks: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Any] | None:
    if placing.point is None:
        return None
    due = next((clock["due_at"] for clock in clocks if clock["kind"] == ClockKind.ARRIVE), None)
    left_s = (datetime.fromisoformat(due) - now).total_seconds() if due else None
    team_id = placing.assignment.team_id if placing.assignment else None
    return recommend.told(recommend.advise(desk, placing.point, team_id, left_s, now))


def _care(tx: Tx, policy: Policy, sketch: Sketch, now: datetime) -> Care | None:
    """Return the level with the customer flags of caller and place, as intake would; None where there is no level."""
    if sketch.category is None:
        return None
    category = policy.category(sketch.category)
    category.check_answers(sketch.answers)
    if category.level is None:
        return None
    at_door = to_wgs84(sketch.point) if sketch.point and not sketch.is_approximate else None
    known = Known(phone=sketch.caller_phone, address=sketch.address, point=at_door, category=category.id)
    level = policy.level_of(category, sketch.answers)
    return watching.sight(tx, policy, known, now).care(policy, category.id, level)


def _place_form(placing: Placing) -> dict[str, Any]:
    route, to = placing.route, placing.assignment
    return {
        "status": placing.status,
        "reason": placing.reason,
        "zone_id": route.zone_id if route else None,
        "zone_name": route.zone_name if route else None,
        "boundary_m": route.boundary_m if route else None,
        "neighbour_zone_id": route.neighbour_zone_id if route else None,
        "neighbour_m": route.neighbour_m if route else None,
        "team_id": to.team_id if to else None,
        "team_name": to.team_name if to else None,
        "steward": placing.steward,
        "area": placing.area.value,
        "lon": placing.point.lon if placing.point else None,
        "lat": placing.point.lat if placing.point else None,
        "doubt": placing.doubt and {"values": placing.doubt.values, "text": placing.doubt.text},
    }


def _promises(rules: Rules, sketch: Sketch, level: str | None, placing: Placing, now: datetime) -> dict[str, Any]:
    if level is None or sketch.category is None:
        return {"level": None, "level_label": None, "needs_appointment": False, "clocks": []}
    policy = rules.policy
    limits = policy.limits_for(level, placing.area, sketch.pipe_dn, sketch.category)
    branch = placing.assignment.branch if placing.assignment else None
    started = {
        kind: policy.start_clock(level, limit, 1, sketch.called_at, sketch.appointment_at, branch)
        for kind, limit in limits.items()
        if kind is not ClockKind.CALLBACK
    }
    wide, why = widening.apply([clock for clock in started.values() if clock], level, policy, rules.widenings, now)
    by_kind = {clock.kind: clock for clock in wide}
    return {
        "level": level,
        "level_label": policy.levels[level].label,
        "needs_appointment": any(limit.within.unit == "appointment" for limit in limits.values()),
        "clocks": [
            {
                "kind": kind.value,
                "label": CLOCK_LABELS[kind],
                "due_at": present.time(clock.due_at) if clock else None,
                "basis": f"{limits[kind].basis}; {why}" if clock and clock.widening_id else limits[kind].basis,
            }
            for kind in started
            for clock in [by_kind.get(kind)]
        ],
    }


def grids(desk: Desk, actor: Actor, name: str, now: datetime) -> dict[str, Any]:
    """Return the grids whose id or name has `name` in it, with a place inside each (WGS-84): `{items}`, the best first.

    The place is the middle of the grid, not the caller's: whoever uses it must say that it is approximate.
    """
    check_permitted(actor, Permission.CALL)
    wanted = _plain(name)
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    found = [zone for zone in zones if wanted and wanted in f"{_plain(zone.zone_id)} {_plain(zone.name)}"]
    found.sort(key=lambda zone: (_plain(zone.zone_id) != wanted, zone.zone_id))
    items = []
    for zone in found[:_GRIDS_SHOWN]:
        inside = zone.geometry.representative_point()
        shown = {"zone_id": zone.zone_id, "name": zone.name, "branch": zone.branch}
        items.append({**shown, "lon": round(inside.x, 6), "lat": round(inside.y, 6)})
    return {"items": items}


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


# ---------------------------------------------------------------- what is open nearby


def nearby(desk: Desk, actor: Actor, point: Point, radius_m: float, now: datetime) -> dict[str, Any]:
    """Return the open tickets within `radius_m` metres of a place, nearest first: `{items}` with `distance_m`."""
    check_permitted(actor, Permission.CALL)
    here = to_wgs84(point)
    with desk.store.read() as tx:
        near = _ranked(tx, here, radius_m)
        rows = callers.tickets(tx, [ticket_id for _, ticket_id in near])
        items = [
            {**present.from_row(tx, desk, rows[ticket_id], now), "distance_m": round(metres, 1)}
            for metres, ticket_id in near
        ]
    return {"items": items}


def _ranked(tx: Tx, here: Wgs84Point, radius_m: float) -> list[tuple[float, int]]:
    """Return (geodesic metres, id) of the nearest; the rough distance picks whom the exact one is worked out for."""
    east_m, north_m = metres_per_degree(here.lat)
    # The rough metres may be short by a share of 1e-4 at 5 km: the box is a little wider.
    wide, high = radius_m * 1.01 / east_m, radius_m * 1.01 / north_m
    low, up = Wgs84Point(here.lon - wide, here.lat - high), Wgs84Point(here.lon + wide, here.lat + high)
    rough = sorted(
        (math.hypot((point.lon - here.lon) * east_m, (point.lat - here.lat) * north_m), ticket_id, point)
        for ticket_id, point in callers.open_in_box(tx, low, up)
    )
    exact = ((distance_m(here, point), ticket_id) for _, ticket_id, point in rough[: 2 * _NEAR_SHOWN])
    return sorted(found for found in exact if found[0] <= radius_m)[:_NEAR_SHOWN]
