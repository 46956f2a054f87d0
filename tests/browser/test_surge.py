"""A supervisor begins a surge, another approves wider clocks, agent, crew and public are told, and it ends."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dispatch.services import board
from dispatch.services.desk import Desk
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import Cast, dispatched
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_a_surge_by_hand_from_begin_to_end(pages: Pages, desk: Desk, cast: Cast) -> None:
    agent, crew = pages.signed_in("agent"), pages.signed_in("crew.a", width=390, height=844)
    boss, admin = pages.signed_in("supervisor"), pages.signed_in("admin")
    for page in (boss, admin):
        page.goto("/board")
        expect(page.locator("#surge-line")).to_contain_text("大流量模式未开启")
        page.locator("#surge summary").focus()
        page.keyboard.press("Enter")
    boss.get_by_label("原因").fill("寒潮, 来电激增")
    boss.keyboard.press("Enter")
    expect(boss.locator("#surge-line")).to_contain_text("手动, 自动进出已停")
    for page in (agent, crew):  # told live
        expect(page.locator("#surge")).to_contain_text("先问是否危及安全")

    boss.get_by_label("坐席和水管家看到的广播").fill("水表冻裂请先关表前阀")
    boss.get_by_role("button", name="保存").click()
    for page in (agent, crew):
        expect(page.locator("#surge")).to_contain_text("水表冻裂请先关表前阀")

    boss.get_by_label("P3").check()
    boss.get_by_label("接单", exact=True).check()
    boss.get_by_label("原因 (写在工单上)").fill("寒潮")
    boss.get_by_role("button", name="提议放宽时限").click()
    expect(boss.locator("#surge-panel .lines")).to_contain_text("待批准")
    expect(boss.get_by_role("button", name="批准", exact=True)).to_have_count(0)
    admin.get_by_role("button", name="批准", exact=True).click()
    expect(boss.locator("#surge-panel .lines")).to_contain_text("已批准")
    picture(boss, "supervisor-surge")
    number = dispatched(desk, utc_now(), category="pressure")
    assert "因寒潮放宽: 接单 ×2" in board.ticket(desk, cast.agent, number, utc_now())["timeline"][0]["text"]
    assert faults(boss, "#surge") == []

    visitor = pages.visitor()
    visitor.goto("/")
    expect(visitor.locator("#surge")).to_contain_text("热线可能需要等待")
    wall = pages.signed_in("dispatcher")
    wall.goto("/wall")
    expect(wall.locator("#surge")).to_contain_text("大流量模式")

    boss.locator("#surge-reason").fill("回落")
    boss.get_by_role("button", name="结束大流量模式").click()
    for page in (agent, crew, wall):
        expect(page.locator("#surge")).to_be_hidden()
    boss.get_by_role("button", name="恢复自动进出").click()
    expect(boss.locator("#surge-line")).not_to_contain_text("手动")
