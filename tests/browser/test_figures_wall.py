"""The figures of today on a wall, beside those of a week ago: large, by themselves, about nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Verb
from dispatch.services.desk import Desk
from tests.support.browser import Pages, picture
from tests.support.cast import BRANCH, Cast, act, dispatched
from tests.support.processes import utc_now

# The smallest type on the page, in px.
SMALLEST = """Math.min(...[...document.querySelectorAll(".wall dt, .wall dd *")]
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_today_stands_beside_a_week_ago(pages: Pages, desk: Desk, cast: Cast) -> None:
    now = utc_now()
    for n in range(3):
        number = dispatched(desk, now - timedelta(seconds=1), cti_call_id=str(n), caller_phone=f"1300000000{n}")
        act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    dispatched(desk, now - timedelta(days=7, seconds=1), cti_call_id="old", caller_phone="13000000009")
    page = pages.signed_in("supervisor", width=1920, height=1080)
    page.goto("/figures")
    page.clock.install(time=utc_now())
    page.get_by_role("link", name="今日指标").click()
    page.clock.pause_at(utc_now() + timedelta(seconds=3))  # however slow the machine, no page is turned yet
    tiles = page.locator("#tiles div")
    expect(tiles.first).to_have_text(re.compile("受理工单.*3.*上周同期 1"))
    expect(page.locator("#tiles")).to_contain_text(re.compile("接单按时率.*100.0 %.*上周同期 0.0 %"))
    page.clock.run_for(2_000)
    expect(page.locator("#age")).to_have_text(re.compile(r"数据 \d+ 秒前"))
    assert page.evaluate(SMALLEST) >= 24
    picture(page, "supervisor-figures-wall")
    expect(page.locator("#branches")).to_be_hidden()
    page.clock.run_for(15_000)
    row = page.locator("#rows tr").first
    expect(row).to_be_visible()
    expect(row.locator("th")).to_have_text(BRANCH)
    expect(row.locator("svg")).not_to_have_count(0)
    told = page.locator("main").inner_text()
    assert "13000000000" not in told
    assert "坡子街" not in told


def test_old_figures_are_called_old(pages: Pages, desk: Desk, cast: Cast) -> None:
    dispatched(desk, utc_now())
    page = pages.signed_in("supervisor")
    page.clock.install(time=utc_now())
    page.goto("/figures/wall")
    expect(page.locator("#age")).to_have_attribute("data-state", "live")
    pages.watch.allow("net::ERR")
    page.route("**/api/v1/**", lambda route: route.abort())
    page.clock.run_for(151_000)
    expect(page.locator("#age")).to_have_attribute("data-state", "lost")
