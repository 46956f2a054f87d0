"""The story of a notice in Chromium: drawn, approved by another, published; a call answered with one key; restored."""

from __future__ import annotations

import re
import struct
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dispatch.domain.outage import NewOutage, OutageVerb
from dispatch.services import outage_view, outages
from dispatch.services.desk import Desk
from dispatch.services.outages import Deed
from dispatch.storage.calls import CALLS
from tests.browser import test_public
from tests.browser.test_every_page import faults, in_both_languages, violations
from tests.support.browser import Pages
from tests.support.cast import ZONE_A, Cast, dispatched, spot
from tests.support.everything import fill
from tests.support.outages import announce
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def local(hours: float) -> str:
    """A time of Changsha as a field takes it."""
    return (utc_now() + timedelta(hours=8 + hours)).strftime("%Y-%m-%dT%H:%M")


def colours(png: bytes) -> tuple[int, int, int]:
    """Width and height of a PNG of 8 bits, and how many different lines of pixels it has."""
    width, height = struct.unpack(">II", png[16:24])
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(data)
    step = len(raw) // height
    return width, height, len({raw[n * step : (n + 1) * step] for n in range(height)})


def write(page: Page, around: tuple[float, float]) -> None:
    """Write a planned outage of twenty minutes ago, by keyboard: its area is typed point by point."""
    page.goto("/outages")
    expect(page.locator("#grid-filter")).to_have_count(0)
    expect(page.locator("#map path.map-grid").first).to_be_attached()
    page.keyboard.press("n")
    page.fill("#title", "坡子街阀门更换")
    page.fill("#place", "坡子街一带")
    page.fill("#starts_at", local(-0.3))
    page.fill("#ends_at", local(5))
    page.fill("#late_return_h", "2")
    page.fill("#estates", "岳麓公馆\n坡子街")
    page.click("#draw")
    lon, lat = around
    for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        page.fill("#sketch-pair", f"{lon + east * 0.001:.6f}, {lat + north * 0.001:.6f}")
        page.press("#sketch-pair", "Enter")
    expect(page.locator("#sketch ol li")).to_have_count(4)
    page.locator("#sketch button.primary").press("Enter")
    expect(page.locator("#area-said")).to_have_text("已画 4 个顶点")
    page.locator("#panel form button.primary").press("Enter")
    expect(page.locator("#panel h2").first).to_have_text("坡子街阀门更换")
    expect(page.locator("#do-approve")).to_be_disabled()  # by the one who wrote it


def take_call(page: Page, around: tuple[float, float]) -> None:
    """Write down a call of no water from a pin."""
    page.keyboard.press("F2")
    page.fill("#caller_phone", "13000000001")
    page.fill("#place", f"{around[0]:.6f}, {around[1]:.6f}")
    page.select_option("#datum", "wgs84")
    page.locator("#category [role=radio]").nth(4).click()
    page.fill("#description", "整栋楼没水")


def test_from_draft_to_restored(pages: Pages, cast: Cast, tmp_path: Path) -> None:
    desk = pages.site.desk
    here = spot(desk, ZONE_A, utc_now())
    around = (here.lon, here.lat)
    writer, other, agent = (pages.signed_in(login) for login in ("dispatcher", "supervisor", "agent"))
    write(writer, around)

    other.goto("/outages")
    other.locator("#list button").first.click()
    other.click("#do-approve")
    expect(other.locator("#fault")).to_contain_text("不足 24 小时")
    other.fill("#note", "阀门已裂")
    other.click("#do-approve")
    expect(other.locator("#panel .chip[data-status=approved]")).to_be_visible()
    expect(writer.locator("#do-publish")).to_be_visible()  # live
    writer.click("#do-publish")
    expect(writer.locator("#panel .chip[data-status=published]")).to_be_visible()

    with writer.expect_download() as download:
        writer.click("#png")
    path = tmp_path / "notice.png"
    download.value.save_as(path)
    size = writer.locator("img.drawing").evaluate("one => [one.naturalWidth, one.naturalHeight]")
    width, height, lines = colours(path.read_bytes())
    assert ([width, height], width, lines > 100) == (size, 1080, True)

    agent.goto("/agent")
    take_call(agent, around)
    expect(agent.locator("#outages .known")).to_contain_text("高层住户和二次供水小区")
    agent.keyboard.press("Control+Enter")
    expect(agent.locator("#said")).to_contain_text("预计")
    take_call(agent, around)
    expect(agent.locator("#outages .known")).to_be_visible()
    agent.keyboard.press("Alt+o")
    expect(agent.locator("#save")).to_contain_text("派单")
    agent.keyboard.press("Control+Enter")
    expect(agent.locator("#said .saved")).to_have_attribute("data-number", re.compile("GD"))

    writer.fill("#longer", local(7))
    writer.click("#do-extend")
    expect(writer.locator("#panel")).to_contain_text("预计恢复时间由")
    public = pages.visitor()
    public.goto("/")
    expect(public.locator("#outages")).to_contain_text("预计恢复时间由")
    expect(public.locator("#map path.map-area")).to_be_attached()
    writer.click("#do-restore")
    expect(writer.locator("#panel .chip[data-status=restored]")).to_be_visible()

    take_call(agent, around)
    expect(agent.locator("#outages .known")).to_have_count(0)
    agent.keyboard.press("Control+Enter")
    expect(agent.locator("#said .saved")).to_have_attribute("data-number", re.compile("GD"))
    with desk.store.read() as tx:
        found = tx.conn.execute(select(CALLS.c.outcome, CALLS.c.outage_id).order_by(CALLS.c.id)).all()
    assert [tuple(row) for row in found] == [
        ("answered", 1),
        ("ticket", 1),
        ("ticket", None),
    ]  # the second was sent all the same
    assert outage_view.known(desk, utc_now()) == []


