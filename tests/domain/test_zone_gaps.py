"""Where no zone answers: holes, open slits, and zones missing at the edge of an outline."""

import json
import re
from pathlib import Path

import pytest
import shapely
from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Datum, metres_per_degree
from dispatch.domain.zone_file import ZoneFile, read_zones
from dispatch.domain.zone_json import Problem
from tests.domain.zone_files import DISTRICT, LEFT, document, feature, read, reasons, refused, shift

DATA = Path(__file__).parents[2] / "data"
WEST, SOUTH = 112.95, 28.2
EAST_M, NORTH_M = metres_per_degree(28.21)


def metres(*corners: tuple[float, float]) -> Polygon:
    """An area by its corners in metres east and north of one place in Changsha."""
    return Polygon([(WEST + x / EAST_M, SOUTH + y / NORTH_M) for x, y in corners])


def block(west: float, south: float, east: float, north: float) -> Polygon:
    return metres((west, south), (east, south), (east, north), (west, north))


def refused_zones(*zones: BaseGeometry) -> list[Problem]:
    return refused(document(*(feature(zone, id=f"g{n}") for n, zone in enumerate(zones, 1))))


def read_blocks(*zones: BaseGeometry) -> ZoneFile:
    return read(*(feature(zone, id=f"g{n}") for n, zone in enumerate(zones, 1)))


# ---------------------------------------------------------------- holes


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


def test_slivers_between_zones_are_warnings_too() -> None:
    hole = box(112.91, 28.01, 112.91 + 1e-6, 28.02)
    (warning,) = read(feature(LEFT.difference(hole), id="A")).warnings
    assert warning["reason"].startswith("网格之间有空洞 109.0 m², 相邻: A")


def test_no_gap_where_rounding_leaves_a_hole_without_area() -> None:
    hole = box(112.91, 28.01, 112.91 + 1e-11, 28.02)
    assert read(feature(LEFT.difference(hole), id="A")).warnings == ()


# ---------------------------------------------------------------- open slits


@pytest.mark.parametrize("width", [0.5, 40, 200, 490])
def test_a_slit_that_is_open_at_both_ends_is_refused(width: float) -> None:
    (problem,) = refused_zones(block(0, 0, 3000, 9000), block(3000 + width, 0, 6000, 9000))
    assert (problem["feature"], problem["id"]) == (1, "g1")
    assert problem["reason"].startswith("与 g2 (第 2 个要素) 之间有开口的缝隙 ")
    assert problem["reason"].endswith(" m, 请让两侧网格共用边界")
    area, mean = map(float, re.findall(r"([\d.]+) m", problem["reason"].replace(",", "")))
    assert area == pytest.approx(width * 9000, rel=0.1)
    assert mean == pytest.approx(width, rel=0.1, abs=0.06)
    lon, lat = map(float, str(problem["place"]).split(","))
    assert 3000 <= (lon - WEST) * EAST_M <= 3000 + width
    assert 0 < (lat - SOUTH) * NORTH_M < 9000


def test_a_slit_wider_than_half_a_kilometre_is_no_slip_of_the_pen() -> None:
    assert read_blocks(block(0, 0, 3000, 9000), block(3510, 0, 6000, 9000)).warnings == ()


def test_a_slit_with_one_open_end_names_the_two_zones_along_it_and_counts_the_rest() -> None:
    bottom, left, right = block(0, -3000, 6040, 0), block(0, 0, 3000, 4000), block(3040, 0, 6040, 4000)
    (problem,) = refused_zones(bottom, left, right)
    assert problem["id"] == "g2"
    assert problem["reason"].startswith("与 g3 (第 3 个要素) 等 3 个网格 之间有开口的缝隙 ")


def test_a_slit_of_at_most_400_square_metres_is_a_warning() -> None:
    (warning,) = read_blocks(block(0, 0, 3000, 3000), block(3000.12, 0, 6000, 3000)).warnings
    assert warning["reason"].startswith("与 g2 (第 2 个要素) 之间有开口的缝隙 ")


def test_a_slit_of_a_few_centimetres_is_nothing() -> None:
    assert read_blocks(block(0, 0, 3000, 9000), block(3000.03, 0, 6000, 9000)).warnings == ()


BEND = block(0, 0, 6000, 4000).difference(block(2900, 1000, 2960, 4000))


def test_a_river_bend_within_one_zone_is_no_slit() -> None:
    assert read_blocks(BEND).warnings == ()
    assert read_blocks(BEND, block(6000, 0, 9000, 4000), block(0, -3000, 9000, 0)).warnings == ()


def test_a_river_bend_that_touches_another_zone_at_its_mouth_is_no_slit() -> None:
    beside = metres((2960, 3900), (6000, 3900), (6000, 6000), (2960, 6000))
    assert read_blocks(BEND.difference(beside), beside).warnings == ()


def test_corners_and_bays_of_the_outer_border_are_no_slits() -> None:
    """An L and a V with a broad mouth: what closing adds there is mostly not on zones."""
    assert read_blocks(block(0, 0, 3000, 3000), block(3000, 0, 6000, 1000)).warnings == ()
    tooth = metres((3000, 0), (6000, 0), (6000, 4000), (4500, 4000))
    assert read_blocks(block(0, 0, 3000, 4000), tooth).warnings == ()


@pytest.mark.parametrize("datum", Datum)
def test_a_bent_border_leaves_no_slit_in_any_datum(datum: Datum) -> None:
    halves = [shapely.intersection(DISTRICT, box(x, 27.9, x + 0.1, 28.2)) for x in (112.9, 113.0)]
    shifted = [shapely.transform(half, lambda lonlats: shift(lonlats, datum)) for half in halves]
    assert read(*(feature(half, id=n) for n, half in enumerate(shifted)), datum=datum).warnings == ()


