"""Customer flags from a table, by hand on the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings
from tests.support.cast import CALLER_PHONE

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_a_table_comes_in_and_wrong_rows_are_listed(url: str, tmp_path: Path) -> None:
    file = tmp_path / "客户.csv"
    file.write_text(f"标记,名称,电话\n医院,样例医院,{CALLER_PHONE}\n学校,样例小学,\n学校,样例中学,\n", "gbk")
    for replaced in (0, 1):
        result = CliRunner().invoke(cli, ["import-customers", str(file)], obj=lambda: Settings(database_url=url))
        assert result.exit_code == 0
        first, second = result.output.splitlines()
        assert first == f"客户标记 1 行, 替换 {replaced} 行, 未导入 2 行"
        assert second.startswith("  须有电话")
        assert "第 3, 4 行" in second
