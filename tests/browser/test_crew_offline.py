"""A crew without signal: nothing it does is lost or done twice, whatever dies in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route, expect
from sqlalchemy import select

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from dispatch.storage.photos import PHOTOS
from dispatch.storage.tickets import EVENTS, TICKETS
from tests.support import pictures
from tests.support.browser import Pages, sign_in
from tests.support.cast import ZONE_A, dispatched, spot, ticket_at
from tests.support.phone import Phone

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("dialect", ["sqlite"], indirect=True),
]
SENT = "全部已上传"
WITHIN_MS = 90_000
# A phone knows the server's time from one answer, late by the way that it took.
CLOCKS_APART = timedelta(seconds=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def phones(playwright: Playwright, pages: Pages, tmp_path: Path) -> Iterator[Callable[[str], Phone]]:
    """Phones by name, near the place of the work."""
    place = spot(pages.site.desk, ZONE_A, utc_now())
    here = {"longitude": place.lon, "latitude": place.lat + 0.0005, "accuracy": 12.0}
    made: list[Phone] = []

    def make(name: str) -> Phone:
        made.append(Phone(playwright, tmp_path / name, pages.address, pages.watch, here))
        return made[-1]

    # What is cut off says so on the console.
    pages.watch.allow("net::ERR")
    yield make
    for phone in made:
        phone.stop()


def ready(phone: Phone, login: str = "crew.a") -> Page:
    """Sign in, let the page settle on the phone, and have it written to the disk."""
    page = phone.start()
    sign_in(page, login)
    expect(page.locator("#job-top")).not_to_be_empty()
    page.evaluate("() => navigator.serviceWorker.ready.then((all) => all.active.state)")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    return page


def choose(page: Page, number: str) -> None:
    """Make a job the one on the card."""
    other = page.locator(f"#job-{number}")
    if other.count():
        other.click()
    expect(page.locator(".job")).to_have_attribute("aria-label", number)


def do(page: Page, number: str, *verbs: str) -> dict[str, tuple[datetime, datetime]]:
    """Press the large button for each of `verbs`; return when each was pressed, within the two times."""
    pressed = {}
    for verb in verbs:
        choose(page, number)
        before = utc_now()
        page.locator(f"#big[data-verb={verb}]").click()
        expect(page.locator(f"#big[data-verb={verb}]")).to_have_count(0)
        pressed[verb] = (before, utc_now())
    return pressed


def shoot(page: Page, number: str, stage: str, colour: str) -> None:
    choose(page, number)
    name = page.locator(f"label[for=photo-{stage}]")
    before = name.text_content()
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg(1600, 1200, colour)}
    page.set_input_files(f"#photo-{stage}", picture)  # type: ignore[arg-type]
    expect(name).not_to_have_text(before or "")


def until(page: Page, is_so: Callable[[], object]) -> None:
    """Wait while the page goes on."""
    for _ in range(WITHIN_MS // 100):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it never came")


def waiting(page: Page, count: int) -> None:
    expect(page.locator("#waiting")).to_contain_text(f"{count} 条待上传" if count else SENT, timeout=WITHIN_MS)


def events(desk: Desk, number: str) -> list[dict[str, Any]]:
    """What crews did to a ticket, in the order of the server."""
    query = select(EVENTS).join(TICKETS, TICKETS.c.id == EVENTS.c.ticket_id).where(TICKETS.c.number == number)
    with desk.store.read() as tx:
        rows = tx.conn.execute(query.order_by(EVENTS.c.id)).mappings()
        return [dict(row) for row in rows if row["kind"] in ("photo", *DAY)]


DAY = ("accept", "depart", "arrive", "work", "done")


def test_twenty_actions_and_five_photos_survive_two_dead_batteries(
    pages: Pages, desk: Desk, phones: Callable[[str], Phone]
) -> None:
    first, second, third, fourth = numbers = [
        dispatched(desk, utc_now(), category="pressure", address=f"书院路 {n} 号", cti_call_id=str(n)) for n in range(4)
    ]
    phone = phones("phone")
    ready(phone)
    phone.stop()  # the evening before: cookies lie on the disk
    page = phone.start()
    page.goto("/crew")
    waiting(page, 0)
    expect(page.locator(".job")).to_have_attribute("data-number", re.compile("GD"))

    pages.web.kill()
    phone.context.set_offline(True)  # type: ignore[union-attr]
    pressed = {first: do(page, first, "accept", "depart", "arrive")}
    shoot(page, first, "before", "red")
    pressed[second] = do(page, second, "accept", "depart")
    waiting(page, 6)
    phone.kill()

    page = phone.start(has_signal=False)
    page.goto("/crew")
    waiting(page, 6)
    expect(page.locator("#age")).to_contain_text("未连接")
    pressed[first] |= do(page, first, "work")
    shoot(page, first, "after", "green")
    pressed[first] |= do(page, first, "done")
    pressed[second] |= do(page, second, "arrive", "work")
    shoot(page, second, "after", "blue")
    pressed[third] = do(page, third, "accept", "depart", "arrive")
    waiting(page, 15)
    phone.kill()

    page = phone.start(has_signal=False)
    page.goto("/crew")
    waiting(page, 15)
    pressed[second] |= do(page, second, "done")
    pressed[third] |= do(page, third, "work", "done")
    pressed[fourth] = do(page, fourth, "accept", "depart", "arrive")
    shoot(page, fourth, "before", "white")
    pressed[fourth] |= do(page, fourth, "work")
    shoot(page, fourth, "after", "black")
    pressed[fourth] |= do(page, fourth, "done")
    waiting(page, 25)

    reconnected = utc_now()
    pages.site.web().wait_until_up()
    phone.context.set_offline(False)  # type: ignore[union-attr]
    waiting(page, 0)
    expect(page.locator("#refused")).to_be_empty()

    for number in numbers:
        done = [event for event in events(desk, number) if event["kind"] != "photo"]
        assert [event["kind"] for event in done] == list(DAY)
        for event in done:
            earliest, latest = pressed[number][event["kind"]]
            assert earliest - CLOCKS_APART <= event["effective_at"] <= latest + CLOCKS_APART
            assert event["time_source"] == "device"
            assert event["at"] >= reconnected
    with desk.store.read() as tx:
        kept = tx.conn.execute(select(PHOTOS.c.time_source, PHOTOS.c.taken_at, PHOTOS.c.stored_at)).all()
    assert len(kept) == 5
    for photo in kept:
        assert photo.time_source == "device"
        assert photo.taken_at < reconnected <= photo.stored_at


def test_a_battery_dies_between_the_step_and_its_answer(
    pages: Pages, desk: Desk, phones: Callable[[str], Phone]
) -> None:
    number = dispatched(desk, utc_now())
    phone = phones("phone")
    ready(phone)
    phone.stop()
    page = phone.start()

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/accept", lose_the_answer)
    page.goto("/crew")
    do(page, number, "accept")
    until(page, lambda: events(desk, number))
    waiting(page, 1)
    phone.kill()
    page = phone.start()
    page.goto("/crew")
    waiting(page, 0)
    do(page, number, "depart")
    waiting(page, 0)
    assert [event["kind"] for event in events(desk, number)] == ["accept", "depart"]


def test_the_server_dies_during_an_upload(pages: Pages, desk: Desk, phones: Callable[[str], Phone]) -> None:
    number = ticket_at(desk, Status.ON_SITE, utc_now())
    phone = phones("phone")
    page = ready(phone)
    served = [pages.web]

    def die_halfway(route: Route) -> None:
        served.pop().kill()
        route.abort()

    page.route("**/photos?*", die_halfway, times=1)
    shoot(page, number, "before", "red")
    until(page, lambda: not served)
    waiting(page, 1)
    pages.site.web().wait_until_up()
    waiting(page, 0)
    with desk.store.read() as tx:
        assert len(tx.conn.execute(select(PHOTOS.c.id)).all()) == 1
