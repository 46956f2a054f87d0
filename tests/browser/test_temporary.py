"""A crew without signal helps for now: the order for the rest is there, once, when the phone has signal again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Status
from dispatch.services import board
from dispatch.services.desk import Desk
from tests.browser.agent_story import tickets
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import cast_of, ticket_at

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_a_temporary_fix_without_signal_opens_one_order(pages: Pages, desk: Desk) -> None:
    pages.watch.allow("net::ERR")
    number = ticket_at(desk, Status.WORKING, datetime.now(UTC), address="书院路 7 号")
    page = pages.signed_in("crew.a", width=390, height=844)
    expect(page.locator("#for-now")).to_be_visible()
    page.context.set_offline(True)
    page.click("#for-now")
    assert faults(page, "#job") == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.select_option("#kind", "frozen_meter_bypass")
    page.fill("#left", "解冻后换回水表")
    picture(page, "crew-temporary")
    page.click("#form-ok")
    expect(page.locator("#waiting")).to_contain_text("1 条待上传")
    assert len(tickets(desk)) == 1
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_contain_text("全部已上传", timeout=30_000)
    rest, first = tickets(desk)
    assert (first["number"], first["outcome"], rest["follow_up_of"]) == (number, "temporary", number)
    expect(page.locator("#main")).to_contain_text("后续工单, 原工单")
    seen = board.ticket(desk, cast_of(desk).crew_a, number, datetime.now(UTC))
    assert [one["number"] for one in seen["follow_ups"]] == [rest["number"]]

    supervisor = pages.signed_in("supervisor")
    supervisor.goto("/board")
    supervisor.locator(f"[data-ticket='{rest['number']}']").first.click()
    supervisor.locator("#detail").get_by_role("button", name=number).click()
    expect(supervisor.locator("#detail")).to_contain_text("冻坏水表改接直通管")
    expect(supervisor.locator("#detail").get_by_role("button", name=rest["number"])).to_be_visible()
