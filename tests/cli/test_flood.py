"""demo --surge and replay --surge: labelled, counted, stopped by Ctrl+C."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch.cli import demo, flood
from dispatch.domain.surge import judge
from dispatch.services import surge
from dispatch.services.flood import Flood, Plan
from tests.cli.files import run, write, write_zones

# Six calls a minute begin a surge here, one a minute ends it.
SMALL = Plan([1] * 3 + [6] * 10 + [1] * 40, timedelta(minutes=5), 5)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAY", "HOUR"):
        monkeypatch.setattr(flood, name, SMALL)
    monkeypatch.setattr(surge, "judge", lambda standing, policy, calls, now: judge(standing, policy, 4 * calls, now))


def test_a_day_is_counted(tmp_path: Path) -> None:
    result = run(tmp_path, "replay", "--surge")
    assert result.exit_code == 0, result.output
    told = result.stdout
    assert "【模拟: 冰冻日的来电、人员和班组动作都是编造的, 非真实数据】" in told
    assert f"来电 {SMALL.calls} 个 → 工单" in told
    assert "丢失 0, 重复 0, 到点未发的升级 0" in told
    assert "大流量模式进入 1 次, 退出 1 次; 看板 p95" in told
    assert "模拟来电" in result.stderr


def test_a_stop_tells_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = Flood._register

    def stop(self: Flood, *told: Any) -> dict[str, Any]:
        if self.flooded.taken == 20:
            os.kill(os.getpid(), signal.SIGINT)
        return take(self, *told)

    monkeypatch.setattr(Flood, "_register", stop)
    result = run(tmp_path, "replay", "--surge")
    assert result.exit_code == 1
    assert f"已中断: 以下是前 21 个来电的部分结果, 共 {SMALL.calls} 个" in result.stdout
    assert "丢失 0, 重复 0" in result.stdout


def test_a_file_or_a_surge(tmp_path: Path) -> None:
    source = write(tmp_path, "called_at,text\n")
    for told in ([], [source, "--surge"]):
        result = run(tmp_path, "replay", *told, "--zones", write_zones(tmp_path))
        assert (result.exit_code, "用 --surge 模拟一天" in result.stderr) == (2, True)


def test_the_demo_plays_an_hour_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DATABASE", tmp_path / "demo.db")
    monkeypatch.setenv("DISPATCH_DATABASE_URL", "")
    result = run(tmp_path, "demo", "--surge", "--once")
    assert result.exit_code == 0, result.output
    assert "进入大流量模式: 升级通知改为汇总" in result.stdout
    assert "大流量模式进入 1 次" in result.stdout
