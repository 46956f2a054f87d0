"""Zone files: what is read from a good one, and every way in which a bad one is refused whole."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_checks, zone_file
from dispatch.domain.errors import InvalidZoneFile
from dispatch.domain.place import Datum, Wgs84Point, to_bd09, to_gcj02
from dispatch.domain.zone_file import Problem, ZoneFile, read_zones

LEFT, RIGHT = box(112.90, 28.0, 112.92, 28.1), box(112.92, 28.0, 112.94, 28.1)
RING = [[112.9, 28.0], [113.0, 28.0], [113.0, 28.1], [112.9, 28.1], [112.9, 28.0]]
# A crooked district: a straight border may slide along itself when shifted.
DISTRICT = Polygon(
    [
        (112.9, 28.0),
        (112.94, 28.02),
        (113.0, 27.99),
        (113.05, 28.03),
        (113.02, 28.09),
        (112.96, 28.07),
        (112.91, 28.1),
    ]
)
REFERENCE = {"天心区": DISTRICT}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    shape = mapping(geometry) if isinstance(geometry, BaseGeometry) else geometry
    return {"type": "Feature", "properties": properties, "geometry": shape}


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def document(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()


def read(*features: Any, **options: Any) -> ZoneFile:
    return read_zones(document(*features), **({"datum": Datum.WGS84} | options))


def refused(data: bytes, **options: Any) -> list[Problem]:
    with pytest.raises(InvalidZoneFile) as caught:
        read_zones(data, **({"datum": Datum.WGS84} | options))
    problems: list[Problem] = caught.value.extra["problems"]
    assert f"共 {len(problems)} 处问题" in caught.value.detail
    assert problems[0]["reason"] in caught.value.detail
    return problems


def reasons(problems: Sequence[Problem]) -> list[str]:
    return [problem["reason"] for problem in problems]


# ---------------------------------------------------------------- good files


def test_a_good_file_is_read_in_its_order_with_all_properties() -> None:
    found = read(
        feature(RIGHT, id="天心-04", name="天心-04网格", branch="城南", team_id="tianxin-04", in_circle=False),
        feature(LEFT, id="天心-03", name=None, team_id=" ", in_circle=None),
    )
    first, second = found.zones
    assert (first.zone_id, first.name, first.branch, first.team_id, first.is_in_circle) == (
        "天心-04",
        "天心-04网格",
        "城南",
        "tianxin-04",
        False,
    )
    assert (second.zone_id, second.name, second.branch, second.team_id, second.is_in_circle) == (
        "天心-03",
        "天心-03",
        None,
        None,
        True,
    )
    assert first.geometry.equals(RIGHT)
    assert found.warnings == ()


def test_a_byte_order_mark_a_third_coordinate_and_parts_are_fine() -> None:
    high = polygon([[*position, 44.5] for position in RING])
    parts = MultiPolygon([box(112.0, 28.0, 112.1, 28.1), box(112.2, 28.0, 112.3, 28.1)])
    data = b"\xef\xbb\xbf" + document(feature(high, id="A"), feature(parts, id="B"))
    first, second = read_zones(data, datum=Datum.WGS84).zones
    assert first.geometry.equals(Polygon(RING))
    assert not first.geometry.has_z
    assert second.geometry.equals(parts)


@pytest.mark.parametrize(
    ("field", "value", "zone_id"), [("zone_id", 7, "7"), ("code", 430103.0, "430103"), ("id", 1.5, "1.5")]
)
def test_usual_id_properties(field: str, value: object, zone_id: str) -> None:
    assert read(feature(LEFT, **{field: value})).zones[0].zone_id == zone_id


def test_fields_can_be_named() -> None:
    (zone,) = read(
        feature(LEFT, id="x", 编号="A1", 名称="一号", 班组="T1"),
        id_field="编号",
        name_field="名称",
        team_field="班组",
    ).zones
    assert (zone.zone_id, zone.name, zone.team_id) == ("A1", "一号", "T1")


def test_the_usual_property_that_is_filled_in_wins() -> None:
    found = read(feature(LEFT, id="None", code="A", team="T"), feature(RIGHT, id="", code="B", team="T"))
    assert [(zone.zone_id, zone.team_id) for zone in found.zones] == [("A", "T"), ("B", "T")]


def test_features_can_be_numbered() -> None:
    found = read(feature(LEFT, id="None"), feature(RIGHT, id=None), id_field="@index", name_field="@index")
    assert [(zone.zone_id, zone.name) for zone in found.zones] == [("1", "1"), ("2", "2")]


def test_control_characters_and_half_characters_do_not_get_through() -> None:
    data = document(feature(LEFT, id="A")).replace(b'"A"', b'"A\\u0000\\ud800\\n1"')
    assert read_zones(data, datum=Datum.WGS84).zones[0].zone_id == "A1"


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_geometry_becomes_wgs84(datum: Datum) -> None:
    shifted = shapely.transform(LEFT, lambda lonlats: shift(lonlats, datum))
    (zone,) = read(feature(shifted, id="A"), datum=datum).zones
    assert shapely.hausdorff_distance(zone.geometry, LEFT) < 1e-9


def shift(lonlats: Any, datum: Datum) -> Any:
    forward = {Datum.WGS84: lambda point: point, Datum.GCJ02: to_gcj02, Datum.BD09: to_bd09}[datum]
    points = [forward(Wgs84Point(lon, lat)) for lon, lat in lonlats.tolist()]
    return np.array([(point.lon, point.lat) for point in points])


# ---------------------------------------------------------------- not such a file at all


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "文件不是 JSON: 第 1 行第 1 列"),
        (b'{"type":\n oops}', "文件不是 JSON: 第 2 行第 2 列"),
        ("网格".encode("gbk"), "文件不是 UTF-8 编码 (第 1 字节)"),
        (b"[" * 100_000, "JSON 嵌套太深"),
        (b"[]", "文件不是 GeoJSON FeatureCollection"),
        (b'{"type": "Polygon"}', "文件不是 GeoJSON FeatureCollection"),
        (b'{"type": "FeatureCollection"}', "文件里没有要素 (features 为空)"),
        (b'{"type": "FeatureCollection", "features": []}', "文件里没有要素 (features 为空)"),
    ],
)
def test_what_is_no_feature_collection(data: bytes, words: str) -> None:
    assert refused(data) == [{"feature": None, "id": None, "place": None, "reason": words}]


def test_ten_million_vertices_are_refused_before_they_are_parsed() -> None:
    head, tail = document(feature(polygon(["x"]), id="A")).split(b'"x"')
    data = head + b"[1,2]," * 10_000_000 + b"[1,2]" + tail
    begin = time.process_time()
    assert reasons(refused(data)) == ["文件太大: 顶点上限 2,000,000 个, 请先简化边界"]
    assert time.process_time() - begin < 2


def test_vertices_are_counted_before_geometry_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_file, "MAX_VERTICES", 9)
    assert len(read(feature(LEFT, id="A")).zones) == 1
    assert reasons(refused(document(feature(LEFT, id="A"), feature(RIGHT, id="B")))) == [
        "文件有 10 个顶点, 上限 9 个, 请先简化边界"
    ]


def test_bytes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_file, "MAX_BYTES", 100)
    assert reasons(refused(b" " * 101)) == ["文件有 101 字节, 上限 100 字节"]


# ---------------------------------------------------------------- properties


@pytest.mark.parametrize("value", [None, "", " ", "None", "null", True, ["A"]])
def test_no_usable_id_names_the_properties_and_the_way_out(value: object) -> None:
    problems = refused(document(feature(LEFT, id=value, OBJECTID=4, 名称="x")))
    assert reasons(problems) == [
        "属性 id, zone_id, code 不存在或没有可用的值 (空, None, null 不算); "
        "文件里的属性: id, OBJECTID, 名称; "
        "请用 --id-field 指定其中一个, 或用 --id-field @index 按要素顺序编号"
    ]
    assert problems[0]["feature"] is None


def test_a_named_field_that_is_not_there() -> None:
    problems = refused(document(feature(LEFT, id="A")), id_field="x", name_field="y", team_field="z")
    assert [reason.split()[1] for reason in reasons(problems)] == ["x", "y", "z"]
    assert reasons(problems)[1].endswith("或用 --name-field @index 按要素顺序编号")
    assert reasons(problems)[2].endswith("文件里的属性: id; 请用 --team-field 指定其中一个")


def test_missing_and_doubled_ids_and_a_crooked_flag() -> None:
    problems = refused(
        document(
            feature(LEFT, id="A"),
            feature(RIGHT, id="A"),
            feature(box(112.0, 28.0, 112.1, 28.1)),
            feature(box(112.2, 28.0, 112.3, 28.1), id="B", in_circle="是"),
        )
    )
    assert [(problem["feature"], problem["id"], problem["reason"]) for problem in problems] == [
        (2, "A", "编号 A 与第 1 个要素重复"),
        (3, None, "没有编号"),
        (4, "B", "in_circle 只能是 true 或 false"),
    ]


# ---------------------------------------------------------------- geometry

NESTING = "坐标的嵌套层次不对"


@pytest.mark.parametrize(
    ("geometry", "words", "place"),
    [
        (None, "没有几何", None),
        (
            {"type": "LineString", "coordinates": RING},
            "几何类型是 LineString, 网格必须是 Polygon 或 MultiPolygon",
            None,
        ),
        (
            {"type": "Point", "coordinates": [1, 2]},
            "几何类型是 Point, 网格必须是 Polygon 或 MultiPolygon",
            None,
        ),
        ({"type": ["Polygon"]}, "几何类型是 空, 网格必须是 Polygon 或 MultiPolygon", None),
        ({"type": "Polygon", "coordinates": None}, NESTING, None),
        ({"type": "MultiPolygon", "coordinates": {"a": 1}}, NESTING, None),
        ({"type": "MultiPolygon", "coordinates": [7]}, NESTING, None),
        (
            {"type": "MultiPolygon", "coordinates": [RING[:1]]},
            "环的第 1 个点不是两个有限的数字 (共 2 处)",
            None,
        ),
        (polygon("ring"), NESTING, None),
        (polygon(), "几何是空的", None),
        ({"type": "MultiPolygon", "coordinates": []}, "几何是空的", None),
        (polygon([]), "环只有 0 个点, 至少要 4 个", None),
        (polygon(RING[:2] + RING[:1]), "环只有 3 个点, 至少要 4 个", "112.900000,28.000000"),
        (polygon(RING[:-1]), "环没有闭合: 末点是 112.900000,28.100000, 应与首点相同", "112.900000,28.000000"),
        (
            polygon([*RING[:2], [float("nan"), 28.1], *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 1 处)",
            None,
        ),
        (
            polygon([*RING[:2], [112.9, float("inf")], *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 1 处)",
            None,
        ),
        (polygon([*RING[:2], ["112.9", 28.1], *RING[2:]]), "环的第 3 个点不是两个有限的数字 (共 1 处)", None),
        (
            polygon([*RING[:2], [True, False], [1], 10**5000, *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 3 处)",
            None,
        ),
        (polygon([*RING[:2], [10**400, 28.1], *RING[2:]]), "环的第 3 个点不是两个有限的数字 (共 1 处)", None),
        (
            polygon([position[::-1] for position in RING]),
            "坐标超出 ±180, ±90 度, 疑似经纬度颠倒 (应为 经度, 纬度) (共 5 处)",
            "28.000000,112.900000",
        ),
        (
            polygon([[lon * 1e5, lat * 1e5] for lon, lat in RING]),
            "坐标超出 ±180, ±90 度, 疑似投影坐标 (需要经纬度) (共 5 处)",
            "11290000.000000,2800000.000000",
        ),
        (
            polygon([*RING[:2], [181.5, 28.1], *RING[2:]]),
            "坐标超出 ±180, ±90 度 (共 1 处)",
            "181.500000,28.100000",
        ),
        (
            polygon([[112.9, 28.0], [113.0, 28.1], [113.0, 28.0], [112.9, 28.1], [112.9, 28.0]]),
            "几何无效: 边界自相交",
            "112.950000,28.050000",
        ),
        (polygon([[112.9, 28.0]] * 4), "几何无效: 不同的点太少", "112.900000,28.000000"),
        (polygon(RING, [[0, 0], [1, 0], [1, 1], [0, 0]]), "几何无效: 洞在外环之外", "0.000000,0.000000"),
    ],
)
def test_bad_geometry(geometry: Any, words: str, place: str | None, unlimited_digits: None) -> None:
    problems = refused(document(feature(geometry, id="A"), feature(box(0, 0, 1, 1), id="B")))
    assert problems == [{"feature": 1, "id": "A", "place": place, "reason": words}]


@pytest.fixture
def unlimited_digits() -> Any:
    """Let json write the enormous integers that the reader must bear."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(limit)


