"""The gazetteer of this process, with what staff imported; kept until that changes."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from dispatch.domain.address import Level
from dispatch.domain.address_text import plain
from dispatch.domain.place import Wgs84Point
from dispatch.geocode.gazetteer import Gazetteer
from dispatch.geocode.places import Place
from dispatch.geocode.shipped import shipped_places
from dispatch.storage import places, zone_codes
from dispatch.storage.db import Store, Tx

LEVELS = {"estate": Level.ESTATE, "road": Level.ROAD, "landmark": Level.ESTATE, "address": Level.NUMBER}
# An alias of an alias of an alias is somebody's joke.
_LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Names:
    """What addresses are read with.

    Attributes:
        revision: The state that it was read at.
        gazetteer: Names of places.
        codes: The table of 街道 and 社区 that are one grid, by 街道.
    """

    revision: int
    gazetteer: Gazetteer
    codes: Mapping[str, Sequence[Mapping[str, Any]]]


class Gazetteers:
    """Keeps the names of this process, read by whichever thread first finds them old."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: Names | None = None

    def current(self, tx: Tx) -> Gazetteer:
        """Return the gazetteer of what is imported by now."""
        revision = places.revision(tx)
        kept = self._kept
        if kept is None or kept.revision != revision:
            with self._lock:
                kept = self._kept if self._kept and self._kept.revision == revision else self._read()
        return kept.gazetteer

    def refresh(self) -> None:
        """Read it again where it is old, so that no call has to wait for that in its own transaction."""
        with self._store.read() as tx:
            self.current(tx)

    def at_hand(self) -> Names | None:
        """Return what is kept, however old, without a question to the database; None before the first."""
        return self._kept

    def _read(self) -> Names:
        # Only what is committed is kept: a change in an open transaction may still be taken back.
        with self._store.snapshot() as committed:
            revision, rows = places.revision(committed), places.all_(committed)
            codes = defaultdict(list)
            for code in zone_codes.all_(committed):
                codes[code["street"]].append(code)
            self._kept = Names(revision, made(rows), dict(codes))
        return self._kept


@cache
def shipped() -> Gazetteer:
    """Return the gazetteer of what is shipped alone, for who has no database."""
    return made([])


def made(rows: Sequence[Mapping[str, Any]]) -> Gazetteer:
    """Return the gazetteer of imported rows and of what is shipped."""
    found = [_place(row, LEVELS[row["kind"]]) for row in rows if row["kind"] in LEVELS]
    found += _aliases(rows, found)
    accounts = {plain(row["name"]): _account(row) for row in rows if row["kind"] == "account"}
    return Gazetteer(found, accounts)


def _place(row: Mapping[str, Any], level: Level) -> Place:
    return Place(
        name=row["name"],
        level=level,
        district=row["district"],
        street=row["street"],
        community=row["community"],
        point=None if row["lon"] is None else Wgs84Point(row["lon"], row["lat"]),
        radius_m=row["radius_m"],
        zone_id=row["zone_id"],
        aliases=tuple(row["aliases"]),
        source=f"导入: {row['source']}",
    )


def _account(row: Mapping[str, Any]) -> Place:
    return replace(_place(row, Level.NUMBER), name=row["target"])


def _aliases(rows: Sequence[Mapping[str, Any]], known: Sequence[Place]) -> Iterator[Place]:
    """An alias is a place of its own name at the place of its target; one that leads round in a circle is none."""
    targets = {plain(row["name"]): plain(row["target"]) for row in rows if row["kind"] == "alias"}
    by_name: dict[str, Place] = {}
    for place in (*shipped_places(), *known):
        by_name.setdefault(plain(place.name), place)
        by_name.setdefault(plain(place.full_name), place)
    for row in rows:
        if row["kind"] == "alias":
            found = by_name.get(_end_of(plain(row["target"]), targets))
            own = _place(row, found.level if found else Level.ROAD)
            if found is not None:
                yield replace(found, name=row["name"], aliases=own.aliases, source=own.source)
            elif own.district:
                yield own


def _end_of(name: str, targets: Mapping[str, str]) -> str:
    for _ in range(_LONGEST_CHAIN):
        if name not in targets:
            return name
        name = targets[name]
    return ""
