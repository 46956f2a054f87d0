"""Stories of people without a login, in Chromium: what is known, a report with pin and photo, its way, a rating."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dispatch.domain.outage import NewOutage
from dispatch.domain.states import Status, Verb
from dispatch.domain.tracking import token
from dispatch.services import board, photos
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from tests.browser.test_every_page import violations
from tests.support.browser import Pages, picture
from tests.support.cast import CALLER_PHONE, ZONE_A, Cast, act, spot, ticket_at
from tests.support.outages import announce
from tests.support.pictures import jpeg
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
SCRIPT = "<img src=x onerror=alert(1)><script>alert(1)</script>'\"; =cmd()"

SECRET = "k" * 32  # of every site


def publish(desk: Desk, title: str = "坡子街 DN300 抢修", *, starts_in_h: float = -1, is_planned: bool = False) -> None:
    now = utc_now()
    told = NewOutage(
        title=title,
        place="坡子街, 黄兴路到下河街",
        is_planned=is_planned,
        zone_ids=[ZONE_A],
        starts_at=now + timedelta(hours=starts_in_h),
        ends_at=now + timedelta(hours=starts_in_h + 5),
    )
    announce(desk, told, now)


def fill_in(page: Page, **changes: str) -> None:
    page.select_option("#category", "leak")
    told = {
        "description": "水表前的水管漏水, 一直在流",
        "address": "坡子街 12 号 3 栋 501 室",
        "phone": CALLER_PHONE,
        **changes,
    }
    for name, value in told.items():
        page.fill(f"#{name}", value)


def report(page: Page, **changes: str) -> str:
    """Send a report and return its number."""
    fill_in(page, **changes)
    page.click("text=提交报修")
    number = page.locator("#sent .number")
    expect(number).to_be_visible()
    return number.inner_text()


def test_a_caller_reports_follows_and_rates(pages: Pages, cast: Cast, tmp_path: Path) -> None:
    desk = pages.site.desk
    publish(desk)
    publish(desk, "水厂检修", starts_in_h=30, is_planned=True)
    page = pages.visitor()
    page.goto("/")
    expect(page.locator("#outages h3")).to_have_text(["坡子街 DN300 抢修", "水厂检修"])
    expect(page.locator(".map-grid.is-off")).to_have_count(1)
    page.click("text=在地图上看 >> nth=0")
    page.wait_for_timeout(600)
    picture(page, "public")
    box = page.locator(".map-grid.is-off").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#pinned")).to_contain_text("已在地图上定位")
    expect(page.locator("#off-here")).to_contain_text("坡子街 DN300 抢修")
    photo = tmp_path / "leak.jpg"
    photo.write_bytes(jpeg(3000, 2000))
    page.set_input_files("#photo", photo)
    number = report(page)
    assert len(board.ticket(desk, cast.agent, number, utc_now())["calls"]) == 1
    page.clock.install()
    page.click("#sent a")
    follow(page, desk, cast, number)


def follow(page: Page, desk: Desk, cast: Cast, number: str) -> None:
    """The bar moves while the crew works, without a reload; then five stars."""
    current = page.locator("li.current .step")
    expect(current).to_have_text("已派单")
    expect(page.locator("body")).to_contain_text("坡子街 12 号…")
    expect(page.locator("body")).to_contain_text("坡子街 DN300 抢修")  # water is off there
    team = board.ticket(desk, cast.dispatcher, number, utc_now())["team_id"]
    crew = next(actor for actor in (cast.crew_a, cast.crew_b) if actor.team_id == team)
    for verb, step in (
        (Verb.ACCEPT, "已派单"),
        (Verb.DEPART, "已出发"),
        (Verb.ARRIVE, "已到场"),
        (Verb.DONE, "已完工"),
    ):
        act(desk, crew, number, verb, utc_now())
        page.clock.fast_forward(10_000)  # it asks again so often
        expect(current).to_have_text(step)
        if verb is Verb.ARRIVE:
            picture(page, "public-track")
    text = page.locator("body").inner_text()
    assert not [word for word in (CALLER_PHONE, "501", crew.name, cast.agent.name) if word in text]
    page.click("text=提交评价")
    expect(page.locator("#rating .fault")).to_have_text("请选择 1 到 5 星")
    page.keyboard.press("ArrowRight")  # the first star has the focus
    page.click(".star >> nth=4")
    page.fill("#words", SCRIPT)
    page.click("text=提交评价")
    expect(page.locator("#rate-title")).to_have_text("您的评价: 5 星")
    seen = board.ticket(desk, cast.dispatcher, number, utc_now())["rating"]
    assert (seen["stars"], seen["words"]) == (5, SCRIPT)


def test_number_and_four_digits_lead_to_the_same_page(pages: Pages) -> None:
    page = pages.visitor(width=390, height=844)
    page.goto("/")
    number = report(page)
    page.fill("#number", number.lower())
    page.fill("#phone-end", "9999")
    page.click("#track-form button")
    expect(page.locator("#track-fault")).to_contain_text("没有找到")
    page.fill("#phone-end", "1")
    page.click("#track-form button")
    expect(page.locator("#track-fault")).to_contain_text("最后四位")
    page.fill("#phone-end", CALLER_PHONE[-4:])
    page.click("#track-form button")
    expect(page.locator(".steps")).to_be_visible()
    page.goto(f"/track/{number}/{'A' * 43}")
    expect(page.locator("#progress")).to_contain_text("没有找到")


def test_a_photo_that_does_not_get_through_holds_no_number_back(pages: Pages, cast: Cast, tmp_path: Path) -> None:
    page = pages.visitor()
    page.goto("/")
    photo = tmp_path / "leak.jpg"
    photo.write_bytes(jpeg())
    page.set_input_files("#photo", photo)
    pages.watch.allow("ERR_FAILED")
    page.route("**/photos?uuid=*", lambda route: route.abort())
    number = report(page)
    expect(page.locator("#photo-said")).to_contain_text("照片没有传上")
    page.unroute("**/photos?uuid=*")
    page.click("#photo-said button")
    expect(page.locator("#photo-said")).to_have_text("照片已上传")
    assert len(photos.of_ticket(pages.site.desk, cast.dispatcher, number)) == 1


def test_what_is_missing_is_said_at_its_field(pages: Pages) -> None:
    page = pages.visitor(language="en")
    page.goto("/")
    send = page.get_by_role("button", name="Send the report")
    for fault, field, value in (
        ("Choose what is wrong", "#category", None),
        ("Write a few words", "#description", "leak"),
        ("Click the map", "#address", "12 Pozi Street"),
        ("Enter a phone number", "#phone", "0731-8496 0000"),
    ):
        send.click()
        expect(page.locator("#report-fault")).to_contain_text(fault)
        expect(page.locator(field)).to_be_focused()
        assert page.locator(field).get_attribute("aria-invalid") == "true"
        page.fill(field, value) if value else page.select_option(field, "leak")
    send.click()
    expect(page.locator("#sent")).to_contain_text("Your report has arrived")


def test_script_in_every_field_is_text_and_the_sixth_report_waits(pages: Pages, cast: Cast) -> None:
    desk = pages.site.desk
    publish(desk, SCRIPT)
    page = pages.visitor()
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    page.goto("/")
    expect(page.locator("#outages h3")).to_have_text(SCRIPT)
    number = report(page, description=SCRIPT, address=SCRIPT)
    assert board.ticket(desk, cast.agent, number, utc_now())["description"] == SCRIPT
    for n in range(4):
        page.click("text=再报一处")
        report(page, description=f"第 {n} 处")
    page.click("text=再报一处")
    fill_in(page)
    page.dblclick("text=提交报修")
    expect(page.locator("#report-fault")).to_contain_text("96533")
    assert page.input_value("#phone") == CALLER_PHONE  # what was written is still there


def test_a_double_press_makes_one_ticket(pages: Pages, cast: Cast) -> None:
    page = pages.visitor()
    page.goto("/")
    fill_in(page)
    page.evaluate("() => { const b = document.querySelector('#report-form button.primary'); b.click(); b.click(); }")
    expect(page.locator("#sent .number")).to_be_visible()
    found = board.tickets(pages.site.desk, cast.agent, Filter(), text="", after=0, limit=9, now=utc_now())
    assert len(found["items"]) == 1


def test_where_i_am_is_taken_from_the_browser(pages: Pages, cast: Cast) -> None:
    desk = pages.site.desk
    here = spot(desk, ZONE_A, utc_now())
    place = {"longitude": here.lon, "latitude": here.lat}
    page = pages.visitor(geolocation=place, permissions=["geolocation"])
    page.goto("/")
    page.click("text=用我的位置")
    expect(page.locator("#pinned")).to_contain_text("已在地图上定位")
    number = report(page, address="")
    ticket = board.ticket(desk, cast.agent, number, utc_now())
    assert (ticket["zone_id"], ticket["lon"]) == (ZONE_A, pytest.approx(here.lon, abs=1e-6))


def test_the_page_of_a_report_is_for_everybody(pages: Pages, cast: Cast) -> None:
    desk = pages.site.desk
    number = ticket_at(desk, Status.DONE, utc_now())
    publish(desk)
    address = f"/track/{number}/{token(SECRET, number)}"
    for language in ("zh", "en"):
        page = pages.visitor(language=language)
        page.goto(address)
        expect(page.locator("#rating form")).to_be_visible()
        assert violations(page) == [], language
    narrow = pages.visitor(width=320, height=640)
    narrow.goto(address)
    expect(narrow.locator("#rating form")).to_be_visible()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_page_says_when_it_is_cut_off(pages: Pages) -> None:
    number = ticket_at(pages.site.desk, Status.EN_ROUTE, utc_now())
    page = pages.visitor()
    page.goto(f"/track/{number}/{token(SECRET, number)}")
    expect(page.locator("li.current")).to_contain_text("已出发")
    pages.watch.allow("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    expect(page.locator("#age")).to_contain_text("连接中断")
    page.context.set_offline(False)
    expect(page.locator("#age")).to_contain_text("更新于")


def test_a_report_that_does_not_get_through_is_sent_again_as_one(pages: Pages, cast: Cast) -> None:
    page = pages.visitor()
    page.goto("/")
    fill_in(page)
    pages.watch.allow("ERR_FAILED")
    # The server takes it; its answer is lost on the way.
    page.route("**/public/reports", lambda route: (route.fetch(), route.abort()))
    page.click("text=提交报修")
    expect(page.locator("#report-fault")).to_contain_text("网络中断")
    page.unroute("**/public/reports")
    page.click("text=提交报修")
    expect(page.locator("#sent .number")).to_be_visible()
    found = board.tickets(pages.site.desk, cast.agent, Filter(), text="", after=0, limit=9, now=utc_now())
    assert len(found["items"]) == 1
