"""What the demo shows besides its hour of calls: one of each kind.

An answer by an article, a temporary fix, planned outages, an incident, flagged customers, call-backs that wait, a case.
Played on the simulated time of the hour and through the same services as everything else; made up, and labelled so.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.call import NewCall
from dispatch.domain.case import CaseKind, EntryKind, Visit
from dispatch.domain.outage import NewOutage, OutageVerb
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.domain.roles import Actor, Role
from dispatch.domain.states import Verb
from dispatch.domain.temporary import Temporary
from dispatch.domain.zones import Zone
from dispatch.services import (
    answering,
    callback_queue,
    calling_back,
    cases,
    casework,
    customers,
    fieldwork,
    incident_facts,
    incidents,
    intake,
    outages,
)
from dispatch.services.actions import Action
from dispatch.services.callback_queue import Wanted
from dispatch.services.desk import Desk
from dispatch.services.incident_facts import How, Outline
from dispatch.services.incidents import Wish
from dispatch.services.outages import Deed
from dispatch.services.simulation import BURST_AT, Hour, made_up

# Yields how many minutes pass until it goes on, and is told the moment then.
Scene = Generator[float, datetime, None]
_DAY = timedelta(days=1)
_HOSPITAL = "13000000011"
_WORK = ((Verb.ACCEPT, 2), (Verb.DEPART, 2), (Verb.ARRIVE, 9), (Verb.WORK, 1), (Verb.DONE, 14))


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays, and where: one grid in which nobody's phone is switched off."""

    desk: Desk
    agent: Actor
    dispatcher: Actor
    supervisor: Actor
    zone: Zone

    @property
    def place(self) -> str:
        """Return the made-up name of the grid's places."""
        return made_up(self.zone)

    def call(self, at: datetime, category: str, description: str, house: int, **more: Any) -> dict[str, Any]:
        """Take a call from a house of the grid and return what came of it."""
        point = self.zone.geometry.representative_point()
        told = NewCall(
            called_at=at, category=category, description=description, address=f"{self.place}小区 {house} 栋",
            point=Wgs84Point(point.x + house * 1e-4, point.y), **more,
        )  # fmt: skip
        return intake.register(self.desk, self.agent, told, {}, at).body

    def work(self, at: datetime, ticket: Mapping[str, Any], temporary: Temporary | None = None) -> Scene:
        """Let the grid's crew do a ticket."""
        crew = Actor(0, f"模拟水管家 {ticket['team_id']}", Role.CREW, ticket["team_id"])
        here = Wgs84Point(ticket["lon"], ticket["lat"])
        for verb, minutes in _WORK:
            at = yield minutes
            action = Action(
                verb=verb,
                point=here if verb is Verb.ARRIVE else None,
                temporary=temporary if verb is Verb.DONE else None,
            )
            fieldwork.act(self.desk, crew, ticket["number"], action, at)


def plan(hour: Hour, stage: Stage, start: datetime) -> None:
    """Let all scenes happen during the hour that begins at `start`."""
    scenes = (_customers, _question, _temporary, _called_back, _planned, _off, _case)
    for minute, scene in enumerate(scenes, 1):
        _go_on(hour, scene(stage), start + timedelta(minutes=minute))
    _go_on(hour, _incident(hour, stage), start + BURST_AT + timedelta(minutes=8))


def _go_on(hour: Hour, scene: Scene, at: datetime) -> None:
    def act(when: datetime) -> None:
        try:
            minutes = scene.send(when)
        except StopIteration:
            return
        hour.plan(when + timedelta(minutes=minutes), act)

    next(scene)
    hour.plan(at, act)


# ---------------------------------------------------------------- the scenes


def _customers(stage: Stage) -> Scene:
    at = yield 0
    rows = f"""标记,名称,电话,地址,备注
医院,模拟医院,{_HOSPITAL},{stage.place}小区 50 栋,样例
居家透析,模拟用户甲,13000000012,{stage.place}小区 51 栋,样例
学校,模拟小学,13000000013,{stage.place}小区 52 栋,样例
"""
    customers.import_customers(
        stage.desk, stage.supervisor, rows.encode(), source="模拟客户.csv", datum=Datum.WGS84, now=at
    )
    at = yield 25
    stage.call(at, "pressure", "三楼以上水压低", 50, caller_phone=_HOSPITAL, caller_name="模拟医院")


