"""import-zones: a good file becomes the next version; a bad one is refused whole and changes nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from dispatch.cli import context, zones
from dispatch.domain import zone_json
from dispatch.storage import directory
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


def test_an_empty_database_gets_the_policy_and_nothing_of_the_sample(tmp_path: Path) -> None:
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--make-teams")
    assert "已载入政策" in result.stderr
    assert "样例网格" not in result.stderr
    assert query(tmp_path, "SELECT source FROM zone_sets") == [("grids.geojson",)]
    assert query(tmp_path, "SELECT id FROM teams ORDER BY id") == [("a",), ("b",)]
    assert run(tmp_path, "init").exit_code == 0
    assert query(tmp_path, "SELECT id FROM teams ORDER BY id") == [("a",), ("b",)]


def test_without_teams_an_empty_database_has_none(tmp_path: Path) -> None:
    assert "2 个网格没有班组" in run(tmp_path, "import-zones", write_zones(tmp_path), *WGS).stderr
    assert query(tmp_path, "SELECT id FROM teams") == []


def test_a_newer_map_wins_over_the_sample_and_leaves_it_in_place(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    teams = query(tmp_path, "SELECT id FROM teams ORDER BY id")
    assert run(tmp_path, "import-zones", write_zones(tmp_path), *WGS).exit_code == 0
    order = "SELECT source FROM zone_sets ORDER BY valid_from DESC, id DESC"
    assert query(tmp_path, order) == [("grids.geojson",), ("zones.geojson",)]
    assert query(tmp_path, "SELECT id FROM teams ORDER BY id") == teams


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


def test_the_teams_of_the_team_field_must_be_in_the_roster(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    path = write_zones(tmp_path, collection(feature(square(112.9, 28.1), id="a", crew="tianxin-03")))
    assert run(tmp_path, "import-zones", path, *WGS, "--team-field", "crew").exit_code == 0
    last = "SELECT zone_id, team_id FROM zones WHERE set_id = (SELECT max(id) FROM zone_sets)"
    assert query(tmp_path, last) == [("a", "tianxin-03")]


# ---------------------------------------------------------------- outlines

# Of this the two squares leave out the north, a third.
CITY = collection(feature([[112.9, 28.1], [113.1, 28.1], [113.1, 28.25], [112.9, 28.25], [112.9, 28.1]], name="全市"))


def sample_without(folder: Path, zone_id: str) -> Path:
    sample = json.loads((context.DATA / "zones.geojson").read_bytes())
    sample["features"] = [one for one in sample["features"] if one["properties"]["id"] != zone_id]
    return write_zones(folder, sample)


def test_a_grid_missing_at_the_edge_of_a_district_is_refused_unless_that_is_meant(tmp_path: Path) -> None:
    path = sample_without(tmp_path, "长沙-01")
    refused = run(tmp_path, "import-zones", path, *WGS, "--check")
    assert (refused.exit_code, "“长沙县”有 " in refused.stderr, "--outline none" in refused.stderr) == (2, True, True)
    meant = run(tmp_path, "import-zones", path, *WGS, "--check", "--outline", "none")
    assert (meant.exit_code, "外缘" in meant.stderr) == (0, False)


def test_what_was_compared_is_told(tmp_path: Path) -> None:
    sample = run(tmp_path, "import-zones", context.DATA / "zones.geojson", *WGS, "--check")
    assert "外缘已按轮廓核对: 芙蓉区, 天心区" in sample.stderr
    assert "外缘未核对" in run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--check").stderr


def test_another_outline_in_parts_of_one_name(tmp_path: Path) -> None:
    outline = write(tmp_path, json.dumps(CITY), "city.geojson")
    path = write_zones(tmp_path)
    refused = run(tmp_path, "import-zones", path, *WGS, "--check", "--outline", outline)
    assert (refused.exit_code, "“全市”有 108." in refused.stderr) == (2, True), refused.output
    halves = [feature(square(west, 28.1), name="全市") for west in (112.9, 113.0)]
    outline = write(tmp_path, json.dumps(collection(*halves)), "city.geojson")
    good = run(tmp_path, "import-zones", path, *WGS, "--check", "--outline", outline)
    assert (good.exit_code, "外缘已按轮廓核对: 全市\n" in good.stderr) == (0, True), good.output


@pytest.mark.parametrize(("text", "words"), [("{}", "不可用"), (None, "读不了: No such file")])
def test_an_outline_that_cannot_be_used(tmp_path: Path, text: str | None, words: str) -> None:
    outline = tmp_path / "missing.geojson" if text is None else write(tmp_path, text, "city.geojson")
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--check", "--outline", outline)
    assert (result.exit_code, words in result.stderr, "--outline" in result.stderr) == (2, True, True)


# ---------------------------------------------------------------- large files


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.geojson"
    path.touch()
    os.truncate(path, 1 << 40)  # a hole of one TiB, which no machine of ours could read
    for command in (("import-zones", path, *WGS), ("route", "--zones", path, "--csv", path, "--out", tmp_path / "out")):
        result = run(tmp_path, *command)
        assert (result.exit_code, "文件至少有 1,099,511,627,776 字节" in result.stderr) == (2, True), result.output
    assert not (tmp_path / "dispatch.db").exists()


def test_a_pipe_is_read_no_further_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (zones, zone_json):
        monkeypatch.setattr(module, "MAX_BYTES", 100)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[b" " * 1000])
    writer.start()
    result = run(tmp_path, "import-zones", pipe, *WGS, "--check")
    writer.join(30)
    assert (result.exit_code, "文件至少有 101 字节, 上限 100 字节" in result.stderr) == (2, True), result.output


def test_progress_goes_to_standard_error_and_only_to_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zones(tmp_path)
    quiet = run(tmp_path, "import-zones", path, *WGS)
    assert "%" not in quiet.output
    monkeypatch.setattr("click._termui_impl.isatty", lambda _: True)
    shown = run(tmp_path, "import-zones", path, *WGS)
    for label in ("读取网格", "核对重叠", "写入网格"):
        assert re.search(rf"{label} +\[#+\] +2/2", shown.stderr), shown.stderr
    assert shown.stdout.startswith("已导入网格 v2: 2 个")


@pytest.mark.parametrize(
    "where",
    [
        "dispatch.domain.zone_checks.shapely.intersects",
        "hashlib.sha256",
        "sqlalchemy.engine.default.DefaultDialect.do_executemany",
        "insert",
    ],
)
def test_ctrl_c_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    assert run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--make-teams").exit_code == 0
    before = [query(tmp_path, f"SELECT * FROM {table}") for table in ("zone_sets", "zones", "teams", "revisions")]
    add = directory.add_zone_set

    def interrupted(*args: Any, **_: Any) -> Any:
        if where == "insert":
            add(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr("dispatch.storage.directory.add_zone_set" if where == "insert" else where, interrupted)
    path = write(tmp_path, json.dumps(two_zones()).replace('"b"', '"c"'), "next.geojson")
    result = run(tmp_path, "import-zones", path, *WGS, "--make-teams")
    assert (result.exit_code, "Aborted!" in result.stderr) == (1, True), result.output
    after = [query(tmp_path, f"SELECT * FROM {table}") for table in ("zone_sets", "zones", "teams", "revisions")]
    assert after == before


@pytest.mark.parametrize(("presses", "exit_code", "versions"), [(1, 0, 1), (2, 1, 0)])
def test_while_writing_ctrl_c_must_be_pressed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, presses: int, exit_code: int, versions: int
) -> None:
    add = directory.add_zone_set

    def pressed(*args: Any) -> int:
        for _ in range(presses):
            signal.raise_signal(signal.SIGINT)
        return add(*args)

    monkeypatch.setattr(directory, "add_zone_set", pressed)
    before = signal.getsignal(signal.SIGINT)
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS)
    assert (result.exit_code, "再按一次 Ctrl+C" in result.stderr) == (exit_code, True), result.output
    assert len(query(tmp_path, "SELECT id FROM zone_sets")) == versions
    assert signal.getsignal(signal.SIGINT) is before


def test_what_fails_while_writing_is_no_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(directory, "add_zone_set", failing)
    result = run(tmp_path, "import-zones", write_zones(tmp_path), *WGS)
    assert isinstance(result.exception, ZeroDivisionError)


# ---------------------------------------------------------------- bad files

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
    "slit": (collection(A, feature(square(113.001, 28.1), id="b")), "开口的缝隙"),
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
