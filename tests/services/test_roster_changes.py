"""Leave and swaps on top of a published roster, the week that shows them, workbooks, and who is responsible."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roster import Leave, Swap
from dispatch.domain.roster_file import InvalidRoster
from dispatch.domain.times import SHANGHAI
from dispatch.services import duty, duty_now, roster_changes, roster_sheet, roster_week, rosters
from dispatch.services.desk import Desk
from dispatch.services.roster_changes import NoRoster
from tests.support.cast import BRANCH, NOWHERE, TEAM_A, TEAM_B, ZONE_A, Cast, dispatched, spot
from tests.support.rosters import DUTY_POST, LEAD_POST, body, publish

TUESDAY = date(2026, 11, 24)
DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


AWAY = Leave("crew.a", local("2026-11-25 08:00"), local("2026-11-25 20:00"), "病假")
SWAP = Swap(TEAM_A, "crew.a", TUESDAY + DAY, "lead.a")


def crew_at(desk: Desk, text: str) -> str | None:
    with desk.store.read() as tx:
        found = duty.person_for(desk, tx, "crew", TEAM_A, BRANCH, local(text))
    return found.person.person_id if found.person else None


def test_leave_of_the_only_steward_tells_the_hole(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    told = roster_changes.check_leave(desk, cast.supervisor, AWAY, now)
    assert crew_at(desk, "2026-11-25 12:00") == "crew.a"  # nothing is entered
    done = roster_changes.add_leave(desk, cast.supervisor, AWAY, now)
    hole = {"start_at": "2026-11-25T00:00:00+00:00", "end_at": "2026-11-25T12:00:00+00:00"}
    assert done["holes"] == [{"unit_id": TEAM_A, "unit": "天心-03 班组", **hole}]
    assert told["holes"] == done["holes"]
    assert crew_at(desk, "2026-11-25 12:00") is None
    roster_changes.cancel_leave(desk, cast.supervisor, done["id"], now)
    assert crew_at(desk, "2026-11-25 12:00") == "crew.a"
    with pytest.raises(NotFound):
        roster_changes.cancel_leave(desk, cast.supervisor, done["id"], now)
    covered = replace(AWAY, cover_id="lead.a")
    assert roster_changes.add_leave(desk, cast.supervisor, covered, now)["holes"] == []
    assert crew_at(desk, "2026-11-25 12:00") == "lead.a"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"end_at": AWAY.start_at}, "end_at"),
        ({"end_at": AWAY.start_at + timedelta(days=400)}, "end_at"),
        ({"start_at": local("2026-11-01 00:00"), "end_at": local("2026-11-02 00:00")}, "end_at"),
        ({"cover_id": "crew.a"}, "cover_id"),
        ({"cover_id": "x"}, "cover_id"),
        ({"person_id": "x"}, "person_id"),
        ({"reason": " "}, "reason"),
        ({"start_at": local("2026-11-25 19:00"), "end_at": local("2026-11-26 19:00")}, "start_at"),
    ],
)
def test_leave_that_cannot_be_is_refused(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, Any], name: str
) -> None:
    publish(desk, now)
    roster_changes.add_leave(desk, cast.supervisor, AWAY, now)
    with pytest.raises(InvalidInput) as refused:
        roster_changes.add_leave(desk, cast.supervisor, replace(AWAY, **changes), now)
    assert refused.value.field == name


def test_a_swap_and_back(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NoRoster):
        roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    publish(desk, now)
    done = roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    assert crew_at(desk, "2026-11-25 12:00") == "lead.a"
    with pytest.raises(InvalidInput, match="已经换过"):
        roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    roster_changes.cancel_swap(desk, cast.supervisor, done["id"], now)
    assert crew_at(desk, "2026-11-25 12:00") == "crew.a"
    with pytest.raises(NotFound):
        roster_changes.cancel_swap(desk, cast.supervisor, done["id"], now)
    # The day against the night of two days later: each rests in between.
    back = Swap(TEAM_A, "crew.a", TUESDAY + DAY, "a.night", TUESDAY + 3 * DAY)
    with pytest.raises(InvalidInput, match="同一时间已有班"):
        roster_changes.add_swap(desk, cast.supervisor, replace(back, taker_id="crew.b"), "换", now)
    roster_changes.add_swap(desk, cast.supervisor, back, "换", now)
    assert crew_at(desk, "2026-11-25 12:00") == "a.night"
    assert crew_at(desk, "2026-11-27 23:00") == "crew.a"


def test_a_swap_with_who_is_away_tells_the_hole_both_ways(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    hole = {"start_at": "2026-11-25T00:00:00+00:00", "end_at": "2026-11-25T12:00:00+00:00"}
    told = [{"unit_id": TEAM_A, "unit": "天心-03 班组", **hole}]
    away = roster_changes.add_leave(desk, cast.supervisor, replace(AWAY, person_id="lead.a"), now)
    assert roster_changes.check_swap(desk, cast.supervisor, SWAP, "家事", now)["holes"] == told
    assert crew_at(desk, "2026-11-25 12:00") == "crew.a"  # nothing is entered
    done = roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    assert done["holes"] == told
    assert roster_changes.cancel_swap(desk, cast.supervisor, done["id"], now)["holes"] == []
    # The other way round: the swap fills the hole of the leave, and taking it back opens it again.
    roster_changes.cancel_leave(desk, cast.supervisor, away["id"], now)
    roster_changes.add_leave(desk, cast.supervisor, AWAY, now)
    done = roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    assert done["holes"] == []
    assert roster_changes.cancel_swap(desk, cast.supervisor, done["id"], now)["holes"] == told


def test_a_swap_of_days_gone_by_opens_nothing_any_more(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    done = roster_changes.add_swap(desk, cast.supervisor, SWAP, "家里有事", now)
    assert roster_changes.cancel_swap(desk, cast.supervisor, done["id"], now + 10 * DAY) == {
        "id": done["id"],
        "holes": [],
    }


def test_who_is_not_on_the_next_roster_neither_takes_nor_covers(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    roster_changes.add_swap(desk, cast.supervisor, SWAP, "家事", now)
    friday = replace(AWAY, start_at=AWAY.start_at + 2 * DAY, end_at=AWAY.end_at + 2 * DAY, cover_id="lead.a")
    roster_changes.add_leave(desk, cast.supervisor, friday, now)
    told = body()
    without = {
        "people": [one for one in told["people"] if one["id"] != "lead.a"],
        "members": [one for one in told["members"] if one["person"] != "lead.a"],
    }
    publish(desk, now, **without)
    assert crew_at(desk, "2026-11-25 12:00") == "crew.a"
    assert crew_at(desk, "2026-11-27 12:00") is None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"taker_id": "crew.a"}, "taker_id"),
        ({"taker_id": "x"}, "taker_id"),
        ({"day": TUESDAY - DAY}, "day"),
        ({"unit_id": "x"}, "unit_id"),
        ({"owner_id": "duty"}, "day"),
        ({"back_day": TUESDAY + 2 * DAY}, "back_day"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, Any], name: str
) -> None:
    publish(desk, now)
    with pytest.raises(InvalidInput) as refused:
        roster_changes.add_swap(desk, cast.supervisor, replace(SWAP, **changes), "家事", now)
    assert refused.value.field == name


# ---------------------------------------------------------------- the week


def test_a_week_shows_duties_holes_hours_and_changes(desk: Desk, cast: Cast, now: datetime) -> None:
    assert roster_week.week(desk, cast.admin, TUESDAY, None, now)["units"] == []
    publish(desk, now)
    dispatched(desk, now)
    covered = replace(AWAY, cover_id="lead.a")
    roster_changes.add_leave(desk, cast.supervisor, covered, now)
    roster_changes.add_swap(desk, cast.supervisor, replace(SWAP, day=TUESDAY + 2 * DAY), "家事", now)
    shown = roster_week.week(desk, cast.admin, TUESDAY, None, now)
    assert (shown["monday"], shown["branch"], shown["roster"]["name"]) == ("2026-11-23", BRANCH, "测试排班")
    units = {unit["id"]: unit for unit in shown["units"]}
    assert list(units) == [TEAM_A, TEAM_B, LEAD_POST, DUTY_POST, "company_duty"]
    assert units[TEAM_A]["in_hand"] == 1
    row = units[TEAM_A]["rows"][0]
    assert (row["name"], row["rank"], row["worked_h"]) == ("水管家甲", "A", 60.0)
    assert row["days"][0] == []  # Monday: the roster began on Tuesday
    told = [(one["is_away"], one["is_swapped"], one["by"]) for day in row["days"][1:5] for one in day]
    assert told == [(False, False, []), (True, False, ["班组长甲"]), (False, True, ["班组长甲"]), (False, False, [])]
    assert units[TEAM_A]["rows"][2]["worked_h"] == 24.0
    assert (shown["has_roster"], units[TEAM_A]["holes"][0]) == ([False, *[True] * 6], [])
    assert units[TEAM_A]["holes"][2:] == [[], [], [], [], []]
    assert units[TEAM_B]["holes"][5] == [
        {"start_at": "2026-11-27T16:00:00+00:00", "end_at": "2026-11-28T16:00:00+00:00"}
    ]
    assert [one["cover"] for one in shown["leaves"]] == ["班组长甲"]
    assert [(one["owner"], one["taker"]) for one in shown["swaps"]] == [("水管家甲", "班组长甲")]
    assert [unit["branch"] for unit in shown["units"]] == [*[BRANCH] * 4, None]
    read = roster_week.week(desk, cast.agent, TUESDAY, None, now)
    assert read["units"] == shown["units"]
    assert (read["people"], read["leaves"], read["swaps"]) == ([], [], [])


def test_a_week_is_in_the_order_in_which_units_are_called(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now, units=list(reversed(body()["units"])))
    shown = roster_week.week(desk, cast.admin, TUESDAY, None, now)
    assert [unit["id"] for unit in shown["units"]] == [TEAM_B, TEAM_A, LEAD_POST, DUTY_POST, "company_duty"]


# ---------------------------------------------------------------- workbooks


def edited(data: bytes, edit: Callable[[Any], object]) -> bytes:
    book, out = openpyxl.load_workbook(io.BytesIO(data)), io.BytesIO()
    edit(book)
    book.save(out)
    return out.getvalue()


@pytest.fixture
def exported(desk: Desk, cast: Cast, now: datetime) -> bytes:
    draft = rosters.add(desk, cast.admin, "测试", body(), now, is_sample=True)
    return roster_sheet.workbook(desk, cast.admin, draft["id"], now)


def test_a_workbook_comes_back_as_it_went(desk: Desk, cast: Cast, now: datetime, exported: bytes) -> None:
    def as_a_date(book: Any) -> None:
        book["轮班"]["D2"] = datetime(2026, 11, 2)  # noqa: DTZ001 - as Excel has it
        book["轮班"]["D3"] = date(2026, 11, 2)
        book["人员"].append([None, " "])

    again = roster_sheet.add(desk, cast.admin, "又一份", edited(exported, as_a_date), now)
    told = body()
    told["units"] = [{"branch": None, "up": None} | one for one in told["units"]]
    assert again["body"] == told
    assert "样例" in openpyxl.load_workbook(io.BytesIO(exported))["说明"]["A1"].value
    with pytest.raises(NotFound):
        roster_sheet.workbook(desk, cast.admin, 99, now)


def test_shifts_whose_names_could_be_read_otherwise_stand_in_a_cycle_by_their_ids(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    shifts = [one | {"name": name} for one, name in zip(body()["shifts"], ("班", "班", "全 天"), strict=True)]
    told = rosters.add(desk, cast.admin, "同名", body(shifts=shifts), now)
    data = roster_sheet.workbook(desk, cast.admin, told["id"], now)
    assert roster_sheet.add(desk, cast.admin, "又一份", data, now)["body"] == told["body"]


def _merge(book: Any) -> None:
    book["轮班"].merge_cells("A2:A3")


def _numbers(book: Any) -> None:
    book["人员"]["B3"] = 13


def _bad_hours(book: Any) -> None:
    book["班次"]["C2"] = "20:00-08:00"


def _no_sheet(book: Any) -> None:
    del book["轮班"]


def _no_column(book: Any) -> None:
    book["班次"]["C1"] = "钟点"


def _empty_cycle(book: Any) -> None:
    book["轮班"]["E2"] = None


def _circle(book: Any) -> None:
    book["班组岗位"]["D6"] = TEAM_A


def _long(book: Any) -> None:
    book["人员"].cell(10_002, 1, "x")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_merge, "工作表“轮班” 第 2 行: 合并单元格 A2:A3"),
        (_numbers, "工作表“人员” 第 3 行 姓名: 应为文字, 现为 13"),
        (_bad_hours, "工作表“班次” 第 2 行 时间: “20:00-08:00”下班不晚于上班"),
        (_no_sheet, "工作表“轮班”: 缺少这张工作表"),
        (_no_column, "工作表“班次” 第 1 行: 缺少列: 时间"),
        (_empty_cycle, "工作表“轮班” 第 2 行 周期: 应为 1 到 366 天"),
        (_circle, "工作表“班组岗位” 第 2 行 上级岗位: 值班链成环"),
        (_long, "工作表“人员”: 最多 10000 行"),
    ],
)
def test_a_wrong_workbook_is_refused_by_sheet_row_and_column(
    desk: Desk, cast: Cast, now: datetime, exported: bytes, edit: Callable[[Any], object], said: str
) -> None:
    with pytest.raises(InvalidRoster) as refused:
        roster_sheet.add(desk, cast.admin, "错", edited(exported, edit), now)
    texts = [one["text"] for one in refused.value.extra["findings"]]
    assert any(text.startswith(said) for text in texts), texts
    assert len(rosters.listed(desk, cast.admin, now)) == 1


def test_what_is_no_workbook_is_refused(desk: Desk, cast: Cast, now: datetime) -> None:
    for data in (b"", b"PK\x03\x04", b"name,hours\n"):
        with pytest.raises(InvalidInput, match="xlsx"):
            roster_sheet.add(desk, cast.admin, "错", data, now)


# ---------------------------------------------------------------- who is responsible


def test_who_is_responsible_now_and_next_friday_at_three(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    told = duty_now.who(desk, cast.agent, here, "", None, now)
    assert (told["roster"], told["responsible"]["person_id"], told["backup"]) == (None, "tianxin-03-a", None)
    publish(desk, now)
    told = duty_now.who(desk, cast.agent, here, "", None, now)
    assert (told["zone_id"], told["team_id"], told["roster"]["name"]) == (ZONE_A, TEAM_A, "测试排班")
    assert (told["responsible"]["name"], told["backup"]["name"]) == ("水管家甲", "测试夜班")
    assert [one["unit_id"] for one in told["above"]] == [LEAD_POST, DUTY_POST, "company_duty"]
    assert [one["unit"] for one in told["above"]] == ["城南片区长", "城南值班", "公司值班领导"]
    told = duty_now.who(desk, cast.agent, here, "", local("2026-11-27 03:00"), now)
    assert (told["at_text"], told["responsible"]["name"]) == ("2026-11-27 03:00", "测试夜班")
    assert told["responsible"]["passed_over"] == [{"person_id": "crew.a", "name": "水管家甲", "why": "此时不当班"}]


def test_no_place_no_time_no_team(desk: Desk, cast: Cast, now: datetime) -> None:
    told = duty_now.who(desk, cast.agent, NOWHERE, "", None, now)
    assert (told["team_id"], told["responsible"], told["above"]) == (None, None, [])
    with pytest.raises(InvalidInput, match="位置"):
        duty_now.who(desk, cast.agent, None, " ", None, now)
    here = Wgs84Point(112.97, 28.19)
    with pytest.raises(InvalidInput, match="一年"):
        duty_now.who(desk, cast.agent, here, "", now + 400 * DAY, now)
    with pytest.raises(InvalidInput, match="那时还没有"):
        duty_now.who(desk, cast.agent, here, "", now - 60 * DAY, now)
