"""A small roster over the teams of the cast: days and nights, a lead, and the posts above."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch.services import rosters
from dispatch.services.desk import Desk
from tests.support.cast import BRANCH, TEAM_A, TEAM_B, cast_of

DUTY_POST = f"branch_duty:{BRANCH}"
LEAD_POST = f"area_lead:{BRANCH}"


def body(**changes: Any) -> dict[str, Any]:
    """The roster as a file has it; from 2026-11-01 on everybody works every day."""

    def member(unit: str, person: str, rank: str, *cycle: str | None) -> dict[str, Any]:
        return {"unit": unit, "person": person, "rank": rank, "anchor": "2026-11-02", "cycle": list(cycle)}

    told = {
        "shifts": [
            {"id": "day", "name": "白班", "hours": "08:00-20:00"},
            {"id": "night", "name": "夜班", "hours": "20:00-次日08:00"},
            {"id": "full", "name": "全天", "hours": "08:00-次日08:00"},
        ],
        "people": [
            {"id": one, "name": name}
            for one, name in (
                ("crew.a", "水管家甲"), ("a.night", "测试夜班"), ("lead.a", "班组长甲"), ("crew.b", "水管家乙"),
                ("area", "测试片区长"), ("duty", "测试值班"), ("chief", "测试总值班"),
            )
        ],
        "units": [
            {"id": TEAM_A, "name": "天心-03 班组", "branch": BRANCH, "up": LEAD_POST},
            {"id": TEAM_B, "name": "天心-04 班组", "branch": BRANCH, "up": LEAD_POST},
            {"id": LEAD_POST, "name": "城南片区长", "branch": BRANCH, "up": DUTY_POST},
            {"id": DUTY_POST, "name": "城南值班", "branch": BRANCH, "up": "company_duty"},
            {"id": "company_duty", "name": "公司值班领导"},
        ],
        "members": [
            member(TEAM_A, "crew.a", "A", "day"),
            member(TEAM_A, "a.night", "B", "night"),
            member(TEAM_A, "lead.a", "lead", None),
            member(TEAM_B, "crew.b", "A", "day", "day", "day", "day", "day", None, None),
            member(LEAD_POST, "area", "A", "day"),
            member(DUTY_POST, "duty", "A", "full"),
            member("company_duty", "chief", "A", "full"),
        ],
    }  # fmt: skip
    return {**told, **changes}


def publish(desk: Desk, now: datetime, **changes: Any) -> int:
    """Publish the roster from `now` on, its holes accepted, and return its id."""
    admin = cast_of(desk).admin
    draft = rosters.add(desk, admin, "测试排班", body(**changes), now)
    rosters.publish(desk, admin, draft["id"], now, "测试", now, accepts_holes=True)
    return int(draft["id"])
