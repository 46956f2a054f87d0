"""What a call is known by: the case it belongs to, the customer it concerns, the how-manieth it is. One query.

A call is looked for under its phone, its house in words and the square of the map it lies in; only where one of them is
watched are the cases and customers themselves read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain import case as rules_of
from dispatch.domain.address_match import place_of
from dispatch.domain.case import FREQUENT_WITHIN, SAME_SPOT_M, CaseKind, CaseStatus, number_of, spot_of
from dispatch.domain.cells import cell_of, cells_around
from dispatch.domain.flags import Care, CustomerFlag, care_for
from dispatch.domain.place import Wgs84Point
from dispatch.domain.policy import Policy
from dispatch.domain.roles import Actor
from dispatch.domain.ticket import Ticket
from dispatch.domain.times import shanghai_day
from dispatch.geocode.geodesic import distance_m
from dispatch.services import case_log
from dispatch.services.desk import Desk
from dispatch.storage import cases, customers, tickets, watched
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a call tells of who and where.

    Attributes:
        phone: The caller's number.
        address: In words.
        point: A pin at the door (WGS-84), or None where it is only near.
        category: What it is about, or None while nobody has said.
    """

    phone: str | None
    address: str = ""
    point: Wgs84Point | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Sighted:
    """What is known of a call.

    Attributes:
        spot: By which its house is known, or None.
        nth_of_caller: The how-manieth call of this number within 30 days it is; 0 without a number.
        nth_of_spot: The how-manieth of its kind from this house; 0 without a house.
        cases: Cases that take it, open or watched.
        flags: Customer flags of caller and place.
    """

    spot: str | None
    nth_of_caller: int = 0
    nth_of_spot: int = 0
    cases: Sequence[Mapping[str, Any]] = ()
    flags: Sequence[CustomerFlag] = ()

    def nth(self, frequent: int) -> int | None:
        """Return the how-manieth call it is where that is to be pointed out."""
        most = max(self.nth_of_caller, self.nth_of_spot)
        return most if most >= frequent else None

    def care(self, policy: Policy, category: str, level: str) -> Care:
        """Return what the flags change for a ticket."""
        return care_for(self.flags, category, level, list(policy.levels).index)


def columns(sighted: Sighted, care: Care, point: Wgs84Point | None, frequent: int) -> dict[str, Any]:
    """Return the ticket columns that tell of it; a pin that was quarantined names no house."""
    is_placed = point is not None or not (sighted.spot or "").startswith("@")
    return {
        "spot": sighted.spot if is_placed else None,
        "nth_call": sighted.nth(frequent),
        "flags": list(care.labels),
    }


def related(policy: Policy, category: str) -> frozenset[str]:
    """Return the categories that one problem may be told under."""
    return frozenset(one for one in policy.categories if one == category or policy.similar.are_related(one, category))


def keys_of(phone: str | None, spot: str | None, cells: Sequence[int]) -> list[str]:
    """Return what is looked for and watched."""
    keys = [f"p:{phone}"] if phone else []
    keys += [f"s:{spot}"] if spot else []
    return keys + [f"c:{cell}" for cell in cells]


def case_keys(row: Mapping[str, Any]) -> list[str]:
    """Return what a case is watched by: its person's phone, or its house in words and by place."""
    if row["kind"] == CaseKind.PERSON:
        return keys_of(row["phone"], None, ())
    point = _point(row)
    return keys_of(None, row["key"], cells_around(point, SAME_SPOT_M) if point else ())


def customer_keys(row: Mapping[str, Any]) -> list[str]:
    """Return what a customer is watched by: phone, house in words, and all squares within the radius."""
    point = _point(row)
    cells = cells_around(point, row["radius_m"] or SAME_SPOT_M) if point else ()
    return keys_of(row["phone"], spot_of(row["address"], None), cells)


def _point(row: Mapping[str, Any]) -> Wgs84Point | None:
    return None if row["lon"] is None else Wgs84Point(row["lon"], row["lat"])


