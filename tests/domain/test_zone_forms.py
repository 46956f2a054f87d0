"""The forms of zone files: each read as the same grids, and each broken in the ways in which files are."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import shapefile
from shapely import MultiPolygon, Polygon, box

from dispatch.domain import zone_archive
from dispatch.domain.place import Datum
from dispatch.domain.zone_export import Form, collection, written
from dispatch.domain.zone_file import read_zones
from dispatch.domain.zones import Zone
from tests.domain.zone_files import LEFT, RIGHT, reasons, refused

HOLED = Polygon(LEFT.exterior, [list(box(112.905, 28.02, 112.91, 28.03).exterior.coords)])
ZONES = (
    Zone("天心-01", "坡子街 & <网格>", "城南", "tianxin-01", True, HOLED),
    Zone("天心-02", '"裕南街", 网格', None, None, False, MultiPolygon([RIGHT, box(113.0, 28.0, 113.01, 28.01)])),
)
WGS84 = 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]]]'
CGCS = 'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000"]]'


def read(data: bytes, **options: Any) -> tuple[Zone, ...]:
    return read_zones(data, datum=Datum.WGS84, strict_topology=False, **options).zones


def zipped(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def parts_of(
    zones: tuple[Zone, ...] = ZONES, encoding: str = "utf-8", kind: int = shapefile.POLYGON
) -> dict[str, bytes]:
    """The members of a Shapefile."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    writer = shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=kind, encoding=encoding)
    for name in ("zone_id", "name", "branch", "team_id"):
        writer.field(name, "C", 60)
    writer.field("in_circle", "N", 1)
    for zone in ZONES:
        writer.shape(zone.geometry.__geo_interface__) if kind == shapefile.POLYGON else writer.point(112.9, 28.0)
        writer.record(zone.zone_id, zone.name, zone.branch or "", zone.team_id or "", int(zone.is_in_circle))
    writer.close()
    return {"网格.shp": shp.getvalue(), "网格.dbf": dbf.getvalue(), "网格.shx": shx.getvalue()}


def same(read_back: tuple[Zone, ...], square_degrees: float = 1e-15) -> None:
    assert [(z.zone_id, z.name, z.branch, z.team_id, z.is_in_circle) for z in read_back] == [
        (z.zone_id, z.name, z.branch, z.team_id, z.is_in_circle) for z in ZONES
    ]
    for found, wanted in zip(read_back, ZONES, strict=True):
        assert found.geometry.symmetric_difference(wanted.geometry).area < square_degrees


@pytest.mark.parametrize("form", Form)
def test_what_is_written_is_read_again(form: Form) -> None:
    same(read(written(ZONES, form)))


def test_a_sample_says_so() -> None:
    data = written(ZONES, Form.GEOJSON, is_sample=True)
    assert read_zones(data, datum=Datum.WGS84, strict_topology=False).is_sample
    assert "样例" in written(ZONES, Form.KML, is_sample=True).decode()


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
@pytest.mark.parametrize("form", Form)
def test_what_is_exported_in_a_datum_names_it_and_is_read_in_it(form: Form, datum: Datum) -> None:
    data = written(ZONES, form, datum=datum)
    found = read_zones(data, datum=datum, strict_topology=False)
    same(found.zones, 1e-9)  # the last digit that is written is a tenth of a millimetre
    assert [warning for warning in found.warnings if "坐标系" in warning["reason"]] == []
    wrong = read_zones(data, datum=Datum.WGS84, strict_topology=False)
    assert f"文件写明坐标系是 {datum}, 现按声明的 wgs84 读取, 请核对" in [one["reason"] for one in wrong.warnings]
    moved = abs(wrong.zones[0].geometry.bounds[0] - ZONES[0].geometry.bounds[0])
    assert 0.003 < moved < 0.02
    assert collection(ZONES)["features"][0]["properties"]["in_circle"] is True


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("utf-8", b""), ("utf-8", b"UTF-8"), ("gb18030", b""), ("gb18030", b"GBK")]
)
@pytest.mark.parametrize("prj", [WGS84, CGCS, ""])
def test_a_shapefile_is_read(encoding: str, cpg: bytes, prj: str) -> None:
    members = parts_of(encoding=encoding) | {"网格.prj": prj.encode(), "__MACOSX/网格.shp": b"x"}
    same(read(zipped(members | ({"网格.cpg": cpg} if cpg else {}))))