def test_what_is_no_feature() -> None:
    problems = refused(document(7, {"type": "Feature", "properties": None, "geometry": None}, feature(LEFT, id="A")))
    assert [(problem["feature"], problem["reason"]) for problem in problems] == [
        (1, "没有编号"),
        (2, "没有编号"),
        (1, "不是 GeoJSON Feature"),
        (2, "没有几何"),
    ]


def test_an_unknown_flaw_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapely, "is_valid_reason", lambda _: "Something new")
    crossed = polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])
    assert reasons(refused(document(feature(crossed, id="A")))) == ["几何无效: Something new"]


def test_all_problems_are_told_at_once() -> None:
    """A bad ring beside an overlap; the hole that the bad zone leaves is not told."""
    problems = refused(
        document(
            feature(polygon(RING[:-1], RING[:-1]), id="A"),
            feature(LEFT, id="B"),
            feature(box(112.91, 28.0, 112.93, 28.1), id="B"),
        )
    )
    assert [problem["feature"] for problem in problems] == [3, 1, 1, 2]


# ---------------------------------------------------------------- topology


def test_overlaps_are_told_with_area_ids_and_place() -> None:
    overlapping = box(112.919, 28.0, 112.94, 28.1)
    (problem,) = refused(document(feature(LEFT, id="A"), feature(overlapping, id="B")))
    assert (problem["feature"], problem["id"]) == (1, "A")
    words, area = problem["reason"].split(" 重叠 ")
    assert words == "与 B (第 2 个要素)"
    assert float(area.removesuffix(" m²").replace(",", "")) == pytest.approx(98.26 * 11_083, rel=0.001)
    lon, lat = map(float, str(problem["place"]).split(","))
    assert 112.919 < lon < 112.92
    assert 28.0 < lat < 28.1


