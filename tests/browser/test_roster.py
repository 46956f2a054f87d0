"""The page of the roster, in Chromium: a workbook is published, leave and swaps show what they leave open."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from dispatch.domain.times import shanghai_day
from dispatch.services import roster_sheet, roster_week, rosters
from dispatch.services.desk import Desk
from tests.browser.test_every_page import faults, in_both_languages
from tests.support.browser import Pages, picture
from tests.support.cast import TEAM_A, ZONE_A, Cast, spot
from tests.support.processes import utc_now
from tests.support.rosters import body, publish

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
DAY = timedelta(days=1)


def next_monday() -> date:
    today = shanghai_day(utc_now())
    return today + (7 - today.weekday()) * DAY


def workbooks(desk: Desk, cast: Cast, folder: Path) -> tuple[Path, Path]:
    """A good workbook, and one whose first rotation names a shift that is none."""
    draft = rosters.add(desk, cast.admin, "底稿", body(), utc_now())
    data = roster_sheet.workbook(desk, cast.admin, draft["id"], utc_now())
    rosters.drop(desk, cast.admin, draft["id"], utc_now())
    good, bad = folder / "good.xlsx", folder / "bad.xlsx"
    good.write_bytes(data)
    book = openpyxl.load_workbook(io.BytesIO(data))
    book["轮班"]["E2"] = "早班×5 休×2"
    book.save(bad)
    return good, bad


def upload(page: Page, file: Path) -> None:
    page.fill("#name", "十二月")
    page.set_input_files("#file", file)
    page.click("#import button")


def cell(page: Page, unit_id: str, day: date) -> str:
    """Where a unit's day is."""
    return f"#week tr[data-unit='{unit_id}'] td:nth-child({day.weekday() + 2})"


def test_a_workbook_is_refused_mended_and_published(pages: Pages, desk: Desk, cast: Cast, tmp_path: Path) -> None:
    good, bad = workbooks(desk, cast, tmp_path)
    page = pages.signed_in("supervisor")
    page.goto("/roster")
    expect(page.locator("#said")).to_contain_text("没有已发布的排班表")
    expect(page.locator("#rosters")).to_have_text("还没有排班表。")
    page.click("#import button")
    expect(page.locator("#import-fault")).to_have_text("请给排班表起名")
    upload(page, bad)
    expect(page.locator("#mistakes li")).to_have_text(["工作表“轮班” 第 2 行 周期: 没有班次“早班”"])
    upload(page, good)
    expect(page.locator("#mistakes")).to_be_hidden()
    # All but two of the sample grids have no team on this little roster: that is odd, and their hours are their own.
    expect(page.locator("#draft .hole")).to_contain_text("网格·小时")
    expect(page.locator("#draft tbody th").first).to_be_visible()
    page.click("#publish button")
    expect(page.locator("#publish-fault")).to_contain_text("无人当班")
    page.check("#accept")
    page.fill("#publish-note", "十二月的班")
    page.click("#publish button")
    expect(page.locator(".toast")).to_contain_text("已发布 十二月")
    expect(page.locator("#rosters tbody tr")).to_contain_text("生效中")
    expect(page.locator("#said")).to_contain_text("有空缺")
    with page.expect_download() as told:
        page.click("#rosters a[download]")
    assert openpyxl.load_workbook(io.BytesIO(told.value.path().read_bytes()))["轮班"].max_row == 8
    page.click("#after")
    saturday = next_monday() + 5 * DAY
    expect(page.locator(cell(page, TEAM_A, saturday))).to_contain_text("白班 A角 水管家甲")
    page.check("#only-holes")
    expect(page.locator("#week tbody tr[data-unit]").first).to_be_visible()
    expect(page.locator(f"#week tr[data-unit='{TEAM_A}']")).to_have_count(0)
    page.uncheck("#only-holes")
    page.fill("#only", "水管家乙")
    expect(page.locator("#week tbody tr[data-unit]")).to_have_count(1)
    expect(page.locator("#week tbody .hole").last).to_contain_text("全天空缺")


def test_holes_that_were_not_shown_are_not_accepted(pages: Pages, desk: Desk, cast: Cast, tmp_path: Path) -> None:
    good, _ = workbooks(desk, cast, tmp_path)
    page = pages.signed_in("admin")
    page.goto("/roster")
    upload(page, good)
    page.check("#accept")
    page.fill("#since", f"{next_monday() + 7 * DAY}T08:00")
    page.click("#publish button")
    expect(page.locator("#publish-fault")).to_contain_text("无人当班")
    expect(page.locator("#accept")).not_to_be_checked()
    page.check("#accept")
    page.click("#publish button")
    expect(page.locator("#rosters tbody tr")).to_contain_text("待生效")
    (one,) = rosters.listed(desk, cast.admin, utc_now())
    assert (one["is_live"], one["uncovered_h"] > 0) == (False, True)


