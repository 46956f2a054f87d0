"""What online geocoders suggest, at the board: shown in the timeline, and taken by a person with one key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dispatch.domain.address import Candidate, Level
from dispatch.domain.place import Datum
from dispatch.geocode.guarded import Guarded
from dispatch.services import board, suggesting
from dispatch.services.desk import Desk
from dispatch.services.lookup import Lookup
from dispatch.storage import suggestions, tickets
from tests.support.browser import Pages
from tests.support.cast import ZONE_B, Cast, received, spot
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
ADDRESS = "坡子街某处"


@dataclass
class Known:
    """A geocoder that always gives the same place."""

    place: Candidate
    name: str = "amap"
    datum: Datum = Datum.GCJ02

    def find(self, _text: str) -> Sequence[Candidate]:
        return [self.place]


def test_a_suggestion_is_taken_by_a_key_and_only_by_a_person(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = received(desk, utc_now() - timedelta(minutes=1), category="billing", point=None, address=ADDRESS)
    here = spot(desk, ZONE_B, utc_now())
    with desk.store.write() as tx:
        ticket = tickets.lock(tx, number)
        assert ticket is not None
        suggestions.put(tx, ticket.id, ADDRESS, utc_now())
    found = Candidate(ADDRESS, Level.ESTATE, here, 300, None, None, None, None, 0.8, "", "amap")
    assert suggesting.suggest(desk, Lookup([Guarded(Known(found), utc_now)]), utc_now).found == 1
    page = pages.signed_in("supervisor")
    page.goto("/board")
    page.locator(f"[data-ticket='{number}']").click()
    expect(page.locator("#detail .timeline")).to_contain_text(f"在线定位建议: {ADDRESS}")
    page.locator("#detail [data-action=reassign]").press("Enter")
    form = page.get_by_role("form", name="派给")
    expect(form.get_by_label("位置")).to_have_value("")
    form.get_by_role("button", name=re.compile(f"采用在线建议: {ADDRESS}")).press("Enter")
    expect(form.get_by_label("位置")).to_have_value(f"{here.lon:.6f},{here.lat:.6f}")
    expect(form.get_by_label("位置")).to_be_focused()
    expect(form.locator("#pin-said")).to_contain_text(ZONE_B)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(number)
    seen = board.ticket(desk, cast.supervisor, number, utc_now())
    assert (seen["zone_id"], seen["status"]) == (ZONE_B, "dispatched")
