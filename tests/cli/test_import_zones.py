"""import-zones: a good file becomes the next version; a bad one is refused whole and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.cli.files import Json, collection, database, feature, run, square, two_zones, write, write_zones

WGS = ("--datum", "wgs84")


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    engine = create_engine(database(folder))
    with engine.connect() as conn:
        rows = [tuple(row) for row in conn.execute(text(sql))]
    engine.dispose()
    return rows


def newest(folder: Path) -> list[tuple[Any, ...]]:
    return query(folder, "SELECT source, is_sample FROM zone_sets ORDER BY id DESC LIMIT 1")


def test_a_good_file_becomes_a_version_with_teams(tmp_path: Path) -> None:
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--make-teams")
    assert result.exit_code == 0, result.output
    assert "2 个, 自 " in result.output
    assert newest(tmp_path) == [("grids.geojson", False)]
    last = "SELECT zone_id, team_id FROM zones WHERE set_id = (SELECT max(id) FROM zone_sets) ORDER BY zone_id"
    assert query(tmp_path, last) == [("a", "a"), ("b", "b")]
    assert query(tmp_path, "SELECT id FROM teams WHERE id IN ('a', 'b') ORDER BY id") == [("a",), ("b",)]


def test_the_imported_version_wins_over_the_sample_that_a_fresh_database_gets(tmp_path: Path) -> None:
    run(tmp_path, "import-zones", write_zones(tmp_path), *WGS)
    order = "SELECT source FROM zone_sets ORDER BY valid_from DESC, id DESC"
    assert query(tmp_path, order) == [("grids.geojson",), ("zones.geojson",)]


def test_a_sample_stays_labelled_and_a_later_start_is_kept(tmp_path: Path) -> None:
    path = write_zones(tmp_path, two_zones(is_sample=True))
    result = run(tmp_path, "import-zones", path, *WGS, "--valid-from", "2030-01-01T00:00:00+08:00")
    assert "自 2030-01-01 00:00 起生效" in result.output
    assert "2 个网格没有班组" in result.stderr
    assert newest(tmp_path) == [("grids.geojson", True)]


def test_check_touches_no_database(tmp_path: Path) -> None:
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--check")
    assert (result.exit_code, "2 个网格, 可以导入" in result.output) == (0, True)
    assert not (tmp_path / "dispatch.db").exists()


def test_the_datum_must_be_declared_and_the_start_must_have_a_zone(tmp_path: Path) -> None:
    path = write_zones(tmp_path)
    assert run(tmp_path, "import-zones", path).exit_code == 2
    result = run(tmp_path, "import-zones", path, *WGS, "--valid-from", "2030-01-01")
    assert (result.exit_code, "缺少时区" in result.stderr) == (2, True)


def test_properties_are_taken_by_the_names_that_are_asked_for(tmp_path: Path) -> None:
    path = write_zones(tmp_path, collection(feature(square(112.9, 28.1), nr=7, label="甲", crew="t7")))
    fields = ("--id-field", "nr", "--name-field", "label", "--team-field", "crew")
    refused = run(tmp_path, "import-zones", path, *WGS, *fields)
    assert (refused.exit_code, "班组“t7”不在班组名册中" in refused.stderr) == (2, True)
    assert run(tmp_path, "import-zones", path, *WGS, *fields, "--make-teams").exit_code == 0
    last = "SELECT zone_id, name, team_id FROM zones WHERE set_id = (SELECT max(id) FROM zone_sets)"
    assert query(tmp_path, last) == [("7", "甲", "t7")]


def test_ids_that_are_no_ids_are_refused_with_a_way_out(tmp_path: Path) -> None:
    zones = [feature(square(112.9 + n / 10, 28.1), id="None", name=None) for n in range(2)]
    path = write_zones(tmp_path, collection(*zones))
    refused = run(tmp_path, "import-zones", path, *WGS, "--check")
    assert (refused.exit_code, "--id-field @index" in refused.stderr, "整个文件" in refused.stderr) == (2, True, True)
    assert run(tmp_path, "import-zones", path, *WGS, "--check", "--id-field", "@index").exit_code == 0


A = feature(square(112.9, 28.1), id="a")
BAD: dict[str, tuple[Json, str]] = {
    "unclosed": (collection(feature(square(112.9, 28.1)[:-1], id="a")), "环没有闭合"),
    "bow tie": (
        collection(feature([[112.9, 28.1], [113, 28.2], [113, 28.1], [112.9, 28.2], [112.9, 28.1]], id="a")),
        "边界自相交",
    ),
    "text": (collection(feature([["112.9", "28.1"], *square(112.9, 28.1)[1:]], id="a")), "不是两个有限的数字"),
    "swapped": (collection(feature([[lat, lon] for lon, lat in square(112.9, 28.1)], id="a")), "经纬度颠倒"),
    "empty": (collection(), "没有要素"),
    "lines": (collection(feature(square(112.9, 28.1), "LineString", id="a")), "必须是 Polygon"),
    "overlap": (collection(A, feature(square(112.95, 28.1), id="b")), "重叠"),
    "twice": (collection(A, feature(square(113.1, 28.1), id="a")), "与第 1 个要素重复"),
}


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_and_the_old_zones_stay_live(tmp_path: Path, content: Json, reason: str) -> None:
    assert run(tmp_path, "import-zones", write_zones(tmp_path), *WGS).exit_code == 0
    path = write(tmp_path, json.dumps(content), "bad.geojson")
    result = run(tmp_path, "import-zones", path, *WGS)
    assert (result.exit_code, reason in result.stderr) == (2, True), result.output
    assert newest(tmp_path) == [("grids.geojson", False)]


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "NaN", '{"type": "FeatureCollection"}'])
def test_what_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    result = run(tmp_path, "import-zones", write(tmp_path, text, "bad.geojson"), *WGS, "--check")
    assert (result.exit_code, "整个文件" in result.stderr) == (2, True), result.output
