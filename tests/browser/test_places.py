"""The page of addresses, in Chromium: a table comes in, what contradicts itself is seen and taken out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Verb
from dispatch.services import places
from dispatch.services.desk import Desk
from tests.support.browser import Pages
from tests.support.cast import ZONE_A, ZONE_B, Cast, act, received, spot, what_it_needs
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
WAY = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.DONE)
NASTY = "<b>金领小区</b>"


def teach(desk: Desk, crew: str, cast: Cast, zone_id: str) -> None:
    """A ticket of one address that was pinned there and done by the crew of the grid."""
    now = utc_now()
    number = received(desk, now, address="金领小区3栋", point=spot(desk, zone_id, now))
    for verb in WAY:
        act(desk, getattr(cast, crew), number, verb, now, **what_it_needs(desk, verb, now))


def test_a_table_is_imported_and_a_wrong_lesson_is_taken_out(
    pages: Pages, desk: Desk, cast: Cast, tmp_path: Path
) -> None:
    teach(desk, "crew_a", cast, ZONE_A)
    teach(desk, "crew_b", cast, ZONE_B)
    table = tmp_path / "estates.csv"
    table.write_text(f"名称,区县,经度,纬度\n{NASTY},天心区,112.98,28.18\n好地方,天心区,999,28.18\n", "gbk")
    page = pages.signed_in("supervisor")
    page.goto("/places")
    page.click("#import button")
    expect(page.locator("#fault")).to_have_text("请选择文件")
    page.set_input_files("#file", table)
    page.click("#import button")
    expect(page.locator("#fault")).to_contain_text("请选择坐标系")
    page.select_option("#datum", "gcj02")
    page.click("#import button")
    expect(page.locator("#report")).to_contain_text("导入 1 行, 未导入 1 行")
    expect(page.locator("#report li")).to_contain_text("第 3 行")
    expect(page.locator("#imported tbody th")).to_have_text([NASTY])
    page.check("#disputed")
    lines = page.locator("#learned tbody tr")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("1 张工单")
    lines.first.get_by_role("button").click()
    expect(page.locator(".toast")).to_contain_text("已删除")
    expect(page.locator("#learned")).to_contain_text("没有")
    page.uncheck("#disputed")
    expect(lines).to_have_count(1)
    assert places.learned(desk, cast.admin, after=0, limit=9, is_disputed=True)["items"] == []