def test_the_page_is_for_everybody(pages: Pages) -> None:
    fill(pages.site.desk)

    def see(page: Page) -> list[str]:
        page.goto("/outages")
        page.locator("#list button").first.click()
        expect(page.locator("#announcement")).to_be_visible()
        found = faults(page)
        page.click("#new")
        expect(page.locator("#grids label")).not_to_have_count(0)
        page.click("#draw")
        expect(page.locator("#sketch-pair")).to_be_visible()
        return found + faults(page)

    in_both_languages(pages, "supervisor", see)


def test_a_report_inside_is_answered_unless_somebody_insists(pages: Pages) -> None:
    test_public.publish(pages.site.desk)
    here = spot(pages.site.desk, ZONE_A, utc_now())
    page = pages.visitor(permissions=["geolocation"], geolocation={"longitude": here.lon, "latitude": here.lat})
    page.goto("/")
    page.click("#locate")
    expect(page.locator("#pinned")).to_contain_text("已在地图上定位")
    test_public.fill_in(page)
    page.select_option("#category", "no_water")
    page.click("#report-form button.primary")
    expect(page.locator("#sent h3")).to_have_text("已有停水公告")
    assert violations(page, "#report") == []
    page.click("text=情况不同, 仍要报修")
    expect(page.locator("#sent .number")).to_have_text(re.compile("GD"))


def test_who_stored_water_is_told_that_there_will_be_none_off(pages: Pages, cast: Cast) -> None:
    test_public.publish(pages.site.desk)
    (known,) = outage_view.known(pages.site.desk, utc_now())
    gone = Deed(verb=OutageVerb.CANCEL, note="改期")
    outages.act(pages.site.desk, cast.supervisor, known["id"], gone, {}, utc_now())
    page = pages.visitor()
    page.goto("/")
    expect(page.locator("#outages li")).to_contain_text("已取消")
    expect(page.locator("#outages li")).to_contain_text("的停水取消, 供水正常")
    expect(page.locator("#map path.map-grid").first).to_be_attached()
    expect(page.locator("#map .is-off")).to_have_count(0)
    assert faults(page, "#outages") == []


def test_board_and_crew_see_what_is_off(pages: Pages, desk: Desk, cast: Cast) -> None:
    """Whoever sends people, and who is sent, knows of the notices; the line goes when water is back."""
    now = utc_now()
    dispatched(desk, now)
    board, phone = pages.signed_in("supervisor"), pages.signed_in("crew.a", width=390, height=800)
    board.goto("/board")
    phone.goto("/crew")
    expect(phone.locator(".job .address")).to_have_text("天心区坡子街 12 号")
    expect(board.locator("#outages")).to_be_hidden()
    told = NewOutage(
        title="坡子街爆管抢修", place="坡子街一带", is_planned=False, zone_ids=(ZONE_A,),
        starts_at=now - timedelta(hours=2), ends_at=now - timedelta(seconds=1),
    )  # fmt: skip
    notice = announce(desk, told, now - timedelta(hours=2))
    expect(board.locator("#outages-line")).to_contain_text("停水公告 1 条 · ⚠ 1 条已过预计恢复时间")
    board.locator("#outages summary").click()
    expect(board.locator("#outages-list li")).to_contain_text("坡子街爆管抢修 · 坡子街一带 · 原预计")
    expect(phone.locator(".job")).to_contain_text("所在网格有停水公告: ⚠ 坡子街爆管抢修")
    assert violations(board) == violations(phone) == []
    outages.act(desk, cast.dispatcher, notice["id"], Deed(verb=OutageVerb.RESTORE), {}, utc_now())
    expect(board.locator("#outages")).to_be_hidden()
    expect(phone.locator(".job")).not_to_contain_text("停水公告")
