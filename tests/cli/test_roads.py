"""Roads from a file, and the time between two places."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatch.domain.roles import SYSTEM
from dispatch.services import roads
from tests.cli.files import Json, collection, database, feature, run, square, write_zones
from tests.support.roads import HELSINKI, in_changsha, shipped
from tests.support.store import open_desk

PLACES = ("--from", "24.940,60.170", "--to", "24.950,60.172")


def grids(*corners: tuple[float, float]) -> Json:
    return collection(
        *(feature(square(*corner, 0.02), id=str(n), name=f"网格 {n}") for n, corner in enumerate(corners))
    )


@pytest.fixture
def in_helsinki(tmp_path: Path) -> Path:
    """An installation whose grids are two in the middle of Helsinki and one beside its roads."""
    zones = write_zones(tmp_path, grids((24.935, 60.160), (24.955, 60.160), (24.915, 60.160)))
    assert run(tmp_path, "import-zones", zones, "--datum", "wgs84", "--outline", "none").exit_code == 0
    return tmp_path


def test_roads_are_imported_and_used(in_helsinki: Path) -> None:
    before = run(in_helsinki, "eta", *PLACES)
    assert (before.exit_code, "直线估算 (直线距离 0.6 公里)" in before.stdout) == (0, True)
    done = run(in_helsinki, "import-roads", HELSINKI)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("已导入路网 v1: 节点 9")
    assert "正在读取 Helsinki.osm.pbf" in done.stderr
    assert "注意: 路网范围只到 1 / 3 个网格" in done.stderr
    after = run(in_helsinki, "eta", *PLACES)
    assert (after.exit_code, "按路网 (直线距离 0.6 公里)" in after.stdout) == (0, True)


def test_another_city_and_damaged_files_are_refused_and_the_old_roads_stay(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    later = datetime.now(UTC)  # the sample grids hold from the moment of init
    roads.import_graph(open_desk(database(tmp_path)), SYSTEM, in_changsha(), shipped(), "changsha.osm.pbf", later)
    foreign = run(tmp_path, "import-roads", HELSINKI)
    assert (foreign.exit_code, "像是别的城市的文件" in foreign.stderr) == (2, True)
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(HELSINKI.read_bytes()[:300_000])
    result = run(tmp_path, "import-roads", broken)
    assert (result.exit_code, "broken.osm.pbf 不是完好的 .osm.pbf 文件" in result.stderr) == (2, True)
    assert "✓ roads: v1" in run(tmp_path, "doctor").stdout


def test_it_says_what_must_be_installed(in_helsinki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osmium", None)
    result = run(in_helsinki, "import-roads", HELSINKI)
    assert (result.exit_code, "pip install --require-hashes -r requirements-routing.txt" in result.stderr) == (2, True)


@pytest.mark.parametrize("place", ["", "112.98", "112.98;28.2", "28.2,112.98", "112.98,28.2,3", "nan,28"])
def test_a_place_that_is_none_is_refused(in_helsinki: Path, place: str) -> None:
    result = run(in_helsinki, "eta", "--from", place, "--to", "24.95,60.17")
    assert (result.exit_code, "应为 经度,纬度, 例如 112.98,28.20" in result.stderr) == (2, True)


def test_before_anything_is_set_up_it_says_so(tmp_path: Path) -> None:
    for command in (("import-roads", HELSINKI), ("eta", *PLACES)):
        result = run(tmp_path, *command)
        assert (result.exit_code, "请先运行 python run.py init" in result.stderr) == (2, True)
