"""How likely two calls are one problem: each part can say no, and none alone can say yes."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dispatch.domain.address_match import Relation
from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.similar import Pair, SimilarRules, score, threshold

RULES = parse(read_toml((Path(__file__).parents[2] / "data" / "policy.toml").read_bytes())).similar
LEAK = Pair(
    categories=("leak", "leak"),
    distance_m=30.0,
    relation=Relation.HOUSE,
    place="坡子街",
    apart=timedelta(minutes=20),
    is_same_caller=False,
    likeness=0.5,
)


def value(**changes: object) -> float:
    return score(replace(LEAK, **changes), RULES).value  # type: ignore[arg-type]


def test_one_leak_told_twice() -> None:
    found = score(LEAK, RULES)
    assert found.value > 0.9
    assert found.reasons == ("相距 30 m, 同一门牌 (坡子街)", "同类问题, 描述相似 50%", "20 分 00 秒前")
    again = score(replace(LEAK, is_same_caller=True, likeness=0.1, apart=-LEAK.apart, place=""), RULES)
    assert again.reasons == ("同一来电号码", "相距 30 m, 同一门牌", "同类问题", "20 分 00 秒后")


def test_each_part_of_the_score_falls_with_what_speaks_against_it() -> None:
    for name, falling in {
        "distance_m": (10.0, 60.0, 100.0, 140.0, 151.0),
        "relation": (Relation.HOUSE, Relation.ESTATE, Relation.ROAD, Relation.OTHER_HOUSE, Relation.OTHER_NUMBER),
        "apart": (timedelta(), timedelta(hours=30), timedelta(hours=60), timedelta(days=10)),
        "likeness": (0.6, 0.3, 0.0),
        "categories": (("leak", "leak"), ("leak", "burst"), ("leak", "no_water")),
    }.items():
        relation = {} if name == "relation" else {"relation": Relation.UNKNOWN}
        distance = {"distance_m": None} if name == "relation" else {}
        values = [value(**{**relation, **distance, name: one}) for one in falling]
        assert all(one > other for one, other in pairwise(values)), (name, values)


def test_what_is_nowhere_is_known_by_its_caller_alone() -> None:
    nowhere = {"distance_m": None, "relation": Relation.UNKNOWN}
    assert value(**nowhere) == 0
    assert value(**nowhere, is_same_caller=True) >= threshold(RULES, ("leak", "leak"))
    assert value(**{**nowhere, "relation": Relation.UNCLEAR}, is_same_caller=True) == 0


def test_an_address_bridges_points_that_lie_apart_and_a_point_no_other_address() -> None:
    assert value(distance_m=400.0, relation=Relation.HOUSE) >= 0.6
    assert value(distance_m=400.0, relation=Relation.UNKNOWN) == 0
    assert value(distance_m=5.0, relation=Relation.OTHER_HOUSE) < value(distance_m=5.0, relation=Relation.UNKNOWN)


@pytest.mark.parametrize(
    ("categories", "related"),
    [
        (("leak", "leak"), True),
        (("burst", "no_water"), True),
        (("quality", "mass_quality"), True),
        (("billing", "billing"), True),
        (("billing", "leak"), False),
        (("leak", "no_water"), False),
        (("complaint", "complaint"), False),
        (("complaint", "leak"), False),
        (("install", "install"), False),
        (("inquiry", "inquiry"), False),
    ],
)
def test_a_bill_is_no_leak_and_a_complaint_is_like_nothing(categories: tuple[str, str], related: bool) -> None:
    assert RULES.are_related(*categories) is related
    found = score(replace(LEAK, categories=categories, is_same_caller=True), RULES)
    assert (found.value > 0) is related


def test_two_leaks_in_one_house_are_told_apart_by_where_the_water_comes_out() -> None:
    texts = ("厨房水管漏水", "水表井在漏水")
    aspects = (RULES.aspects_of(texts[0]), RULES.aspects_of(texts[1]))
    assert value(aspects=aspects) < threshold(RULES, ("leak", "leak"))
    assert value(aspects=(aspects[0], aspects[0])) > 0.9
    # Over an area that is no contradiction: one sees the street, another her tap.
    street, tap = RULES.aspects_of("马路上冒水"), RULES.aspects_of("家里没水了")
    over = {"categories": ("burst", "no_water"), "relation": Relation.UNKNOWN}
    assert value(**over, aspects=(street, tap)) == value(**over)
    smell, colour = RULES.aspects_of("水有臭味"), RULES.aspects_of("水发黄")
    assert value(categories=("quality", "quality"), aspects=(smell, colour)) < 0.6


def test_who_alone_has_it_is_not_of_the_many() -> None:
    assert RULES.is_alone("就我家没水, 邻居家都有水")
    assert not RULES.is_alone("整栋楼都没水")
    area = {"categories": ("no_water", "no_water"), "relation": Relation.OTHER_HOUSE}
    assert value(**area) >= 0.6 > value(**area, is_alone=True)
    assert value(**area, is_alone=True, is_same_caller=True) >= 0.6


def test_without_rules_nothing_is_alike() -> None:
    assert score(LEAK, SimilarRules()).value == 0


def test_how_far_one_must_look() -> None:
    assert RULES.reach_m("cover") == 120
    assert RULES.reach_m("leak") == 400  # a burst is seen from farther
