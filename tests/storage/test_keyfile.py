"""The key beside the database: made once, whoever comes first, and for nobody else's eyes."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from dispatch.storage.keyfile import key_beside
from tests.support.store import in_parallel

ROOT = Path(__file__).parents[2]
MAKE = "import sys; from pathlib import Path; from dispatch.storage.keyfile import key_beside; sys.stdin.readline(); \
print(key_beside(Path(sys.argv[1])))"


def test_it_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    key = key_beside(tmp_path / "dispatch.db")
    assert len(key) >= 43
    assert key_beside(tmp_path / "dispatch.db") == key
    file = tmp_path / "dispatch.db.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_two_databases_have_two_keys(tmp_path: Path) -> None:
    assert key_beside(tmp_path / "a.db") != key_beside(tmp_path / "b.db")


def test_threads_that_race_get_the_same(tmp_path: Path) -> None:
    keys = in_parallel([lambda: key_beside(tmp_path / "dispatch.db")] * 16)
    assert len(set(keys)) == 1
    assert isinstance(keys[0], str)


def test_processes_that_race_get_the_same(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path / "dispatch.db")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=60)[0] for racer in racers}
    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 43
    assert [path.name for path in tmp_path.iterdir()] == ["dispatch.db.key"]
