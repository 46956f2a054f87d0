"""What the screens share: names that are only ever text, keys under Caps Lock, and words where something fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from playwright.sync_api import Page, Route, expect

from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.domain.zone_file import read_zones
from dispatch.services import setup
from dispatch.services.desk import Desk
from tests.browser.test_every_page import violations
from tests.support.browser import Pages
from tests.support.cast import ZONE_A, dispatched
from tests.support.processes import utc_now
from tests.support.store import DATA, SINCE

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
MARKUP = "<img src=x alt=oops><b>甲</b>"


def rename_grids(desk: Desk) -> None:
    """Import the grids again under a name that looks like HTML."""
    data = (DATA / "zones.geojson").read_bytes()
    zones = [replace(zone, name=MARKUP) for zone in read_zones(data, datum=Datum.WGS84).zones]
    setup.import_zones(desk, SYSTEM, zones, source="zones.geojson", data=data, valid_from=SINCE, now=utc_now())


def points_at_a_grid(page: Page) -> None:
    """Let the mouse come to a grid: its name is shown beside it."""
    grids = page.locator("#map path.map-grid")
    expect(grids.first).to_be_visible()
    grids.first.dispatch_event("mouseover", {"bubbles": True})


def test_a_name_on_the_map_is_text_whatever_it_looks_like(pages: Pages, desk: Desk) -> None:
    rename_grids(desk)
    page = pages.signed_in("supervisor")
    page.goto("/board")
    points_at_a_grid(page)
    expect(page.locator(".map-name")).to_have_text(MARKUP)
    assert page.locator(".map-name :is(img, b)").count() == 0
    # The outlines of districts are a file of ours; what the map makes of their names is the same.
    visitor = pages.visitor()

    def rename(route: Route) -> None:
        districts = json.loads((DATA / "districts.geojson").read_text("utf-8"))
        for feature in districts["features"]:
            feature["properties"]["name"] = MARKUP
        route.fulfill(json=districts)

    visitor.route("**/map/districts.geojson", rename)
    visitor.goto("/")
    expect(visitor.locator(".map-district-name").first).to_have_text(MARKUP)
    assert visitor.locator(".map-district-name :is(img, b)").count() == 0


def test_letters_are_keys_under_caps_lock_too(pages: Pages, desk: Desk) -> None:
    number = dispatched(desk, utc_now(), ZONE_A)
    page = pages.signed_in("supervisor")
    page.goto("/board")
    expect(page.locator(f"[data-ticket='{number}']")).to_be_visible()
    page.keyboard.press("J")  # a capital without Shift
    assert page.evaluate("document.activeElement.dataset.ticket") == number
    page.keyboard.press("Shift+F")  # with Shift it is no key of the board
    assert not page.locator("#filters").evaluate("(filters) => filters.open")


def test_a_period_without_a_day_is_told_and_keeps_what_is_shown(pages: Pages, desk: Desk) -> None:
    dispatched(desk, utc_now(), ZONE_A)
    page = pages.signed_in("supervisor")
    page.goto("/figures")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    day = page.input_value("#to")
    page.fill("#to", "")
    expect(page.locator("#told")).to_have_text("请选择起止两个日期")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    page.fill("#to", day)
    expect(page.locator("#told")).to_have_text("")


def test_the_filters_of_the_board_come_as_soon_as_the_server_gives_them(pages: Pages) -> None:
    page = pages.signed_in("supervisor")
    asked = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, json={"code": "database-unavailable", "status": 503, "detail": "数据库暂不可用"})

    page.route("**/api/v1/board/teams", refuse)
    page.goto("/board")
    page.keyboard.press("f")
    expect(page.locator("#filters")).to_have_attribute("open", "")
    expect(page.get_by_label("级别")).to_have_count(0)
    assert asked
    page.unroute("**/api/v1/board/teams")
    expect(page.get_by_label("级别")).to_be_visible()


def test_what_closes_a_message_says_so(pages: Pages) -> None:
    for language, word in (("zh", "关闭"), ("en", "Close")):
        page = pages.visitor(language=language)
        page.goto("/")
        page.evaluate("import('/static/common/dom.js').then(({ toast }) => { toast('…', { kind: 'error' }); })")
        page.get_by_role("button", name=word, exact=True).click()
        expect(page.locator(".toast")).to_have_count(0)


def test_what_the_server_refuses_is_said_in_the_language_of_the_page(pages: Pages) -> None:
    for language, told in (("zh", "结束时间须晚于开始时间"), ("en", "The period is empty or too long")):
        page = pages.signed_in("supervisor", language=language)
        page.goto("/figures")
        page.fill("#from", "2026-11-24")
        page.fill("#to", "2026-11-01")
        expect(page.get_by_role("alert").first).to_contain_text(told)


def test_a_file_that_is_missing_fails_a_test_and_a_refused_request_does_not(pages: Pages) -> None:
    page = pages.visitor()
    page.goto("/signin")
    for path in ("/api/v1/tickets", "/static/common/gone.js", "/vendor/leaflet/gone.css"):
        page.evaluate("(path) => fetch(path).then((answer) => answer.text())", path)
    page.fill("#login", "agent")
    page.fill("#password", "falsch")
    page.press("#password", "Enter")
    expect(page.locator("#fault")).to_be_visible()
    missed = pages.watch.unexpected()
    assert [fault.partition("127.0.0.1")[2].partition("/")[2] for fault in missed] == [
        "static/common/gone.js)",
        "vendor/leaflet/gone.css)",
    ]
    pages.watch.allow(r"/gone\.")


def test_the_bar_stays_one_line_and_its_menu_opens_and_closes_by_keys_and_by_mouse(pages: Pages) -> None:
    page = pages.signed_in("admin")
    page.goto("/board")
    expect(page.locator("#lamp")).not_to_be_empty()
    assert page.locator(".bar").bounding_box()["height"] < 60  # type: ignore[index]
    summary, links = page.locator(".more-screens summary"), page.locator(".more-screens a")
    summary.focus()
    page.keyboard.press("Enter")
    expect(links.first).to_be_visible()
    assert violations(page, ".bar") == []
    page.keyboard.press("Tab")
    expect(links.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(links.first).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    page.locator("#queue-title").click()
    expect(links.first).to_be_hidden()
    summary.click()
    page.keyboard.press("Shift+Tab")  # the focus goes on, the menu closes behind it
    expect(links.first).to_be_hidden()
    summary.click()
    page.get_by_role("link", name="网格").click()
    page.wait_for_url("**/zones")
    expect(summary).to_have_text("更多: 网格")
    summary.click()
    expect(page.locator(".more-screens [aria-current=page]")).to_have_text("网格")
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
