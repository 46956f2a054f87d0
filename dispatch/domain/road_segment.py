"""A stretch of a road in words (坡子街 1-99 号单号), and whether a house lies on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.domain.address_match import place_of

_RANGE = re.compile(r"(\d{1,5})\s*(?:号)?\s*(?:[-–—~～]|至|到)\s*(\d{1,5})\s*号")
_NUMBER = re.compile(r"\d{1,5}")
# Beside a house is not in it, and across the street is the other side.
_BESIDE = re.compile(r"对面|对过|对门|旁|隔壁|附近|周边|前面|后面")
_SIDES = {"单号": 1, "双号": 0}


@dataclass(frozen=True, slots=True)
class Segment:
    """Houses `first` to `last` of a road.

    Attributes:
        road: Its name, with its 段 where it has one.
        first: The lowest house number.
        last: The highest.
        side: 1 where only odd numbers are meant, 0 for even ones, None for both.
        district: 区县, or empty.
    """

    road: str
    first: int
    last: int
    side: int | None = None
    district: str = ""

    def has(self, house: House) -> bool:
        """Whether a house lies on it; where both tell a district they must agree."""
        is_here = house.road == self.road and self.first <= house.number <= self.last
        is_side = self.side is None or house.number % 2 == self.side
        return is_here and is_side and (not self.district or not house.district or self.district == house.district)

    def meets(self, other: Segment) -> bool:
        """Whether the two may have a house in common."""
        is_side = None in (self.side, other.side) or self.side == other.side
        return self.road == other.road and self.first <= other.last and other.first <= self.last and is_side


@dataclass(frozen=True, slots=True)
class House:
    """A house on a road, as an address tells it."""

    road: str
    number: int
    district: str = ""


def segment_of(text: str) -> Segment | None:
    """Return the stretch that a text names by its house numbers, or None: a road alone is no stretch of it."""
    found = _RANGE.search(text)
    if found is None or int(found[1]) >= int(found[2]):
        return None  # 12-3 号 is one house
    place = place_of(f"{text[: found.start()]}{found[1]}号")
    if not place.road:
        return None
    side = next((parity for words, parity in _SIDES.items() if words in text[found.end() - 1 :]), None)
    return Segment(_whole(place.road, place.section), int(found[1]), int(found[2]), side, place.district or "")


def house_of(address: str) -> House | None:
    """Return the house that an address names, or None, as for one that is only near it."""
    place = place_of("" if _BESIDE.search(address) else address)
    number = _NUMBER.match(place.number or "")
    if not place.road or number is None:
        return None
    return House(_whole(place.road, place.section), int(number[0]), place.district or "")


def _whole(road: str, section: str | None) -> str:
    return f"{road}{section}段" if section else road
