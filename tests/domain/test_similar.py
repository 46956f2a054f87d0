"""How likely two calls are one problem: each part can say no, and none alone can say yes."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from dispatch.domain.address_match import Relation
from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.similar import Match, SimilarRules, What, Where, at_most, reasons, score

RULES = parse(read_toml((Path(__file__).parents[2] / "data" / "policy.toml").read_bytes())).similar
HERE = Where(distance_m=30.0, relation=Relation.HOUSE, apart=timedelta(minutes=20), is_same_caller=False)
SAID = What(likeness=0.5)


def match(one: str, other: str) -> Match:
    return RULES.partners(one)[other]


def value(**changes: Any) -> float:
    """The score of two leaks in one house, or of what differs from that."""
    categories = changes.pop("categories", ("leak", "leak"))
    what = replace(SAID, **{name: changes.pop(name) for name in list(changes) if name in What.__slots__})
    where, of = replace(HERE, **changes), match(*categories)
    found = score(where, what, of)
    assert found <= at_most(where, of)
    return found


def test_one_leak_told_twice() -> None:
    assert value() > 0.9
    of = match("leak", "leak")
    assert reasons(HERE, SAID, of, "坡子街") == (
        "相距 30 m",
        "同一门牌 (坡子街)",
        "同类问题, 描述相似 50%",
        "20 分 00 秒前",
    )
    again = replace(HERE, is_same_caller=True, apart=-HERE.apart, distance_m=None, relation=Relation.UNKNOWN)
    other = match("burst", "no_water")
    assert reasons(again, What(None), other, "坡子街") == ("同一来电号码", "相关问题", "20 分 00 秒后")
    alone = What(0.9, are_alone=(True, False))
    assert reasons(HERE, alone, other, "") == ("相距 30 m", "同一门牌", "相关问题, 但说法不一", "20 分 00 秒前")


def test_each_part_of_the_score_falls_with_what_speaks_against_it() -> None:
    for name, falling in {
        "distance_m": (10.0, 60.0, 100.0, 140.0, 151.0),
        "relation": (Relation.HOUSE, Relation.ESTATE, Relation.ROAD, Relation.OTHER_HOUSE, Relation.OTHER_NUMBER),
        "apart": (timedelta(), timedelta(hours=30), timedelta(hours=60), timedelta(days=10)),
        "likeness": (0.6, 0.3, 0.0),
        "categories": (("leak", "leak"), ("leak", "noise")),
    }.items():
        relation = {} if name == "relation" else {"relation": Relation.UNKNOWN}
        distance = {"distance_m": None} if name == "relation" else {}
        values = [value(**{**relation, **distance, name: one}) for one in falling]
        assert all(one > other for one, other in pairwise(values)), (name, values)


def test_what_is_nowhere_is_known_by_its_caller_alone() -> None:
    nowhere = {"distance_m": None, "relation": Relation.UNKNOWN}
    assert value(**nowhere) == 0
    assert value(**nowhere, is_same_caller=True) >= match("leak", "leak").threshold
    assert value(**{**nowhere, "relation": Relation.UNCLEAR}, is_same_caller=True) == 0


def test_an_address_bridges_points_that_lie_apart_and_a_point_no_other_address() -> None:
    assert value(distance_m=400.0, relation=Relation.HOUSE) >= 0.6
    assert value(distance_m=400.0, relation=Relation.UNKNOWN) == 0
    assert value(distance_m=460.0, relation=Relation.HOUSE) == 0  # another place of the same name
    assert value(distance_m=5.0, relation=Relation.OTHER_HOUSE) < value(distance_m=5.0, relation=Relation.UNKNOWN)


def test_a_bill_is_no_leak_and_a_complaint_is_like_nothing() -> None:
    assert set(RULES.partners("billing")) == {"billing"}
    assert set(RULES.partners("no_water")) == {"no_water", "burst", "hydrant", "pressure"}
    assert set(RULES.partners("quality")) == {"quality", "mass_quality"}
    for off in ("complaint", "install", "transfer", "inquiry", "other"):
        assert RULES.partners(off) == {}
    assert all(one in RULES.partners(other) for one in RULES.categories for other in RULES.partners(one))


def test_two_leaks_in_one_house_are_told_apart_by_where_the_water_comes_out() -> None:
    texts = ("厨房水管漏水", "水表井在漏水")
    kitchen, meter = (RULES.aspects_of("leak", text) for text in texts)
    assert value(aspects=(kitchen, meter)) < match("leak", "leak").threshold
    assert value(aspects=(kitchen, kitchen)) > 0.9
    # Over an area that is no contradiction: one sees the street, another her tap.
    street, tap = RULES.aspects_of("burst", "路面冒水"), RULES.aspects_of("no_water", "家里没水了")
    over = {"categories": ("burst", "no_water"), "relation": Relation.UNKNOWN}
    assert value(**over, aspects=(street, tap)) == value(**over)
    smell, colour = RULES.aspects_of("quality", "水有臭味"), RULES.aspects_of("quality", "水发黄")
    assert value(categories=("quality", "quality"), aspects=(smell, colour)) < 0.6


def test_what_a_category_says_without_a_word() -> None:
    burst, ceiling = RULES.aspects_of("burst", "水管爆了"), RULES.aspects_of("leak", "天花板滴水")
    street = {"categories": ("burst", "leak")}
    assert value(**street) > 0.6 > value(**street, aspects=(burst, ceiling))
    gone, well = RULES.aspects_of("cover", "井盖不见了"), RULES.aspects_of("cover", "井盖下面往外溢水")
    leak = RULES.aspects_of("leak", "路边漏水")
    assert value(categories=("cover", "leak"), aspects=(well, leak)) > 0.6
    assert value(categories=("cover", "leak"), aspects=(gone, leak)) < 0.6


def test_who_alone_has_it_is_not_of_the_many() -> None:
    assert RULES.is_alone("就我家没水, 邻居家都有水")
    assert RULES.is_alone("欠费停水, 已经缴费")
    assert not RULES.is_alone("整栋楼都没水")
    area = {"categories": ("no_water", "no_water"), "relation": Relation.HOUSE}
    assert value(**area) >= 0.6 > value(**area, are_alone=(True, False))
    assert value(**area, are_alone=(True, False), is_same_caller=True) >= 0.6
    assert value(**area, are_alone=(True, True)) >= 0.6
    assert value(**{**area, "relation": Relation.OTHER_HOUSE}, are_alone=(True, True)) < 0.6


def test_the_stricter_threshold_and_the_wider_reach_hold_between_two_categories() -> None:
    leak, repair = RULES.categories["leak"], RULES.categories["repair"]
    of = match("leak", "repair")
    assert (of.threshold, of.is_one) == (max(leak.threshold, repair.threshold), False)
    assert match("leak", "burst").within_m == 400  # a burst is seen from farther
    assert match("leak", "burst") == match("burst", "leak")


def test_without_rules_nothing_is_alike() -> None:
    assert SimilarRules().partners("leak") == {}
    assert not SimilarRules().is_alone("只有我家")
