"""What an address in words means here: the gazetteer, and before it what confirmed tickets have taught."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from dispatch.domain.address import LEVEL_LABELS, Candidate, Level, Located
from dispatch.domain.errors import NotFound
from dispatch.domain.place import Wgs84Point
from dispatch.domain.road_segment import segment_of
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.geocode.gazetteer import Gazetteer, Reading
from dispatch.geocode.geodesic import distance_m
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import places
from dispatch.storage.db import Tx

# Two places of one address farther apart than this contradict each other.
SAME_M = 300.0
# A road or village is long: what was learned of one house says nothing of another.
_LONG = re.compile(r"(?:[路街巷道弄镇乡组]|社区|(?<!新)村)$")
_SHOWN = 9
LEARNED = "已确认工单"


@dataclass(frozen=True, slots=True)
class Found:
    """What a text means, and the entry that said so, if one was learned."""

    located: Located
    entry_id: int | None


def find(desk: Desk, tx: Tx, text: str) -> Found:
    """Return what a text means, in the transaction of the caller."""
    return meaning(desk.gazetteers.current(tx), tx, text)


def meaning(gazetteer: Gazetteer, tx: Tx, text: str) -> Found:
    """Return what a text means by these names and by what was learned."""
    reading = gazetteer.read(text)
    located = gazetteer.meaning(reading)
    if not reading.key:
        return Found(located, None)
    rows = places.alike(tx, reading.key, reading.name, reading.sound)
    return _with_learned(reading, located, [row for row in rows if _is_of(row, reading)])


def estate_of(desk: Desk, tx: Tx, text: str) -> tuple[str, str]:
    """Return the estate or house that an address names, and its 区县; of a road alone, which is long, no name."""
    reading = desk.gazetteers.current(tx).read(text)
    if not _LONG.search(reading.name):
        return reading.name, reading.district
    return (reading.key if _has_house(reading) else ""), reading.district


def estate_form(desk: Desk, tx: Tx, text: str) -> dict[str, Any]:
    """Return what a place told in words is kept as.

    By name where it is an estate, by house numbers where it is a stretch of a road, on the map where it is known.
    """
    segment = segment_of(text)
    if segment is not None:
        nowhere = dict.fromkeys(("label", "lon", "lat", "radius_m"))
        return {"text": text, "name": "", "district": segment.district, **nowhere, "segment": asdict(segment)}
    name, district = estate_of(desk, tx, text)
    best = find(desk, tx, text).located.best
    point = best.point if best is not None and best.can_place else None
    is_known = best is not None and point is not None
    return {
        "text": text,
        "name": name,
        "district": district,
        "label": best.label if best is not None and is_known else None,
        "lon": point.lon if point else None,
        "lat": point.lat if point else None,
        "radius_m": best.radius_m if best is not None and is_known else None,
    }


def _is_of(row: Mapping[str, Any], reading: Reading) -> bool:
    return not row["district"] or not reading.district or row["district"] == reading.district


def _with_learned(reading: Reading, located: Located, rows: Sequence[Mapping[str, Any]]) -> Found:
    same = [row for row in rows if row["key"] == reading.key]
    if same:
        return _answer(reading, located, same, 0.9 + 0.02 * min(3, sum(row["count"] for row in same)), "")
    if _LONG.search(reading.name):
        return Found(located, None)
    named = [row for row in rows if row["name"] == reading.name]
    if named:
        return _answer(reading, located, named, 0.91, "同一小区")
    if rows:
        return _answer(reading, located, rows, 0.85, f"与“{rows[0]['name']}”同音")
    return Found(located, None)


def _answer(
    reading: Reading, located: Located, rows: Sequence[Mapping[str, Any]], confidence: float, how: str
) -> Found:
    """The place that the rows agree on; where they do not, all of them and no choice."""
    spread = _spread_m(rows)
    best = located.best
    rival = best is not None and best.can_place and best.point is not None
    if spread > SAME_M:
        where = {row["district"] for row in rows}
        word = "两处同名" if len(where) > 1 else "已确认的位置互相矛盾"
        note = f"{word}: “{rows[0]['name']}”有相距 {spread:.0f} m 的位置, 请核对"
        told = tuple(_candidate(located, row, 0.4, note) for row in rows[:_SHOWN])
        return Found(Located((*told, *located.candidates)[:_SHOWN], None, note), None)
    reason = "; ".join(filter(None, (how, f"{sum(row['count'] for row in rows)} 张{LEARNED}在此")))
    learned = _candidate(located, _middle(rows), confidence, reason, is_house=not how and _has_house(reading))
    if rival and best is not None and best.point is not None and learned.point is not None:
        away = distance_m(best.point, learned.point)
        if away > SAME_M:
            note = f"导入的“{best.label}”与{LEARNED}相距 {away:.0f} m, 请核对"
            return Found(Located((learned, *located.candidates)[:_SHOWN], None, note), None)
    return Found(Located((learned, *located.candidates)[:_SHOWN], learned, learned.reason), rows[0]["id"])


def _has_house(reading: Reading) -> bool:
    return reading.key != reading.name


def _spread_m(rows: Sequence[Mapping[str, Any]]) -> float:
    points = [Wgs84Point(row["lon"], row["lat"]) for row in rows]
    return max((distance_m(points[0], point) for point in points[1:]), default=0.0)


def _middle(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = sum(row["count"] for row in rows)
    middle = {name: sum(row[name] * row["count"] for row in rows) / count for name in ("lon", "lat")}
    return {**rows[0], **middle}


def _candidate(
    located: Located, row: Mapping[str, Any], confidence: float, reason: str, *, is_house: bool = False
) -> Candidate:
    level = Level.NUMBER if is_house else Level.ESTATE
    known = located.best
    return Candidate(
        label=row["key"] if is_house else row["name"],
        level=level,
        point=Wgs84Point(round(row["lon"], 6), round(row["lat"], 6)),
        radius_m=50.0 if is_house else SAME_M / 2,
        zone_id=None,
        district=row["district"] or (known.district if known else None),
        street=known.street if known else None,
        community=known.community if known else None,
        confidence=round(confidence, 2),
        reason=f"{reason} ({LEVEL_LABELS[level]})",
        source=LEARNED,
    )


# ---------------------------------------------------------------- for people


def search(desk: Desk, actor: Actor, text: str, now: datetime) -> dict[str, Any]:
    """Return the candidates of a text as it is typed: `{items, best, note}`.

    Raises:
        NotPermitted: if the role takes no calls.
    """
    check_permitted(actor, Permission.CALL)
    with desk.store.read() as tx:
        located = placed_in(desk, tx, find(desk, tx, text).located, now)
    items = [shown(candidate) for candidate in located.candidates]
    return {"items": items, "best": items.index(shown(located.best)) if located.best else None, "note": located.note}


def placed_in(desk: Desk, tx: Tx, located: Located, now: datetime) -> Located:
    """Return what was found with the grid of every point that says where a crew would go."""
    zones = desk.rules(tx, now).zones

    def told(candidate: Candidate) -> Candidate:
        if candidate.point is None or candidate.zone_id or not candidate.can_place:
            return candidate
        return replace(candidate, zone_id=zones.route(candidate.point).zone_id)

    best = told(located.best) if located.best else None
    return Located(tuple(told(candidate) for candidate in located.candidates), best, located.note)


def shown(candidate: Candidate) -> dict[str, Any]:
    """Return the public form of a candidate."""
    return {
        **{name: getattr(candidate, name) for name in candidate.__slots__ if name != "point"},
        "level": candidate.level.value,
        "level_label": LEVEL_LABELS[candidate.level],
        "lon": candidate.point.lon if candidate.point else None,
        "lat": candidate.point.lat if candidate.point else None,
        "can_place": candidate.can_place,
    }


def learned(desk: Desk, actor: Actor, *, after: int, limit: int, is_disputed: bool) -> dict[str, Any]:
    """Return a page of what was learned, newest first: `{items, next}`; `is_disputed`: only contradictions.

    Raises:
        NotPermitted: if the role looks after no places.
    """
    check_permitted(actor, Permission.PLACES)
    with desk.store.read() as tx:
        rows = places.learned_page(tx, after, limit + 1, is_disputed)
    items = [
        {
            **{name: row[name] for name in ("id", "key", "name", "district", "lon", "lat", "count", "last_ticket")},
            **{name: present.time(row[name]) for name in ("first_at", "last_at")},
        }
        for row in rows
    ]
    return _page(items, limit)


def _page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """Return a page of what was read with one more than it holds: that there is one says that there are more."""
    return {"items": items[:limit], "next": items[limit - 1]["id"] if len(items) > limit else None}


def forget(desk: Desk, actor: Actor, entry_id: int, now: datetime) -> None:
    """Remove what was learned, so that it places no ticket any more.

    Raises:
        NotPermitted: if the role looks after no places.
        NotFound: if there is no such entry.
    """
    check_permitted(actor, Permission.PLACES)
    with desk.store.write() as tx:
        row = places.remove_learned(tx, entry_id)
        if row is None:
            raise NotFound(f"没有学到的地址 {entry_id}")
        tx.audit(now, actor, "forget-place", row["key"], lon=row["lon"], lat=row["lat"], count=row["count"])


def imported(desk: Desk, actor: Actor, *, after: int, limit: int) -> dict[str, Any]:
    """Return a page of what was imported, newest first: `{items, next}`.

    Raises:
        NotPermitted: if the role looks after no places.
    """
    check_permitted(actor, Permission.PLACES)
    told = ("id", "kind", "name", "district", "street", "community", "lon", "lat", "zone_id", "target", "source")
    with desk.store.read() as tx:
        rows = places.page(tx, after, limit + 1)
    return _page([{name: row[name] for name in told} for row in rows], limit)


def remove(desk: Desk, actor: Actor, place_id: int, now: datetime) -> None:
    """Remove an imported place.

    Raises:
        NotPermitted: if the role looks after no places.
        NotFound: if there is no such place.
    """
    check_permitted(actor, Permission.PLACES)
    with desk.store.write() as tx:
        name = places.remove(tx, place_id)
        if name is None:
            raise NotFound(f"没有导入的地名 {place_id}")
        tx.audit(now, actor, "remove-place", name)
