"""demo: a fresh city, a simulated hour, and then the real server on it."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import click

from dispatch.cli import context, flood, sample_roster, scenes, serve
from dispatch.cli import depots as depot_file
from dispatch.cli.scenes import Stage
from dispatch.domain.outage import NewOutage
from dispatch.domain.place import Datum
from dispatch.domain.roles import ROLE_LABELS, SYSTEM, Actor, Role
from dispatch.domain.settings import Settings
from dispatch.domain.times import shanghai_text
from dispatch.domain.zone_file import read_zones
from dispatch.domain.zones import Zone
from dispatch.notify.port import Parcel
from dispatch.services import accounts, article_file, board, bootstrap, depots, health, outages, sealing, setup
from dispatch.services.desk import Desk
from dispatch.services.simulation import INQUIRIES, MIX, Hour, Outcome

DATABASE = context.ROOT / "var" / "demo.db"
_SEED = 96533
_LABEL = "【演示: 样例网格, 模拟来电和人员, 非真实数据】"
_CAST = {
    "agent": (Role.AGENT, None),
    "crew": (Role.CREW, "tianxin-03"),
    "dispatcher": (Role.DISPATCHER, None),
    "supervisor": (Role.SUPERVISOR, None),
    "admin": (Role.ADMIN, None),
    "cti": (Role.INTEGRATION, None),
}
_PLACES = (
    ("/", "公众页: 停水公告, 报修, 查进度 (无需登录)"),
    ("/agent", "坐席台"),
    ("/callbacks", "回访: 有来电人在等"),
    ("/board", "看板, 大屏在 /wall"),
    ("/incidents", "事件: 爆管一处 (调度员, 值班长)"),
    ("/cases", "个案和客户标记 (样例)"),
    ("/figures", "统计: 按时率、服务指标、直接答复"),
    ("/articles", "知识库 (样例文章)"),
    ("/circle", "30 分钟服务圈 (值班长, 管理员)"),
    ("/outages", "停水公告 (调度员, 值班长)"),
    ("/roster", "排班: 一周当班, 谁负责, 请假和换班 (样例)"),
    ("/crew", "水管家 (手机)"),
)
# So many escalations are told in full; the rest is counted.
_TOLD = 12


class Narrator:
    """The channel of the simulated hour: tells the first breaches in full and counts all notices."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._told = 0

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Take a notice."""
        self.counts[parcel.recipients[0].partition(":")[0]] += 1
        if "超时" in parcel.text and self._told < _TOLD:
            self._told += 1
            tell(now, f"{parcel.text} → {', '.join(parcel.recipients)}")


def tell(at: datetime, line: str) -> None:
    """Print one line of the story."""
    click.echo(f"  {shanghai_text(at)[11:]}  {line}")


@click.command()
@click.option("--once", is_flag=True, help="End after the simulated hour instead of serving it.")
@click.option(
    "--surge", is_flag=True, help="An hour of frost in place of the usual one: 20 calls a minute, a burst of 200."
)
@click.pass_context
def demo(ctx: click.Context, once: bool, surge: bool) -> None:
    """A fresh database with sample grids and a simulated hour of calls, then served until Ctrl+C."""
    remove(DATABASE)
    os.environ["DISPATCH_DATABASE_URL"] = f"sqlite:///{DATABASE}"
    settings = context.settings(ctx)
    desk = context.desk(ctx)
    now = context.utc_now()
    start = now - timedelta(hours=1)
    click.echo(_LABEL)
    for line in bootstrap.bring_up(desk, context.DATA, start):
        click.echo(f"  {line}")
    people = cast(desk, start)
    sample = depot_file.read(context.DATA / "depots.csv", Datum.WGS84)
    click.echo(f"  样例驻点 {depots.replace(desk, SYSTEM, sample, start, is_sample=True)} 个")
    crew = people["crew"].actor
    click.echo(f"  {sample_roster.publish(desk, {str(crew.team_id): ('crew', crew.name)}, start)}")
    click.echo(f"  样例知识库文章 {_answers(desk, start)} 篇")
    agent = people["agent"].actor
    burst = flood.play_hour(desk, agent, _zones(), start, tell) if surge else play(desk, people, start)
    announce(desk, people["dispatcher"].actor, burst, now)
    invite(settings, people, is_served=not once)
    desk.store.close()
    if not once:
        serve.server(settings.host, settings.port, settings.workers, settings.threads).serve()


def _answers(desk: Desk, now: datetime) -> int:
    """Publish the sample articles and return how many there are."""
    data = (context.DATA / "articles.json").read_bytes()
    return article_file.import_articles(desk, SYSTEM, data, now, is_published=True, owner="supervisor").added


def remove(database: Path) -> None:
    """Remove an embedded database with its companions."""
    for suffix in ("", "-wal", "-shm", ".lock", ".alone", ".key"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


@dataclass(frozen=True)
class Person:
    """One of the demo's cast, with what opens the doors of this demo alone."""

    actor: Actor
    password: str
    token: str