def test_gaps_are_told_with_area_and_neighbours() -> None:
    frame = box(112.90, 28.0, 112.93, 28.03).difference(box(112.91, 28.01, 112.92, 28.02))
    island = box(112.913, 28.013, 112.917, 28.017)
    problems = refused(document(feature(island, id="I"), feature(frame, id="F")))
    assert len(problems) == 1
    assert problems[0]["feature"] == 1
    assert problems[0]["reason"].startswith("网格之间有空洞 ")
    assert problems[0]["reason"].endswith("相邻: I (第 1 个要素), F (第 2 个要素)")
    area = float(problems[0]["reason"].split()[1].replace(",", ""))
    assert area == pytest.approx((1e-4 - 1.6e-5) * 98_260 * 110_830, rel=0.001)


def test_a_loose_reader_is_only_warned() -> None:
    found = read(feature(LEFT, id="A"), feature(LEFT, id="B"), strict_topology=False)
    assert len(found.zones) == 2
    assert [(warning["feature"], warning["id"]) for warning in found.warnings] == [(1, "A")]


@pytest.mark.parametrize(("width", "is_told"), [(3e-8, True), (1e-14, False)])
def test_slivers_are_warnings_and_rounding_is_nothing(width: float, is_told: bool) -> None:
    (first, second) = (feature(LEFT, id="A"), feature(box(112.92 - width, 28.0, 112.94, 28.1), id="B"))
    assert len(read(first, second).warnings) == is_told


