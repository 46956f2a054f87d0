"""What ways really took, against what was expected: a correction for each grid and hour, as soon as enough is known.

The median, not the mean: one crew that forgot to press 到场 says nothing about the road.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

# From so many observations on a group speaks for itself; below, the next wider one does: branch, then all.
LEAST = 8
# What is farther off is a wrong position or a button pressed late, and no correction.
SMALLEST, LARGEST = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Observed:
    """One way: where to, in which hour of the day in Changsha, by which kind of estimate, and observed / expected."""

    zone_id: str | None
    branch: str | None
    hour: int
    kind: str
    ratio: float


@dataclass(frozen=True, slots=True)
class Correction:
    """By how much an estimate is multiplied, and of how many observations that is known; 1 and 0 where of too few."""

    factor: float = 1.0
    samples: int = 0


class Corrections:
    """The corrections of a period, found once from its observations."""

    def __init__(self, observed: Iterable[Observed]) -> None:
        groups: dict[tuple[str | int | None, ...], list[float]] = {}
        for one in observed:
            ratio = min(max(one.ratio, SMALLEST), LARGEST)
            for key in _keys(one.kind, one.zone_id, one.branch, one.hour):
                groups.setdefault(key, []).append(ratio)
        self._known = {
            key: Correction(round(median(ratios), 3), len(ratios))
            for key, ratios in groups.items()
            if len(ratios) >= LEAST
        }

    def of(self, kind: str, zone_id: str | None, branch: str | None, hour: int) -> Correction:
        """Return the correction of the narrowest group that is known well enough."""
        keys = _keys(kind, zone_id, branch, hour)
        return next((self._known[key] for key in keys if key in self._known), Correction())


def _keys(kind: str, zone_id: str | None, branch: str | None, hour: int) -> list[tuple[str | int | None, ...]]:
    """The groups of one way, the narrowest first; what lies in no grid is of no grid's group."""
    keys: list[tuple[str | int | None, ...]] = [(kind,)]
    if branch is not None:
        keys.insert(0, (kind, "branch", branch))
    if zone_id is not None:
        keys.insert(0, (kind, "zone", zone_id, hour))
    return keys
