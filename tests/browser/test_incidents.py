"""A supervisor makes one incident of a street's calls: opens it from the board, draws its area, closes it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from dispatch.domain.place import Wgs84Point
from dispatch.domain.states import Verb
from dispatch.services import board as tickets_board
from dispatch.services import incident_facts
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from dispatch.storage.callbacks import CALLBACKS
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import TEAM_B, ZONE_A, act, call, cast_of, dispatched, spot
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_one_burst_is_one_job(pages: Pages, desk: Desk) -> None:
    now, cast = utc_now(), cast_of(desk)
    here = spot(desk, ZONE_A, now)
    numbers = [
        dispatched(
            desk, now, category="burst", caller_phone=f"1300000{n:04d}", address=f"天心区坡子街 {12 + n} 号",
            description="路面冒水, 水很大", point=Wgs84Point(here.lon + n * 0.0004, here.lat),
        )
        for n in range(3)
    ]  # fmt: skip
    call(desk, cast.agent, now, attach_to=numbers[0], caller_phone="13000000009")
    page = pages.signed_in("supervisor")
    page.goto("/board")
    page.locator(f"[data-ticket='{numbers[0]}']").click()
    page.get_by_role("link", name="开事件 / 并入事件").click()
    expect(page.get_by_role("heading", name=f"由 {numbers[0]} 开立事件")).to_be_visible()
    page.get_by_label("事件名称").fill("坡子街 DN300 爆管")
    for number in numbers[1:]:
        page.get_by_label(re.compile(number)).check()
    page.get_by_role("button", name="开立事件").click()
    expect(page.get_by_role("heading", name="坡子街 DN300 爆管")).to_be_visible()
    detail = page.locator("#detail")
    expect(detail).to_contain_text("4 位来电人 · 3 张工单")
    expect(detail.locator("table tbody tr")).to_have_count(3)

    detail.get_by_text("设定影响范围").click()
    detail.get_by_role("button", name="在地图上画").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75)):
        page.locator("#map").click(position={"x": box["width"] * x, "y": box["height"] * y})
    expect(detail).to_contain_text("已有 3 点")
    # The fourth corner by keyboard.
    page.get_by_label("角点").fill(f"{here.lon - 0.002:.5f},{here.lat - 0.002:.5f}")
    page.keyboard.press("Enter")
    expect(detail).to_contain_text("已有 4 点")
    detail.get_by_role("button", name="完成", exact=True).click()
    expect(detail).to_contain_text("手绘")
    expect(page.locator(".incident-area")).to_have_count(1)
    picture(page, "supervisor-incidents")
    assert faults(page) == []

    # One of them was another leak: it is a job of its own again.
    detail.get_by_label("移出工单").select_option(numbers[2])
    detail.get_by_label("交给班组").select_option(TEAM_B)
    detail.get_by_label("理由").fill("另一处漏水")
    detail.get_by_role("button", name="移出", exact=True).click()
    expect(detail.locator("table tbody tr")).to_have_count(2)
    assert tickets_board.ticket(desk, cast.dispatcher, numbers[2], utc_now())["team_id"] == TEAM_B
    number = page.url.rpartition("#")[2]
    told = {"restore_expected_at": utc_now() + timedelta(hours=3)}
    incident_facts.times(Wish(desk, cast.dispatcher, {}, utc_now()), number, told)
    board = pages.signed_in("dispatcher")
    board.goto("/board")
    expect(board.locator("[data-ticket]")).to_have_count(2)
    expect(board.locator(f"[data-ticket='{numbers[0]}']")).to_contain_text("3 位用户")
    board.locator(f"[data-ticket='{numbers[0]}']").click()
    expect(board.locator("#detail")).to_contain_text(re.compile("预计 .+ 恢复供水"))

    for verb in (Verb.ACCEPT, Verb.ARRIVE):
        act(desk, cast.crew_a, numbers[0], verb, utc_now())
    expect(board.locator(f"[data-ticket='{numbers[0]}']")).to_contain_text("到场")
    detail.get_by_label("处理结果").fill("管道已修复")
    detail.get_by_role("button", name="关闭事件").click()
    expect(detail).to_contain_text("已关闭")
    expect(detail.locator("table tbody tr").nth(1)).to_contain_text("完工")
    with desk.store.read() as tx:
        rung = set(tx.conn.execute(select(CALLBACKS.c.phone)).scalars())
    assert rung == {"13000000000", "13000000001", "13000000009"}
