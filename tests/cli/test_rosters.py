"""duty, import-roster, export-roster on the command line."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings
from dispatch.services import roster_sheet, rosters
from tests.support.cast import ZONE_A, cast_of, spot
from tests.support.rosters import body
from tests.support.store import NOW, open_desk

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def run(url: str, *arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], obj=lambda: Settings(database_url=url))


def test_a_roster_goes_in_answers_and_comes_out(url: str, tmp_path: Path) -> None:
    desk = open_desk(url)
    admin, here = cast_of(desk).admin, spot(desk, ZONE_A, NOW)
    place = ("--lon", here.lon, "--lat", here.lat)
    before = run(url, "duty", *place)
    assert (before.exit_code, "未发布, 按班组名册次序" in before.output) == (0, True)
    assert "责任人 天心-03 水管家 A角" in before.output
    draft = rosters.add(desk, admin, "测试", body(), NOW)
    file, again = tmp_path / "十二月.xlsx", tmp_path / "again.xlsx"
    file.write_bytes(roster_sheet.workbook(desk, admin, draft["id"], NOW))
    result = run(url, "import-roster", file)
    assert (result.exit_code, "排班草稿 2: 7 条轮班" in result.output) == (0, True)
    refused = run(url, "import-roster", file, "--publish")
    assert (refused.exit_code, "无人当班" in refused.output) == (2, True)
    result = run(url, "import-roster", file, "--publish", "--accept-holes", "--name", "十二月", "--sample")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "已发布")
    assert "责任人 水管家" in run(url, "duty", *place, "--at", "2027-01-08T12:00:00+08:00").output
    night = run(url, "duty", *place, "--at", "2027-01-08T03:00:00+08:00").output
    assert "责任人 测试夜班" in night
    assert "    跳过 水管家甲: 此时不当班" in night
    assert run(url, "export-roster", 4, "--out", again).exit_code == 0
    assert openpyxl.load_workbook(again)["轮班"].max_row == 8
    desk.store.close()


def test_nobody_and_nonsense_have_their_exit_codes(url: str, tmp_path: Path) -> None:
    assert run(url, "duty", "--lon", 112.3, "--lat", 28.2).exit_code == 1
    assert run(url, "duty", "--lon", 112.3).exit_code == 2
    book = openpyxl.Workbook()
    book.save(tmp_path / "empty.xlsx")
    result = run(url, "import-roster", tmp_path / "empty.xlsx")
    assert result.exit_code == 2
    assert "工作表“轮班”: 缺少这张工作表" in result.output
