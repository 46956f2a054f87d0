"""How likely two calls tell of one problem: a score from 0 to 1 with its reasons in words. A person decides.

The score is a product of three: is it one place, is it one kind of problem, is it near enough in time. One that is
surely not so cannot be made up for by the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from functools import cache

from dispatch.domain.address_match import Relation
from dispatch.domain.times import span_text

# By group, and whether it is a local one, the aspects that a text tells of.
Aspects = Mapping[tuple[str, bool], frozenset[str]]
# Farther apart, or so much later, is another problem whatever a policy says.
MAX_WITHIN_M = 2_000
MAX_WITHIN_H = 24 * 30


class Reach(IntEnum):
    """How far a problem is felt, and so how much it says that two addresses differ."""

    SPOT = 0  # a leak in a house: the next house has another one
    STREET = 1  # seen from all around, and told by whatever stands nearest
    AREA = 2  # missing water: the whole neighbourhood has it


@dataclass(frozen=True, slots=True)
class SimilarRule:
    """When calls of one category are taken for one problem.

    Attributes:
        threshold: From which score on it is suggested.
        within_m: Farther apart than this no two points are one place, unless their addresses are.
        within: After so long it is hardly the same any more.
        reach: How far it is felt.
        basis: Where the numbers come from.
        implies: Ids of the aspects that such a call has without a word.
    """

    threshold: float
    within_m: float
    within: timedelta
    reach: Reach
    basis: str
    implies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Aspect:
    """Words that tell one thing of a problem from another: where the water comes out, whom it concerns.

    Attributes:
        group: Of two aspects of one group only one can be true of a problem.
        words: Any of them in a text says so.
        is_local: It says nothing where one of the two is felt over an area.
    """

    id: str
    group: str
    words: tuple[str, ...]
    is_local: bool


@dataclass(frozen=True, slots=True)
class SimilarRules:
    """What the policy says of duplicates; without categories nothing is ever suggested.

    Attributes:
        categories: By category id; one that is missing is never compared.
        families: By name the categories that one problem may be told under.
        aspects: What sets problems of one family apart.
        alone: Words by which callers say that nobody else has it.
    """

    categories: Mapping[str, SimilarRule] = field(default_factory=dict)
    families: Mapping[str, frozenset[str]] = field(default_factory=dict)
    aspects: tuple[Aspect, ...] = ()
    alone: tuple[str, ...] = ()

    def partners(self, category: str) -> dict[str, Match]:
        """Return by category what one problem may be told under as well as under this one; none where that is off."""
        own = self.categories.get(category)
        if own is None:
            return {}
        related = [id_ for id_ in self.categories if self.are_related(category, id_)]
        return {id_: _match(own, self.categories[id_], is_one=id_ == category) for id_ in related}

    def are_related(self, one: str, other: str) -> bool:
        """Tell whether one problem may be told under both categories."""
        if one not in self.categories or other not in self.categories:
            return False
        return one == other or any(one in family and other in family for family in self.families.values())

    def aspects_of(self, category: str, text: str) -> Aspects:
        """Return by group what a text says, and what its category, which is a known one, says without a word."""
        implied = self.categories[category].implies
        found: dict[tuple[str, bool], set[str]] = {}
        for aspect in self.aspects:
            if aspect.id in implied or _any_of(aspect.words).search(text):
                found.setdefault((aspect.group, aspect.is_local), set()).add(aspect.id)
        return {group: frozenset(ids) for group, ids in found.items()}

    def is_alone(self, text: str) -> bool:
        """Tell whether a caller says that nobody else has the problem."""
        return _any_of(self.alone).search(text) is not None


@cache
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")


@dataclass(frozen=True, slots=True)
class Match:
    """What holds between two categories: the stricter threshold, the wider reach.

    Attributes:
        is_one: Both are the same category.
    """

    threshold: float
    within_m: float
    within: timedelta
    reach: Reach
    is_one: bool


def _match(one: SimilarRule, other: SimilarRule, *, is_one: bool) -> Match:
    return Match(
        max(one.threshold, other.threshold),
        max(one.within_m, other.within_m),
        max(one.within, other.within),
        max(one.reach, other.reach),
        is_one,
    )


@dataclass(frozen=True, slots=True)
class Where:
    """How a call lies to an open ticket.

    Attributes:
        distance_m: Between their points, or None where one has none.
        relation: Of their addresses.
        apart: From the ticket's call to this one; may be negative.
        is_same_caller: One number rang about both.
    """

    distance_m: float | None
    relation: Relation
    apart: timedelta
    is_same_caller: bool


@dataclass(frozen=True, slots=True)
class What:
    """What two callers say.

    Attributes:
        likeness: Of the texts, from 0 to 1, or None where one says nothing.
        aspects: By group what each text says.
        are_alone: Whether each says that nobody else has it.
    """

    likeness: float | None
    aspects: tuple[Aspects, Aspects] = ({}, {})
    are_alone: tuple[bool, bool] = (False, False)


# What the words of two addresses are worth where there are no points, by reach.
_BY_WORDS: Mapping[Relation, tuple[float, float, float]] = {
    Relation.HOUSE: (1.0, 1.0, 1.0),
    Relation.CROSSING: (1.0, 1.0, 1.0),
    Relation.ESTATE: (0.85, 0.95, 0.95),
    Relation.OTHER_HOUSE: (0.3, 0.7, 0.8),
    Relation.ROAD: (0.5, 0.6, 0.6),
    Relation.OTHER_NUMBER: (0.2, 0.5, 0.5),
    Relation.OTHER: (0.2, 0.6, 0.5),
}
# And what they leave of a nearness that points tell.
_AGAINST: Mapping[Relation, tuple[float, float, float]] = {
    Relation.OTHER_HOUSE: (0.6, 0.9, 0.95),
    Relation.OTHER_NUMBER: (0.56, 0.85, 0.95),
    Relation.OTHER: (0.56, 0.78, 0.85),
}
_WORDS = {
    Relation.HOUSE: "同一门牌",
    Relation.CROSSING: "同一路口",
    Relation.ESTATE: "同一小区/单位",
    Relation.OTHER_HOUSE: "同一小区不同楼栋",
    Relation.ROAD: "同一道路",
}
# Within this share of the distance two points are one place; at the whole of it half as likely.
_SAME_SHARE, _AT_EDGE = 0.2, 0.5
_SURE = 0.8
# So many times farther apart it is another place of the same name.
_OFF = 3.0
_RELATED, _CONTRADICTED, _SILENT = 0.9, 0.55, 0.95
_LATE, _LATEST = 0.6, 3
# So much of what is missing a caller's number makes up for; and from so much likeness on it is told.
_BY_CALLER, _ALIKE = 0.3, 0.4


def at_most(where: Where, match: Match) -> float:
    """Return the score that two can have whatever their callers say: where it is too low, nobody need read that."""
    return _score(where, match, 1.0)


def score(where: Where, what: What, match: Match) -> float:
    """Return how likely two are one problem, from 0 to 1."""
    return _score(where, match, _problem(where, what, match))


def _score(where: Where, match: Match, problem: float) -> float:
    place = _place(where, match)
    value = place * problem * _time(abs(where.apart) / match.within)
    if where.is_same_caller:
        value += (1 - value) * _BY_CALLER * place
    return round(value, 3)


def reasons(where: Where, what: What, match: Match, place: str) -> tuple[str, ...]:
    """Return why they may be, in Chinese words.

    Args:
        where: How they lie to each other.
        what: What was said.
        match: Of their categories.
        place: What both addresses name; may be empty.
    """
    far = "" if where.distance_m is None else f"相距 {where.distance_m:.0f} m"
    named = _WORDS.get(where.relation, "")
    named += f" ({place})" if named and place else ""
    kind = "同类问题" if match.is_one else "相关问题"
    if _clashes(where, what, match):
        kind += ", 但说法不一"
    elif what.likeness is not None and what.likeness >= _ALIKE:
        kind += f", 描述相似 {what.likeness:.0%}"
    ago = span_text(where.apart.total_seconds()) + ("前" if where.apart >= timedelta(0) else "后")
    caller = "同一来电号码" if where.is_same_caller else ""
    return tuple(filter(None, (caller, far, named, kind, ago)))


def _place(where: Where, match: Match) -> float:
    words = _BY_WORDS[where.relation][match.reach] if where.relation in _BY_WORDS else None
    if where.distance_m is not None:
        return _by_points(where.distance_m / match.within_m, words, where.relation, match.reach)
    if words is None:
        return _SURE if where.is_same_caller and where.relation is Relation.UNKNOWN else 0.0
    return words


def _by_points(share: float, words: float | None, relation: Relation, reach: Reach) -> float:
    """What points and words say together; `share` is the distance by the one within which it can be one place."""
    near = _near(share)
    if words is not None and words >= _SURE and share <= _OFF:
        return max(near, 0.65 * words + 0.35 * near)  # a pin may be of the gate, and the trouble at the other end
    return near * (_AGAINST[relation][reach] if relation in _AGAINST else 1.0)


def _near(share: float) -> float:
    if share <= _SAME_SHARE:
        return 1.0
    return 0.0 if share > 1 else 1.0 - (1.0 - _AT_EDGE) * (share - _SAME_SHARE) / (1.0 - _SAME_SHARE)


def _problem(where: Where, what: What, match: Match) -> float:
    value = 1.0 if match.is_one else _RELATED
    clashes = _clashes(where, what, match)
    if clashes:
        return value * _CONTRADICTED**clashes
    if what.likeness is None:
        return value * _SILENT
    return value * (0.85 + 0.15 * min(1.0, what.likeness / 0.6))


def _clashes(where: Where, what: What, match: Match) -> int:
    """In how many things the two contradict each other."""
    one, other = what.aspects
    shared = [group for group in one if group in other and (match.reach is not Reach.AREA or not group[1])]
    found = sum(one[group].isdisjoint(other[group]) for group in shared)
    is_own = where.is_same_caller or (all(what.are_alone) and where.relation is Relation.HOUSE)
    return found + (any(what.are_alone) and not is_own)


def _time(share: float) -> float:
    if share <= 1:
        return 1.0 - (1.0 - _LATE) * max(0.0, share - 0.25) / 0.75
    return _LATE if share <= _LATEST else 0.0
