"""Open tickets that a call may be about, each with its score and reasons. Nothing is joined here: people do that."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.address_match import Place, Relation, place_of, relate
from dispatch.domain.cells import cells_around
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.similar import Aspects, Pair, Score, SimilarRules, score, threshold
from dispatch.domain.states import ACTIVE, STATUS_LABELS, Status
from dispatch.domain.ticket import Ticket
from dispatch.geocode.likeness import likeness, sound_alike
from dispatch.services import live, present
from dispatch.services.desk import Desk
from dispatch.storage import calls, similar, tickets
from dispatch.storage.db import Tx

# Of each square of the net, the address and the caller so many are looked at, the newest first.
MOST = 200
# A call that is being saved keeps others waiting: the newest will do, the agent has seen the others before.
AT_INTAKE = 12
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A call as far as it is known.

    Attributes:
        point: WGS-84, or None.
        address: In words, may be empty.
        category: Id of its category.
        description: What the caller said, may be empty.
        caller_phone: Digits, or None where the number is withheld.
        called_at: When it came in, aware.
    """

    point: Wgs84Point | None
    address: str
    category: str
    description: str
    caller_phone: str | None
    called_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An open ticket that may be about the same problem.

    Attributes:
        ticket_id: Its id.
        number: Its number.
        incident_id: The incident that it belongs to, or None.
        score: From the threshold of its category to 1.
        reasons: Why, in Chinese words.
        distance_m: Metres between the points, or None where one is not known.
        row: Columns of the ticket for the screens.
    """

    ticket_id: int
    number: str
    incident_id: int | None
    score: float
    reasons: tuple[str, ...]
    distance_m: float | None
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A probe with what is read out of it once for all comparisons."""

    probe: Probe
    place: Place
    aspects: Aspects
    is_alone: bool


def find(
    tx: Tx, desk: Desk, probe: Probe, now: datetime, *, without: Collection[int] = (), most: int = MOST
) -> list[Suggestion]:
    """Return the open tickets that a call may be about, the most likely first.

    Args:
        tx: The transaction.
        desk: The process's desk.
        probe: The call.
        now: Whose policy holds.
        without: Ids of tickets that are known to be of another problem.
        most: Of each part of the search so many are looked at, the newest first.
    """
    rules = desk.rules(tx, now).policy.similar
    rule = rules.categories.get(probe.category)
    if rule is None:
        return []
    heard = _Heard(
        probe, place_of(probe.address), rules.aspects_of(probe.description), rules.is_alone(probe.description)
    )
    cells = cells_around(probe.point, rules.reach_m(probe.category)) if probe.point else []
    rows = similar.candidates(tx, cells, heard.place.key, probe.caller_phone, most)
    found = (_judged(heard, row, rules) for row in rows if row["id"] not in without and row["status"] in ACTIVE)
    return sorted(filter(None, found), key=lambda one: (-one.score, -one.ticket_id))


def _judged(heard: _Heard, row: Mapping[str, Any], rules: SimilarRules) -> Suggestion | None:
    probe, categories = heard.probe, (heard.probe.category, row["category"])
    if not rules.are_related(*categories):
        return None
    place = place_of(row["address"])
    heard_as_one = sound_alike(heard.place.estate, place.estate)
    away = _metres(probe.point, row)
    relation = relate(heard.place, place, sound_alike=heard_as_one)
    pair = Pair(
        categories=categories,
        distance_m=away,
        relation=relation,
        place=_shared(relation, place),
        apart=probe.called_at - row["received_at"],
        is_same_caller=bool(row["is_same_caller"]),
        likeness=likeness(probe.description, row["description"]),
        aspects=(heard.aspects, rules.aspects_of(row["description"])),
        is_alone=heard.is_alone or rules.is_alone(row["description"]),
    )
    result = score(pair, rules)
    return _suggestion(row, result, away) if result.value >= threshold(rules, categories) else None


def _suggestion(row: Mapping[str, Any], result: Score, away: float | None) -> Suggestion:
    return Suggestion(
        ticket_id=row["id"],
        number=row["number"],
        incident_id=row.get("incident_id"),
        score=result.value,
        reasons=result.reasons,
        distance_m=away,
        row=row,
    )


