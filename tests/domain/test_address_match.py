"""Whether two addresses in words are one place: names are compared whole, and a shared brand is no shared place."""

import pytest

from dispatch.domain.address_match import Place, Relation, place_of, relate


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("天心区坡子街12号", "坡子街12号院子里", "house"),
        ("坡子街12号3栋", "坡子街12号5栋", "other_house"),
        ("坡子街12号", "坡子街16号", "other_number"),
        ("坡子街12号", "坡子街120号", "other_number"),
        ("坡子街12号", "坡子街", "road"),
        ("芙蓉中路二段239号", "芙蓉中路三段239号", "other_number"),
        ("芙蓉中路二段239号", "芙蓉路239号", "house"),
        ("坡子街12号", "黄兴路12号", "unclear"),
        ("劳动西路与韶山路交叉口", "雨花区韶山路劳动路口", "crossing"),
        ("劳动西路与韶山路交叉口", "劳动东路韶山路口", "other"),
        ("劳动西路与韶山路交叉口", "韶山路88号", "road"),
        ("劳动西路与韶山路交叉口", "韶山路靠近劳动路", "crossing"),
        ("劳动西路与韶山路交叉口", "人民路88号", "unclear"),
        ("劳动西路与韶山路交叉口", "德政园小区", "unclear"),
        ("开福区四方坪金领家族小区8栋", "金领家族8栋2单元", "house"),
        ("金领家族8栋1单元", "金领家族8栋2单元", "other_house"),
        ("德政园一期", "德政园二期", "other_house"),
        ("金领家族", "金领家族小区8栋", "estate"),
        ("金领家族小区北门", "金领家族门口", "estate"),
        ("咸嘉新村二片", "咸嘉新村", "estate"),
        ("金领家族小区", "金领家族装饰公司", "unclear"),
        ("华润置地凤凰城", "华润大厦", "other"),
        ("华润凤凰城", "华润置地凤凰城", "unclear"),
        ("芙蓉区朝阳新村", "天心区朝阳新村", "other"),
        ("五一大道100号平和堂", "五一大道100号家润多", "house"),
        ("五一大道100号平和堂", "五一大道300号家润多", "other"),
        ("不清楚", "家里", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_relation(one: str, other: str, relation: str) -> None:
    assert relate(place_of(one), place_of(other)) == relation
    assert relate(place_of(other), place_of(one)) == relation


def test_a_name_that_sounds_the_same_is_the_same_to_who_listens() -> None:
    one, other = place_of("德政园小区3栋"), place_of("德正园3栋")
    assert relate(one, other) is Relation.OTHER
    assert relate(one, other, sound_alike=True) is Relation.HOUSE


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("开福区四方坪金领家族小区8栋", "金领家族"),
        ("金领家族", "金领家族"),
        ("韶山北路劳动路口", "劳动路与韶山路"),
        ("雨花区劳动西路和韶山路交界的地方", "劳动路与韶山路"),
        ("芙蓉中路二段239号", "芙蓉路239"),
        ("坡子街", "坡子街"),
        ("曙光路100号院子门口", "曙光路100"),
        ("火宫殿旁边的公厕", "火宫殿"),
        ("小区门口", ""),
        ("", ""),
    ],
)
def test_the_key_by_which_an_address_is_found(address: str, key: str) -> None:
    assert place_of(address).key == key


def test_what_is_read_of_an_address() -> None:
    assert place_of("岳麓区梅溪湖路8号华润置地二期3栋1单元") == Place(
        district="岳麓区",
        road="梅溪湖路",
        number="8",
        estate="华润置地",
        phase="2期",
        building="3",
        unit="1",
        key="华润置地",
    )
