"""What of an answer from the network may be shown: nothing from elsewhere, nothing vague, nothing guessed."""

from __future__ import annotations

from dataclasses import replace

import shapely

from dispatch.domain.address import Candidate, Level
from dispatch.domain.place import Wgs84Point
from dispatch.domain.suggestion import Verdict, judge
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zones import Zone

EAST, WEST = "天心区", "岳麓区"
DISTRICTS = {WEST: shapely.box(112.90, 28.10, 112.96, 28.20), EAST: shapely.box(112.96, 28.10, 113.02, 28.20)}
ZONES = ZoneIndex(Zone(f"{name}-01", name, None, None, True, area) for name, area in DISTRICTS.items())
FOUND = Candidate(
    "天心区坡子街12号", Level.NUMBER, Wgs84Point(112.98, 28.15), 50, None, EAST, None, None, 0.9, "", "amap"
)
TEXT = "天心区坡子街12号"


def verdict(*found: Candidate, text: str = TEXT) -> Verdict:
    return judge(text, found, ZONES.route, DISTRICTS)


def test_a_good_answer_gets_its_grid_and_reason() -> None:
    best = verdict(FOUND).candidate
    assert best is not None
    assert best.zone_id == "天心区-01"
    assert best.reason.endswith("区县相符 (天心区)")
    assert verdict(FOUND).words == best.reason


def test_without_a_district_in_the_text_it_says_so() -> None:
    best = verdict(FOUND, text="坡子街12号").candidate
    assert best is not None
    assert best.reason.endswith("地址没有写明区县")
    both = verdict(FOUND, text="岳麓区往天心区方向").candidate
    assert both is not None
    assert both.reason.endswith("地址没有写明区县")


def test_nothing_found() -> None:
    assert verdict() == Verdict(None, "没有结果")


def test_another_city() -> None:
    shanghai = replace(FOUND, label="上海市黄浦区坡子街", point=Wgs84Point(121.47, 31.23))
    assert verdict(shanghai) == Verdict(None, "返回的位置不在服务区: 上海市黄浦区坡子街")
    assert verdict(replace(FOUND, point=Wgs84Point(0.0, 0.0))).candidate is None


def test_another_district_by_name_or_by_place() -> None:
    assert "不在地址所说的天心区" in verdict(replace(FOUND, district=WEST)).words
    beyond = replace(FOUND, district=None, point=Wgs84Point(112.92, 28.15))
    assert "不在地址所说的天心区" in verdict(beyond).words
    # The outlines are simplified: 400 m beyond one is no contradiction.
    assert verdict(replace(beyond, point=Wgs84Point(112.956, 28.15))).candidate
    # A name that is no district here decides nothing.
    assert verdict(replace(FOUND, district="某某新区")).candidate


def test_no_place_or_too_vague() -> None:
    assert verdict(replace(FOUND, point=None)).words == "没有坐标"
    assert verdict(replace(FOUND, level=Level.DISTRICT)).words == "只定位到区县, 不足以派单"
    assert verdict(replace(FOUND, level=Level.CITY), replace(FOUND, label="b")).candidate is not None


def test_two_places_of_one_kind_stay_ambiguous() -> None:
    far = replace(FOUND, label="另一处", point=Wgs84Point(112.99, 28.15))
    assert verdict(FOUND, far) == Verdict(None, "有歧义: 天心区坡子街12号; 另一处")
    near = replace(FOUND, point=Wgs84Point(112.981, 28.15))
    assert verdict(FOUND, near).candidate is not None
    assert verdict(FOUND, replace(far, level=Level.ROAD)).candidate is not None
