"""Addresses in words become candidates; what is ambiguous stays so, and nothing is guessed in silence."""

import statistics

import pytest

from dispatch.domain.address import Level
from dispatch.domain.place import Wgs84Point
from dispatch.geocode.gazetteer import UNKNOWN, Gazetteer
from dispatch.geocode.places import Place, community_name
from tests.support.addresses import cases

POINT = Wgs84Point(112.98, 28.12)
ESTATE = Place("金领小区", Level.ESTATE, "雨花区", point=POINT, radius_m=150, aliases=("金领家园",), source="导入")
TWIN = Place("金领小区", Level.ESTATE, "岳麓区", zone_id="岳麓-01", source="导入")
CROSSING = Place("劳动路与韶山路路口", Level.NUMBER, "雨花区", point=POINT, source="导入")
ROADS = tuple(Place(name, Level.ROAD, "雨花区", source="导入") for name in ("韶山路", "劳动路"))
METER = Place("滨洲新村12栋", Level.ROOM, "天心区", "南托街道", "滨洲新村", POINT, source="导入")


@pytest.fixture(scope="module")
def shipped() -> Gazetteer:
    return Gazetteer()


@pytest.fixture(scope="module")
def more() -> Gazetteer:
    return Gazetteer([ESTATE, CROSSING, *ROADS], {"0023456789": METER})


@pytest.mark.parametrize("seed", [96533, 20261124])
def test_the_street_is_right_where_the_text_determines_it_and_never_guessed(shipped: Gazetteer, seed: int) -> None:
    determined, undetermined = cases(seed, 400)
    assert len(determined) >= 400
    assert len(undetermined) >= 200
    wrong = []
    for case in determined:
        best = shipped.find(case.text).best
        if best is None or (best.district, best.street) != (case.district, case.street):
            wrong.append((case, best))
    assert len(wrong) <= 0.05 * len(determined), wrong
    guessed = []
    for case in undetermined:
        best = shipped.find(case.text).best
        if best is not None and (best.street is not None or best.district != case.district):
            guessed.append((case, best))
    assert guessed == []


def test_the_seeds_places(shipped: Gazetteer) -> None:
    street = shipped.find("东茅街那个小区三栋").best
    assert street is not None
    assert (street.district, street.street, street.level) == ("芙蓉区", "定王台街道", Level.ROAD)
    village = shipped.find("滨州新村").best
    assert village is not None
    assert (village.label, village.street, village.district) == ("滨洲新村", "南托街道", "天心区")
    probably = shipped.find("莲花村")
    assert probably.best is None
    assert probably.candidates[0].street == "暮云街道"
    assert "请核对" in probably.note


def test_two_of_a_name_are_both_told(shipped: Gazetteer) -> None:
    found = shipped.find("朝阳社区")
    assert found.best is None
    assert "处同名" in found.note
    assert len(found.candidates) > 1
    chosen = shipped.find("芙蓉区朝阳社区").best
    assert chosen is not None
    assert chosen.street == "朝阳街街道"


def test_a_street_and_its_own_community_of_one_name_are_at_least_in_that_street(shipped: Gazetteer) -> None:
    best = shipped.find("侯家塘").best
    assert best is not None
    assert (best.label, best.level) == ("侯家塘街道", Level.STREET)
    assert shipped.find("韭菜园").best is None  # the two lie in different streets


def test_a_contradiction_is_told(shipped: Gazetteer) -> None:
    found = shipped.find("岳麓区南托街道")
    assert found.best is None
    assert "前后矛盾" in found.note


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("宾洲新村", "同音"),
        ("南托街道滨周新村", "同音"),
        ("binzhouxincun", "拼音一致"),
        ("bin zhou xin cun", "拼音一致"),
        ("bzxc", "拼音首字母"),
    ],
)
def test_how_it_sounds_and_is_typed(shipped: Gazetteer, text: str, how: str) -> None:
    best = shipped.find(text).best
    assert best is not None
    assert (best.label, best.street) == ("滨洲新村", "南托街道")
    assert how in best.reason
    assert best.confidence < 0.93


@pytest.mark.parametrize(
    "text", ["", "A", "村", "?", "\x00", "12栋", "建设银行旁边", "𠀀𠀁", "我家没水了", "hello world"]
)
def test_nothing_is_known_of_nothing(shipped: Gazetteer, text: str) -> None:
    found = shipped.find(text)
    assert (found.best, found.candidates, found.note) == (None, (), UNKNOWN)


