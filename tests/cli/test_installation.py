"""export-folder, import-folder, doctor --folder on the command line."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings
from dispatch.services.installation import FILES
from tests.cli.files import run as run_in

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def run(url: str, *arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], obj=lambda: Settings(database_url=url))


def test_one_installation_is_built_again_on_an_empty_machine(url: str, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    first = run(url, "export-folder", folder)
    assert (first.exit_code, "policy.toml" in first.output) == (0, True)
    assert {path.name for path in folder.iterdir()} <= set(FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    (folder / ".hidden").write_text("of the file manager")
    brought = run_in(elsewhere, "import-folder", folder)
    assert brought.exit_code == 0
    assert "crew.a: 设置密码的链接" in brought.output
    again = run_in(elsewhere, "import-folder", folder, "--check")
    assert (again.exit_code, again.output.count("不变"), "未写入任何内容" in again.output) == (0, 2, True)
    (folder / ".hidden").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run_in(elsewhere, "export-folder", folder).exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_of_somebody_else_is_left_alone(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letters.txt").write_text("dear")
    result = run(url, "export-folder", folder)
    assert (result.exit_code, "letters.txt" in result.output) == (2, True)
    assert [path.name for path in folder.iterdir()] == ["letters.txt"]


def test_mistakes_are_told_by_file_and_place(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    assert run(url, "export-folder", folder).exit_code == 0
    with (folder / "users.csv").open("a", encoding="utf-8") as file:
        file.write("x,谁,chief,,,,,,\n")
    for command in (("import-folder",), ("import-folder", "--check"), ("doctor", "--folder")):
        result = run(url, *command, folder)
        assert result.exit_code == 2
        assert "行 role: 没有角色“chief”" in result.output
        assert "文件夹有 1 处错误, 未导入任何内容" in result.output


def test_the_doctor_looks_at_a_folder_too(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    assert run(url, "export-folder", folder).exit_code == 0
    result = run(url, "doctor", "--folder", folder)
    assert "✓ roster: 未发布" in result.output
    assert "✓ zones.geojson: 网格 112 个, 不变" in result.output
