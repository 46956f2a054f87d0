"""What a phone did and the server will not have: said in words, kept until somebody has read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dispatch.domain.states import Status, Verb
from dispatch.services import board
from dispatch.services.desk import Desk
from dispatch.storage.accounts import SESSIONS
from tests.browser.test_crew import phone, press
from tests.support.browser import Pages, sign_in
from tests.support.cast import TEAM_B, Cast, act, dispatched, password_of, ticket_at

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
SENT = "全部已上传"


def utc_now() -> datetime:
    return datetime.now(UTC)


def kinds(desk: Desk, cast: Cast, number: str) -> list[str]:
    return [event["kind"] for event in timeline(desk, cast, number)]


def timeline(desk: Desk, cast: Cast, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.ticket(desk, cast.dispatcher, number, utc_now())["timeline"]
    return found


def cut(page: Page, pages: Pages) -> None:
    """Lose the signal."""
    pages.watch.allow("net::ERR")
    page.context.set_offline(True)


def is_sent(page: Page) -> None:
    expect(page.locator("#waiting")).to_have_text(SENT, timeout=60_000)


def test_two_who_press_the_same_button(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    one, other = phone(pages), phone(pages, "lead.a")
    for page in (one, other):
        expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
        cut(page, pages)
        press(page, "accept")
        expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    press(other, "depart")
    for page in (one, other):
        page.context.set_offline(False)
        expect(page.locator("#waiting")).not_to_contain_text("2 条")
        if page is one:
            is_sent(one)
    refused = other.locator("#refused")
    expect(refused).to_contain_text("工单现在是“接单”, 不能接单", timeout=60_000)
    expect(refused).to_contain_text("现为“接单”")
    expect(refused).to_contain_text("后面还有 1 条在等它")
    refused.get_by_role("button", name="知道了, 不再上传").click()
    is_sent(other)
    expect(refused).to_be_empty()
    expect(one.locator("#big")).to_have_attribute("data-verb", "arrive")
    assert [kind for kind in kinds(desk, cast, number) if kind in ("accept", "depart")] == ["accept", "depart"]


def test_two_phones_of_one_person(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    both = [phone(pages), phone(pages)]
    for page in both:
        expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
        cut(page, pages)
        press(page, "accept")
        expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    for page in both:
        page.context.set_offline(False)
        is_sent(page)
        expect(page.locator("#refused")).to_be_empty()
        expect(page.locator("#big")).to_have_attribute("data-verb", "depart")
    assert kinds(desk, cast, number).count("accept") == 1


def test_a_ticket_that_went_to_others(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
    cut(page, pages)
    press(page, "accept")
    press(page, "depart")
    expect(page.locator("#waiting")).to_contain_text("2 条待上传")
    act(desk, cast.dispatcher, number, Verb.REASSIGN, utc_now(), team_id=TEAM_B)
    page.context.set_offline(False)
    refused = page.locator("#refused")
    expect(refused).to_contain_text("工单已不在本班组", timeout=60_000)
    expect(page.locator("#job")).to_contain_text("现在没有工单")
    for left in ("需要处理 (1)", "需要处理 (1)"):
        expect(refused).to_contain_text(left)
        refused.get_by_role("button", name="知道了, 不再上传").click()
    expect(refused).to_be_empty()
    is_sent(page)
    assert "accept" not in kinds(desk, cast, number)


def test_whoever_is_signed_out_loses_nothing(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
    with desk.store.write() as tx:
        tx.conn.execute(update(SESSIONS).values(ended_at=utc_now()))
    page.wait_for_timeout(2500)  # until the server asks again who it is
    press(page, "accept")
    expect(page.locator("#signed-out")).to_be_visible(timeout=30_000)
    expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    page.get_by_role("link", name="重新登录").click()
    page.fill("input[name=login]", "crew.a")
    page.fill("input[name=password]", password_of("crew.a"))
    page.press("input[name=password]", "Enter")
    is_sent(page)
    assert kinds(desk, cast, number).count("accept") == 1


def test_what_somebody_left_on_a_phone_waits_for_them(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
    page.route("**/accept", lambda route: route.abort())
    pages.watch.allow("net::ERR")
    press(page, "accept")
    expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    page.click("form[action='/signout'] button")
    page.locator("#toasts").get_by_role("button", name="退出").click()
    page.wait_for_url("**/signin")
    page.unroute("**/accept")
    sign_in(page, "lead.a")
    expect(page.locator("#waiting")).to_contain_text("另有 1 条是别人的")
    expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
    page.click("form[action='/signout'] button")
    page.wait_for_url("**/signin")
    sign_in(page, "crew.a")
    expect(page.locator("#big")).to_have_attribute("data-verb", "depart")
    is_sent(page)
    (event,) = [event for event in timeline(desk, cast, number) if event["kind"] == "accept"]
    assert event["text"] == "水管家甲 (水管家) 接单"


def test_a_server_that_never_answers_keeps_nothing_waiting(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    expect(page.locator("#big")).to_have_attribute("data-verb", "accept")
    page.clock.install()
    page.reload()
    silent: list[str] = []
    page.route("**/accept", lambda route: silent.append(route.request.url), times=1)
    press(page, "accept")
    expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    page.clock.run_for(21_000)
    page.clock.run_for(3_000)
    is_sent(page)
    assert len(silent) == 1
    assert kinds(desk, cast, number).count("accept") == 1


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_phone_whose_clock_is_wrong_by_an_hour(pages: Pages, desk: Desk, cast: Cast, hours: int) -> None:
    number = ticket_at(desk, Status.DISPATCHED, utc_now())
    page = phone(pages)
    page.clock.install(time=utc_now() + timedelta(hours=hours))
    page.reload()
    expect(page.locator(".job .sla-time")).to_contain_text("剩 9:")
    before = utc_now()
    press(page, "accept")
    expect(page.locator("#big")).to_have_attribute("data-verb", "depart")
    is_sent(page)
    (event,) = [event for event in timeline(desk, cast, number) if event["kind"] == "accept"]
    assert abs(datetime.fromisoformat(event["effective_at"]) - before) < timedelta(seconds=10)
