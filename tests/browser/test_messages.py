"""Told at night, in Chromium: the link in the message, one large button; and the page of all one was told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from dispatch.services import surge
from dispatch.services.desk import Desk
from dispatch.services.escalation import sweep
from dispatch.services.links import sha256_of
from dispatch.storage.messages import MESSAGES
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import Cast, dispatched
from tests.support.night import around_the_clock, set_up
from tests.support.processes import utc_now
from tests.support.rosters import LEAD_POST

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_an_escalation_is_answered_from_its_link_and_read_on_my_messages(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    set_up(desk, now - timedelta(hours=1), around_the_clock())
    number = dispatched(desk, now - timedelta(minutes=16), category="burst")
    sweep(desk, now)  # nobody took it: B is told; half of the time to arrive is over: A is reminded
    with desk.store.write() as tx:
        of_a = update(MESSAGES).where(MESSAGES.c.user_id == cast.crew_a.user_id)
        tx.conn.execute(of_a.values(token_sha256=sha256_of("t-1")))
    page = pages.visitor()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/m/t-1")
    card = page.locator("#message")
    expect(card).to_contain_text(f"{number} 到场时限已用 50%: 提醒到场")
    expect(card).to_contain_text("天心-03 班组: 全天 08:00-次日08:00, A角")
    expect(card).to_contain_text("待应答")
    picture(page, "alert-link")
    assert faults(page) == []
    card.get_by_role("button", name="我已知悉").click()
    expect(card).to_contain_text("已应答, 不再通知下一位")
    expect(card).to_contain_text("水管家甲 (水管家) (短信链接)")
    mine = pages.signed_in("crew.a")
    mine.goto("/messages")
    expect(mine.locator("#list > li")).to_have_count(1)
    expect(mine.locator("#list")).to_contain_text("短信链接")
    # Another step, answered on the page itself.
    sweep(desk, now + timedelta(minutes=9))
    mine.reload()
    line = mine.locator("#list > li").first
    expect(line).to_contain_text("到场时限已用 80%: 仍可挽回")
    assert faults(mine) == []
    picture(mine, "my-messages")
    line.get_by_role("button", name="我已知悉").click()
    expect(line).to_contain_text("水管家甲 (水管家) ·")
    expect(line.get_by_role("button")).to_have_count(0)


def test_a_link_that_is_none_says_so(pages: Pages) -> None:
    pages.watch.allow(r" 404 .*/public/alerts/nothing\)$")
    page = pages.visitor()
    page.goto("/m/nothing")
    expect(page.get_by_role("alert")).to_contain_text("链接不完整")


def test_a_digest_and_the_steps_that_it_held_are_read_on_my_messages(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    roster = around_the_clock()
    roster["people"].append({"id": "supervisor", "name": "值班长陈工"})
    roster["members"] = [
        {**one, "person": "supervisor"} if one["unit"] == LEAD_POST else one for one in roster["members"]
    ]
    set_up(desk, now - timedelta(hours=1), roster)
    # Just now: the site's own scheduler must not send the digest before it is looked for.
    surge.enter(desk, cast.supervisor, "寒潮", {}, now)
    numbers = [dispatched(desk, now - timedelta(minutes=25)) for _ in range(2)]
    sweep(desk, now)
    mine = pages.signed_in("supervisor")
    mine.goto("/messages")
    lines = mine.locator("#list > li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("等下一条汇总")
    surge.watch(desk, lambda: now + timedelta(minutes=20))
    mine.reload()
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("大流量汇总")
    expect(lines.first.get_by_role("button")).to_have_count(0)
    for n, number in enumerate(reversed(numbers), 1):
        expect(lines.nth(n)).to_contain_text(number)
        expect(lines.nth(n)).to_contain_text("已并入")
    assert faults(mine) == []
    lines.nth(1).get_by_role("button", name="我已知悉").click()
    expect(lines.nth(1)).to_contain_text("值班长陈工 (值班长) ·")
