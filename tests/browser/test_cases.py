"""A complaint that comes again and again, in Chromium: pointed out, a case by one key, visits, a cause, watched."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dispatch.domain.case import CaseKind, EntryKind, Visit
from dispatch.domain.states import Status, Verb
from dispatch.services import cases, casework
from dispatch.services.cases import NewCase
from dispatch.services.desk import Desk
from tests.browser.agent_story import Keyboard, saved_number
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import CALLER_PHONE, Cast, act, ticket_at, what_it_needs
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
NOISE = {"category": "noise", "description": "墙里有水流声"}
AGAIN = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)


def visited_again(desk: Desk, cast: Cast, number: str, times: int) -> None:
    """Rework: each round is another visit of the crew."""
    now = utc_now()
    for _ in range(times):
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=False)
        act(desk, cast.agent, number, Verb.REWORK, now, note="又响了")
        for verb in AGAIN:
            act(desk, cast.crew_a, number, verb, now, **what_it_needs(desk, verb, now))


def test_the_complaint_with_fifteen_visits(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    for days in (6, 4):
        number = ticket_at(desk, Status.DONE, now - timedelta(days=days), **NOISE)
    visited_again(desk, cast, number, 8)  # with the two first visits: ten
    page = pages.signed_in("agent")
    page.goto("/agent")
    keys = Keyboard(page)
    page.fill("#caller_phone", CALLER_PHONE)
    expect(page.locator("#known")).to_contain_text("30 天内第 3 次来电")
    page.locator("#description").focus()
    keys.press("Alt+c")
    expect(page.locator("#call")).to_contain_text("请先选择问题类别")
    page.locator("#category").get_by_role("radio", name=re.compile("噪音")).click()
    keys.press("Alt+c")
    expect(page.locator("#said")).to_contain_text("已开个案 G-000001, 负责人 值班长陈工")
    expect(page.locator("#known")).to_contain_text("2 张工单, 10 次上门")
    picture(page, "agent-case")
    page.fill("#address", "坡子街 12 号")
    page.fill("#description", "夜里又响, 睡不着")
    keys.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    fresh = saved_number(page)
    boss = pages.signed_in("supervisor")
    boss.goto("/cases")
    boss.get_by_role("button", name=re.compile("G-000001")).click()
    story = boss.locator("#case")
    expect(story).to_contain_text(fresh)
    for whom in ("302 户", "502 户", "物业", "603 户"):
        story.get_by_text("记录一次", exact=True).click()
        story.get_by_label("做了什么").select_option("neighbour")
        story.get_by_label("对象或地点").fill(whom)
        story.get_by_label("发现").fill("也听到水流声")
        story.get_by_role("button", name="记下").click()
        expect(story.locator("ol.story")).to_contain_text(whom)  # 物业 is a cause of the form, too
    visit = Visit(kind=EntryKind.VISIT, at=utc_now(), whom="泵房", finding="减振垫老化")
    casework.note_visit(desk, cast.dispatcher, 1, visit, {}, utc_now())  # by somebody else, and seen here
    expect(story).to_contain_text("3 张工单, 15 次上门, 走访 4 户邻居")
    picture(boss, "supervisor-case")
    assert faults(boss) == []
    story.get_by_text("结案", exact=True).first.click()
    form = story.locator("details[open] form")
    form.get_by_label("根本原因").select_option("pump")
    form.get_by_role("button", name="结案").click()
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("处理结果").fill("更换减振垫, 夜间 31 dB")
    form.get_by_role("button", name="结案").click()
    expect(story).to_contain_text("观察期")
    expect(story).to_contain_text("泵房或二次供水设备")
    page.fill("#caller_phone", "13000000009")
    page.fill("#caller_phone", CALLER_PHONE)
    expect(page.locator("#known")).to_contain_text("观察期 · 负责人 值班长陈工 · 3 张工单, 15 次上门")


def test_flags_are_imported_and_a_ticket_opens_a_case(pages: Pages, desk: Desk, cast: Cast, tmp_path: Path) -> None:
    table = tmp_path / "医院.csv"
    table.write_text(f"标记,名称,电话\n医院,<b>样例医院</b>,{CALLER_PHONE}\n教堂,x,1\n", "gbk")
    boss = pages.signed_in("supervisor")
    boss.goto("/cases")
    boss.click("#import button")
    expect(boss.locator("#import [role=alert]")).to_have_text("请选择文件")
    boss.set_input_files("#file", table)
    boss.click("#import button")
    expect(boss.locator("#report")).to_contain_text("导入 1 行, 替换 0 行, 未导入 1 行")
    line = boss.locator("#customers tbody tr")
    expect(line).to_contain_text("130****0001")
    line.get_by_role("button", name=re.compile("查看")).click()
    line.get_by_label("查看原因").fill("通知停水")
    line.get_by_role("button", name="查看", exact=True).click()
    expect(line).to_contain_text(CALLER_PHONE)
    assert faults(boss) == []
    number = ticket_at(desk, Status.DISPATCHED, utc_now())
    told = NewCase(kind=CaseKind.ADDRESS, number=number)
    cases.open_(desk, cast.agent, told, {}, utc_now())
    boss.goto("/board")
    row = boss.locator(f"[data-ticket='{number}']")
    expect(row).to_contain_text("医院")
    row.click()
    detail = boss.locator("#detail")
    expect(detail).to_contain_text("医院: 由 P2 提为 P1")
    expect(detail).to_contain_text("G-000001")
    detail.get_by_role("button", name="为此用户开个案").click()
    expect(detail).to_contain_text("G-000002")
