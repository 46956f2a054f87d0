"""What no command can do without is told in one line, with exit code 2; a mistake of the program is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from dispatch.services import health
from tests.cli.files import run


@pytest.mark.parametrize("command", ["doctor", "serve", "scheduler", "sweep", "init"])
@pytest.mark.parametrize("content", [b"ab\n", b"no database at all" * 400])
def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path, command: str, content: bytes) -> None:
    (tmp_path / "dispatch.db").write_bytes(content)
    result = run(tmp_path, command)
    assert result.exit_code == 2
    line = "Error: 数据库文件已损坏或不是数据库, 请检查 DISPATCH_DATABASE_URL: file is not a database\n"
    assert result.stderr == line
    assert (tmp_path / "dispatch.db").read_bytes() == content


def test_a_database_damaged_within_is_told_in_one_line(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    path = tmp_path / "dispatch.db"
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    head = path.read_bytes()[:4096]
    path.write_bytes(head + b"\xff" * (path.stat().st_size - len(head)))
    result = run(tmp_path, "doctor")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "数据库文件已损坏" in result.stderr


def test_a_database_that_cannot_be_opened_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "dispatch.db").mkdir()
    result = run(tmp_path, "doctor")
    assert result.exit_code == 2
    assert "数据库不可用, 请检查 DISPATCH_DATABASE_URL: unable to open database file" in result.stderr


def test_the_doctor_says_on_standard_error_how_far_it_is(tmp_path: Path) -> None:
    assert run(tmp_path, "init").exit_code == 0
    result = run(tmp_path, "doctor")
    assert result.exit_code == 1  # no scheduler
    assert ("核对审计链" in result.stderr, "查找孤立记录" in result.stderr) == (True, True)
    assert all(line[0] in "✓✗" for line in result.stdout.splitlines())


def test_a_mistake_of_the_program_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise IntegrityError("INSERT", {}, Exception("UNIQUE"))

    monkeypatch.setattr(health, "examine", wrong)
    assert isinstance(run(tmp_path, "doctor").exception, IntegrityError)