def test_leave_and_a_swap_are_looked_at_entered_and_taken_back(pages: Pages, desk: Desk, cast: Cast) -> None:
    publish(desk, utc_now())
    wednesday = next_monday() + 2 * DAY
    friday = wednesday + 2 * DAY
    page = pages.signed_in("supervisor")
    page.goto("/roster")
    page.click("#after")
    expect(page.locator("#day")).to_have_value(str(shanghai_day(utc_now()) + 7 * DAY))
    expect(page.locator("#standing")).to_contain_text("没有请假和换班")
    page.click("#leave button")
    expect(page.locator("#leave-fault")).to_have_text("请填写: 请假人")
    expect(page.locator("#leave-person_id")).to_be_focused()
    page.fill("#leave-person_id", "水管家甲")
    page.fill("#leave-start_at", f"{wednesday}T08:00")
    page.fill("#leave-end_at", f"{wednesday}T20:00")
    page.fill("#leave-reason", "病假")
    page.click("#leave button")
    expect(page.locator("#leave-holes .hole")).to_have_text("⚠ 会有 12 小时无人当班:")
    expect(page.locator("#leave-holes li")).to_have_text([f"天心-03 班组 {wednesday} 08:00 – {wednesday} 20:00"])
    picture(page, "admin-roster-leave")
    assert roster_week.week(desk, cast.admin, wednesday, None, utc_now())["leaves"] == []
    page.click("#leave-holes button")
    expect(page.locator("#standing tbody tr")).to_have_count(1)
    expect(page.locator(cell(page, TEAM_A, wednesday))).to_contain_text("✕ 请假")
    expect(page.locator(cell(page, TEAM_A, wednesday))).to_contain_text("⚠ 空缺 08:00–20:00")
    # A swap that opens nothing.
    page.select_option("#swap-unit_id", TEAM_A)
    page.select_option("#swap-owner_id", "crew.a")
    page.fill("#swap-day", str(friday))
    page.fill("#swap-taker_id", "班组长甲")
    page.fill("#swap-note", "家事")
    page.click("#swap button")
    expect(page.locator("#swap-holes")).to_contain_text("不会造成空缺")
    page.click("#swap-holes button")
    expect(page.locator("#standing tbody tr")).to_have_count(2)
    expect(page.locator(cell(page, TEAM_A, friday))).to_contain_text("⇄ 换给 班组长甲")
    page.locator("#week").scroll_into_view_if_needed()
    picture(page, "admin-roster")
    here = spot(desk, ZONE_A, utc_now())
    page.fill("#place", f"{here.lon}, {here.lat}")
    page.fill("#at", f"{friday}T12:00")
    page.click("#who button")
    expect(page.locator("#answer li").first).to_contain_text("班组长甲")
    expect(page.locator("#answer li").first).to_contain_text("已换给班组长甲")
    for left in (1, 0):
        page.locator("#standing tbody button").last.click()
        expect(page.locator("#standing tbody tr")).to_have_count(left)
    expect(page.locator(cell(page, TEAM_A, friday))).not_to_contain_text("⇄")
    told = roster_week.week(desk, cast.admin, wednesday, None, utc_now())
    assert (told["leaves"], told["swaps"]) == ([], [])


def test_an_agent_sees_the_week_and_asks_who_is_responsible(pages: Pages, desk: Desk) -> None:
    publish(desk, utc_now())
    page = pages.signed_in("agent")
    page.goto("/roster")
    page.click("#after")
    friday = next_monday() + 4 * DAY
    expect(page.locator(cell(page, TEAM_A, friday))).to_contain_text("白班 A角 水管家甲")
    for name in ("#import", "#leave", "#swap", "#standing", "#rosters"):
        expect(page.locator(name)).to_have_count(0)
    page.click("#who button")
    expect(page.locator("#who-fault")).to_have_text("请填写地址或坐标")
    here = spot(desk, ZONE_A, utc_now())
    page.fill("#place", f"{here.lon}, {here.lat}")
    page.fill("#at", f"{friday}T03:00")
    page.click("#who button")
    steps = page.locator("#answer .chain > li")
    expect(steps).to_have_count(5)
    expect(steps.first).to_contain_text("测试夜班")
    expect(steps.first).to_contain_text("跳过 水管家甲: 此时不当班")
    expect(steps.nth(2)).to_contain_text("空缺")  # the area lead works by day
    expect(steps.last).to_contain_text("测试总值班")
    expect(page.locator("#answer")).to_contain_text(f"{friday} 03:00")


def test_the_roster_is_for_everybody(pages: Pages, desk: Desk) -> None:
    publish(desk, utc_now())
    here = spot(desk, ZONE_A, utc_now())

    def see(page: Page) -> list[str]:
        page.goto("/roster")
        page.click("#after")
        page.fill("#place", f"{here.lon}, {here.lat}")
        page.click("#who button")
        expect(page.locator("#answer li").first).to_be_visible()
        page.click("#leave button")  # what is missing
        page.click("#rosters button")  # its holes
        expect(page.locator("#draft tbody tr").first).to_be_visible()
        return faults(page)

    in_both_languages(pages, "supervisor", see)