@pytest.mark.parametrize(
    "text", ["村" * 5000, "天心区" * 5000, "z" * 5000, "南托街道滨洲新村" + "啊" * 5000, "12栋" * 1700]
)
def test_a_page_of_text_is_read_as_far_as_anybody_tells_an_address(shipped: Gazetteer, text: str) -> None:
    assert len(shipped.find(text).candidates) <= 9


def test_languages_mixed(shipped: Gazetteer) -> None:
    best = shipped.find("Room 502, Building 3, 滨洲新村, Nantuo Street, Changsha").best
    assert best is not None
    assert best.street == "南托街道"


def test_what_the_street_is_called_like_is_the_road_and_not_the_street(shipped: Gazetteer) -> None:
    found = shipped.find("芙蓉北路128号")
    assert found.best is None
    assert "可能是" in found.note


def test_what_is_unknown_within_a_district_is_told(shipped: Gazetteer) -> None:
    found = shipped.find("天心区金领小区3栋")
    assert found.best is not None
    assert (found.best.level, found.best.street) == (Level.DISTRICT, None)
    assert "金领小区" in found.note


def test_imported_estates_by_name_alias_and_sound(more: Gazetteer) -> None:
    for text in ("金领小区3栋502", "雨花区金领小区", "金领家园", "金邻小区"):
        best = more.find(text).best
        assert best is not None
        assert (best.point, best.level, best.district) == (POINT, Level.ESTATE, "雨花区")
    street = more.find("侯家塘街道金领小区").best
    assert street is not None
    assert street.street == "侯家塘街道"  # what the text says is kept
    assert more.find("岳麓区金领小区").best is None  # it is not there


def test_two_estates_of_a_name() -> None:
    both = Gazetteer([ESTATE, TWIN])
    found = both.find("金领小区")
    assert found.best is None
    assert found.note == "两处同名: 雨花区金领小区、岳麓区金领小区"
    best = both.find("岳麓区金领小区").best
    assert best is not None
    assert best.zone_id == "岳麓-01"


def test_beside_it_is_near_it(more: Gazetteer) -> None:
    best = more.find("金领小区对面").best
    assert best is not None
    assert best.radius_m == 300
    assert "近似" in best.reason
    assert more.read("金领小区对面").key == ""  # and teaches nothing of the place


def test_a_crossing_by_either_road(more: Gazetteer) -> None:
    for text in ("韶山路与劳动路口", "劳动路和韶山路交叉口"):
        best = more.find(text).best
        assert best is not None
        assert best.point == POINT
    assert more.read("韶山路与劳动路口").key == "劳动路与韶山路路口"


def test_a_crossing_of_roads_that_are_known_alone(more: Gazetteer) -> None:
    without = Gazetteer(ROADS)
    found = without.find("韶山路与劳动路口").best
    assert found is None or found.point is None


def test_a_meter_number(more: Gazetteer) -> None:
    for text in ("0023456789", "户号 0023456789"):
        best = more.find(text).best
        assert best is not None
        assert (best.label, best.level) == ("滨洲新村12栋", Level.ROOM)
    assert more.find("0023456780").best is None


@pytest.mark.parametrize(
    ("text", "key", "name", "district"),
    [
        ("天心区金领小区3栋2单元502室", "金领小区3栋", "金领小区", "天心区"),
        ("湖南省长沙市天心区坡子街 12 号", "坡子街12号", "坡子街", "天心区"),
        ("南托街道滨洲新村12栋", "滨洲新村12栋", "滨洲新村", ""),
        ("天心区", "", "", "天心区"),
        ("家里", "", "", ""),
        ("12栋", "", "", ""),
    ],
)
def test_what_a_text_can_teach(shipped: Gazetteer, text: str, key: str, name: str, district: str) -> None:
    read = shipped.read(text)
    assert (read.key, read.name, read.district) == (key, name, district)


@pytest.mark.parametrize(
    ("official", "said"),
    [
        ("莲华村委会", "莲华村"),
        ("宝南街社区居委会", "宝南街社区"),
        ("滨洲新村", "滨洲新村"),
        ("金江新村村委会", "金江新村"),
        ("科学村社区居委会", "科学村社区"),
        ("金华村村民委员会", "金华村"),
        ("城西社区", "城西社区"),
        ("红星社区居委会二", "红星社区居委会二"),
    ],
)
def test_communities_as_people_say_them(official: str, said: str) -> None:
    assert community_name(official) == said


def test_confidence_is_a_probability(shipped: Gazetteer) -> None:
    determined, undetermined = cases(7, 100)
    found = [one.confidence for case in [*determined, *undetermined] for one in shipped.find(case.text).candidates]
    assert 0 < min(found) <= statistics.median(found) <= max(found) <= 0.99
