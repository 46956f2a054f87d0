"""The offline gazetteer: what an address in words means, with confidence and reason. What is ambiguous stays so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatch.domain.address import LEVEL_LABELS, Candidate, Level, Located
from dispatch.domain.address_text import Parts, crossing_name, parse, without_numbers, without_room
from dispatch.geocode.name_index import Hit, How, NameIndex, narrowed
from dispatch.geocode.places import Place, Strength
from dispatch.geocode.shipped import shipped_places
from dispatch.geocode.sounds import sound_key

# Below this nobody is told that it is the one; what is at least so sure may be.
SURE = 0.7
_SHOWN = 8
_RANK = {level: n for n, level in enumerate(Level)}
_BY_STRENGTH = {Strength.FULL: 0.95, Strength.SHORT: 0.84, Strength.WEAK: 0.57}
_BY_HOW = {How.EXACT: 1.0, How.SOUND: 0.9, How.TYPO: 0.85, How.LATIN: 0.88, How.INITIALS: 0.76}
_UNSURE, _NEARBY, _BACKED = 0.65, 0.94, 0.03
_NEARBY_M = 150.0
_UPPER = (Level.CITY, Level.DISTRICT, Level.STREET)
_ACCOUNT = re.compile(r"(?:户号|表号|水表)?([0-9a-z-]{5,24})")
_GENERIC = frozenset(
    {"小区", "家里", "楼下", "门口", "附近", "路口", "单位", "院内", "院子", "房子", "地址", "不详", "不知道"}
)
UNKNOWN = "地名库中没有, 待定位"


@dataclass(frozen=True, slots=True)
class Reading:
    """What can be read in a text.

    Attributes:
        parts: By the endings of its words.
        hits: Names that are known.
        key: The address up to the house, without 区县 and 街道; empty where nothing is left to learn.
        name: The same without house numbers: estate or road.
        sound: How that name sounds.
        district: The one that the text tells, or empty.
    """

    parts: Parts
    hits: tuple[Hit, ...]
    key: str
    name: str
    sound: str
    district: str


class Gazetteer:
    """Shipped and imported names. Immutable; shared by threads.

    Args:
        imported: Estates, roads, landmarks and the like.
        accounts: Meter and account numbers in plain writing, with their addresses.
    """

    def __init__(self, imported: Sequence[Place] = (), accounts: Mapping[str, Place] | None = None) -> None:
        self._index = NameIndex([*shipped_places(), *imported])
        self._accounts = accounts or {}

    def read(self, text: str) -> Reading:
        """Return what can be read in a text of any length and language."""
        parts = parse(text)
        hits = self._hits(parts)
        key, name = _learnable(parts, hits)
        districts = {place.district for hit in hits for place in hit.places if place.level is Level.DISTRICT}
        district = districts.pop() if len(districts) == 1 else ""
        return Reading(parts, tuple(hits), key, name, sound_key(name), district)

    def find(self, text: str) -> Located:
        """Return what a text means; `best` is None where it is unknown, ambiguous or unlikely."""
        return self.meaning(self.read(text))

    def meaning(self, reading: Reading) -> Located:
        """Return what was read means; see `find`."""
        parts = reading.parts
        account = _ACCOUNT.fullmatch(parts.text)
        if account and account[1] in self._accounts:
            place = self._accounts[account[1]]
            reason = f"户号/表号 {account[1]} 登记的地址"
            found = _candidate(place, 0.97, reason, {})
            return Located((found,), found, reason)
        hits, conflict = _agreeing(reading.hits)
        if conflict:
            return _contradiction(conflict)
        if not hits:
            return Located((), None, UNKNOWN)
        return _answer(reading, hits)

    def _hits(self, parts: Parts) -> list[Hit]:
        hits = self._index.hits(parts.text)
        if parts.crossing is None:
            return hits
        # A crossing that is known by name is a place of its own, whichever road is told first.
        crossings = self._index.hits(crossing_name(parts.crossing))
        whole = [hit for hit in crossings if hit.length == len(crossing_name(parts.crossing))]
        return [*(hit for hit in hits if hit.places[0].level is not Level.ROAD or not whole), *whole]


def _learnable(parts: Parts, hits: Sequence[Hit]) -> tuple[str, str]:
    """The address without what is above it; of its parts the last one stays, so that something is left."""
    text = parts.text
    if parts.crossing:
        name = crossing_name(parts.crossing)
        return name, name
    cut = 0
    for hit in hits:
        level = hit.places[0].level
        is_whole = hit.strength is Strength.FULL or level is Level.DISTRICT
        if level in _UPPER and is_whole and hit.how is not How.TYPO:
            cut = max(cut, hit.end)
    rest = text[cut:] if cut < len(text) else ""
    rest = re.sub(r"^(?:湖南省?)?(?:长沙市)?", "", rest)
    if parts.relation:
        return "", ""  # beside something is not its place
    key = without_room(rest)
    name = without_numbers(key)
    return (key, name) if len(name) >= 2 and name not in _GENERIC else ("", "")


def _agreeing(hits: Sequence[Hit]) -> tuple[list[Hit], list[Hit]]:
    """Leave of each name the meanings that fit the other names; what contradicts them is second."""
    kept = list(hits)
    while True:
        narrow = [narrowed(hit, [p for p in hit.places if _fits(p, hit, kept)]) for hit in kept]
        lost = [old for old, new in zip(kept, narrow, strict=True) if not new.places]
        if not lost:
            return narrow, []
        # Doubtful readings give way first; where two sure ones contradict each other, somebody must ask.
        weakest = min(lost, key=_certainty)
        if _certainty(weakest) >= _BY_STRENGTH[Strength.FULL]:
            return [], lost
        kept.remove(weakest)


def _certainty(hit: Hit) -> float:
    sure = 1.0 if any(place.is_certain for place in hit.places) else _UNSURE
    return _BY_STRENGTH[hit.strength] * _BY_HOW[hit.how] * sure


def _fits(place: Place, hit: Hit, others: Sequence[Hit]) -> bool:
    return all(any(_agree(place, other) for other in one.places) for one in others if one is not hit)


def _agree(one: Place, other: Place) -> bool:
    pairs = ((one.district, other.district), (one.street, other.street), (one.community, other.community))
    return all(not a or not b or a == b for a, b in pairs)


def _contradiction(hits: Sequence[Hit]) -> Located:
    places = list(dict.fromkeys(place for hit in hits for place in hit.places))[:_SHOWN]
    told = "、".join(place.full_name for place in places[:3])
    note = f"地址前后矛盾: {told}"
    return Located(tuple(_candidate(place, 0.4, note, {}) for place in places), None, note)


def _answer(reading: Reading, hits: Sequence[Hit]) -> Located:
    parts = reading.parts
    target = min(hits, key=lambda hit: (min(_RANK[place.level] for place in hit.places), -hit.length))
    backing = [hit for hit in hits if hit is not target]
    upper = _upper(backing)
    sure = _certainty_of(parts, target, bool(backing))
    reason = _reason(parts, target, backing)
    candidates = tuple(
        _candidate(place, sure if place.is_certain else sure * _UNSURE, reason, upper, parts.relation is not None)
        for place in target.places[:_SHOWN]
    )
    if len(target.places) > 1:
        return _several(target, candidates, reason)
    best = candidates[0] if candidates[0].confidence >= SURE else None
    note = _note(candidates[0], reason)
    if best and best.level in _UPPER and reading.name and reading.name not in best.label:
        note = f"只能确定到{best.label}: 地名库中没有“{reading.name}”"
    return Located(candidates, best, note)


def _certainty_of(parts: Parts, target: Hit, is_backed: bool) -> float:
    sure = _BY_STRENGTH[target.strength] * _BY_HOW[target.how]
    return sure * (_NEARBY if parts.relation else 1) + (_BACKED if is_backed else 0)


def _upper(backing: Sequence[Hit]) -> dict[str, str]:
    """What the other names say of district, street and community."""
    told: dict[str, str] = {}
    for hit in backing:
        if len(hit.places) == 1:
            place = hit.places[0]
            told |= {name: value for name in ("district", "street", "community") if (value := getattr(place, name))}
    return told


def _reason(parts: Parts, target: Hit, backing: Sequence[Hit]) -> str:
    said = parts.text[target.start : target.end] if target.end <= len(parts.text) else target.form
    own = f"“{said}”{target.how}" if target.how is How.EXACT else f"“{said}”与“{target.form}”{target.how}"
    others = "、".join(dict.fromkeys(place.name for hit in backing for place in hit.places[:1]))
    beside = f"; 在其{parts.relation}, 位置为近似" if parts.relation else ""
    return own + (f", 与{others}相符" if others else "") + beside


def _several(target: Hit, candidates: tuple[Candidate, ...], reason: str) -> Located:
    """Several meanings: only what they have in common is known."""
    common = {(place.district, place.street) for place in target.places}
    told = "、".join(place.full_name for place in target.places[:4])
    count = {2: "两"}.get(len(target.places), str(len(target.places)))
    if len(common) == 1 and "" not in (pair := common.pop()):
        street = Place(pair[1], Level.STREET, pair[0], pair[1], source=target.places[0].source)
        sure = _BY_STRENGTH[target.strength] * _BY_HOW[target.how]
        shared = _candidate(street, sure, f"{reason}; {told} 都在{pair[1]}", {})
        return Located((shared, *candidates), shared if sure >= SURE else None, shared.reason)
    note = f"{count}处同名: {told}"
    return Located(tuple(_halved(one, len(candidates)) for one in candidates), None, note)


def _halved(candidate: Candidate, count: int) -> Candidate:
    fields = {name: getattr(candidate, name) for name in candidate.__slots__}
    return Candidate(**{**fields, "confidence": round(candidate.confidence / count, 2)})


def _note(found: Candidate, reason: str) -> str:
    if found.confidence >= SURE:
        return reason
    above = "".join(part for part in (found.district, found.street) if part and part != found.label)
    return f"可能是{above}{found.label} ({reason}), 请核对"


def _candidate(
    place: Place, confidence: float, reason: str, upper: Mapping[str, str], is_near: bool = False
) -> Candidate:
    radius = place.radius_m
    if is_near and place.point is not None:
        radius = (radius or 0.0) + _NEARBY_M
    return Candidate(
        label=place.name,
        level=place.level,
        point=place.point,
        radius_m=radius,
        zone_id=place.zone_id,
        district=place.district or upper.get("district"),
        street=place.street or upper.get("street"),
        community=place.community or upper.get("community"),
        confidence=round(min(confidence, 0.99), 2),
        reason=f"{reason} ({LEVEL_LABELS[place.level]})",
        source=place.source,
    )
