"""Zone files: what is read from a good one, and what is no such file, or lacks its properties."""

import time

import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from dispatch.domain import zone_json
from dispatch.domain.place import Datum
from dispatch.domain.zone_file import read_zones
from tests.domain.zone_files import LEFT, RIGHT, RING, document, feature, polygon, read, reasons, refused, shift

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
    monkeypatch.setattr(zone_json, "MAX_VERTICES", 9)
    assert len(read(feature(LEFT, id="A")).zones) == 1
    assert reasons(refused(document(feature(LEFT, id="A"), feature(RIGHT, id="B")))) == [
        "文件有 10 个顶点, 上限 9 个, 请先简化边界"
    ]


def test_bytes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_json, "MAX_BYTES", 100)
    assert reasons(refused(b" " * 101)) == ["文件至少有 101 字节, 上限 100 字节, 请简化边界或删去多余属性"]


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
