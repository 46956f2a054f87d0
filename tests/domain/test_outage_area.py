"""Whom a notice concerns, what overlaps it, and its words and picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import shapely

from dispatch.domain import outage_picture
from dispatch.domain.errors import InvalidInput
from dispatch.domain.outage import Phase
from dispatch.domain.outage_area import MOST_VERTICES, Whence, covers, footprint, overlapping, read_area, touched
from dispatch.domain.outage_words import announcement, back_text, known_text
from dispatch.domain.place import Wgs84Point
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zones import Zone

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = ZoneIndex(
    Zone(name, name, "城南", None, True, shapely.box(west, 28.0, west + 0.01, 28.01))
    for name, west in (("甲", 112.0), ("乙", 112.01))
)
IN_A, IN_B = Wgs84Point(112.005, 28.005), Wgs84Point(112.015, 28.005)


def geojson(shape: shapely.Geometry) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(shapely.to_geojson(shape))
    return told


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    return geojson(shapely.box(west, south, east, north))


def estate(**changes: Any) -> dict[str, Any]:
    return {
        "text": "岳麓公馆",
        "name": "岳麓公馆",
        "district": "",
        "lon": None,
        "lat": None,
        "radius_m": None,
        **changes,
    }


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": 1, "status": "published", "title": "阀门检修", "place": "甲一带", "is_planned": True, "zone_ids": [],
        "area": None, "estates": [], "late_return_h": None, "starts_at": NOW, "ends_at": NOW + 4 * HOUR,
        "first_ends_at": NOW + 4 * HOUR, "restored_at": None, "published_at": NOW - 30 * HOUR,
        "created_at": NOW - 31 * HOUR, **changes,
    }  # fmt: skip


def stretch(first: int, last: int) -> dict[str, Any]:
    return estate(name="", segment={"road": "坡子街", "first": first, "last": last, "side": None, "district": ""})


DRAWN = shapely.to_wkb(shapely.box(112.004, 28.004, 112.006, 28.006))


def test_an_area_in_the_city_is_read() -> None:
    area = read_area(box(112.0, 28.0, 112.02, 28.01), ZONES)
    assert touched(row(area=shapely.to_wkb(area)), ZONES) == ["乙", "甲"]


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (box(113.0, 28.0, 113.01, 28.01), "不在任何网格内"),
        (box(112.0, 28.0, 112.02, 28.02), "50% 在本市网格之外"),
        ({"type": "Point", "coordinates": [112.0, 28.0]}, "边界不可用"),
        ({"type": "Polygon", "coordinates": [[[112.0, 28.0], [112.01, 28.01], [112.0, 28.01]]]}, "边界不可用"),
        (geojson(shapely.Point(112.005, 28.005).buffer(0.004, quad_segs=MOST_VERTICES)), "顶点"),
    ],
)
def test_what_is_no_area_of_the_city_is_refused(geometry: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read_area(geometry, ZONES)
    assert caught.value.field == "area"


@pytest.mark.parametrize(
    ("changes", "whence", "expected"),
    [
        ({"zone_ids": ["甲"]}, Whence(None, True, "甲"), True),
        ({"zone_ids": ["甲"]}, Whence(IN_B, True, "乙"), False),
        ({"zone_ids": ["甲"]}, Whence(None, True, None), False),
        ({"area": DRAWN}, Whence(IN_A, True, "甲"), True),
        ({"area": DRAWN}, Whence(IN_A, False, "甲"), False),  # the middle of a grid is nobody's place
        ({"area": DRAWN}, Whence(IN_B, True, "乙"), False),
        ({"estates": [estate()]}, Whence(None, True, None, "岳麓公馆"), True),
        ({"estates": [estate()]}, Whence(IN_A, True, "甲", "金领家族"), False),
        ({"estates": [estate(name="")]}, Whence(None, True, None, ""), False),
        ({"estates": [estate(district="岳麓区")]}, Whence(None, True, None, "岳麓公馆", "雨花区"), False),
        ({"estates": [estate(district="岳麓区")]}, Whence(None, True, None, "岳麓公馆", "岳麓区"), True),
        ({"estates": [estate(lon=112.005, lat=28.0055, radius_m=80.0)]}, Whence(IN_A, True, "甲"), True),
        ({"estates": [estate(lon=112.005, lat=28.0062, radius_m=80.0)]}, Whence(IN_A, True, "甲"), False),
        ({"estates": [estate(lon=112.005, lat=28.005, radius_m=80.0)]}, Whence(IN_A, False, "甲"), False),
    ],
)
def test_whom_it_concerns(changes: dict[str, Any], whence: Whence, expected: bool) -> None:
    assert covers(row(**changes), whence) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"zone_ids": ["甲"]}, True),
        ({"zone_ids": ["乙"]}, False),  # neighbours share a line alone
        ({"zone_ids": ["甲"], "starts_at": NOW + 4 * HOUR, "ends_at": NOW + 5 * HOUR}, False),
        ({"estates": [estate()]}, True),
        ({"estates": [estate(text="坡子街", name="")]}, False),
        ({"estates": [estate(name="", lon=112.0061, lat=28.005, radius_m=60.0)]}, True),
        ({"estates": [stretch(90, 120)]}, True),
        ({"estates": [stretch(100, 120)]}, False),
    ],
)
def test_what_overlaps_is_found(changes: dict[str, Any], expected: bool) -> None:
    other = row(id=2, **changes)
    mine = row(area=DRAWN, estates=[estate(), stretch(1, 99)])
    assert overlapping(mine, [other], ZONES) == ([other] if expected else [])


def test_a_caller_hears_when_and_for_whom_it_takes_longer() -> None:
    told = known_text(row(late_return_h=2), Phase.CURRENT)
    assert told == (
        "您所在区域计划停水: 阀门检修 (甲一带)。2026-11-24 10:00 起停水, 预计 2026-11-24 14:00 恢复供水。"
        "高层住户和二次供水小区恢复时间还将延后约 2 小时。"
    )
    late = known_text(row(is_planned=False, first_ends_at=NOW + HOUR), Phase.LATE)
    assert "紧急抢修停水" in late
    assert "原预计 2026-11-24 14:00 恢复供水, 目前尚未恢复" in late
    assert "恢复时间原定 2026-11-24 11:00, 已延后" in late
    assert "已恢复供水" in back_text(row())


@pytest.mark.parametrize(
    ("changes", "heading", "words"),
    [
        ({}, "计划停水公告", "请相关用户提前储水"),
        ({"is_planned": False, "published_at": None}, "紧急停水公告", "恢复时间如有变化"),
        ({"first_ends_at": NOW + HOUR}, "延长停水公告", "原预计恢复时间: 2026年11月24日 11:00"),
        ({"status": "restored", "restored_at": NOW, "late_return_h": 3}, "恢复供水公告", "延后约 3 小时"),
        ({"status": "cancelled"}, "停水取消公告", "取消, 供水正常"),
    ],
)
def test_a_newspaper_gets_whole_sentences(changes: dict[str, Any], heading: str, words: str) -> None:
    text = announcement(row(estates=[estate()], **changes), ["天心-03"])
    assert text.startswith(f"{heading}\n")
    assert words in text
    assert "涉及小区、路段: 岳麓公馆\n涉及网格: 天心-03" in text
    assert text.splitlines()[-2].startswith("供水服务热线: 96533")


def test_a_picture_is_valid_and_styles_nothing_inline() -> None:
    told = row(area=DRAWN, title="<DN300> & 阀门", place="很长的地名" * 20)
    drawn = outage_picture.svg(told, ZONES.zones, [], footprint(told, ZONES))
    root = ElementTree.fromstring(drawn)
    assert root.get("width") == str(outage_picture.WIDTH)
    assert " style=" not in drawn
    assert "<style" not in drawn
    assert drawn.count("<path") == 1 + 2 + 1  # the window, the grids around, the area
    in_words = row(estates=[estate()])
    plain = outage_picture.svg(in_words, ZONES.zones, ["甲"], footprint(in_words, ZONES))
    assert "<path" not in plain
