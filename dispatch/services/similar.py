"""Open tickets that a call may be about, each with its score and reasons. Nothing is joined here: people do that."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import shapely
from shapely.geometry import shape as shape_of

from dispatch.domain.address_match import Place, Relation, place_of, relate
from dispatch.domain.cells import cells_around
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.incident import number_of
from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.similar import Aspects, Match, SimilarRules, What, Where, at_most, reasons, score
from dispatch.domain.states import ACTIVE, STATUS_LABELS, Status
from dispatch.domain.ticket import Ticket
from dispatch.geocode.likeness import likeness, sound_alike
from dispatch.services import live, present
from dispatch.services.desk import Desk
from dispatch.storage import calls, incidents, similar, tickets
from dispatch.storage.db import Tx
from dispatch.storage.similar import Candidate

# So many open tickets are looked at: those of the same address or caller first, then the newest ones near it.
MOST = 60
# And so many told.
SHOWN = 5
# A call that is being saved keeps others waiting: the newest will do, the agent has seen the others before.
AT_INTAKE = 10
# As likely as that is a call from within the area of an incident of its kind, whatever else is known of it.
IN_AREA = 0.7


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
    rules: SimilarRules
    partners: Mapping[str, Match]
    aspects: Aspects
    is_alone: bool
    metres: tuple[float, float]


def find(
    tx: Tx,
    desk: Desk,
    probe: Probe,
    now: datetime,
    *,
    without: Collection[int] = (),
    incident_id: int | None = None,
    most: int = MOST,
    limit: int = SHOWN,
) -> list[Suggestion]:
    """Return the open tickets that a call may be about, the most likely first, and of equals the newest.

    Of an incident it is the ticket that leads it, or else the likeliest; one whose area holds the place is among them
    however far its tickets are. What differs from the lead differs from all of the incident, and what differs from one
    that follows may still be of the lead, and of no other.

    Args:
        tx: The transaction.
        desk: The process's desk.
        probe: The call.
        now: Whose policy holds.
        without: Ids of tickets that are known to be of another problem.
        incident_id: An incident whose tickets are left out.
        most: So many are looked at: of the address and the caller first, then the newest ones near it.
        limit: So many are returned.
    """
    rules = desk.rules(tx, now).policy.similar
    partners = rules.partners(probe.category)
    if not partners:
        return []
    heard = _heard(probe, rules, partners)
    reach_m = max(match.within_m for match in partners.values())
    cells = cells_around(probe.point, reach_m) if probe.point else []
    rows = similar.candidates(tx, cells, heard.place.key, probe.caller_phone, list(partners), most)
    told = similar.incidents_of(tx, without) if without else {}
    apart = {known for known, is_lead in told.items() if is_lead}
    if incident_id is not None:
        apart.add(incident_id)
    asked = (row for row in rows if row.id not in without and row.status in ACTIVE)
    others = (row for row in asked if row.incident_id not in apart and not (row.is_carried and row.incident_id in told))
    judged = [one for row in others if (one := _judged(heard, row)) is not None]
    judged.sort(key=lambda one: (-one.score, -one.row.id))
    found = [_suggestion(heard, one) for one in islice(_one_each(judged), limit)]
    apart |= {one.incident_id for one in found if one.incident_id is not None}
    found += [_within(heard, row) for row in _around(tx, heard) if row.incident_id not in apart]
    return sorted(found, key=lambda one: (-one.score, -one.ticket_id))[:limit]


def _around(tx: Tx, heard: _Heard) -> Iterator[Candidate]:
    """Yield the leads of the incidents of this kind whose area holds the place of the call."""
    here = heard.probe.point
    if here is None or heard.is_alone:
        return
    for row in similar.leads_with_area(tx):
        if row.category in heard.partners and shapely.intersects_xy(shape_of(row.area), here.lon, here.lat):
            yield row


def _within(heard: _Heard, row: Candidate) -> Suggestion:
    return Suggestion(
        ticket_id=row.id,
        number=row.number,
        incident_id=row.incident_id,
        score=max(IN_AREA, heard.partners[row.category].threshold),
        reasons=(f"在事件 {number_of(row.incident_id)} 影响范围内",),
        distance_m=_metres(heard, row),
        row={name: value for name, value in row._mapping.items() if name != "area"},
    )


def _heard(probe: Probe, rules: SimilarRules, partners: Mapping[str, Match]) -> _Heard:
    text = probe.description
    metres = metres_per_degree(probe.point.lat) if probe.point else (0.0, 0.0)
    aspects = rules.aspects_of(probe.category, text)
    return _Heard(probe, place_of(probe.address), rules, partners, aspects, rules.is_alone(text), metres)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A ticket above the threshold; its reasons are put into words only if it is among the best."""

    score: float
    row: Candidate
    where: Where
    what: What
    place: Place