def _shared(relation: Relation, place: Place) -> str:
    """What both addresses name, in words."""
    if relation is Relation.CROSSING and place.crossing:
        return "与".join(place.crossing)
    return place.estate or place.road or ""


def _metres(here: Wgs84Point | None, row: Mapping[str, Any]) -> float | None:
    if here is None or row["lon"] is None:
        return None
    east_m, north_m = metres_per_degree(here.lat)
    return math.hypot((row["lon"] - here.lon) * east_m, (row["lat"] - here.lat) * north_m)


def shown(tx: Tx, desk: Desk, found: Sequence[Suggestion]) -> list[dict[str, Any]]:
    """Return the public form of the best suggestions."""
    return [_form(tx, desk, one) for one in found[:SHOWN]]


def _form(tx: Tx, desk: Desk, one: Suggestion) -> dict[str, Any]:
    row = one.row
    policy = desk.policy(tx, row["policy_version"])
    return {
        **{name: row[name] for name in ("number", "status", "category", "address", "description", "lon", "lat")},
        "score": one.score,
        "reasons": list(one.reasons),
        "distance_m": None if one.distance_m is None else round(one.distance_m, 1),
        "status_label": STATUS_LABELS[Status(row["status"])],
        "category_label": policy.category(row["category"]).label,
        "received_at": present.time(row["received_at"]),
    }


# ---------------------------------------------------------------- of a ticket that is there already


def of_ticket(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Return the open tickets that may be about the same as an open one: `{items}`, the most likely first.

    Raises:
        NotPermitted: if the role takes no calls.
        NotFound: if there is no such ticket.
    """
    check_permitted(actor, Permission.CALL)
    with desk.store.read() as tx:
        row = present.find(tx, number)
        if row["status"] not in ACTIVE:
            return {"items": []}
        found = find(tx, desk, _probe_of(tx, row), now, without={row["id"], *similar.told_apart(tx, row["id"])})
        return {"items": shown(tx, desk, found)}


def _probe_of(tx: Tx, row: Mapping[str, Any]) -> Probe:
    (first,) = calls.of_ticket(tx, row["id"])[:1]
    return Probe(
        point=None if row["lon"] is None else Wgs84Point(row["lon"], row["lat"]),
        address=row["address"],
        category=row["category"],
        description=row["description"],
        caller_phone=first["caller_phone"],
        called_at=row["received_at"],
    )


# ---------------------------------------------------------------- not the same


def say_not_same(desk: Desk, actor: Actor, number: str, other: str, now: datetime) -> dict[str, Any]:
    """Remember that two tickets are of two problems, and return what is left of the first one's suggestions.

    Once more changes nothing.

    Raises:
        NotPermitted: if the role may not merge either.
        NotFound: if one of them is not there.
        InvalidInput: if both are one.
    """
    check_permitted(actor, Permission.MERGE)
    if number == other:
        raise InvalidInput("不能将工单与其自身排除", field="other")
    with desk.store.write() as tx:
        others = named(tx, [other], "other")
        ticket = tickets.lock(tx, number)
        if ticket is None:
            raise NotFound(f"没有工单 {number}")
        tell_apart(tx, actor, ticket, others, now)
    return of_ticket(desk, actor, number, now)


def named(tx: Tx, numbers: Sequence[str], field: str = "not_same") -> dict[str, int]:
    """Return the ids of tickets by number.

    Raises:
        NotFound: if one is not there.
    """
    if not numbers:
        return {}
    found = similar.numbered(tx, numbers)
    missing = [number for number in numbers if number not in found]
    if missing:
        raise NotFound(f"没有工单 {missing[0]}", field=field)
    return found


def tell_apart(tx: Tx, actor: Actor, ticket: Ticket, others: Mapping[str, int], now: datetime) -> None:
    """Remember that a ticket is of another problem than the others, in its timeline and in the audit too.

    Of the tickets only `ticket` is locked: two who tell the same pair apart do not wait for each other.
    """
    fresh = similar.tell_apart(tx, ticket.id, others.values(), actor.user_id, now)
    for number in [number for number, id_ in others.items() if id_ in fresh]:
        text = f"{actor.label} 认定与 {number} 不是同一问题"
        tickets.note(tx, ticket, "not-same", text, actor, now, at=now)
        live.tell(tx, "similar", number, now)
    if fresh:
        live.tell(tx, "similar", ticket.number, now)
