"""The simulated surge of `demo --surge` and `replay --surge`: played with a progress bar, and counted afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

import click

from dispatch.cli import context
from dispatch.domain.figures import nearest_rank
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.times import SHANGHAI, shanghai_text
from dispatch.domain.zones import Zone
from dispatch.notify.port import Parcel
from dispatch.services import replay, sealing, setup
from dispatch.services.desk import Desk
from dispatch.services.flood import DAILY, DAY, HOUR, Flood, Flooded, Found, Plan, check

_SEED = 96533
# A working day in the cold of the policy's own year.
_DAY_STARTS = datetime(2026, 1, 21, tzinfo=SHANGHAI)
_LABEL = "【模拟: 冰冻日的来电、人员和班组动作都是编造的, 非真实数据】"


class Silent:
    """A channel that takes everything: the simulation counts in the database."""

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Take a notice."""


def play_hour(
    desk: Desk, agent: Actor, zones: Sequence[Zone], start: datetime, tell: Callable[[datetime, str], object]
) -> str:
    """Play the hour of the demo, say what it came to, and return the number of the burst's ticket."""
    click.echo(
        f"{_LABEL}\n模拟 {shanghai_text(start)} 起的一小时: 每分钟 20 个来电, 另有一处爆管 {HOUR.burst_calls} 个来电 …"
    )
    flooded = _play(desk, agent, zones, start, HOUR, tell)
    _tell(desk, flooded, HOUR)
    return flooded.burst


def replay_day(desk: Desk, zones: Sequence[Zone], source: str, data: bytes, policy: bytes) -> bool:
    """Play a day with four times the usual calls on a database of its own, and say what it came to.

    Returns:
        Whether it ran to its end, with nothing lost or doubled, and one surge that began and ended.
    """
    start = _DAY_STARTS
    replay.prepare(desk, policy, start)
    setup.import_zones(
        desk, SYSTEM, zones, source=source, data=data, valid_from=start, now=start, is_sample=True, make_teams=True
    )
    click.echo(
        f"{_LABEL}\n模拟一天 {DAY.calls} 个来电, 平日 {DAILY} 个的四倍: "
        f"其中一小时每分钟 20 个, 一处爆管 {DAY.burst_calls} 个 …"
    )
    agent = Actor(0, "模拟坐席", Role.AGENT)
    lines: list[str] = []
    flooded = _play(
        desk, agent, zones, start, DAY, lambda at, text: lines.append(f"  {shanghai_text(at)[11:]}  {text}")
    )
    click.echo("\n".join(lines))
    found = _tell(desk, flooded, DAY)
    return flooded.is_complete and found.is_good and found.surges == found.left == 1


def _play(
    desk: Desk,
    agent: Actor,
    zones: Sequence[Zone],
    start: datetime,
    plan: Plan,
    tell: Callable[[datetime, str], object],
) -> Flooded:
    rng = Random(_SEED)  # noqa: S311 - the dice of a simulation
    with (
        context.interruptible() as stopped,
        click.progressbar(length=plan.calls, label="模拟来电", file=sys.stderr, show_pos=True) as bar,
    ):
        flood = Flood(
            desk, agent, zones, start, rng, {"console": Silent()}, tell,
            plan=plan, timer=time.perf_counter, is_stopped=stopped.is_set, progress=bar.update,
        )  # fmt: skip
        flooded = flood.play()
    sealing.seal(desk)
    return flooded


def _tell(desk: Desk, flooded: Flooded, plan: Plan) -> Found:
    found = check(desk.store, flooded)
    click.echo(text(flooded, found, plan))
    return found


def text(flooded: Flooded, found: Found, plan: Plan) -> str:
    """Return the report for people."""
    outcomes = flooded.outcomes
    looks = sorted(flooded.looks_s)
    p95 = nearest_rank(looks, 0.95) * 1e3 if looks else 0.0
    lines = [
        f"来电 {flooded.taken} 个 → 工单 {outcomes['ticket']} 张, 并入 {outcomes['attached']} 个, "
        f"答复 {outcomes['answered']} 个; 平台重报 {flooded.repeats} 个未重复登记",
        f"丢失 {found.lost}, 重复 {found.doubled}, 到点未发的升级 {found.overdue}",
        f"升级 {found.steps} 步: 单发通知 {found.single} 条, 另有 {found.gathered} 条并为汇总 {found.digests} 条",
        f"大流量模式进入 {found.surges} 次, 退出 {found.left} 次; 看板 p95 {p95:.1f} ms ({len(looks)} 次, 进程内)",
        *(f"  有误: {name} {count}" for name, count in found.wrong.items()),
    ]
    if not flooded.is_complete:
        lines.insert(0, f"已中断: 以下是前 {flooded.taken} 个来电的部分结果, 共 {plan.calls} 个")
    return "\n".join(lines)
