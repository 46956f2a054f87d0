"""Duplicates on the screens: one key attaches the third caller, one key says "not the same"; the board merges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from dispatch.domain.place import Wgs84Point
from dispatch.services import board, similar
from dispatch.services.desk import Desk
from tests.browser.agent_story import console, saved_number, tickets
from tests.support.browser import Pages
from tests.support.cast import ZONE_A, cast_of, dispatched, spot

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def write_down(page: Page, point: Wgs84Point, description: str) -> None:
    page.fill("#place", f"{point.lon:.6f}, {point.lat:.6f}")
    page.select_option("#datum", "wgs84")
    page.click("#category [role=radio]:has-text('无水')")
    page.fill("#description", description)


def test_the_third_caller_is_attached_by_one_key_and_another_is_told_apart_by_one(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    point = spot(desk, ZONE_A, now)
    first, other = (
        dispatched(desk, now, caller_phone=None, description=told, address=address)
        for told, address in (("整栋楼都停水了", "坡子街 12 号"), ("停水了", "坡子街 12 号"))
    )
    page = console(pages)
    write_down(page, point, "没水了, 隔壁也没有")
    likely = page.locator("#similar .ticket")
    expect(likely).to_have_count(2)
    expect(likely.first).to_contain_text("同类问题")
    expect(page.locator("#near .ticket")).to_have_count(0)
    top = likely.first.get_attribute("data-number") or ""
    page.keyboard.press("Alt+n")
    expect(likely).to_have_count(1)
    expect(page.locator("#similar")).to_contain_text(f"已排除: {top}")
    (kept,) = {first, other} - {top}
    page.keyboard.press("Alt+m")
    expect(page.locator("#said .saved")).to_contain_text(f"已并入 {kept}")
    assert len(tickets(desk)) == 2
    agent = cast_of(desk).agent
    assert len(board.ticket(desk, agent, kept, now)["calls"]) == 2
    assert similar.of_ticket(desk, agent, kept, now)["items"] == []  # and never suggested for it again


def test_what_was_told_apart_can_be_taken_back_and_goes_with_the_new_ticket(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    first = dispatched(desk, now, caller_phone=None)
    page = console(pages)
    write_down(page, spot(desk, ZONE_A, now), "停水了")
    for _ in range(2):
        expect(page.locator("#similar .ticket")).to_have_count(1)
        page.keyboard.press("Alt+n")
        expect(page.locator("#similar .ticket")).to_have_count(0)
        page.click("#similar button:has-text('撤销排除')")
    page.keyboard.press("Alt+n")
    page.reload()  # the draft survives
    expect(page.locator("#similar")).to_contain_text(f"已排除: {first}")
    page.keyboard.press("Alt+n")
    expect(page.locator("#said")).to_contain_text("没有可排除的工单")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("派给")
    second = saved_number(page)
    assert similar.of_ticket(desk, cast_of(desk).agent, second, now)["items"] == []


def test_on_the_board_a_person_merges_or_tells_apart(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    first, second, third = (dispatched(desk, now, caller_phone=None) for _ in range(3))
    page = pages.signed_in("dispatcher")
    page.goto("/board")
    page.click(f"#queue [data-number='{third}']")
    likely = page.locator("#detail .similar li")
    expect(likely).to_have_count(2)
    likely.filter(has_text=second).get_by_role("button", name="不是同一问题").click()
    expect(likely).to_have_count(1)
    likely.get_by_role("button", name=f"并入 {first}").click()
    page.click("#detail form button:has-text('确认')")
    expect(page.locator(".toast")).to_contain_text([f"{third} 与 {second}", "并单"])
    merged = board.ticket(desk, cast_of(desk).agent, third, now)
    assert (merged["status"], merged["merged_into"]) == ("merged", first)