def cast(desk: Desk, now: datetime) -> dict[str, Person]:
    """Make one labelled user for each role, with a password of chance, and return them by login."""
    people = {}
    for login, (role, team_id) in _CAST.items():
        name, password = f"演示{ROLE_LABELS[role]}", f"demo-{secrets.token_hex(4)}"
        user_id = setup.create_user(desk, SYSTEM, login=login, name=name, role=role, team_id=team_id, now=now)
        if role is not Role.INTEGRATION:  # it has a token alone
            accounts.set_password(desk, SYSTEM, login=login, password=password, now=now)
        token = setup.create_token(desk, SYSTEM, login=login, label="demo", expires_at=None, now=now)
        people[login] = Person(Actor(user_id, name, role, team_id), password, token)
    return people


def play(desk: Desk, people: Mapping[str, Person], start: datetime) -> str:
    """Play the hour and its scenes, say what it brought, and return the number of the burst's ticket."""
    mix = f"{sum(MIX.values())} 个来电按真实热线的类别比例, 另加 {INQUIRIES} 个当场答复的咨询和一处爆管"
    click.echo(f"模拟 {shanghai_text(start)} 起的一小时: {mix} …")
    narrator, zones = Narrator(), _zones()
    agent, dispatcher, supervisor = (people[login].actor for login in ("agent", "dispatcher", "supervisor"))
    rng = Random(_SEED)  # noqa: S311 - the dice of a simulation
    hour = Hour(desk, agent, zones, start, rng, {"console": narrator}, tell)
    zone = next(zone for zone in zones if zone.team_id == people["crew"].actor.team_id)
    scenes.plan(hour, Stage(desk, agent, dispatcher, supervisor, zone), start)
    outcome = hour.run()
    sealing.seal(desk)
    _sum_up(desk, outcome, narrator)
    return str(outcome.burst)


def announce(desk: Desk, dispatcher: Actor, burst: str, now: datetime) -> None:
    """Publish the notice that the burst calls for, so that callers of its grid are told."""
    zone_id = board.ticket(desk, dispatcher, burst, now)["zone_id"]
    told = NewOutage(
        title=f"【演示】{zone_id} 供水管道爆管抢修",
        place=f"{zone_id}网格",
        is_planned=False,
        zone_ids=[zone_id],
        starts_at=now,
        ends_at=now + timedelta(hours=4),
    )
    outages.publish(desk, dispatcher, told, {"title": told.title}, now)


def _zones() -> Sequence[Zone]:
    return read_zones((context.DATA / "zones.geojson").read_bytes(), datum=Datum.WGS84).zones


def _sum_up(desk: Desk, outcome: Outcome, narrator: Narrator) -> None:
    kinds = ", ".join(f"{kind} {count}" for kind, count in outcome.by_category.most_common())
    told = ", ".join(f"{who} {count}" for who, count in narrator.counts.most_common())
    outcomes = outcome.outcomes
    click.echo(
        f"来电 {outcomes.total()} 个 → 工单 {outcomes['ticket']} 张, 直接答复 {outcomes['answered']} 个, "
        f"并入爆管工单 {outcome.burst} {outcomes['attached']} 个\n"
        f"  类别: {kinds}\n"
        f"  水管家操作 {outcome.actions} 次; 升级 {outcome.sweep.fired} 步, 超时 {outcome.sweep.breached} 个\n"
        f"  通知: {told}"
    )
    wrong = [f for f in health.examine(desk, context.utc_now()) if not f.is_good and f.what != "scheduler"]
    click.echo("  自检: 全部通过" if not wrong else "  自检: " + "; ".join(f"{f.what} {f.detail}" for f in wrong))


def invite(settings: Settings, people: dict[str, Person], *, is_served: bool) -> None:
    """Say where to look."""
    base = settings.address
    click.echo(f"演示登录 {base}/signin (仅此演示库有效, 每次演示不同):")
    for login, person in people.items():
        opens = f"密码 {person.password}   " if login != "cti" else ""
        click.echo(f"  {person.actor.name:<6} 登录名 {login:<11} {opens}令牌 {person.token}")
    if is_served:
        for where, what in _PLACES:
            click.echo(f"  {base}{where:<10} {what}")
        click.echo(
            f"接口文档 {base}/docs   健康 {base}/healthz\n"
            "让坐席台响铃:\n"
            f"  curl -s {base}/cti/events -H 'Authorization: Bearer {people['cti'].token}' \\\n"
            '    -d "{\\"call_id\\": \\"demo-$RANDOM\\", \\"event\\": \\"ring\\", \\"caller\\": \\"13000000001\\", '
            '\\"at\\": \\"$(date -Iseconds)\\"}"\n'
            "未办结的工单此刻继续计时, 升级会实时打印在下面。Ctrl+C 停止。"
        )
