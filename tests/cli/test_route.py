"""route: every row comes back in its place, with its zone or the reason why it has none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import Result

from dispatch.cli import tables, zones
from dispatch.cli.zones import ADDED
from tests.cli.files import collection, feature, run, square, write, write_zones


def route(folder: Path, source: Path, *more: object) -> Result:
    return run(folder, "route", "--csv", source, "--out", folder / "out.csv", "--zones", write_zones(folder), *more)


def rows(folder: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    text = (folder / "out.csv").read_bytes().decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_columns_and_order_are_kept_and_six_are_added(tmp_path: Path) -> None:
    source = write(tmp_path, "note,lat,lon\nfirst,28.15,112.95\nsecond,28.15,113.0005\n")
    result = route(tmp_path, source)
    assert result.exit_code == 0, result.output
    first, second = rows(tmp_path)
    assert list(first) == ["note", "lat", "lon", *ADDED]
    assert first | {"reason": ""} == {
        "note": "first", "lat": "28.15", "lon": "112.95", "zone_id": "a", "zone_name": "甲网格",
        "route_status": "routed", "reason": "", "boundary_m": "4911.3", "neighbour_zone_id": "",
    }  # fmt: skip
    assert (second["zone_id"], second["neighbour_zone_id"], second["boundary_m"]) == ("b", "a", "49.1")
    assert second["reason"] == "在乙网格内; 距边界 49 m, 邻网格 甲"
    assert not (tmp_path / "dispatch.db").exists()


@pytest.mark.parametrize(
    ("lon", "lat", "reason"),
    [
        ("", "", "没有坐标"),
        ("112.95", "", "缺少纬度"),
        ("", "28.15", "缺少经度"),
        ("east", "28.15", "经度“east”不是数字"),
        ("1_1", "28.15", "经度“1_1”不是数字"),
        ("nan", "28.15", "经度必须是有限的数字"),
        ("181", "28.15", "经度 181.0 超出 ±180 度"),
        ("28.15", "112.95", "纬度 112.95 超出 ±90 度, 疑似经纬度颠倒"),
    ],
)
def test_a_row_without_usable_coordinates_is_kept_and_listed(tmp_path: Path, lon: str, lat: str, reason: str) -> None:
    result = route(tmp_path, write(tmp_path, f"lon,lat\n112.95,28.15\n{lon},{lat}\n"))
    assert result.exit_code == 1
    assert f"{reason}: 1 行: 第 3 行" in result.stdout
    assert "(routed 1, invalid 1)" in result.stdout
    bad = rows(tmp_path)[1]
    assert (bad["route_status"], bad["reason"], bad["zone_id"]) == ("invalid", reason, "")


def test_places_of_no_zone_are_answers_and_no_errors(tmp_path: Path) -> None:
    result = route(tmp_path, write(tmp_path, "lon,lat\n0,0\n113.3,28.15\n113.101,28.15\n"))
    assert result.exit_code == 0
    assert [row["route_status"] for row in rows(tmp_path)] == ["quarantined", "no_zone", "nearest"]
    assert "  quarantined: 坐标 (0.000000, 0.000000) 是占位值, 不是真实位置: 1 行: 第 2 行\n" in result.stdout
    assert "  no_zone: 不在任何网格内; 最近网格 乙, 距 " in result.stdout
    assert ": 1 行: 第 3 行\n" in result.stdout
    assert "第 4 行" not in result.stdout


def test_of_many_different_remarks_the_first_are_listed_and_the_rest_counted() -> None:
    remarks = tables.Remarks()
    assert not remarks
    for number in range(2, 252):
        remarks.add(number, f"{number} m")
    remarks.add(300, "2 m")
    lines = list(remarks.lines())
    assert (lines[0], len(lines), lines[-1]) == ("2 m: 2 行: 第 2, 300 行", 201, "… 另有 50 行, 见写出的文件")


@pytest.mark.parametrize("names", ["lng,latitude", "Longitude,LAT", "x,y", "经度,纬度"])
def test_usual_column_names_are_found(tmp_path: Path, names: str) -> None:
    assert route(tmp_path, write(tmp_path, f"{names}\n112.95,28.15\n")).exit_code == 0
    assert rows(tmp_path)[0]["zone_id"] == "a"


def test_other_names_are_asked_for(tmp_path: Path) -> None:
    source = write(tmp_path, "e,n\n112.95,28.15\n")
    result = route(tmp_path, source)
    assert result.exit_code == 2
    assert "文件里的列: e, n; 请用 --lon-col 指定" in result.stderr
    assert not (tmp_path / "out.csv").exists()
    assert route(tmp_path, source, "--lon-col", "e", "--lat-col", "n").exit_code == 0
    missing = route(tmp_path, source, "--lon-col", "e", "--lat-col", "north")
    assert (missing.exit_code, "找不到列 north" in missing.stderr) == (2, True)


def test_a_datum_moves_the_point(tmp_path: Path) -> None:
    source = write(tmp_path, "lon,lat\n113.003,28.15\n")
    assert route(tmp_path, source, "--datum", "gcj02").exit_code == 0
    assert rows(tmp_path)[0]["zone_id"] == "a"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings_of_the_trade_come_back_as_they_came(tmp_path: Path, encoding: str) -> None:
    source = write(tmp_path, "地点,lon,lat\n坡子街,112.95,28.15\n", encoding=encoding)
    assert route(tmp_path, source).exit_code == 0
    row = rows(tmp_path, encoding)[0]
    assert (row["地点"], row["zone_name"]) == ("坡子街", "甲网格")


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"lon,lat\n\xff\xff,1\n")
    result = route(tmp_path, source)
    assert (result.exit_code, "编码无法识别" in result.stderr) == (2, True)


def test_quoted_newlines_stay_in_their_cell_and_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    source = write(tmp_path, 'note,lon,lat\r\n"one\r\ntwo, three",112.95,28.15\r\n\r\nlast,,\r\n')
    result = route(tmp_path, source)
    assert "没有坐标: 1 行: 第 4 行" in result.stdout
    assert [row["note"] for row in rows(tmp_path)] == ["one\r\ntwo, three", "last"]


def test_broken_rows_are_errors_of_their_own(tmp_path: Path) -> None:
    source = write(tmp_path, 'lon,lat\n112.95\n1,2,3\n"1"2,3\n112.95,28.15\n"never closed,1\n')
    result = route(tmp_path, source)
    assert result.exit_code == 1
    assert [row["route_status"] for row in rows(tmp_path)] == ["invalid", "invalid", "invalid", "routed", "invalid"]
    assert "有 1 格, 应为 2 格: 1 行: 第 2 行" in result.stdout
    assert "有 3 格, 应为 2 格: 1 行: 第 3 行" in result.stdout
    assert "(文件第 4 行: ',' expected after '\"')" in result.stdout
    assert [row["lon"] for row in rows(tmp_path)] == ["112.95", "1", "12", "112.95", "never closed,1\n"]


@pytest.mark.parametrize("rest", ["1,2\n3,4\n", '1,2\n"3",4\n', f"1,{'2' * 140_000}\n3,4\n"])
def test_a_quote_that_swallows_other_rows_is_refused_with_its_row(tmp_path: Path, rest: str) -> None:
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    result = route(tmp_path, write(tmp_path, f'lon,lat\n1,2\n"112.9,28\n{rest}'))
    assert result.exit_code == 2
    assert "第 3 行 (文件第 3 行) 的引号没有配对" in result.stderr
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "old"


def test_rows_that_a_pair_of_quotes_joins_are_told_by_their_lines(tmp_path: Path) -> None:
    result = route(tmp_path, write(tmp_path, 'lon,lat\n"112.9,28\n1,2\n3,4"\n112.95,28.15\n'))
    assert result.exit_code == 1
    assert "有 1 格, 应为 2 格 (文件第 2–4 行, 疑似多了引号): 1 行: 第 2 行" in result.stdout
    assert [row["lon"] for row in rows(tmp_path)] == ["112.9,28\n1,2\n3,4", "112.95"]


def test_a_line_longer_than_a_cell_may_be_is_a_fault_of_its_own(tmp_path: Path) -> None:
    result = route(tmp_path, write(tmp_path, f"lon,lat\n{'1' * 140_000},2\n112.95,28.15\n"))
    assert (
        "引号或长度有误, 无法读取 (文件第 2 行: field larger than field limit (131072)): 1 行: 第 2 行" in result.stdout
    )
    assert [row["route_status"] for row in rows(tmp_path)] == ["invalid", "routed"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "文件是空的"),
        ("\n1,2\n", "文件是空的"),
        ('"lon"x,lat\n', "列名) 无法读取"),
        ("lon,lat,zone_id\n", "已有列 zone_id"),
        ("lon,lat,lon\n", "列“lon”出现不止一次"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    result = route(tmp_path, write(tmp_path, text))
    assert (result.exit_code, reason in result.stderr) == (2, True), result.output
    assert not (tmp_path / "out.csv").exists()


def test_a_table_without_rows_is_done(tmp_path: Path) -> None:
    result = route(tmp_path, write(tmp_path, "lon,lat\n"))
    assert (result.exit_code, "0 行 (没有数据行)" in result.stdout) == (0, True)


def test_out_is_not_written_where_it_must_not_be(tmp_path: Path) -> None:
    source = write(tmp_path, "lon,lat\n")
    same = run(tmp_path, "route", "--csv", source, "--out", source)
    assert (same.exit_code, "同一个文件" in same.stderr) == (2, True)
    nowhere = run(tmp_path, "route", "--csv", source, "--out", tmp_path / "none" / "out.csv")
    assert (nowhere.exit_code, "不能写入" in nowhere.stderr) == (2, True)


def test_an_interrupted_run_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: tables.Table) -> Iterable[tables.Row]:
        yield tables.Row(2, ["112.95", "28.15"])
        raise KeyboardInterrupt

    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    source = write(tmp_path, "lon,lat\n112.95,28.15\n")
    monkeypatch.setattr(tables.Table, "rows", interrupted)
    assert route(tmp_path, source).exit_code == 1
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grids.geojson", "in.csv", "out.csv"]


def test_many_bad_rows_are_counted_and_the_first_are_listed() -> None:
    assert tables.listed([2, 3]) == "2 行: 第 2, 3 行"
    assert tables.listed(range(2, 1002)).startswith("1000 行: 第 2, 3, ")
    assert tables.listed(range(2, 1002)).endswith(", 201 行 …")


def test_flaws_among_the_zones_are_only_warned_of(tmp_path: Path) -> None:
    source, out = write(tmp_path, "lon,lat\n112.96,28.15\n"), tmp_path / "out.csv"
    overlapping = [feature(square(112.9, 28.1), name="x"), feature(square(112.95, 28.1), name="y")]
    path = write_zones(tmp_path, collection(*overlapping))
    command = ("route", "--csv", source, "--out", out, "--zones", path)
    assert run(tmp_path, *command).exit_code == 2
    result = run(tmp_path, *command, "--id-field", "@index")
    assert (result.exit_code, "注意: 要素 1 (1)" in result.stderr) == (0, True)
    assert rows(tmp_path)[0]["zone_id"] == "1"


def test_the_shipped_zones_are_the_default(tmp_path: Path) -> None:
    source = write(tmp_path, "lon,lat\n112.9755,28.1935\n")
    assert run(tmp_path, "route", "--csv", source, "--out", tmp_path / "out.csv").exit_code == 0
    assert rows(tmp_path)[0]["route_status"] == "routed"


def test_problems_are_told_with_feature_and_place() -> None:
    found = {"feature": 3, "id": "x", "place": "113,28", "reason": "坏"}
    assert zones.problem_text(found) == "要素 3 (x) 位置 113,28: 坏"
    assert zones.problem_text({"feature": 3, "id": None, "place": None, "reason": "坏"}) == "要素 3 (无编号): 坏"
    assert zones.problem_text({"feature": None, "id": None, "place": None, "reason": "坏"}) == "整个文件: 坏"


def test_a_point_that_its_address_contradicts_as_a_wrong_datum_would_is_told_of(tmp_path: Path) -> None:
    edge = "112.9677,28.1987"  # of 天心区; read as GCJ-02 it lies in 开福区
    source = write(tmp_path, f"lon,lat,where\n{edge},天心区某处\n{edge},开福区\n{edge},\nx,y,天心区\n")
    result = route(tmp_path, source, "--text-col", "where", "--datum", "gcj02")
    assert [("坐标系可能不对" in row["reason"]) for row in rows(tmp_path)] == [True, False, False, False]
    assert "坐标系可能不对: 按声明的 GCJ-02" in result.stdout
    assert route(tmp_path, source, "--text-col", "where").stdout.count("坐标系可能不对") == 0