def test_slivers_between_zones_are_warnings_too() -> None:
    hole = box(112.91, 28.01, 112.91 + 1e-6, 28.02)
    (warning,) = read(feature(LEFT.difference(hole), id="A")).warnings
    assert warning["reason"].startswith("网格之间有空洞 109.0 m², 相邻: A")


def test_no_gap_where_rounding_leaves_a_hole_without_area() -> None:
    hole = box(112.91, 28.01, 112.91 + 1e-11, 28.02)
    assert read(feature(LEFT.difference(hole), id="A")).warnings == ()


def test_a_thousand_overlaps_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_checks, "_MOST_OVERLAPS", 3)
    problems = refused(document(*(feature(LEFT, id=n) for n in range(9))))
    assert len(problems) == 3
    assert problems[-1]["reason"].endswith("重叠太多, 其余不再列出")


# ---------------------------------------------------------------- trusted outlines


@pytest.mark.parametrize("true", Datum)
@pytest.mark.parametrize("declared", Datum)
def test_a_wrong_datum_is_a_warning(true: Datum, declared: Datum) -> None:
    halves = [shapely.intersection(DISTRICT, box(x, 27.9, x + 0.1, 28.2)) for x in (112.9, 113.0)]
    shifted = [shapely.transform(half, lambda lonlats: shift(lonlats, true)) for half in halves]
    found = read(*(feature(half, id=n) for n, half in enumerate(shifted)), datum=declared, reference=REFERENCE)
    if true is declared:
        assert found.warnings == ()
    else:
        (warning,) = found.warnings
        assert warning["feature"] is None
        assert warning["reason"].startswith(f"坐标系可能不对: 按声明的 {declared} 外边界偏离行政区界约 ")
        assert f"按 {true} 只偏 " in warning["reason"]


def test_zones_with_borders_of_their_own_say_nothing_about_the_datum() -> None:
    assert read(feature(box(112.95, 28.04, 112.98, 28.06), id="A"), reference=REFERENCE).warnings == ()


def test_exchanged_axes_within_the_range_show_against_the_reference() -> None:
    new_york = {"Manhattan": box(-74.02, 40.70, -73.91, 40.88)}
    crossed, right = box(40.70, -74.0, 40.75, -73.95), box(-74.0, 40.70, -73.95, 40.75)
    (problem,) = refused(document(feature(right, id="A"), feature(crossed, id="B")), reference=new_york)
    assert (problem["feature"], problem["place"]) == (2, "40.725000,-73.975000")
    assert problem["reason"] == "疑似经纬度颠倒 (应为 经度, 纬度)"
