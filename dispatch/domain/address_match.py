"""Whether two addresses in words can be one place. Names are compared whole: a shared brand is no shared place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from dispatch.domain.address_text import Parts, parse


class Relation(StrEnum):
    """How the places of two addresses lie to each other, as far as their words tell."""

    HOUSE = "house"
    CROSSING = "crossing"
    ESTATE = "estate"
    OTHER_HOUSE = "other_house"
    ROAD = "road"
    OTHER_NUMBER = "other_number"
    OTHER = "other"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


_SECTION = re.compile(r"([一二三四五六七八九十\d]+)段")
_ENTRANCE = re.compile(r"[东南西北]{1,2}(?:门|侧|边|面|角)?$|(?:正|侧|后|大)?门$|出入?口$|入口$")
_AROUND = re.compile(
    r"的?(?:对面|对过|旁边|隔壁|附近|后面|前面|门口|门前|楼下|下面|上面|路边|马路边|马路上|路上|旁|边上|里面|那里|这里)"
    r"(?:的.*)?$"
)
_KIND = re.compile(r"(?:住宅小区|安置小区|小区|社区|住宅区|生活区|住宅|家属区|家属院|宿舍区|宿舍|大院|院子|院内)$")
_PHASE = re.compile(
    r"(?:[一二三四五六七八九十\d]+期|[a-z东南西北中]区|[一二三四五六七八九十]区|[甲乙丙丁]区|[一二三四五六七八九十\d]片区?)"
)
_CROSSING = re.compile(
    r"([\u3400-\u9fff]{1,8}?(?:大道|[路街巷道]))(?:与|和|跟|同|到|靠近|靠)?([\u3400-\u9fff]{1,8}?(?:大道|[路街巷道]))的?(?:路?口|相?交)"
    r"|([\u3400-\u9fff]{1,8}?(?:大道|[路街巷道]))(?:靠近|靠|近)([\u3400-\u9fff]{1,8}?(?:大道|[路街巷道]))$"
)
_ABOVE = re.compile(r"^.*(?:(?<!小)区|县|市|街道|镇)(?=..)")
_SIDE = re.compile(r"[东南西北中](?=路|街|大道)")
_NEARLY_SAME = 4
_NO_NAME = frozenset({"家里", "路口", "工地", "公交站", "地铁站", "老房子", "自建房", "不清楚", "不知道", "不详"})


@dataclass(frozen=True, slots=True)
class Place:
    """An address as far as it tells one place from another.

    Attributes:
        district: 区县, or None.
        road: Its name, or None.
        section: Which 段 of it, or None.
        number: House number on the road.
        estate: Name of the estate, building or institution without its kind, phase and gate.
        phase: 二期, b区.
        building: Number of the building.
        unit: Number of the unit.
        crossing: Its two roads, in one order whichever is told first.
        key: By which tickets of one estate, crossing or house on a road are found; empty where there is none.
    """

    district: str | None = None
    road: str | None = None
    section: str | None = None
    number: str | None = None
    estate: str | None = None
    phase: str | None = None
    building: str | None = None
    unit: str | None = None
    crossing: tuple[str, str] | None = None
    key: str = ""


@lru_cache(maxsize=8192)
def place_of(address: str) -> Place:
    """Return what an address says, in one way of writing."""
    section = _SECTION.search(address)
    parts = parse(_SECTION.sub("", address, count=1) if section else address)
    crossing = _crossing(parts)
    phase = _PHASE.search(parts.text)
    estate = None if crossing else _name(parts.estate) or (None if parts.road else _name(parts.community))
    road, part = (None, None) if crossing else (parts.road, section and section[1])
    key = _key(crossing, estate, road, parts.number)
    return Place(
        parts.district, road, part, parts.number, estate, phase and phase[0], parts.building, parts.unit, crossing, key
    )


def _crossing(parts: Parts) -> tuple[str, str] | None:
    found: tuple[str, ...] | None = parts.crossing
    if found is None:
        two = _CROSSING.search(parts.text.removeprefix(parts.district or ""))
        found = tuple(filter(None, two.groups())) if two else None
    if found is None:
        return None
    one, other = sorted((_ABOVE.sub("", road) for road in found), key=_stem)
    return one, other


def _key(crossing: tuple[str, str] | None, estate: str | None, road: str | None, number: str | None) -> str:
    """Of a name the end: what stands in front of it, one caller tells and another does not."""
    if crossing:
        return "与".join(map(_stem, crossing))
    if estate:
        return estate[-_NEARLY_SAME:]
    return _stem(road) + (number or "") if road else ""


def _stem(road: str) -> str:
    """劳动西路 is 劳动路 to most who call."""
    return _SIDE.sub("", road)


def _name(estate: str | None) -> str | None:
    """The name alone: neither kind nor gate nor what lies around it."""
    if estate is None:
        return None
    text, before = _PHASE.sub("", _AROUND.sub("", estate)), ""
    while text != before:
        before = text
        text = _KIND.sub("", _ENTRANCE.sub("", text))
    return None if text in _NO_NAME or len(text) < 2 else text


def relate(one: Place, other: Place, *, sound_alike: bool = False) -> Relation:
    """Return how two places lie to each other by their words.

    Args:
        one: A place.
        other: Another.
        sound_alike: The names of the estates sound the same, as somebody who listens says.
    """
    if one.district and other.district and one.district != other.district:
        return Relation.OTHER
    if not one.key or not other.key:
        return Relation.UNKNOWN
    if one.crossing or other.crossing:
        return _crossings(one, other)
    if one.estate and other.estate:
        if same_name(one.estate, other.estate) or sound_alike:
            return _inside(one, other)
        if not _on_one_number(one, other):
            return Relation.UNCLEAR if _overlap(one.estate, other.estate) else Relation.OTHER
    return _by_road(one, other)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: the same, or one the other with its city, street or owner in front."""
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= _NEARLY_SAME and long.endswith(short))


def _overlap(one: str, other: str) -> bool:
    """Whether one name is the other with something left out, so that they may be one place or two of one owner."""
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    return all(sign in rest for sign in short)


def same_road(one: str, other: str) -> bool:
    """Whether two roads are one: 劳动路 may be 劳动西路, which is not 劳动东路."""
    return one == other or (_stem(one) == _stem(other) and _stem(one) in (one, other))


def _crossings(one: Place, other: Place) -> Relation:
    if one.crossing and other.crossing:
        is_one = all(same_road(*pair) for pair in zip(one.crossing, other.crossing, strict=True))
        return Relation.CROSSING if is_one else Relation.OTHER
    crossing, place = (one.crossing, other) if one.crossing else (other.crossing, one)
    road = place.road
    return Relation.ROAD if road and any(same_road(road, way) for way in crossing or ()) else Relation.UNCLEAR


def _inside(one: Place, other: Place) -> Relation:
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("phase", "building", "unit")]
    if any(a and b and a != b for a, b in pairs):
        return Relation.OTHER_HOUSE
    return Relation.HOUSE if one.building and other.building else Relation.ESTATE


def _on_one_number(one: Place, other: Place) -> bool:
    return bool(
        one.road and one.number and other.road and same_road(one.road, other.road) and one.number == other.number
    )


def _by_road(one: Place, other: Place) -> Relation:
    if not one.road or not other.road or not same_road(one.road, other.road):
        return Relation.UNCLEAR  # a house at a corner has two
    if one.section and other.section and one.section != other.section:
        return Relation.OTHER_NUMBER
    if _on_one_number(one, other):
        return _inside(one, other) if one.building and other.building else Relation.HOUSE
    return Relation.OTHER_NUMBER if one.number and other.number else Relation.ROAD
