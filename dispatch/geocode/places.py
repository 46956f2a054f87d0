"""What the gazetteer knows of a place, and the ways in which people say its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from dispatch.domain.address import Level
from dispatch.domain.address_text import plain
from dispatch.domain.place import Wgs84Point

_COMMUNITY_END = re.compile(
    r"(?P<kind>社区|村)?(?:居委会|居民委员会|村委会|村民委员会|委员会)$|(?P<bare>社区|(?<!新)村)$"
)
_STREET_END = re.compile(r"街道$|镇$|乡$")
_ROAD_LIKE = re.compile(r"(?:路|街|巷|道|弄)$")


class Strength(IntEnum):
    """How surely a name means a place: a part of it says less than the whole."""

    WEAK = 1
    SHORT = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Something with a name.

    Attributes:
        name: As it is told to people.
        level: How exact it is.
        district: 区县, or empty.
        street: 街道 or 镇, or empty.
        community: 社区 or 村 as people say it, or empty.
        point: WGS-84, or None.
        radius_m: The place lies within so many metres of the point, or None.
        zone_id: Its grid, or None.
        aliases: Other names.
        is_certain: False where somebody should ask once more.
        source: Who says so.
    """

    name: str
    level: Level
    district: str = ""
    street: str = ""
    community: str = ""
    point: Wgs84Point | None = None
    radius_m: float | None = None
    zone_id: str | None = None
    aliases: tuple[str, ...] = ()
    is_certain: bool = True
    source: str = ""

    @property
    def parents(self) -> str:
        """Return where it lies in words."""
        parts = (self.district, self.street, self.community)
        return "".join(part for part in parts if part and part != self.name)

    @property
    def full_name(self) -> str:
        """Return the name with its parents."""
        return self.parents + self.name


def community_name(official: str) -> str:
    """Return 社区 or 村 as people say it: 莲华村委会 is 莲华村, 宝南街社区居委会 宝南街社区."""
    match = _COMMUNITY_END.search(official)
    if match is None or match["bare"]:
        return official
    stem = official[: match.start()]
    if match["kind"]:
        return stem + match["kind"]
    return stem if stem.endswith(("村", "社区")) else stem + ("村" if "村" in match[0] else "社区")


def forms(place: Place) -> Iterator[tuple[str, Strength]]:
    """Yield the ways to say the name of a place, each in plain writing."""
    yield plain(place.name), Strength.FULL
    for alias in place.aliases:
        yield plain(alias), Strength.FULL
    if place.level is Level.DISTRICT:
        yield place.name[:-1], Strength.WEAK
    elif place.level is Level.STREET:
        yield from _short(place.name, _STREET_END)
    elif place.level is Level.COMMUNITY:
        yield from _community_forms(place.name)


def _community_forms(name: str) -> Iterator[tuple[str, Strength]]:
    if name.endswith("村"):
        yield name + "委会", Strength.FULL
        if name.endswith("新村"):
            yield name + "社区", Strength.FULL
            return
    elif not name.endswith("社区"):
        return
    yield from _short(name, re.compile(r"(?:社区|村)$"))


def _short(name: str, end: re.Pattern[str]) -> Iterator[tuple[str, Strength]]:
    """The name without its kind: of two signs it may be anything, and one that ends like a road is the road."""
    bare = end.sub("", plain(name))
    if len(bare) >= 2 and bare != name:
        is_sure = len(bare) >= 3 and not _ROAD_LIKE.search(bare)
        yield bare, Strength.SHORT if is_sure else Strength.WEAK
