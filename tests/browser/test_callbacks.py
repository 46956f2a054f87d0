"""Call-backs in Chromium: an agent works the queue by keyboard; a caller answers by link."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dispatch.domain.callback import Answer
from dispatch.domain.states import Status, Verb
from dispatch.services import board, calling_back
from dispatch.services.calling_back import Told
from dispatch.services.desk import Desk
from dispatch.services.links import sha256_of
from dispatch.storage import callbacks
from tests.browser.test_every_page import faults
from tests.support.browser import Pages
from tests.support.cast import Cast, act, call, ticket_at
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_an_agent_works_the_queue_by_keyboard(pages: Pages, desk: Desk, cast: Cast) -> None:
    """The first caller is content and her ticket closes with one key; the second's problem is worked on again."""
    now = utc_now()
    first = ticket_at(desk, Status.DONE, now)
    second = ticket_at(desk, Status.DONE, now, caller_phone="13000000002", category="burst")
    page = pages.signed_in("agent")
    page.goto("/callbacks")
    people = page.locator(".person")
    expect(people).to_have_count(2)
    expect(people.first).to_contain_text("130****0002")  # the burst is due first
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".phone")).to_have_text("13000000001")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast.error")).to_contain_text("请选择是否解决")
    page.keyboard.press("Space")  # the choice that is missing has the focus
    page.keyboard.press("Control+Enter")
    expect(page.locator("#talk")).to_contain_text("回访已记录")
    expect(page.locator(f'[data-close="{first}"]')).to_be_focused()
    page.keyboard.press("Alt+c")
    expect(page.locator("#closable")).to_contain_text("没有待办结的工单")
    assert board.ticket(desk, cast.agent, first, utc_now())["status"] == "closed"
    expect(people.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".phone")).to_have_text("13000000002")
    page.get_by_label("未解决").check()
    assert faults(page) == []
    page.locator("select").select_option("came_back")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#talk")).to_contain_text(second)
    expect(page.locator("#queue")).to_contain_text("没有待回访的来电人")
    expect(page.locator("#settled li").first).to_contain_text("修后又出现")
    assert board.ticket(desk, cast.agent, second, utc_now())["round"] == 2


def test_a_list_that_changes_by_itself_takes_the_focus_from_nobody(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    first = ticket_at(desk, Status.DONE, now)
    page = pages.signed_in("agent")
    page.goto("/callbacks")
    page.locator(".person").click()
    page.get_by_label("已解决").check()
    page.keyboard.press("Control+Enter")
    closing = page.locator(f'[data-close="{first}"]')
    expect(closing).to_be_focused()
    with page.expect_response("**/callbacks/closable"):
        ticket_at(desk, Status.DONE, now, caller_phone="13000000002")
    expect(page.locator(".person")).to_have_count(1)
    expect(closing).to_be_focused()


def test_the_board_tells_what_callers_said_and_leads_to_what_came_of_it(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    number = ticket_at(desk, Status.WORKING, now)
    call(desk, cast.agent, now, attach_to=number, caller_phone="13000000003")
    act(desk, cast.crew_a, number, Verb.DONE, now)
    with desk.store.read() as tx:
        (row,) = callbacks.waiting_of(tx, ["13000000003"])
    told = Told(row["id"], Answer(is_solved=False, is_satisfied=False, reason="came_back", note="夜里又漏"))
    (outcome,) = calling_back.settle(desk, cast.agent, [told], {}, now, None)["items"]
    page = pages.signed_in("supervisor")
    page.goto("/board")
    page.locator(f"[data-ticket='{number}']").click()
    said = page.locator("#detail section").filter(has=page.get_by_role("heading", name="回访"))
    expect(said).to_contain_text("130****0001 待回访")
    expect(said).to_contain_text("130****0003 已接通, 未解决, 不满意, 修后又出现, 夜里又漏 另开工单")
    expect(said).to_contain_text("坐席小周 (坐席) 已接通")
    expect(page.locator("#detail")).to_contain_text("个别用户另开的返工单")
    said.get_by_role("button", name=outcome["rework"]).click()
    expect(page.locator("#detail h2")).to_contain_text(outcome["rework"])
    expect(page.locator("#detail")).to_contain_text("返工自")
    page.locator("#detail").get_by_role("button", name=number).click()
    expect(page.locator("#detail h2")).to_contain_text(number)


def test_nobody_answers_and_the_next_one_comes_live(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    number = ticket_at(desk, Status.WORKING, now)
    page = pages.signed_in("agent")
    page.goto("/callbacks")
    expect(page.locator("#queue")).to_contain_text("没有待回访的来电人")
    call(desk, cast.agent, now, attach_to=number, caller_phone="13000000003")
    act(desk, cast.crew_a, number, Verb.DONE, utc_now())
    people = page.locator(".person")
    expect(people).to_have_count(2)
    people.first.click()
    expect(page.locator(".phone")).to_be_visible()
    page.keyboard.press("Alt+u")
    expect(page.locator("#talk")).to_contain_text("半小时后可再拨")
    page.check("#ready")
    expect(people).to_have_count(1)
    people.first.click()
    expect(page.locator(".phone")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#talk")).to_contain_text("从队列领取")


def test_a_caller_answers_by_link(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.DONE, utc_now())
    with desk.store.write() as tx:
        (row,) = callbacks.waiting_of(tx, ["13000000001"])
        callbacks.save(tx, [row["id"]], token_sha256=sha256_of("a-b_c"))
    page = pages.visitor()
    page.goto("/answer/a-b_c")
    box = page.locator("#answer")
    box.get_by_role("button").click()
    expect(box.locator(".fault")).to_have_text("请选择是否解决")
    box.get_by_role("group", name="是否解决").get_by_label("否").check()
    box.get_by_role("button").click()
    expect(box.locator(".fault")).to_contain_text("请选择原因")
    box.locator("select").select_option("not_fixed")
    box.get_by_role("button").click()
    expect(box).to_contain_text("已收到您的答复")
    assert board.ticket(desk, cast.agent, number, utc_now())["round"] == 2
