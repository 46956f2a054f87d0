"""Addresses from the command line."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.place import Wgs84Point, to_gcj02
from dispatch.domain.settings import Settings
from tests.cli.files import run, write

TABLE = "编号,地址\n1,天心区南托街道滨洲新村三栋\n2,朝阳社区\n3,\n4,金领小区8栋\n"


def ready(url: str, *args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args], obj=lambda: Settings(database_url=url))


def rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding).splitlines()))


def test_one_address_without_a_database(tmp_path: Path) -> None:
    result = run(tmp_path, "locate", "东茅街那个小区三栋")
    assert result.exit_code == 0
    assert "→" in result.output
    assert "芙蓉区定王台街道 东茅街" in result.output
    ambiguous = run(tmp_path, "locate", "朝阳社区")
    assert "处同名" in ambiguous.output
    assert "→" not in ambiguous.output


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_table_of_addresses(tmp_path: Path, encoding: str) -> None:
    out = tmp_path / "out.csv"
    result = run(tmp_path, "locate", "--csv", write(tmp_path, TABLE, encoding=encoding), "--out", out)
    assert result.exit_code == 0, result.output
    assert "4 行" in result.output
    found = rows(out, "gb18030" if encoding == "gbk" else "utf-8")
    assert (found[0]["located"], found[0]["street"], found[0]["level"]) == ("滨洲新村", "南托街道", "community")
    assert (found[1]["located"], "处同名" in found[1]["reason"]) == ("", True)
    assert [row["located"] for row in found[2:]] == ["", ""]


def test_what_is_asked_wrongly(tmp_path: Path) -> None:
    source = write(tmp_path, TABLE)
    assert run(tmp_path, "locate").exit_code == 2
    assert run(tmp_path, "locate", "x", "--csv", source, "--out", tmp_path / "o.csv").exit_code == 2
    assert run(tmp_path, "locate", "--csv", source).exit_code == 2
    assert run(tmp_path, "locate", "--csv", source, "--out", source).exit_code == 2
    assert run(tmp_path, "locate", "--csv", source, "--text-col", "无", "--out", tmp_path / "o.csv").exit_code == 2


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_imported_names_are_found(url: str, tmp_path: Path) -> None:
    table = write(tmp_path, "名称,网格\n金领小区,天心-03\n错误小区,月球-01\n", "places.csv", "gbk")
    result = ready(url, "import-places", table, "--datum", "wgs84")
    assert result.exit_code == 1
    assert "已导入 1 个地名" in result.output
    assert "第 3 行: 没有网格“月球-01”" in result.output
    found = ready(url, "locate", "金领小区8栋")
    assert "网格 天心-03" in found.output
    out = tmp_path / "out.csv"
    assert ready(url, "locate", "--csv", write(tmp_path, TABLE), "--out", out).exit_code == 0
    assert rows(out)[3]["zone_id"] == "天心-03"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_points_of_the_table_are_held_against_their_addresses(url: str, tmp_path: Path) -> None:
    places = write(tmp_path, "名称,经度,纬度\n金领小区,112.9771,28.1332\n", "places.csv")
    assert ready(url, "import-places", places, "--datum", "wgs84").exit_code == 0
    gcj = to_gcj02(Wgs84Point(112.9771, 28.1332))
    source = write(tmp_path, f"地址,x,y\n金领小区8栋,{gcj.lon},{gcj.lat}\n金领小区,112.9772,28.1333\n金领小区,,\n")
    out = tmp_path / "out.csv"
    own = ("--lon-col", "x", "--lat-col", "y")
    assert ready(url, "locate", "--csv", source, "--out", out, *own).exit_code == 0
    assert ["GCJ-02" in row["datum_doubt"] for row in rows(out)] == [True, False, False]
    assert ready(url, "locate", "--csv", source, "--out", out, *own, "--datum", "gcj02").exit_code == 0
    assert ["WGS-84" in row["datum_doubt"] for row in rows(out)] == [False, True, False]
    assert ready(url, "locate", "--csv", source, "--out", out, "--lon-col", "x").exit_code == 2
