"""The table from 街道 and 社区 to grids, on both databases."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import SYSTEM
from dispatch.services import zone_codes
from dispatch.services.desk import Desk
from dispatch.services.zone_codes import ZoneCode
from tests.support.cast import TEAM_A, ZONE_A, ZONE_B, Cast, call

ROWS = (
    ZoneCode("天心区", "坡子街街道", "", "430103002", ZONE_A),
    ZoneCode("天心区", "坡子街街道", "碧湘社区", None, ZONE_B),
    ZoneCode("天心区", "城南路街道", "古道巷社区", None, ZONE_A),
    ZoneCode("芙蓉区", "同名街道", "", None, ZONE_A),
    ZoneCode("开福区", "同名街道", "", None, ZONE_B),
)


def by_name(
    desk: Desk, now: datetime, street: str, community: str | None = None, district: str | None = None
) -> str | None:
    with desk.store.read() as tx:
        return zone_codes.zone_of(tx, desk.rules(tx, now), street, community, district)


def test_a_name_leads_to_its_grid(desk: Desk, now: datetime) -> None:
    assert zone_codes.import_codes(desk, SYSTEM, ROWS, now) == 5
    zone_of = partial(by_name, desk, now)
    assert zone_of("坡子街街道") == ZONE_A
    assert zone_of("坡子街街道", "碧湘社区") == ZONE_B
    assert zone_of("坡子街街道", "别的社区") == ZONE_A
    assert zone_of("城南路街道") is None  # only one of its 社区 is told
    assert zone_of("城南路街道", "古道巷社区") == ZONE_A
    assert zone_of("同名街道") is None  # two of that name: no guess
    assert zone_of("同名街道", district="开福区") == ZONE_B
    assert zone_of("无此街道") is None


def test_a_new_table_replaces_the_old_one(desk: Desk, now: datetime) -> None:
    zone_codes.import_codes(desk, SYSTEM, ROWS, now)
    assert zone_codes.import_codes(desk, SYSTEM, (), now) == 0
    assert by_name(desk, now, "坡子街街道") is None


def test_all_that_is_wrong_is_told_and_nothing_stored(desk: Desk, now: datetime) -> None:
    zone_codes.import_codes(desk, SYSTEM, ROWS, now)
    bad = (ROWS[0], ROWS[0], ZoneCode("", "", "", None, ZONE_A), ZoneCode("", "某街道", "", None, "月球-01"))
    with pytest.raises(InvalidInput, match="3 处问题") as caught:
        zone_codes.import_codes(desk, SYSTEM, bad, now)
    assert [problem["reason"] for problem in caught.value.extra["problems"]] == [
        "第 3 行: 与第 2 行重复",
        "第 4 行: 没有街道名",
        "第 5 行: 没有编号为“月球-01”的网格",
    ]
    assert by_name(desk, now, "坡子街街道", "碧湘社区") == ZONE_B


def test_a_call_goes_by_the_table_where_its_street_is_one_grid(desk: Desk, cast: Cast, now: datetime) -> None:
    def ticket(address: str) -> dict[str, Any]:
        found: dict[str, Any] = call(desk, cast.agent, now, category="billing", address=address).body["ticket"]
        return found

    assert ticket("天心区坡子街街道某某小区3栋")["team_id"] is None
    zone_codes.import_codes(desk, SYSTEM, ROWS[:1], now)
    placed = ticket("天心区坡子街街道某某小区3栋")
    assert (placed["zone_id"], placed["team_id"], placed["lon"]) == (ZONE_A, TEAM_A, None)
    assert "按街道社区对应表" in placed["route_reason"]
    assert "具体位置待定" in placed["route_reason"]
    assert ticket("坡子街")["team_id"] is None  # a road or a 街道, nobody knows
    assert ticket("天心区城南路街道")["team_id"] is None  # the table does not tell
