"""Depots from a table: any encoding of the trade, any datum, all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.place import Datum
from dispatch.domain.settings import Settings
from dispatch.storage import depots
from tests.support.store import DATA, open_store

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def run(url: str, source: Path, *more: str) -> Result:
    arguments = ["import-depots", str(source), "--datum", *(more or ["wgs84"])]
    return CliRunner().invoke(cli, arguments, obj=lambda: Settings(database_url=url))


def known(url: str) -> list[tuple[str, float, bool]]:
    store = open_store(url)
    with store.read() as tx:
        found = [(row["name"], row["lon"], row["is_sample"]) for row in depots.depots(tx)]
    store.close()
    return found


def test_the_sample_comes_in_labelled(url: str) -> None:
    result = run(url, DATA / "depots.csv", "wgs84", "--sample")
    assert (result.exit_code, result.output) == (0, "驻点 7 个, 替换原有列表\n")
    assert all(name.startswith("样例驻点") and is_sample for name, _, is_sample in known(url))


def test_gbk_and_another_datum(url: str, tmp_path: Path) -> None:
    file = tmp_path / "depots.csv"
    file.write_bytes("编号,名称,经度,纬度\nA,城南驻点,112.99,28.125\n".encode("gbk"))
    assert run(url, file, Datum.GCJ02.value).exit_code == 0
    ((name, lon, is_sample),) = known(url)
    assert (name, is_sample) == ("城南驻点", False)
    assert 0.004 < 112.99 - lon < 0.007


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,name,lon,lat\nA,甲,112.99,here\n", "第 2 行: 纬度“here”不是数字"),
        ("id,name,lon,lat\nA,甲,112.99\n", "第 2 行: 有 3 格, 应为 4 格"),
        ("id,name,lon\nA,甲,112.99\n", "找不到列 lat"),
        ("id,name,lon,lat\nA,甲,28.2,112.99\n", "疑似经纬度颠倒"),
    ],
)
def test_what_cannot_be_used_is_refused_whole(url: str, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "depots.csv"
    file.write_text(text, encoding="utf-8")
    result = run(url, file)
    assert result.exit_code == 2
    assert words in result.output
    assert known(url) == []
