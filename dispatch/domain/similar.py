"""How likely two calls tell of one problem: a score from 0 to 1 with its reasons in words. A person decides.

The score is a product of three: is it one place, is it one kind of problem, is it near enough in time. One that is
surely not so cannot be made up for by the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

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
    """

    threshold: float
    within_m: float
    within: timedelta
    reach: Reach
    basis: str


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

    def are_related(self, one: str, other: str) -> bool:
        """Tell whether one problem may be told under both categories."""
        if one not in self.categories or other not in self.categories:
            return False
        return one == other or any(one in family and other in family for family in self.families.values())

    def aspects_of(self, text: str) -> Aspects:
        """Return by group what a text says."""
        found: dict[tuple[str, bool], set[str]] = {}
        for aspect in self.aspects:
            if any(word in text for word in aspect.words):
                found.setdefault((aspect.group, aspect.is_local), set()).add(aspect.id)
        return {group: frozenset(ids) for group, ids in found.items()}

    def is_alone(self, text: str) -> bool:
        """Tell whether a caller says that nobody else has the problem."""
        return any(word in text for word in self.alone)

    def reach_m(self, category: str) -> float:
        """Return the farthest that a call of a known category and one that is related to it can be apart."""
        return max(rule.within_m for other, rule in self.categories.items() if self.are_related(category, other))


@dataclass(frozen=True, slots=True)
class Pair:
    """What is known of a call and an open ticket.

    Attributes:
        categories: Of the call, and of the ticket.
        distance_m: Between their points, or None where one has none.
        relation: Of their addresses.
        place: What both addresses name, for the reason; empty where they name nothing alike.
        apart: From the ticket's call to this one; may be negative.
        is_same_caller: One number rang about both.
        likeness: Of the texts, from 0 to 1, or None where one says nothing.
        aspects: By group what each text says.
        is_alone: One of the two says that nobody else has it.
    """

    categories: tuple[str, str]
    distance_m: float | None
    relation: Relation
    place: str
    apart: timedelta
    is_same_caller: bool
    likeness: float | None
    aspects: tuple[Aspects, Aspects] = ({}, {})
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How likely it is one problem, and why, in Chinese words."""

    value: float
    reasons: tuple[str, ...]


NONE = Score(0.0, ())
# What the words of two addresses are worth, by reach.
_BY_WORDS: Mapping[Relation, tuple[float, float, float]] = {
    Relation.HOUSE: (1.0, 1.0, 1.0),
    Relation.CROSSING: (1.0, 1.0, 1.0),
    Relation.ESTATE: (0.85, 0.95, 0.95),
    Relation.OTHER_HOUSE: (0.3, 0.7, 0.8),
    Relation.ROAD: (0.5, 0.6, 0.6),
    Relation.OTHER_NUMBER: (0.2, 0.5, 0.5),
    Relation.OTHER: (0.2, 0.6, 0.5),
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
_RELATED, _CONTRADICTED = 0.9, 0.55
_LATE, _LATEST = 0.6, 3


def score(pair: Pair, rules: SimilarRules) -> Score:
    """Return how likely the two are one problem; 0 where their categories never are."""
    if not rules.are_related(*pair.categories):
        return NONE
    one, other = (rules.categories[category] for category in pair.categories)
    reach = max(one.reach, other.reach)
    place, where = _place(pair, max(one.within_m, other.within_m), reach)
    problem, what = _problem(pair, reach)
    value = place * problem * _time(abs(pair.apart), max(one.within, other.within))
    if pair.is_same_caller:
        value += (1 - value) * 0.3 * place
    reasons = ("同一来电号码" if pair.is_same_caller else "", where, what, _ago(pair.apart))
    return Score(round(value, 3), tuple(filter(None, reasons)))


def threshold(rules: SimilarRules, categories: tuple[str, str]) -> float:
    """Return from which score on two related categories are suggested: the stricter of the two."""
    return max(rules.categories[category].threshold for category in categories)


def _place(pair: Pair, within_m: float, reach: Reach) -> tuple[float, str]:
    words = _BY_WORDS[pair.relation][reach] if pair.relation in _BY_WORDS else None
    near = None if pair.distance_m is None else _near(pair.distance_m / within_m)
    told = [] if pair.distance_m is None else [f"相距 {pair.distance_m:.0f} m"]
    if pair.relation in _WORDS:
        told.append(_WORDS[pair.relation] + (f" ({pair.place})" if pair.place else ""))
    return _both(near, words, pair), ", ".join(told)


def _both(near: float | None, words: float | None, pair: Pair) -> float:
    if near is None and words is None:
        return _SURE if pair.is_same_caller and pair.relation is Relation.UNKNOWN else 0.0
    if near is None or words is None:
        return (near or 0.0) * 0.95 if words is None else words
    if words >= _SURE:
        return max(near, 0.65 * words + 0.35 * near)
    return near * (0.45 + 0.55 * words)


def _near(share: float) -> float:
    if share <= _SAME_SHARE:
        return 1.0
    return 0.0 if share > 1 else 1.0 - (1.0 - _AT_EDGE) * (share - _SAME_SHARE) / (1.0 - _SAME_SHARE)


def _problem(pair: Pair, reach: Reach) -> tuple[float, str]:
    is_one = pair.categories[0] == pair.categories[1]
    value, told = (1.0, "同类问题") if is_one else (_RELATED, "相关问题")
    clashes = _clashes(*pair.aspects, is_local=reach is not Reach.AREA)
    if pair.is_alone and pair.relation is not Relation.HOUSE and not pair.is_same_caller:
        clashes += 1
    if clashes:
        return value * _CONTRADICTED**clashes, f"{told}, 但说法不一"
    if pair.likeness is None:
        return value * 0.95, told
    value *= 0.85 + 0.15 * min(1.0, pair.likeness / 0.6)
    return value, f"{told}, 描述相似 {pair.likeness:.0%}" if pair.likeness >= 0.4 else told


def _clashes(one: Aspects, other: Aspects, *, is_local: bool) -> int:
    """In how many groups both say something, and nothing of it is the same."""
    shared = [group for group in one if group in other and (is_local or not group[1])]
    return sum(one[group].isdisjoint(other[group]) for group in shared)


def _ago(apart: timedelta) -> str:
    return span_text(apart.total_seconds()) + ("前" if apart >= timedelta(0) else "后")


def _time(apart: timedelta, within: timedelta) -> float:
    share = apart / within
    if share <= 1:
        return 1.0 - (1.0 - _LATE) * max(0.0, share - 0.25) / 0.75
    return _LATE if share <= _LATEST else 0.0