def _question(stage: Stage) -> Scene:
    at = yield 0
    for question in ("过户要带什么材料", "水表冻住了怎么办"):
        found = answering.search(stage.desk, stage.agent, question, 1, at)["items"][0]
        stage.call(at, "inquiry", question, 53, answer=found["body"], article_id=found["id"])
        at = yield 6


def _temporary(stage: Stage) -> Scene:
    at = yield 0
    ticket = stage.call(at, "repair", "水表冻裂, 表后没水", 54, caller_phone="13000000014", caller_name="模拟用户乙")
    left = Temporary(kind="frozen_meter_bypass", left="解冻后换回水表")
    yield from stage.work(at, ticket["ticket"], left)


def _called_back(stage: Stage) -> Scene:
    at = yield 0
    first = stage.call(at, "leak", "水表井里漏水", 55, caller_phone="13000000015", caller_name="模拟用户丙")["ticket"]
    at = yield 1
    stage.call(at, "leak", "一楼过道有水", 55, caller_phone="13000000016", attach_to=first["number"])
    yield from stage.work(at, first)
    at = yield 3
    wanted = Wanted(number=first["number"])
    person = callback_queue.queue(stage.desk, stage.agent, wanted, after=0, limit=1, now=at)["items"][0]
    calling_back.unreached(stage.desk, stage.agent, person["id"], "无人接听", {}, at, None)


def _planned(stage: Stage) -> Scene:
    at = yield 0
    begins = at + 2 * _DAY
    told = NewOutage(
        title="【演示】阀门更换", place=f"{stage.place}小区一带", is_planned=True, zone_ids=[stage.zone.zone_id],
        starts_at=begins, ends_at=begins + timedelta(hours=6), late_return_h=2,
    )  # fmt: skip
    draft = outages.draft(stage.desk, stage.dispatcher, told, {}, at)
    at = yield 4
    outages.act(stage.desk, stage.supervisor, draft["id"], Deed(verb=OutageVerb.APPROVE), {}, at)
    at = yield 1
    outages.act(stage.desk, stage.dispatcher, draft["id"], Deed(verb=OutageVerb.PUBLISH), {}, at)


def _off(stage: Stage) -> Scene:
    at = yield 0
    begins = at + 3 * _DAY
    told = NewOutage(
        title="【演示】管网清洗", place=f"{stage.place}大道", is_planned=True, zone_ids=[stage.zone.zone_id],
        starts_at=begins, ends_at=begins + timedelta(hours=4),
    )  # fmt: skip
    one = outages.draft(stage.desk, stage.dispatcher, told, {}, at)
    for verb, actor in ((OutageVerb.APPROVE, stage.supervisor), (OutageVerb.PUBLISH, stage.dispatcher)):
        outages.act(stage.desk, actor, one["id"], Deed(verb=verb), {}, at)
    at = yield 30
    outages.act(stage.desk, stage.supervisor, one["id"], Deed(verb=OutageVerb.CANCEL, note="天气转冷, 改期"), {}, at)


def _case(stage: Stage) -> Scene:
    at = yield 0
    noise = {"caller_phone": "13000000017", "caller_name": "模拟用户丁"}
    for _ in range(3):
        number = stage.call(at, "noise", "水管夜里有响声", 56, **noise)["ticket"]["number"]
        at = yield 8
    told = cases.NewCase(kind=CaseKind.ADDRESS, number=number, title="【演示】夜间水管响声")
    case = cases.open_(stage.desk, stage.supervisor, told, {}, at)
    at = yield 6
    found = "夜间也听到, 与加压泵启停同时"
    seen = Visit(kind=EntryKind.NEIGHBOUR, at=at, whom="楼上 1 户", finding=found, next_step="查看泵房减震")
    casework.note_visit(stage.desk, stage.supervisor, case["id"], seen, {}, at)


def _incident(hour: Hour, stage: Stage) -> Scene:
    """The burst's ticket becomes an incident, with its area and how many homes it may touch."""
    at = yield 0
    wish = Wish(stage.desk, stage.dispatcher, {}, at)
    number = incidents.open_(wish, hour.burst, [], "【演示】爆管抢修")["number"]
    incident_facts.outline(wish, number, Outline(metres=300))
    incident_facts.estimate(wish, number, How.PER_CALLER, 40, "演示: 每个来电约代表 40 户")
