"""The knowledge base from the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings
from tests.cli.files import write


def ready(url: str, *args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args], obj=lambda: Settings(database_url=url))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["out.json", "out.csv"])
def test_articles_come_in_and_go_out(url: str, tmp_path: Path, name: str) -> None:
    table = write(tmp_path, "标题,正文,类别\n水费怎么交,在网上交,\n错的,x,moon\n", "in.csv", "gbk")
    result = ready(url, "import-articles", table, "--publish", "--owner", "supervisor")
    assert result.exit_code == 1
    assert "新增 1 篇, 新版 0 篇, 未变 0 篇" in result.output
    assert "第 3 行: 未知的诉求类别“moon” (category)" in result.output
    out = tmp_path / name
    assert ready(url, "export-articles", out).output.strip().endswith("1 篇")
    again = ready(url, "import-articles", out)
    assert (again.exit_code, "未变 1 篇" in again.output) == (0, True)
