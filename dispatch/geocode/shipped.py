"""The names that come with the project: districts, 街道, 社区 and 村 by the statistics bureau, GeoNames, aliases."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from dispatch.domain.address import Level
from dispatch.domain.place import Wgs84Point
from dispatch.geocode.places import Place, community_name

_FOLDER = Path(__file__).parents[2] / "data" / "places"
_CODES, _GEONAMES, _ALIASES = "统计用区划代码", "GeoNames", "随附别名"
CITY = "长沙市"
# GeoNames rounds some of its places to minutes, and means the middle of a town.
_ROUGH_M = 3000.0


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def shipped_places() -> tuple[Place, ...]:
    """Return all of them; read once by a process."""
    streets = [(row["district"], row["street"]) for row in _rows("streets.csv")]
    districts = list(dict.fromkeys(district for district, _ in streets))
    rough = _geonames()
    return (
        Place(CITY, Level.CITY, source=_CODES),
        *(Place(name, Level.DISTRICT, district=name, source=_CODES) for name in districts),
        *(_street(district, name, rough) for district, name in streets),
        *_communities(),
        *_other_names(),
    )


def _geonames() -> Mapping[tuple[str, str], Wgs84Point]:
    """The points of GeoNames by district and bare name."""
    found = {}
    for row in _rows("geonames.csv"):
        for name in row["zh"].split(";"):
            bare = name.removesuffix("镇").removesuffix("乡")
            found[row["district"], bare] = Wgs84Point(float(row["lon"]), float(row["lat"]))
    return found


def _street(district: str, name: str, rough: Mapping[tuple[str, str], Wgs84Point]) -> Place:
    bare = name.removesuffix("街道").removesuffix("镇").removesuffix("乡")
    point = rough.get((district, bare))
    if point is None:
        return Place(name, Level.STREET, district=district, street=name, source=_CODES)
    source = f"{_CODES}; 位置 {_GEONAMES} (粗略)"
    return Place(name, Level.STREET, district, name, point=point, radius_m=_ROUGH_M, source=source)


def _communities() -> Iterator[Place]:
    aliases: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for row in _rows("aliases.csv"):
        if row["community"] and row["is_certain"] == "true":
            key = (row["district"], row["street"], row["community"])
            aliases[key] = (*aliases.get(key, ()), row["name"])
    for row in _rows("communities.csv"):
        name = community_name(row["community"])
        also = aliases.get((row["district"], row["street"], row["community"]), ())
        yield Place(name, Level.COMMUNITY, row["district"], row["street"], name, aliases=also, source=_CODES)


def _other_names() -> Iterator[Place]:
    """Aliases of what has no name of its own in the lists, and those that are only probable."""
    for row in _rows("aliases.csv"):
        is_certain, community = row["is_certain"] == "true", community_name(row["community"])
        if not (is_certain and community):
            level = Level.COMMUNITY if community else Level.ROAD
            where = (row["district"], row["street"], community)
            yield Place(row["name"], level, *where, is_certain=is_certain, source=f"{_ALIASES}: {row['note']}")
