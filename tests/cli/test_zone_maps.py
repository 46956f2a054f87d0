"""Grid maps out and pictures of them, names in, and very many places at once."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dispatch.cli import zone_maps
from dispatch.domain.place import Datum, Wgs84Point, to_gcj02
from dispatch.domain.zone_file import read_zones
from tests.cli.files import collection, feature, run, square, two_zones, write, write_zones

WGS = ("--datum", "wgs84", "--outline", "none")


@pytest.mark.parametrize("form", ["geojson", "csv", "kml"])
def test_what_was_imported_is_exported_and_imported_again(tmp_path: Path, form: str) -> None:
    assert run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--make-teams").exit_code == 0
    out = tmp_path / f"out.{form}"
    result = run(tmp_path, "export-zones", "--out", out, "--form", form)
    assert result.exit_code == 0, result.output
    assert "网格 v1, 2 个" in result.output
    zones = read_zones(out.read_bytes(), datum=Datum.WGS84).zones
    assert [(zone.zone_id, zone.name, zone.team_id) for zone in zones] == [("a", "甲网格", "a"), ("b", "乙网格", "b")]
    again = run(tmp_path, "import-zones", out, *WGS)
    assert "已导入网格 v2: 2 个" in again.output
    assert run(tmp_path, "export-zones", "--out", out, "--version", 1).exit_code == 0
    missing = run(tmp_path, "export-zones", "--out", out, "--version", 77)
    assert (missing.exit_code, "没有网格版本 v77" in missing.output) == (2, True)


def test_an_exported_sample_says_so(tmp_path: Path) -> None:
    run(tmp_path, "init", "--with-sample")
    run(tmp_path, "import-zones", write_zones(tmp_path, two_zones(is_sample=True)), *WGS, "--make-teams")
    result = run(tmp_path, "export-zones", "--out", tmp_path / "out.geojson")
    assert "(样例)" in result.output


def test_a_refused_file_has_its_picture(tmp_path: Path) -> None:
    zones = collection(feature(square(112.9, 28.1), id="a"), feature(square(112.95, 28.1), id="b"))
    picture = tmp_path / "faults.svg"
    result = run(tmp_path, "import-zones", write_zones(tmp_path, zones), *WGS, "--check", "--picture", picture)
    assert result.exit_code == 2
    assert "重叠" in result.output
    drawn = picture.read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert "1. 重叠 54," in drawn


# ---------------------------------------------------------------- codes


def test_names_lead_to_grids(tmp_path: Path) -> None:
    run(tmp_path, "import-zones", write_zones(tmp_path), *WGS, "--make-teams")
    table = write(tmp_path, "区,街道,社区,代码,网格\n天心区,坡子街街道,碧湘社区,430103002001,a\n", encoding="gbk")
    result = run(tmp_path, "import-zone-codes", table)
    assert (result.exit_code, "已导入 1 条" in result.output) == (0, True), result.output
    few = write(tmp_path, "street,zone_id\n坡子街街道,a\n裕南街街道,z\n")
    result = run(tmp_path, "import-zone-codes", few)
    assert (result.exit_code, "第 3 行: 没有编号为“z”的网格" in result.output) == (2, True)
    ragged = write(tmp_path, "street,zone_id\n坡子街街道\n")
    result = run(tmp_path, "import-zone-codes", ragged)
    assert (result.exit_code, "第 2 行" in result.output) == (2, True)


# ---------------------------------------------------------------- rezone


def rezone(folder: Path, text: str, *more: object) -> list[list[str]]:
    source = write(folder, text)
    result = run(folder, "rezone", "--csv", source, "--out", folder / "o.csv", "--zones", write_zones(folder), *more)
    assert result.exit_code == 0, result.output
    return list(csv.reader((folder / "o.csv").read_text(encoding="utf-8").splitlines()))


def test_every_row_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_maps, "_CHUNK", 2)
    rows = rezone(tmp_path, "n,lon,lat\n1,112.95,28.15\n2,113.05,28.15\n3,1,1\n4,,\n5,x,28\n6,nan,28\n7\n")
    assert rows[0] == ["n", "lon", "lat", "zone_id", "zone_name"]
    assert [(row[0], row[-2], row[-1]) for row in rows[1:3]] == [("1", "a", "甲网格"), ("2", "b", "乙网格")]
    assert [row[-2:] for row in rows[3:]] == [["", ""]] * 5


def test_places_of_another_datum_are_brought_over(tmp_path: Path) -> None:
    there = to_gcj02(Wgs84Point(112.9999, 28.15))
    rows = rezone(tmp_path, f"lon,lat\n{there.lon},{there.lat}\n", "--datum", "gcj02")
    assert rows[1][-2] == "a"


def test_columns_that_are_taken_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path, "zone_id,lon,lat\nx,112.95,28.15\n")
    result = run(tmp_path, "rezone", "--csv", source, "--out", tmp_path / "o.csv", "--zones", write_zones(tmp_path))
    assert (result.exit_code, "已有列 zone_id" in result.output) == (2, True)
    assert not (tmp_path / "o.csv").exists()