def test_a_loose_reader_looks_for_no_slits() -> None:
    zones = [feature(zone, id=n) for n, zone in enumerate((block(0, 0, 3000, 9000), block(3040, 0, 6000, 9000)))]
    assert read(*zones, strict_topology=False).warnings == ()


# ---------------------------------------------------------------- zones missing at the edge

CITY = {"天心区": block(0, 0, 8000, 4000)}
ROW = [block(x, 0, x + 2000, 4000) for x in range(0, 8000, 2000)]


def test_a_zone_missing_at_the_edge_is_refused_with_district_area_and_place() -> None:
    zones = [feature(zone, id=n) for n, zone in enumerate(ROW[:3])]
    assert read(*zones).compared == ()
    (problem,) = refused(document(*zones), outlines=CITY)
    assert problem["feature"] is None
    assert problem["reason"] == (
        "“天心区”有 8.00 km² 没有网格覆盖, 请补上缺少的网格; "
        "若有意只覆盖一部分, 请用 --outline 换一个轮廓文件, 或用 --outline none"
    )
    lon, lat = map(float, str(problem["place"]).split(","))
    assert shapely.contains_xy(ROW[3], lon, lat)


def test_every_missing_part_is_told() -> None:
    problems = refused(document(feature(block(2000, 0, 6000, 4000), id="x")), outlines=CITY)
    assert ["8.00 km²" in reason for reason in reasons(problems)] == [True, True]


@pytest.mark.parametrize("datum", Datum)
def test_the_place_is_told_as_in_the_file(datum: Datum) -> None:
    shifted = [shapely.transform(zone, lambda lonlats: shift(lonlats, datum)) for zone in ROW]
    zones = [feature(zone, id=n) for n, zone in enumerate(shifted)]
    assert read(*zones, datum=datum, outlines=CITY).compared == ("天心区",)
    (problem,) = refused(document(*zones[:3]), datum=datum, outlines=CITY)
    lon, lat = map(float, str(problem["place"]).split(","))
    assert shapely.contains_xy(shifted[3], lon, lat)


def test_generalised_borders_say_nothing() -> None:
    """Half a kilometre of difference all along, and a hole, which is told as a hole."""
    inner = block(240, 240, 7760, 3760)
    assert read(feature(inner, id="x"), outlines=CITY).warnings == ()
    hollow = inner.difference(block(1000, 1000, 3000, 3000))
    assert [reason[:7] for reason in reasons(refused(document(feature(hollow, id="x")), outlines=CITY))] == [
        "网格之间有空洞"
    ]


def test_outlines_that_are_not_covered_by_half_are_not_meant() -> None:
    new_york = {"Manhattan": box(-74.02, 40.70, -73.91, 40.88)}
    found = read(feature(ROW[0], id="x"), outlines={**CITY, **new_york})
    assert (found.compared, found.warnings) == ((), ())


def test_a_missing_zone_of_a_file_in_a_wrong_datum_comes_with_the_doubt() -> None:
    outlines = {"天心区": DISTRICT}
    true = shapely.transform(DISTRICT, lambda lonlats: shift(lonlats, Datum.BD09))
    problems = refused(document(feature(true, id="x")), reference=outlines, outlines=outlines)
    assert problems[0]["reason"].startswith("坐标系可能不对: 按声明的 wgs84 ")
    assert {problem["reason"][:5] for problem in problems[1:]} == {"“天心区”"}


def test_the_gap_that_a_bad_or_misplaced_zone_leaves_is_no_news() -> None:
    zones = [feature(zone, id=n) for n, zone in enumerate(ROW)]
    zones[3] = feature(None, id=3)
    assert reasons(refused(document(*zones), outlines=CITY)) == ["没有几何"]
    new_york = {"Manhattan": box(-74.02, 40.70, -73.90, 40.80)}
    right, crossed = box(-74.02, 40.70, -73.95, 40.80), box(40.70, -73.95, 40.80, -73.90)
    swapped = document(feature(right, id="A"), feature(crossed, id="B"))
    assert reasons(refused(swapped, reference=new_york, outlines=new_york)) == ["疑似经纬度颠倒 (应为 经度, 纬度)"]


# ---------------------------------------------------------------- the shipped files


def shipped(name: str) -> dict[str, BaseGeometry]:
    features = json.loads((DATA / name).read_bytes())["features"]
    return {
        one["properties"].get("id", one["properties"]["name"]): shapely.from_geojson(json.dumps(one["geometry"]))
        for one in features
    }


def test_the_sample_has_no_gaps_and_fills_its_districts() -> None:
    found = read_zones((DATA / "zones.geojson").read_bytes(), datum=Datum.WGS84, outlines=shipped("districts.geojson"))
    assert (len(found.zones), found.warnings, found.is_sample) == (112, (), True)
    assert found.compared == ("芙蓉区", "天心区", "岳麓区", "开福区", "雨花区", "望城区", "长沙县")


@pytest.mark.parametrize("left_out", ["天心-12", "长沙-01"])
def test_a_zone_left_out_of_the_sample_is_refused(left_out: str) -> None:
    """One within the city, one at its edge."""
    document_ = json.loads((DATA / "zones.geojson").read_bytes())
    document_["features"] = [one for one in document_["features"] if one["properties"]["id"] != left_out]
    assert len(document_["features"]) == 111
    problems = refused(json.dumps(document_).encode(), outlines=shipped("districts.geojson"))
    assert any("没有网格覆盖" in reason or "空洞" in reason for reason in reasons(problems))
