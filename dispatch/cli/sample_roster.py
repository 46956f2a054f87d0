"""The roster of the demo: made-up people for every sample team and post, with a leave, a swap and one hole to look at.

Only the demo gets it: an installation without a roster goes by the order of the teams until its own is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.cli import context
from dispatch.domain.roles import SYSTEM
from dispatch.domain.roster import Leave, Swap
from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services import roster_changes, rosters
from dispatch.services.desk import Desk

NAME = "样例排班 (人员均为虚构)"
_DAY = timedelta(days=1)
_MONDAY = date(2024, 1, 1)
_SHIFTS = (
    ("day", "白班", "08:00-20:00"),
    ("night", "夜班", "20:00-次日08:00"),
    ("full", "全天", "08:00-次日08:00"),
)
_WORKDAYS, _WEEKEND = 5, 2
# From Monday on: two work by day and by night, the lead has the weekend.
_TEAM = (
    ("A", ["day"] * _WORKDAYS + [None] * _WEEKEND),
    ("B", ["night"] * _WORKDAYS + [None] * _WEEKEND),
    ("lead", [None] * _WORKDAYS + ["full"] * _WEEKEND),
)
# Its lead has no Sunday: so that a hole can be seen.
_SHORT, _SATURDAY = "furong-02", [None] * _WORKDAYS + ["full", None]
# Made up: the first surnames of the old list, each with one sign.
_SURNAMES, _GIVEN = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许", "东南西北山川江河湖海春夏秋冬星云天"
_AWAY, _SWAPPING = "furong-01", "furong-03"


@dataclass
class _Draft:
    """A roster in the making.

    Attributes:
        known: Login and name of whoever of the demo's people is the first of a team.
        names: Those that are not taken yet.
        body: Its JSON form.
    """

    known: dict[str, tuple[str, str]]
    names: Iterator[str] = field(default_factory=lambda: (f"模拟{one}{two}" for two in _GIVEN for one in _SURNAMES))
    body: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            "shifts": [{"id": one, "name": name, "hours": hours} for one, name, hours in _SHIFTS],
            "people": [],
            "units": [],
            "members": [],
        }
    )

    def unit(self, unit_id: str, name: str, branch: str | None, up: str | None) -> None:
        self.body["units"].append({"id": unit_id, "name": name, "branch": branch, "up": up})

    def member(
        self, unit_id: str, person: tuple[str, str], rank: str, cycle: Sequence[str | None], days: int = 0
    ) -> None:
        """Add a person who enters the rotation so many days after a Monday."""
        person_id, name = person
        anchor = (_MONDAY + timedelta(days)).isoformat()
        self.body["people"].append({"id": person_id, "name": name})
        self.body["members"].append(
            {"unit": unit_id, "person": person_id, "rank": rank, "anchor": anchor, "cycle": list(cycle)}
        )

    def team(self, team_id: str, name: str, branch: str) -> None:
        """Add a team."""
        short = name.partition(" ")[0]
        self.unit(team_id, f"{short} 班组", branch, f"area_lead:{branch}")
        for rank, cycle in _TEAM:
            known = self.known.get(team_id) if rank == "A" else None
            self.member(
                team_id,
                known or (f"{team_id}-{rank.lower()}", next(self.names)),
                rank,
                _SATURDAY if (team_id, rank) == (_SHORT, "lead") else cycle,
            )

    def post(self, unit_id: str, name: str, branch: str | None, up: str | None, *, people: int, days: int = 1) -> None:
        """Add a post that people hold round the clock by turns of some days."""
        self.unit(unit_id, name, branch, up)
        turn = ["full"] * days + [None] * days * (people - 1)
        for n in range(people):
            self.member(unit_id, (f"{unit_id}.{n + 1}", next(self.names)), "A", turn, n * days)


def body(known: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the roster as a file would have it; arguments as of `publish`."""
    told = json.loads((context.DATA / "roster.json").read_bytes())
    draft = _Draft(known)
    for team in told["teams"]:
        draft.team(team["id"], team["name"], team["branch"])
    for branch in (one["id"] for one in told["branches"]):
        draft.post(f"area_lead:{branch}", f"{branch}片区长", branch, f"branch_duty:{branch}", people=2)
        draft.post(f"branch_duty:{branch}", f"{branch}值班", branch, "hotline_director", people=3)
    draft.post("hotline_director", "热线主任", None, "company_duty", people=2, days=7)
    draft.post("company_duty", "公司值班领导", None, None, people=4, days=7)
    return draft.body


def publish(desk: Desk, known: dict[str, tuple[str, str]], now: datetime) -> str:
    """Publish the roster from `now` on, enter a leave and a swap, and return what was done, in words.

    Args:
        desk: The process's desk.
        known: Login and name of whoever of the demo's people is the first of a team, by team.
        now: The time of the demo.
    """
    told = body(known)
    draft = rosters.add(desk, SYSTEM, NAME, told, now, is_sample=True)
    rosters.publish(desk, SYSTEM, draft["id"], now, "演示", now, accepts_holes=True)
    today = shanghai_day(now)
    away, swapping = (next(_workdays(one)) for one in (today + _DAY, today))
    midnight = shanghai_midnight(away)
    leave = Leave(f"{_AWAY}-a", midnight, midnight + _DAY, "演示: 年假", f"{_AWAY}-lead")
    roster_changes.add_leave(desk, SYSTEM, leave, now)
    swap = Swap(_SWAPPING, f"{_SWAPPING}-b", swapping, f"{_SWAPPING}-lead")
    roster_changes.add_swap(desk, SYSTEM, swap, "演示: 家事", now)
    return f"样例排班 {len(told['people'])} 人, 四周内无人当班 {draft['zone_hours']:.0f} 网格·小时"


def _workdays(day: date) -> Iterator[date]:
    """Yield the days from a day on that are no weekend."""
    while True:
        if day.weekday() < _WORKDAYS:
            yield day
        day += _DAY
