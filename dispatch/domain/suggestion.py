"""Whether an answer from the network may be shown to a dispatcher: a geocoder can be wrong, or lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from shapely.geometry.base import BaseGeometry

from dispatch.domain.address import LEVEL_LABELS, Candidate, Level
from dispatch.domain.place import Wgs84Point, metres_between
from dispatch.domain.zone_checks import metres_outside
from dispatch.domain.zones import Route

# A point is a place to go to only where it is this exact; the middle of a district is none.
_EXACT = frozenset({Level.ROOM, Level.NUMBER, Level.ESTATE, Level.ROAD, Level.COMMUNITY})
# Two answers so close are one place.
SAME_M = 500.0
# The outlines of districts are simplified.
OUTLINE_TOLERANCE_M = 1_000.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of a geocoder's answer.

    Attributes:
        candidate: What may be suggested, its grid and reason filled in, or None.
        words: Why, or why not, in Chinese words for people.
    """

    candidate: Candidate | None
    words: str


def judge(
    text: str,
    found: Sequence[Candidate],
    route: Callable[[Wgs84Point], Route],
    districts: Mapping[str, BaseGeometry],
) -> Verdict:
    """Return the one candidate that can be meant, or why none is: nothing is guessed.

    Args:
        text: What was asked for.
        found: What one geocoder answered, the best first.
        route: Tells the grid of a point.
        districts: Outlines by name, WGS-84.
    """
    if not found:
        return Verdict(None, "没有结果")
    named = [name for name in districts if name in text]
    wanted = named[0] if len(named) == 1 else None
    fits: list[Candidate] = []
    faults: list[str] = []
    for candidate in found:
        fault, fit = _checked(candidate, route, wanted, districts)
        if fit is None:
            faults.append(fault)
        else:
            fits.append(fit)
    if not fits:
        return Verdict(None, faults[0])
    best = fits[0]
    others = [one for one in fits[1:] if one.level is best.level and _apart_m(best, one) > SAME_M]
    if others:
        return Verdict(None, "有歧义: " + "; ".join(one.label for one in [best, *others][:3]))
    return Verdict(best, best.reason)


def _checked(
    candidate: Candidate,
    route: Callable[[Wgs84Point], Route],
    wanted: str | None,
    districts: Mapping[str, BaseGeometry],
) -> tuple[str, Candidate | None]:
    """Return what is wrong with a candidate, or the candidate with its grid and the reason."""
    if candidate.point is None:
        return "没有坐标", None
    way = route(candidate.point)
    if way.zone_id is None:
        return f"返回的位置不在服务区: {candidate.label[:40]}", None
    if wanted is not None:
        is_other = candidate.district is not None and candidate.district in districts and candidate.district != wanted
        if is_other or metres_outside(candidate.point, districts[wanted]) > OUTLINE_TOLERANCE_M:
            return f"返回的位置不在地址所说的{wanted}: {candidate.label[:40]}", None
    if candidate.level not in _EXACT:
        return f"只定位到{LEVEL_LABELS[candidate.level]}, 不足以派单", None
    checked = f"区县相符 ({wanted})" if wanted else "地址没有写明区县"
    return "", replace(candidate, zone_id=way.zone_id, reason=f"{way.reason}; {checked}")


def _apart_m(a: Candidate, b: Candidate) -> float:
    return metres_between(a.point, b.point) if a.point and b.point else math.inf
