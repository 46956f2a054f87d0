"""The people of a night: a roster whose posts stand by around the clock, and each with an account and a telephone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch.domain.roles import SYSTEM, Role
from dispatch.services import contacts, setup
from dispatch.services.desk import Desk
from tests.support import rosters
from tests.support.cast import TEAM_A
from tests.support.rosters import DUTY_POST, LEAD_POST, body

DIRECTOR = "hotline_director"
# Who is not of the cast, with role and team; the telephones are nobody's.
NEW = (
    ("a.night", "测试夜班", Role.CREW, TEAM_A),
    ("area", "测试片区长", Role.SUPERVISOR, None),
    ("duty", "测试值班", Role.SUPERVISOR, None),
    ("director", "测试主任", Role.SUPERVISOR, None),
    ("chief", "测试总值班", Role.SUPERVISOR, None),
)
PHONES = {login: f"1300000010{n}" for n, login in enumerate(["crew.a", *(login for login, *_ in NEW)])}


def plan() -> dict[str, Any]:
    """The roster with the director between the branch and the company, all posts around the clock."""
    told = body()
    told["people"].append({"id": "director", "name": "测试主任"})
    told["units"] = [{**unit, "up": DIRECTOR} if unit["id"] == DUTY_POST else unit for unit in told["units"]]
    told["units"].append({"id": DIRECTOR, "name": "热线主任", "up": "company_duty"})
    members = [{**one, "cycle": ["full"]} if one["unit"] == LEAD_POST else one for one in told["members"]]
    told["members"] = [*members, {**members[-1], "unit": DIRECTOR, "person": "director"}]
    return told


def around_the_clock() -> dict[str, Any]:
    """The same with everybody on duty at all hours, for what happens by the clock on the wall."""
    told = plan()
    return {**told, "members": [{**one, "cycle": ["full"]} for one in told["members"]]}


def set_up(desk: Desk, now: datetime, roster: dict[str, Any] | None = None) -> None:
    """Publish the roster from `now` on, and make its people reachable."""
    for login, name, role, team_id in NEW:
        setup.create_user(desk, SYSTEM, login=login, name=name, role=role, team_id=team_id, now=now)
    for login, phone in PHONES.items():
        contacts.put(desk, SYSTEM, login, phone=phone, email="", wecom_id="", now=now)
    rosters.publish(desk, now, **(roster or plan()))
