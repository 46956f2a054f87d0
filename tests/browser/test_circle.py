"""A supervisor looks at the service circle and tries one more depot, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM
from dispatch.services import depots
from dispatch.services.depots import Depot
from dispatch.services.desk import Desk
from tests.support.browser import Pages, picture
from tests.support.cast import dispatched
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_one_more_depot_is_tried(pages: Pages, desk: Desk) -> None:
    places = [
        Depot(2, "D1", "样例驻点 1", Wgs84Point(112.99, 28.125)),
        Depot(3, "D2", "样例驻点 2", Wgs84Point(113.03, 28.2)),
    ]
    depots.replace(desk, SYSTEM, places, utc_now(), is_sample=True)
    dispatched(desk, utc_now())
    page = pages.signed_in("supervisor")
    page.get_by_text("更多").click()
    page.get_by_role("link", name="服务圈").click()
    expect(page.locator("#told")).to_contain_text("不能画服务圈")
    expect(page.locator("#told")).to_contain_text("驻点是样例")
    expect(page.locator("#depots tbody tr")).to_have_count(2)
    expect(page.locator("#depots tbody tr").first).to_contain_text(re.compile(r"D1 样例驻点 1\d+\.\d %–\d+\.\d %"))
    expect(page.locator(".area-reached, .area-missed")).to_have_count(0)  # a guess is never drawn
    holes = page.locator("#holes tbody tr").count()

    page.get_by_label("经度,纬度").fill("somewhere")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("请写成 112.98,28.19 的形式")
    page.get_by_label("经度,纬度").fill("112.82,28.36")
    page.keyboard.press("Enter")
    expect(page.locator("#gain")).to_contain_text(re.compile(r"增设后: 面积 .* → "))
    expect(page.locator("#depots tbody tr")).to_have_count(3)
    assert page.locator("#holes tbody tr").count() < holes
    picture(page, "supervisor-circle")

    page.locator("#map").click(position={"x": 200, "y": 150})
    expect(page.get_by_label("经度,纬度")).not_to_have_value("112.82,28.36")
    page.get_by_role("button", name="撤去").click()
    expect(page.locator("#depots tbody tr")).to_have_count(2)
    expect(page.locator("#gain")).to_be_empty()
