"""What the screens share."""

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
from tests.support.browser import Pages
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
