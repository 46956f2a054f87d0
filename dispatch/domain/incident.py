"""An incident: one burst, many tickets and callers, one crew job. What its tickets do, and when one is proposed."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatch.domain.errors import DispatchError
from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.states import Verb


class IncidentStatus(StrEnum):
    """How an incident stands."""

    PROPOSED = "proposed"
    OPEN = "open"
    CLOSED = "closed"
    DISMISSED = "dismissed"


INCIDENT_LABELS = {
    IncidentStatus.PROPOSED: "待确认",
    IncidentStatus.OPEN: "处理中",
    IncidentStatus.CLOSED: "已关闭",
    IncidentStatus.DISMISSED: "未成立",
}
ALIVE = frozenset({IncidentStatus.PROPOSED, IncidentStatus.OPEN})

# A crew's job: these verbs are done to the ticket that leads; whoever is carried follows.
JOB = frozenset(
    {
        Verb.DISPATCH, Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.ISOLATE, Verb.WORK, Verb.DONE, Verb.RETURN,
        Verb.REASSIGN, Verb.ASSIST, Verb.HOLD, Verb.RESUME,
    }
)  # fmt: skip
# With these a ticket would leave those behind that it leads.
LEAVING = frozenset({Verb.MERGE, Verb.CANCEL})
_NUMBER = re.compile(r"E(\d{6,12})")


class IncidentChanged(DispatchError):
    """The incident is no longer what was seen, or does not allow it."""

    code = "incident-state"
    status = 409


class InIncident(DispatchError):
    """The ticket belongs to another incident already."""

    code = "in-incident"
    status = 409


def number_of(incident_id: int | None) -> str:
    """Return the number of an incident as people read it."""
    return f"E{incident_id or 0:06d}"


def id_of(number: str) -> int | None:
    """Return the id that a number stands for, or None for what is no number."""
    found = _NUMBER.fullmatch(number)
    return int(found[1]) if found else None


# ---------------------------------------------------------------- proposals


Related = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Heard:
    """A ticket of late, for the question whether there are many of its kind; `calls` are those of late."""

    ticket_id: int
    category: str
    point: Wgs84Point
    calls: int


def gathered(heard: Sequence[Heard], least: int, radius_m: float, are_related: Related) -> list[list[Heard]]:
    """Return groups round about one ticket that have `least` calls together.

    Args:
        heard: The tickets of late.
        least: So many calls make a group.
        radius_m: So far from the one in the middle, in metres.
        are_related: Tells of two categories whether one problem may be told under both.

    Returns:
        The groups, the largest first; no ticket is in two.
    """
    near = _Near(heard, radius_m, are_related)
    groups: list[list[Heard]] = []
    taken: set[int] = set()
    by_size = sorted(((near.of(one), one) for one in heard), key=lambda found: -calls_of(found[0]))
    for around, _ in by_size:
        left = [one for one in around if one.ticket_id not in taken]
        if calls_of(left) >= least:
            groups.append(left)
            taken.update(one.ticket_id for one in left)
    return groups


def close_to(points: Sequence[Wgs84Point], heard: Sequence[Heard], radius_m: float) -> list[Heard]:
    """Return those of `heard` that are within `radius_m` metres of one of some points."""
    flat = [_metres(point) for point in points]
    return [one for one in heard if any(math.dist(here, _metres(one.point)) <= radius_m for here in flat)]


def calls_of(group: Sequence[Heard]) -> int:
    """Return how often some tickets were called about of late."""
    return sum(one.calls for one in group)


def _metres(point: Wgs84Point) -> tuple[float, float]:
    """Return a place on a plane: good enough for a few hundred metres."""
    east_m, north_m = metres_per_degree(round(point.lat))
    return point.lon * east_m, point.lat * north_m


class _Near:
    """Who is near whom, by cells as wide as the radius."""

    def __init__(self, heard: Sequence[Heard], radius_m: float, are_related: Related) -> None:
        self._radius_m = radius_m
        self._are_related = are_related
        self._cells: dict[tuple[int, int], list[Heard]] = defaultdict(list)
        for one in heard:
            self._cells[self._cell(one.point)].append(one)

    def _cell(self, point: Wgs84Point) -> tuple[int, int]:
        east, north = _metres(point)
        return math.floor(east / self._radius_m), math.floor(north / self._radius_m)

    def of(self, one: Heard) -> list[Heard]:
        east, north = self._cell(one.point)
        around = (other for x in (-1, 0, 1) for y in (-1, 0, 1) for other in self._cells.get((east + x, north + y), ()))
        here = _metres(one.point)
        return [
            other
            for other in around
            if self._are_related(one.category, other.category)
            and math.dist(here, _metres(other.point)) <= self._radius_m
        ]