def test_a_shapefile_whose_table_tells_a_letter() -> None:
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("id", "C", 9)
        writer.field("in_circle", "L")
        writer.shape(LEFT.__geo_interface__)
        writer.record("A", False)
    (zone,) = read(zipped({"a.shp": shp.getvalue(), "a.dbf": dbf.getvalue()}))
    assert not zone.is_in_circle


def test_a_shapefile_with_an_empty_shape_names_the_feature() -> None:
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        writer.field("id", "C", 9)
        writer.null()
        writer.record("A")
    assert reasons(refused(zipped({"a.shp": shp.getvalue(), "a.dbf": dbf.getvalue()}))) == ["没有几何"]


def test_a_kmz_is_read() -> None:
    same(read(zipped({"doc.kml": written(ZONES, Form.KML), "images/": b""})))


GOOD = parts_of()
PROJECTED = b'PROJCS["CGCS2000_3_Degree_GK_CM_114E",GEOGCS[]]'
OLD_DATUM = b'GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954"]]'
MANGLED = GOOD["网格.dbf"].replace("坡".encode(), b"\xff\xff\xff")
FALSE_KIND = GOOD["网格.shp"][:32] + b"\x63" + GOOD["网格.shp"][33:]
FALSE_COUNT = GOOD["网格.shp"][:144] + b"\xff\xff\xff\x7f" + GOOD["网格.shp"][148:]
BAD_ARCHIVES = {
    "broken": (b"PK\x03\x04" + b"x" * 100, "压缩包损坏"),
    "empty": (zipped({"readme.txt": b"x"}), "正好有一个 .shp 或 .kml 文件, 现有: 一个也没有"),
    "two": (zipped(GOOD | {"b.shp": b"x"}), "现有: 网格.shp, b.shp"),
    "no table": (zipped({"a.shp": GOOD["网格.shp"]}), "缺少 a.dbf"),
    "points": (zipped(parts_of(kind=shapefile.POINT)), "几何是 POINT"),
    "metres": (zipped(GOOD | {"网格.prj": PROJECTED}), "投影坐标 (CGCS2000_3"),
    "old datum": (zipped(GOOD | {"网格.prj": OLD_DATUM}), "GCS_Beijing_1954"),
    "no shape": (zipped({"a.shp": b"", "a.dbf": b""}), "长度与它自己写的不符"),
    "cut": (zipped(GOOD | {"网格.shp": GOOD["网格.shp"][:150]}), "长度与它自己写的不符"),
    "false count": (zipped(GOOD | {"网格.shp": FALSE_COUNT}), "Shapefile 损坏"),
    "false kind": (zipped(GOOD | {"网格.shp": FALSE_KIND}), "Shapefile"),
    "crowd": (zipped({f"{n}.txt": b"" for n in range(1_001)}), "1,001 个文件"),
    "no text": (zipped(GOOD | {"网格.dbf": MANGLED}), "不是 UTF-8 也不是 GBK"),
    "no head": (zipped(GOOD | {"网格.dbf": b"\x03"}), "Shapefile 损坏"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_an_archive_that_cannot_be_used_says_why(name: str) -> None:
    data, why = BAD_ARCHIVES[name]
    (reason,) = reasons(refused(data))
    assert why in reason


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_archive, "_MOST_BYTES", 10_000)
    bomb = zipped({"a.shp": bytes(1_000_000), "a.dbf": b""})
    assert len(bomb) < 2_000
    assert "解压后超过 10,000 字节" in reasons(refused(bomb))[0]


def test_a_member_with_a_password_is_told() -> None:
    data = bytearray(zipped({"doc.kml": b"<kml/>"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", 1)
    assert "密码" in reasons(refused(bytes(data)))[0]


# ---------------------------------------------------------------- CSV


def table(*rows: str, head: str = "zone_id,name,wkt") -> bytes:
    return "\n".join([head, *rows]).encode()


SQUARE = '"POLYGON ((112.9 28, 113 28, 113 28.1, 112.9 28.1, 112.9 28))"'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_table_is_read_in_the_encodings_of_spreadsheets(encoding: str) -> None:
    text = f"zone_id,name,in_circle,WKT\n天心-01,坡子街,否,{SQUARE}\n\n天心-02,裕南街,,{SQUARE.replace('28', '29')}\n"
    first, second = read(text.encode(encoding))
    assert (first.zone_id, first.name, first.is_in_circle, second.is_in_circle) == ("天心-01", "坡子街", False, True)


def test_a_table_may_name_the_usual_reference_system() -> None:
    (zone,) = read(table(f'A,a,"SRID=4490;{SQUARE[1:]}'))
    assert zone.geometry.area == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (table("A,a,POLYGON ((1 2"), "第 2 行: WKT 无法读取"),
        (table('A,a,"POLYGON ((112 28, 113 28, 113 29, 112 28.5))"'), "第 2 行: WKT 无法读取"),
        (table(f"A,a,{SQUARE}", "B,b"), "第 3 行有 2 格, 列名有 3 个"),
        (table(f'A,a,"SRID=2383;{SQUARE[1:]}'), "SRID 2383 不是经纬度"),
        (table("A,a,"), "没有几何"),
        (table("A,a,POLYGON EMPTY"), "没有几何"),
        (table("A,a,POINT (112.9 28)"), "几何类型是 Point"),
        (table('A,a,"GEOMETRYCOLLECTION (POINT (112.9 28))"'), "几何类型是 GeometryCollection"),
        (table(f"A,a,{SQUARE}", head="zone_id,in_circle,wkt"), "in_circle 只能是 true 或 false"),
        (table('A,"a'), "表格无法读取"),
        (table(), "没有要素"),
        (b"zone_id,wkt\n\xff\xff,POINT (1 2)", "不是 UTF-8 也不是 GBK"),
        (b"zone_id,name\nA,a\n", "文件不是 JSON"),
        (b"", "文件不是 JSON"),
        (b"wkt\n" + b"," * 8_000_001, "文件太大"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(data: bytes, why: str) -> None:
    assert why in reasons(refused(data))[0]


# ---------------------------------------------------------------- KML

RING = "<LinearRing><coordinates>112.9,28,0 113,28,0 113,28.1,0 112.9,28,0</coordinates></LinearRing>"
POLYGON = f"<Polygon><outerBoundaryIs>{RING}</outerBoundaryIs></Polygon>"


def kml(*marks: str) -> bytes:
    body = "".join(f"<Placemark id='{n}'>{mark}</Placemark>" for n, mark in enumerate(marks))
    return (
        f"<?xml version='1.0'?>\n<kml xmlns='http://www.opengis.net/kml/2.2'><Document>{body}</Document></kml>".encode()
    )


def test_placemarks_are_read_with_the_data_of_any_tool() -> None:
    schema = "<ExtendedData><SchemaData><SimpleData name='team_id'>班-1</SimpleData></SchemaData></ExtendedData>"
    two = f"<name>乙</name><ExtendedData><Data name='in_circle'><value>false</value></Data></ExtendedData>{POLYGON}"
    first, second = read(kml(f"<name>甲</name>{schema}{POLYGON}", two.replace("28", "29")))
    assert (first.zone_id, first.name, first.team_id) == ("0", "甲", "班-1")
    assert (second.name, second.is_in_circle) == ("乙", False)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (kml("<Point><coordinates>112.9,28</coordinates></Point>"), "几何类型是 Point"),
        (kml("<MultiGeometry><Point/></MultiGeometry>"), "几何类型是 GeometryCollection"),
        (kml("<name>空</name>"), "没有几何"),
        (kml("<Polygon/>"), "环只有 0 个点"),
        (kml(POLYGON.replace("113,28,0", "113,x,0")), "环的第 2 个点不是两个有限的数字"),
        (kml(POLYGON.replace("113,28,0", "nan,28")), "环的第 2 个点不是两个有限的数字"),
        (kml("<Polygon><outerBoundaryIs><LinearRing/></outerBoundaryIs></Polygon>"), "环只有 0 个点"),
        (kml(), "没有要素"),
        (b"<kml><Placemark></kml>", "文件不是 KML: XML 第 1 行"),
        (b"<html></html>", "根元素 html"),
        (b"<!DOCTYPE kml [<!ENTITY a 'aa'>]><kml>&a;</kml>", "不接受实体"),
        (b"<?xml version='1.0' encoding='x-none'?><kml/>", "不接受实体、DTD 或未知的编码"),
        (b"<kml>" + b"," * 8_000_001, "文件太大"),
        (b"<a>" * 100_000, "文件不是 KML"),
    ],
)
def test_markup_that_cannot_be_used_says_why(data: bytes, why: str) -> None:
    assert why in reasons(refused(data))[0]
