"""A reload, a dead server, a session that ends in the middle of a call: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from dispatch.services.desk import Desk
from tests.browser.agent_story import console, platform, tickets
from tests.support.browser import Pages, sign_in
from tests.support.cast import CALLER_PHONE, ZONE_A, dispatched, password_of

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def write_down(page: Page) -> None:
    page.fill("#address", "坡子街 12 号")
    page.fill("#place", ZONE_A)
    expect(page.locator("#place-said")).to_contain_text("近似")
    page.focus("#category [role=radio]")
    page.keyboard.press("6")
    page.keyboard.press("n")
    page.fill("#description", "水表漏水")


def is_all_there(page: Page) -> None:
    expect(page.locator("#address")).to_have_value("坡子街 12 号")
    expect(page.locator("#place")).to_have_value(ZONE_A)
    expect(page.locator("#description")).to_have_value("水表漏水")
    expect(page.locator("#category [aria-checked=true]")).to_contain_text("漏水")
    expect(page.locator("#questions [aria-checked=true]")).to_have_count(1)
    expect(page.locator("#route")).to_contain_text("天心-03 水管家班组")


def test_a_draft_survives_a_reload_with_its_call(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    platform(pages, desk).tell("7731")
    expect(page.locator("#waiting button")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.locator("#caller_phone")).to_have_value(CALLER_PHONE)
    write_down(page)
    page.reload()
    is_all_there(page)
    expect(page.locator("#caller_phone")).to_have_value(CALLER_PHONE)
    expect(page.locator("#said")).to_contain_text("已恢复")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    page.reload()
    expect(page.locator("#address")).to_have_value("")
    assert len(tickets(desk)) == 1


def test_saved_twice_is_saved_once(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    write_down(page)
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    assert len(tickets(desk)) == 1


def test_who_saves_before_the_grid_was_looked_up_still_means_it(pages: Pages, desk: Desk) -> None:
    page = console(pages)

    def be_slow(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/api/v1/grids*", be_slow)
    page.fill("#address", "坡子街 12 号")
    page.focus("#category [role=radio]")
    page.keyboard.press("1")
    page.fill("#place", ZONE_A)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("派给 天心-03")
    assert [ticket["zone_id"] for ticket in tickets(desk)] == [ZONE_A]


def test_an_answer_that_is_lost_on_its_way_makes_no_second_ticket(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("net::ERR")
    page = console(pages)
    write_down(page)
    lost: list[int] = []

    def lose(route: Route) -> None:
        # The server has it, and the page never learns.
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/v1/calls", lose, times=1)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("网络中断")
    page.reload()
    expect(page.locator("#said .saved")).to_be_visible()
    assert lost == [201]
    assert len(tickets(desk)) == 1


def test_a_draft_survives_a_killed_server_and_is_saved_once_when_it_is_back(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("net::ERR|Failed to fetch")
    page = console(pages)
    write_down(page)
    pages.web.kill()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("网络中断")
    expect(page.locator("#address")).to_be_disabled()  # what may have arrived must not change any more
    page.keyboard.press("Control+Enter")
    page.keyboard.press("F2")
    expect(page.locator("#description")).to_have_value("水表漏水")
    pages.web = pages.site.web().wait_until_up()
    expect(page.locator("#said .saved")).to_be_visible(timeout=20_000)
    assert len(tickets(desk)) == 1


def test_what_is_being_sent_changes_no_more(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("net::ERR|Failed to fetch")
    number = dispatched(desk, datetime.now(UTC), caller_phone=None)
    page = console(pages)
    write_down(page)
    expect(page.locator("#near .ticket")).to_contain_text(number)
    kept = page.evaluate("localStorage[Object.keys(localStorage).find((key) => key.startsWith('agent-draft'))]")
    page.route("**/api/v1/calls", lambda route: route.abort())
    page.keyboard.press("F2")  # warned once, then saved after all
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("网络中断")
    platform(pages, desk).tell("7731")
    page.click("#waiting button")
    page.locator("body").press("1")
    page.keyboard.press("Alt+m")
    page.click("#near .ticket button")
    page.click("#map")
    expect(page.locator("#category [aria-checked=true]")).to_contain_text("漏水")
    expect(page.locator("#place")).to_have_value(ZONE_A)
    sending = page.evaluate("localStorage[Object.keys(localStorage).find((key) => key.startsWith('agent-draft'))]")
    assert json.loads(sending) == json.loads(kept) | {"is_sending": True}
    page.unroute("**/api/v1/calls")
    expect(page.locator("#said .saved")).to_be_visible()
    assert [(ticket["category"], ticket["number"] == number) for ticket in tickets(desk)] == [
        ("leak", False),
        ("no_water", True),
    ]


def test_an_error_of_the_server_is_told_and_holds_nothing_up(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("status of 500")
    page = console(pages)
    write_down(page)
    error = {"status": 500, "code": "internal", "detail": "系统内部错误, 已记录"}
    page.route("**/api/v1/calls", lambda route: route.fulfill(status=500, json=error), times=1)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .fault")).to_contain_text("系统内部错误")
    page.fill("#description", "水表漏水, 两处")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    assert [ticket["description"] for ticket in tickets(desk)] == ["水表漏水, 两处"]


def test_a_server_that_does_not_answer_is_asked_again(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    page.clock.install()
    page.reload()
    write_down(page)
    held: list[Route] = []
    page.route("**/api/v1/calls", lambda route: held.append(route), times=1)
    # From here on time stands still but for what the test lets pass: on a slow machine the two seconds to the next try
    # would else be over before anybody looked.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 60)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("正在保存")
    page.clock.run_for(15_000)
    expect(page.locator("#said")).to_contain_text("网络中断")
    page.clock.run_for(2_000)
    expect(page.locator("#said .saved")).to_be_visible()
    assert len(tickets(desk)) == len(held) == 1


def test_what_a_portal_answers_is_no_receipt(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    write_down(page)
    page.route("**/api/v1/calls", lambda route: route.fulfill(body="<p>Wi-Fi</p>", status=200), times=1)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("网络中断")
    expect(page.locator("#said .saved")).to_be_visible()
    assert len(tickets(desk)) == 1


def test_what_could_not_be_looked_up_is_no_answer_and_is_asked_again(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("net::ERR|Failed to fetch")
    number = dispatched(desk, datetime.now(UTC))
    page = console(pages)
    page.clock.install()
    page.reload()
    write_down(page)
    lost = re.compile(r"/api/v1/(callers|nearby|grids|preview)")
    page.route(lost, lambda route: route.abort())
    for field, text in (("#caller_phone", CALLER_PHONE), ("#place", "112.98, 28.19")):
        page.fill(field, text)
        page.press(field, "Tab")
    for place in ("#caller", "#near", "#route"):
        expect(page.locator(place)).to_contain_text("没有取到")
    page.fill("#place", ZONE_A)
    expect(page.locator("#place-said")).to_contain_text("没有取到")
    page.unroute(lost)
    page.clock.run_for(5_000)
    expect(page.locator("#place-said")).to_contain_text("近似")
    expect(page.locator("#route")).to_contain_text("天心-03 水管家班组")
    expect(page.locator("#caller")).to_contain_text(number)
    expect(page.locator("#main")).not_to_contain_text("没有取到")


def test_a_session_that_ends_during_a_call_keeps_the_draft(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    write_down(page)
    page.context.clear_cookies(name="session")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#banner")).to_contain_text("内容已保留")
    page.click("#banner a")
    page.fill("input[name=login]", "agent")
    page.fill("input[name=password]", password_of("agent"))
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/agent")
    is_all_there(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    assert len(tickets(desk)) == 1


def test_an_unsaved_call_is_thrown_away_only_at_the_second_press_and_never_seen_by_another(
    pages: Pages, desk: Desk
) -> None:
    page = console(pages)
    write_down(page)
    page.keyboard.press("F2")
    expect(page.locator("#said")).to_contain_text("尚未保存")
    is_all_there(page)
    page.context.clear_cookies(name="session")
    sign_in(page, "dispatcher")
    page.goto("/agent")
    expect(page.locator("#address")).to_have_value("")
    page.context.clear_cookies(name="session")
    sign_in(page, "agent")
    is_all_there(page)
    page.keyboard.press("F2")
    page.keyboard.press("F2")
    expect(page.locator("#address")).to_have_value("")
    assert tickets(desk) == []
