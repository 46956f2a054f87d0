"""Who can be there in time: a warning before the dispatch, the reasons with the ticket, the risk in the queue."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Verb
from dispatch.services.desk import Desk
from tests.browser.test_every_page import violations
from tests.services.test_recommend import away, stand
from tests.support.browser import Pages, picture
from tests.support.cast import TEAM_A, ZONE_A, Cast, act, dispatched, spot
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_the_agent_is_warned_before_saving(pages: Pages, desk: Desk, cast: Cast) -> None:
    stand(desk, cast.crew_a, away(spot(desk, ZONE_A, utc_now()), 20), utc_now())
    page = pages.signed_in("agent")
    page.keyboard.press("F2")
    page.get_by_role("radio", name=re.compile("无水")).click()
    page.locator("#place").fill("天心-03")
    card = page.locator("#route")
    expect(card).to_contain_text("预计无人能在 30 分钟内到场, 最快 水管家甲")
    expect(card).to_contain_text("直线估算")
    expect(card).to_contain_text("下班或未开定位")
    assert violations(page) == []
    picture(page, "agent-nobody-in-time")


def test_the_board_says_who_could_go_and_what_will_be_late(pages: Pages, desk: Desk, cast: Cast) -> None:
    here = spot(desk, ZONE_A, utc_now())
    stand(desk, cast.crew_a, away(here, 16), utc_now())
    stand(desk, cast.crew_b, away(here, 1), utc_now())
    number = dispatched(desk, utc_now(), ZONE_A)
    act(desk, cast.crew_a, number, Verb.ACCEPT, utc_now())
    page = pages.signed_in("supervisor")
    page.goto("/board")
    row = page.locator(f"[data-ticket='{number}']")
    # The scheduler of the site has estimated the way: long before 80 % the ticket is to be rescued.
    expect(page.locator(f"[data-group=rescue] [data-ticket='{number}']")).to_be_visible(timeout=15_000)
    expect(row).to_contain_text(re.compile(r"预计 \d+ 分到, 只剩 (29|30) 分 \(直线估算\)"))
    row.click()
    expect(page.locator("#detail")).to_contain_text("谁能到场")
    expect(page.locator("#detail .advice")).to_contain_text("水管家乙")
    expect(page.locator("#detail .advice")).to_contain_text(re.compile(r"水管家甲.*预计 \d+ 分到, 只剩 30 分"))
    assert violations(page) == []
    picture(page, "supervisor-advice")
    page.keyboard.press("r")
    form = page.get_by_role("form", name="改派给")
    expect(form.locator("label.candidate").first).to_contain_text(re.compile("水管家乙 · 约 .* 分, 直线估算"))
    assert TEAM_A not in str(form.get_by_role("radio").evaluate_all("all => all.map((one) => one.value)"))
