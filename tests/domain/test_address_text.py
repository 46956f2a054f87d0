"""One way of writing for an address, and its parts."""

import pytest

from dispatch.domain.address_text import crossing_name, numeral, parse, plain, without_numbers, without_room


@pytest.mark.parametrize(
    ("chars", "digits"),
    [("三", "3"), ("十二", "12"), ("二十", "20"), ("一百零三", "103"), ("二零一", "201"), ("两千", "2000")],
)  # fmt: skip
def test_numerals(chars: str, digits: str) -> None:
    assert numeral(chars) == digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("金领小区 三幢，二单元 五零二室", "金领小区3栋2单元502室"),
        ("金领小区Ａ座５０２", "金领小区a栋502"),
        ("金领小区5#", "金领小区5栋"),
        ("金领小区5号楼", "金领小区5栋"),
        ("五里牌街道一号", "五里牌街道1号"),  # a numeral in a name is no number
        ("八一路", "八一路"),
        ("长沙市长沙市天心区天心区天心区", "长沙市天心区"),
        ("我家住在东茅街那个小区", "东茅街小区"),
        ("南托街道办事处", "南托街道"),
        ("韶山路劳动路十字路口", "韶山路劳动路路口"),
        ("", ""),
        ("？！", ""),
        ("A", "a"),
    ],
)
def test_one_way_of_writing(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_pasted_page_is_cut() -> None:
    assert len(plain("天地玄黄宇宙洪荒日月盈昃" * 500)) <= 300
    assert parse("天" * 5000).text == plain("天" * 5000)


def test_all_parts() -> None:
    parts = parse("湖南省长沙市天心区南托街道滨洲新村二期十二栋三单元502室")
    assert (parts.province, parts.city, parts.district) == ("湖南省", "长沙市", "天心区")
    assert (parts.street, parts.community) == ("南托街道", "滨洲新村")
    assert (parts.phase, parts.building, parts.unit, parts.room) == ("2", "12", "3", "502")
    assert (parts.relation, parts.crossing, parts.road) == (None, None, None)


def test_road_number_and_estate() -> None:
    parts = parse("雨花区韶山中路123-2号金领小区5栋旁边")
    assert (parts.district, parts.road, parts.number) == ("雨花区", "韶山中路", "123-2")
    assert (parts.estate, parts.building, parts.relation) == ("金领小区", "5", "旁边")


@pytest.mark.parametrize("text", ["韶山路与劳动路口", "劳动路和韶山路口", "雨花区韶山路与劳动路交叉口对面"])
def test_a_crossing_is_one_whichever_road_comes_first(text: str) -> None:
    parts = parse(text)
    assert parts.crossing is not None
    assert crossing_name(parts.crossing).endswith("与韶山路路口") or parts.crossing[0].startswith("劳动路")
    assert parts.estate is None


def test_an_estate_is_no_district() -> None:
    assert parse("金领小区3栋").district is None


@pytest.mark.parametrize(
    ("text", "house", "name"),
    [
        ("金领小区3栋2单元502室", "金领小区3栋", "金领小区"),
        ("金领小区3栋502", "金领小区3栋", "金领小区"),
        ("金领小区3栋5楼", "金领小区3栋", "金领小区"),
        ("金领小区", "金领小区", "金领小区"),
        ("坡子街12号", "坡子街12号", "坡子街"),
        ("莲华村12组", "莲华村12组", "莲华村"),
        ("", "", ""),
    ],
)
def test_what_neighbours_share(text: str, house: str, name: str) -> None:
    assert without_room(text) == house
    assert without_numbers(house) == name
