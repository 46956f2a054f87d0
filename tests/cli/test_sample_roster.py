"""The sample roster of the demo: labelled, for every team and post, with a leave, a swap and one hole."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dispatch.cli import sample_roster
from dispatch.domain.times import shanghai_day
from dispatch.services import duty_now, roster_week
from dispatch.services.desk import Desk
from tests.support.cast import TEAM_A, ZONE_A, Cast, spot

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_the_demo_has_a_roster_to_look_at(desk: Desk, cast: Cast, now: datetime) -> None:
    said = sample_roster.publish(desk, {TEAM_A: ("crew.a", cast.crew_a.name)}, now)
    assert said == "样例排班 324 人, 四周内无人当班 96 网格·小时"
    told = duty_now.who(desk, cast.agent, spot(desk, ZONE_A, now), "", None, now)
    assert (told["roster"]["name"], told["roster"]["is_sample"]) == (sample_roster.NAME, True)
    assert told["responsible"]["name"] == "水管家甲"
    assert all(one["name"].startswith("模拟") for one in (told["backup"], *told["above"]))
    assert told["above"][-1]["unit"] == "公司值班领导"
    week = roster_week.week(desk, cast.admin, shanghai_day(now), "城东", now)
    duties = [duty for unit in week["units"] for row in unit["rows"] for day in row["days"] for duty in day]
    assert [sum(duty[name] for duty in duties) for name in ("is_away", "is_swapped")] == [1, 1]
    assert [unit["id"] for unit in week["units"] if any(unit["holes"])] == ["furong-02"]


def test_on_a_saturday_leave_and_swap_are_on_the_monday(desk: Desk, cast: Cast, now: datetime) -> None:
    saturday = now + timedelta(days=4)
    sample_roster.publish(desk, {}, saturday)
    week = roster_week.week(desk, cast.admin, shanghai_day(saturday) + timedelta(days=2), "城东", saturday)
    assert (len(week["leaves"]), [one["day"] for one in week["swaps"]]) == (1, ["2026-11-30"])
