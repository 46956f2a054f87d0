"""The agent asks the online maps by one key and takes what they give: that is a pin, and teaches the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dispatch.services import board, places
from dispatch.services.desk import Desk
from dispatch.storage import places as stored
from dispatch.storage import tickets
from tests.services.test_places import WAY
from tests.support.browser import Pages, Watch
from tests.support.cast import ZONE_A, Cast, act, spot, what_it_needs
from tests.support.map_services import MapServices, Spot, map_services
from tests.support.processes import Site, utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
ADDRESS = "天心区老机床厂宿舍三栋"


@pytest.fixture
def services(desk: Desk) -> Iterator[MapServices]:
    with map_services() as server:
        server.spots[ADDRESS] = [Spot(spot(desk, ZONE_A, utc_now()), rank=28)]
        yield server


@pytest.fixture
def online(browser: Browser, desk: Desk, services: MapServices, tmp_path: Path) -> Iterator[Pages]:
    """A server whose geocoder is on, at its stand-in."""
    settings = {"DISPATCH_GEOCODERS": "nominatim", "DISPATCH_NOMINATIM_URL": services.origin}
    with Site(desk, tmp_path, **settings) as site:
        opened = Pages(browser, site, site.web().wait_until_up(), Watch())
        yield opened
        opened.close()
        assert opened.watch.unexpected() == []


def test_the_online_maps_are_asked_by_a_key_and_taken_by_another(online: Pages, desk: Desk, cast: Cast) -> None:
    page = online.signed_in("agent")
    page.goto("/agent")
    expect(page.locator("#command-keys")).to_contain_text("Alt+G 在线定位")
    page.keyboard.press("Alt+g")
    expect(page.locator("#address-note")).to_have_text("请先输入地址")
    page.locator("#address").fill(f"{ADDRESS}501室")
    page.keyboard.press("Alt+g")
    option = page.locator("#candidates [role=option]")
    expect(option).to_have_count(1)
    expect(option).to_have_attribute("aria-selected", "true")
    expect(page.locator("#address-note")).to_contain_text("Nominatim: ")
    page.keyboard.press("Enter")
    expect(page.locator("#place-said")).to_contain_text("已按地址定位")
    expect(page.locator("#route")).to_contain_text(ZONE_A)
    page.locator("#category [role=radio]").first.click()
    page.locator("#description").fill("没水")
    page.keyboard.press("Control+Enter")
    said = page.locator("#said")
    expect(said).to_contain_text("已保存")
    number = re.findall(r"GD\d{8}-\d+", said.inner_text())[0]
    with desk.store.write() as tx:
        ticket = tickets.lock(tx, number)
        assert ticket is not None
        assert stored.placed(tx, ticket.id).placed_by == "pin"
    for verb in WAY:
        act(desk, cast.crew_a, number, verb, utc_now(), **what_it_needs(desk, verb, utc_now()))
    with desk.store.read() as tx:
        best = places.find(desk, tx, ADDRESS).located.best
    assert best is not None
    assert "1 张已确认工单在此" in best.reason
    assert board.ticket(desk, cast.supervisor, number, utc_now())["status"] == "done"
