"""What an address in words can mean: candidates with a level, a place and the reason, and the answer made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.domain.place import Wgs84Point


class Level(StrEnum):
    """How exactly an address says where, the most exact first."""

    ROOM = "room"
    NUMBER = "number"
    ESTATE = "estate"
    ROAD = "road"
    COMMUNITY = "community"
    STREET = "street"
    DISTRICT = "district"
    CITY = "city"


LEVEL_LABELS = {
    Level.ROOM: "房号",
    Level.NUMBER: "门牌",
    Level.ESTATE: "小区",
    Level.ROAD: "道路",
    Level.COMMUNITY: "社区",
    Level.STREET: "街道",
    Level.DISTRICT: "区县",
    Level.CITY: "城市",
}


class PlacedBy(StrEnum):
    """How a ticket came to its place; only what a person pinned, and a crew found there, teaches an address."""

    PIN = "pin"
    ADDRESS = "address"
    APPROXIMATE = "approximate"
    DOUBTED = "doubted"


# How sure a meaning must be to send a crew by it without anybody's asking: as it is written, and nothing like it.
PLACES_FROM = 0.9
_EXACT_LEVELS = (Level.ROOM, Level.NUMBER, Level.ESTATE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One meaning of an address.

    Attributes:
        label: What people call it.
        level: How exact it is.
        point: WGS-84, or None where only a name is known.
        radius_m: The place lies within so many metres of the point, or None.
        zone_id: The grid it lies in, or None.
        district: 区县, or None.
        street: 街道 or 镇, or None.
        community: 社区 or 村, or None.
        confidence: From 0 to 1.
        reason: Why, in Chinese words for people.
        source: Who says so.
    """

    label: str
    level: Level
    point: Wgs84Point | None
    radius_m: float | None
    zone_id: str | None
    district: str | None
    street: str | None
    community: str | None
    confidence: float
    reason: str
    source: str

    @property
    def can_place(self) -> bool:
        """Whether a ticket may go by it: a street alone is too long, and a likeness too weak."""
        is_somewhere = self.point is not None or self.zone_id is not None
        return is_somewhere and self.level in _EXACT_LEVELS and self.confidence >= PLACES_FROM


@dataclass(frozen=True, slots=True)
class Located:
    """What is known of an address.

    Attributes:
        candidates: The best first.
        best: The one that is meant, or None where it is ambiguous or unknown.
        note: What a person should know about it, in Chinese words.
    """

    candidates: tuple[Candidate, ...]
    best: Candidate | None
    note: str