def _judged(heard: _Heard, row: Candidate) -> _Judged | None:
    """Return the judgement on a ticket, or None; what its caller said is read only where it can matter."""
    probe, rules, match = heard.probe, heard.rules, heard.partners[row.category]
    place = place_of(row.address)
    relation = relate(heard.place, place, sound_alike=sound_alike(heard.place.estate, place.estate))
    where = Where(_metres(heard, row), relation, probe.called_at - row.received_at, bool(row.is_same_caller))
    if at_most(where, match) < match.threshold:
        return None
    said = row.description
    aspects, are_alone = rules.aspects_of(row.category, said), (heard.is_alone, rules.is_alone(said))
    what = What(likeness(probe.description, said), (heard.aspects, aspects), are_alone)
    value = score(where, what, match)
    return _Judged(value, row, where, what, place) if value >= match.threshold else None


def _one_each(judged: Sequence[_Judged]) -> Iterator[_Judged]:
    """Leave of the tickets of an incident the one that leads it, or else the likeliest."""
    led = {one.row.incident_id for one in judged if not one.row.is_carried}
    told: set[int] = set()
    for one in judged:
        incident_id = one.row.incident_id
        if incident_id is None:
            yield one
        elif incident_id not in told and not (one.row.is_carried and incident_id in led):
            told.add(incident_id)
            yield one


def _suggestion(heard: _Heard, one: _Judged) -> Suggestion:
    row, where = one.row, one.where
    return Suggestion(
        ticket_id=row.id,
        number=row.number,
        incident_id=row.incident_id,
        score=one.score,
        reasons=reasons(where, one.what, heard.partners[row.category], _shared(where.relation, one.place)),
        distance_m=where.distance_m,
        row=dict(row._mapping),
    )


def _shared(relation: Relation, place: Place) -> str:
    """What both addresses name, in words."""
    if relation is Relation.CROSSING and place.crossing:
        return "与".join(place.crossing)
    return place.estate or place.road or ""


def _metres(heard: _Heard, row: Candidate) -> float | None:
    here = heard.probe.point
    if here is None or row.lon is None:
        return None
    east_m, north_m = heard.metres
    return math.hypot((row.lon - here.lon) * east_m, (row.lat - here.lat) * north_m)


def shown(tx: Tx, desk: Desk, found: Sequence[Suggestion]) -> list[dict[str, Any]]:
    """Return the public form of suggestions."""
    water = incidents.water(tx, [one.incident_id for one in found if one.incident_id is not None])
    return [_form(tx, desk, one, water) for one in found]


def _form(tx: Tx, desk: Desk, one: Suggestion, water: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    row = one.row
    policy = desk.policy(tx, row["policy_version"])
    return {
        **{name: row[name] for name in ("number", "status", "category", "address", "description", "lon", "lat")},
        "incident": None if one.incident_id is None else number_of(one.incident_id),
        "water": None if one.incident_id is None else present.water_form(water[one.incident_id]),
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
        if row["status"] not in ACTIVE or row["follow_up_of"]:  # the rest of a work is like no other call
            return {"items": []}
        without = {row["id"], *similar.told_apart(tx, row["id"])}
        found = find(tx, desk, _probe_of(tx, row), now, without=without, incident_id=row["incident_id"])
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