def sight(tx: Tx, policy: Policy, known: Known, at: datetime) -> Sighted:
    """Return what is known of a call that comes in at `at` and is not written yet."""
    spot = spot_of(known.address, known.point)
    keys = keys_of(known.phone, spot, [cell_of(known.point)] if known.point else [])
    if not keys:
        return Sighted(spot)
    look = watched.look(tx, keys, known.phone, spot, at - FREQUENT_WITHIN)
    family = related(policy, known.category) if known.category else frozenset(policy.categories)
    of_spot = sum(count for category, count in look.of_spot.items() if category in family)
    return Sighted(
        spot,
        look.of_caller + 1 if known.phone else 0,
        of_spot + 1 if spot else 0,
        [row for row in _cases(tx, look, at) if _is_of_case(row, known, spot, family)],
        list(dict.fromkeys(_flags(tx, policy, look, known, spot, at))),
    )


def _cases(tx: Tx, look: watched.Look, at: datetime) -> list[dict[str, Any]]:
    """Return the cases that take calls at this moment; the end of a watch counts, not who noticed it when."""
    rows = cases.find_all(tx, sorted(look.case_ids)) if look.case_ids else []
    return [row for row in rows if row["status"] == CaseStatus.OPEN or (row["due_at"] and at <= row["due_at"])]


def _is_of_case(row: Mapping[str, Any], known: Known, spot: str | None, family: frozenset[str]) -> bool:
    if row["kind"] == CaseKind.PERSON:
        return bool(known.phone == row["phone"])
    is_same = (row["key"] == spot and _may_be_one(row["address"], known.address)) or _is_within(row, known, SAME_SPOT_M)
    return is_same and row["category"] in family


def _flags(
    tx: Tx, policy: Policy, look: watched.Look, known: Known, spot: str | None, at: datetime
) -> list[CustomerFlag]:
    rows = customers.find_all(tx, sorted(look.customer_ids)) if look.customer_ids else []
    today = shanghai_day(at)
    held = [row for row in rows if row["flag"] in policy.flags and (row["valid_until"] or today) >= today]
    return [policy.flags[row["flag"]] for row in held if _is_customer(row, known, spot)]


def _is_customer(row: Mapping[str, Any], known: Known, spot: str | None) -> bool:
    if known.phone is not None and row["phone"] == known.phone:
        return True
    if _is_within(row, known, row["radius_m"] or SAME_SPOT_M):
        return True
    return spot is not None and spot_of(row["address"], None) == spot and _may_be_one(row["address"], known.address)


def _is_within(row: Mapping[str, Any], known: Known, radius_m: float) -> bool:
    point = _point(row)
    return point is not None and known.point is not None and distance_m(point, known.point) <= radius_m


def _may_be_one(one: str, other: str) -> bool:
    """One road and number may be there in two districts: where both are told they must agree."""
    districts = {place_of(text).district for text in (one, other)} - {None}
    return len(districts) <= 1


# ---------------------------------------------------------------- what a call does to the cases that take it


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that has been written: its id, its words, and the ticket that it became or joined, which is locked."""

    call_id: int
    text: str
    at: datetime
    ticket: Ticket | None = None


def heard(tx: Tx, desk: Desk, sighted: Sighted, actor: Actor, call: Heard, now: datetime) -> None:
    """Let each case that takes the call know: its ticket is linked, a watched case opens again, its owner is told."""
    if not sighted.cases:
        return
    said = f"{call.ticket.number}: {call.text[:80]}" if call.ticket else f"已答复: {call.text[:80]}"
    rows = cases.lock_all(tx, [row["id"] for row in sighted.cases])
    decided = [(row, rules_of.called(cases.case_of(row), said, call.at)) for row in rows]
    # One that was closed since it was found is left alone.
    for row, change in [(row, change) for row, change in decided if change is not None]:
        if call.ticket:
            cases.link(tx, row["id"], [call.ticket.id], now, actor.user_id, is_auto=True)
            text = f"自动关联个案 {number_of(row['id'])} ({row['title']})"
            tickets.note(tx, call.ticket, "case", text, actor, now, at=call.at)
        case_log.write(tx, desk, row, change, actor, now)
