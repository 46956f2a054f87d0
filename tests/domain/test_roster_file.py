"""A roster as data: every mistake by list, row and field; circles, overlaps, lonely units."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely

from dispatch.domain.roster import Leave, roster_of
from dispatch.domain.roster_checks import check_plan, check_zones, uncovered
from dispatch.domain.roster_file import raw_of, read_plan
from dispatch.domain.zones import Zone

START = datetime(2026, 11, 29, 16, tzinfo=UTC)  # Monday in Changsha
END = START + timedelta(days=7)


def raw(**changes: Any) -> dict[str, Any]:
    told = {
        "shifts": [
            {"id": "day", "name": "白班", "hours": "08:00-20:00"},
            {"id": "long", "name": "连班", "hours": "08:00-次日08:00"},
            {"id": "early", "name": "早班", "hours": "06:00-12:00"},
        ],
        "people": [{"id": "a", "name": "测试甲"}, {"id": "b", "name": "测试乙"}],
        "units": [
            {"id": "t", "name": "测试班组", "branch": "城南", "up": "post"},
            {"id": "u", "name": "另一班组", "branch": "城南", "up": "post"},
            {"id": "post", "name": "测试值班"},
        ],
        "members": [
            {"unit": "post", "person": "b", "rank": "班组长", "anchor": "2026-11-30", "cycle": ["day"]},
            {"unit": "t", "person": "a", "rank": "A", "anchor": "2026-11-30", "cycle": ["day", None]},
            {"unit": "u", "person": "b", "rank": "B角", "anchor": "2026-11-30", "cycle": [None, None, "day"]},
        ],
    }
    return {**told, **changes}


def member(**changes: Any) -> dict[str, Any]:
    return {**raw()["members"][1], **changes}


def test_a_roster_is_read_and_written() -> None:
    plan, findings = read_plan(raw())
    assert plan is not None
    assert findings == []
    assert [one.rank for one in plan.members["u"]] == ["B"]
    again, _ = read_plan(raw_of(plan))
    assert again == plan


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"shifts": {}}, ("shifts", None, ""), "应为列表"),
        ({"people": ["a"]}, ("people", 0, ""), "应为对象"),
        ({"people": [{"id": "a", "name": 7}]}, ("people", 0, "name"), "应为文字"),
        ({"people": [{"id": "a b", "name": "甲"}]}, ("people", 0, "id"), "只能含字母"),
        ({"people": [{"id": "a", "name": "甲\x00"}]}, ("people", 0, "name"), "控制字符"),
        ({"people": [{"id": "a", "name": "甲" * 61}]}, ("people", 0, "name"), "最多 60 个字"),
        ({"people": [{"id": "a", "name": "甲"}] * 2}, ("people", 1, "id"), "重复"),
        ({"shifts": [{"id": "day", "name": "白班"}]}, ("shifts", 0, "hours"), "应为文字"),
        ({"shifts": [{"id": "day", "name": "白班", "hours": "20:00-08:00"}]}, ("shifts", 0, "hours"), "次日"),
        ({"members": [member(unit="x")]}, ("members", 0, "unit"), "没有班组或岗位"),
        ({"members": [member(unit=None)]}, ("members", 0, "unit"), "应为文字"),
        ({"members": [member(person="x")]}, ("members", 0, "person"), "没有人员"),
        ({"members": [member(person="")]}, ("members", 0, "person"), "应为文字"),
        ({"members": [member(rank="Z")]}, ("members", 0, "rank"), "A角"),
        ({"members": [member(rank=["A"])]}, ("members", 0, "rank"), "A角"),
        ({"members": [member(anchor="30.11.")]}, ("members", 0, "anchor"), "应为日期"),
        ({"members": [member(anchor=5)]}, ("members", 0, "anchor"), "应为日期"),
        ({"members": [member(cycle=[])]}, ("members", 0, "cycle"), "1 到 366 天"),
        ({"members": [member(cycle="day")]}, ("members", 0, "cycle"), "1 到 366 天"),
        ({"members": [member(cycle=["day", "x"])]}, ("members", 0, "cycle"), "没有班次“x”"),
        ({"members": [member(cycle=[{}])]}, ("members", 0, "cycle"), "没有班次"),
        ({"members": [member(), member()]}, ("members", 1, "id"), "重复"),
    ],
)
def test_mistakes_are_told_by_list_row_and_field(
    changes: dict[str, Any], where: tuple[str, int | None, str], said: str
) -> None:
    plan, findings = read_plan(raw(**changes))
    assert plan is None
    assert any((one.section, one.row, one.field) == where and said in one.text for one in findings), findings


def found(**changes: Any) -> list[tuple[str, int | None, str, bool]]:
    plan, findings = read_plan(raw(**changes))
    assert plan is not None, findings
    return [(one.section, one.row, one.text, one.is_fatal) for one in check_plan(plan, START, END)]


def test_a_circular_chain_is_refused_and_each_link_of_it_named() -> None:
    units = raw()["units"]
    units[2]["up"] = "t"
    circle = [one for one in found(units=units) if "成环" in one[2]]
    # 另一班组 leads into the circle, and is not of it.
    assert [(section, row, is_fatal) for section, row, _, is_fatal in circle] == [
        ("units", 0, True),
        ("units", 2, True),
    ]
    assert circle[0][2] == "值班链成环: t → post → t"
    units[2]["up"] = "nowhere"
    assert ("units", 2, "测试值班的上级岗位“nowhere”不在表中", True) in found(units=units)


def test_a_unit_without_anyone_is_warned_of() -> None:
    assert found(members=raw()["members"][:2]) == [("units", 1, "另一班组没有排任何人", False)]


def test_shifts_that_overlap_are_told_once() -> None:
    # Every third day 测试乙 works in two places: odd, not impossible.
    text = "测试乙 2026-12-02 08:00 的白班与白班重叠 (另一处: 测试值班)"
    assert found() == [("members", 2, text, False)]
    members = raw()["members"]
    members[1]["cycle"] = ["long", "early", None]
    text = "测试甲 2026-12-01 06:00 的早班与连班重叠"
    assert ("members", 1, text, True) in found(members=members)
    assert sum("测试甲" in one[2] for one in found(members=members)) == 1


def test_an_overlap_with_the_longest_is_seen_past_a_shorter_one() -> None:
    shifts = [{"id": "one", "name": "全天", "hours": "00:00-24:00"}, {"id": "two", "name": "双段",
              "hours": "08:00-09:00, 20:00-21:00"}]  # fmt: skip
    same = {"person": "a", "rank": "A", "anchor": "2026-11-30"}
    members = [same | {"unit": "t", "cycle": ["one"]}, same | {"unit": "u", "cycle": ["two"]}]
    assert [one[1] for one in found(shifts=shifts, members=members) if "重叠" in one[2]] == [1]


def zone(zone_id: str, team_id: str | None) -> Zone:
    return Zone(zone_id, zone_id, None, team_id, True, shapely.box(0, 0, 1, 1))


def test_zone_hours_without_anybody_are_counted() -> None:
    plan, _ = read_plan(raw())
    assert plan is not None
    zones = [zone("一", "t"), zone("二", "t"), zone("三", None), zone("四", "x")]
    assert [one.text for one in check_zones(plan, zones)] == ["网格三没有班组", "网格四的班组“x”不在排班表中"]
    away = Leave("a", START, START + timedelta(days=1), "病假")
    holes = uncovered(roster_of(plan, [away], []), zones, START, START + timedelta(days=3))
    assert [(one.hole.unit_id, one.zone_ids, one.hole.hours, one.zone_hours) for one in holes] == [
        ("t", ("一", "二"), 56, 112),
        ("t", ("一", "二"), 4, 8),
        ("x", ("四",), 72, 72),
    ]
