"""One connection for a browser: tabs share it, take it over, and find back whatever happens to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from dispatch.services.desk import Desk
from dispatch.storage import accounts
from tests.support.browser import Pages, Watch, sign_in
from tests.support.cast import Cast, received
from tests.support.processes import Site, utc_now, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.parametrize("dialect", ["sqlite"], indirect=True),
]
FOLLOW = """async () => {
  const { connect } = await import("/static/common/live.js");
  Object.assign(window, { tickets: [], states: [], reloads: 0, pulses: 0, signedOut: 0 });
  window.addEventListener("signed-out", () => { signedOut += 1; });
  window.live = connect({
    onTicket: (ticket) => tickets.push(ticket.number),
    onReload: () => { reloads += 1; },
    onPulse: () => { pulses += 1; },
    onState: (state) => states.push(state),
  });
}"""


class Tab:
    """A page that follows what changes."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.goto("/account")
        self.page.evaluate(FOLLOW)

    def get(self, name: str) -> Any:
        return self.page.evaluate(name)

    def state(self) -> str:
        return str(self.get("live.state"))

    def has(self, number: str) -> bool:
        return number in self.get("tickets")


def until(is_so: Callable[[], object], what: str, within_s: float = 10) -> None:
    wait_for(is_so, what, within_s=within_s, every_s=0.1)


class Desks:
    """A browser that somebody is signed in with; it counts the streams that its tabs open."""

    def __init__(self, pages: Pages, **options: Any) -> None:
        self.context = pages.context(**options)
        self.streams = 0
        page = self.context.new_page()
        sign_in(page, "dispatcher")
        page.close()  # the board, which has a stream of its own
        self.context.on("request", self._count)

    def _count(self, request: Any) -> None:
        self.streams += "/api/v1/stream" in request.url

    def tab(self) -> Tab:
        """Open a tab and wait until it is live, or polls."""
        tab = Tab(self.context)
        until(lambda: tab.state() in ("live", "polling"), "the tab is live")
        return tab


@pytest.fixture
def desks(pages: Pages) -> Desks:
    pages.watch.allow("net::ERR|Failed to fetch")
    return Desks(pages)


def test_tabs_share_one_stream(desks: Desks, desk: Desk) -> None:
    tabs = [desks.tab() for _ in range(3)]
    number = received(desk, utc_now())
    for tab in tabs:
        until(lambda tab=tab: tab.has(number), "the tab is told")  # type: ignore[misc]
        assert tab.get("tickets") == [number]
        assert tab.get("reloads") == 1
        assert tab.get("live.age()") < 5
    until(lambda: all(tab.get("pulses") for tab in tabs), "all hear the pulse")
    assert desks.streams == 1


def test_the_next_tab_takes_over_without_loss(desks: Desks, desk: Desk) -> None:
    leader, follower = desks.tab(), desks.tab()
    first = received(desk, utc_now())
    until(lambda: follower.has(first), "the first ticket is told")
    leader.page.close()
    second = received(desk, utc_now())
    until(lambda: follower.has(second), "the second ticket is told")
    assert desks.streams == 2
    assert follower.get("reloads") == 1
    assert "lost" not in follower.get("states")


def test_a_restart_of_the_server_heals_without_a_reload(desks: Desks, pages: Pages, desk: Desk) -> None:
    tabs = [desks.tab(), desks.tab()]
    pages.web.kill()
    for tab in tabs:
        until(lambda tab=tab: tab.state() == "lost", "the tab knows that its data are old")  # type: ignore[misc]
    number = received(desk, utc_now())
    pages.site.web().wait_until_up()
    for tab in tabs:
        until(lambda tab=tab: tab.state() == "live", "the tab is live again", 15)  # type: ignore[misc]
        assert tab.has(number)
        assert tab.get("reloads") == 1
        assert tab.get("live.age()") < 5


@pytest.mark.parametrize(
    ("path", "login", "said", "words"),
    [
        ("/agent", "agent", "#state", "连接中断"),
        ("/board", "supervisor", "#age", "连接中断"),
    ],
)
def test_a_lost_connection_is_on_the_screen_within_five_seconds(
    pages: Pages, path: str, login: str, said: str, words: str
) -> None:
    pages.watch.allow("net::ERR|Failed to fetch")
    page = pages.signed_in(login)
    page.clock.install()
    page.goto(path)
    expect(page.locator(said)).to_contain_text("秒前")
    expect(page.locator(said)).not_to_contain_text(words)
    page.clock.pause_at(page.evaluate("Date.now() + 300"))
    pages.web.kill()
    page.clock.run_for(4_999)
    assert words in page.locator(said).inner_text()


def test_a_server_that_answers_with_an_error_tells_nothing_new(pages: Pages) -> None:
    desks = Desks(pages)
    error = {"status": 503, "code": "no-database", "detail": "数据库暂时不可用"}

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json=error, content_type="application/problem+json", headers={"Retry-After": "60"})

    desks.context.route("**/api/v1/stream*", refuse)
    desks.context.clock.install()
    tab = Tab(desks.context)
    until(lambda: tab.state() == "polling", "the tab polls")
    desks.context.route("**/api/v1/changes*", refuse)
    for _ in range(3):
        with tab.page.expect_response("**/api/v1/changes*"):
            tab.page.clock.run_for(2_000)
    assert tab.state() == "lost"
    assert tab.get("live.age()") > 4


@pytest.fixture
def full_house(browser: Browser, desk: Desk, tmp_path: Path) -> Iterator[Pages]:
    """A server that has no place for a stream."""
    with Site(desk, tmp_path, DISPATCH_THREADS="1") as site:
        opened = Pages(browser, site, site.web().wait_until_up(), Watch())
        yield opened
        opened.close()
        assert opened.watch.unexpected() == []


def test_where_no_place_is_left_it_asks_again_and_again(full_house: Pages, desk: Desk) -> None:
    desks = Desks(full_house)
    tabs = [desks.tab(), desks.tab()]
    number = received(desk, utc_now())
    for tab in tabs:
        until(lambda tab=tab: tab.has(number), "the tab is told")  # type: ignore[misc]
        assert tab.state() == "polling"
        assert tab.get("reloads") == 1
    assert desks.streams == 1, "it waits for as long as the server said"


def test_without_locks_each_tab_has_its_own(desks: Desks, desk: Desk) -> None:
    desks.context.add_init_script("delete Navigator.prototype.locks")
    tabs = [desks.tab(), desks.tab()]
    number = received(desk, utc_now())
    for tab in tabs:
        until(lambda tab=tab: tab.has(number), "the tab is told")  # type: ignore[misc]
    assert desks.streams == 2


def test_the_end_of_a_session_is_told(desks: Desks, desk: Desk, cast: Cast) -> None:
    tabs = [desks.tab(), desks.tab()]
    with desk.store.write() as tx:
        accounts.end_sessions(tx, cast.dispatcher.user_id, utc_now())
    for tab in tabs:
        until(lambda tab=tab: tab.state() == "signed-out", "the tab is told", 20)  # type: ignore[misc]
        assert tab.get("signedOut") == 1
    page = desks.context.new_page()
    sign_in(page, "dispatcher")
    tab = desks.tab()
    assert tab.state() in ("live", "polling")


def test_a_tab_that_hangs_does_not_hold_the_others_up(desks: Desks, desk: Desk) -> None:
    leader, follower = desks.tab(), desks.tab()
    leader.page.evaluate(
        "() => { setTimeout(() => { const end = Date.now() + 22_000; while (Date.now() < end); }, 100); }"
    )
    until(lambda: follower.state() == "lost", "the follower misses the leader", 10)
    number = received(desk, utc_now())
    until(lambda: follower.has(number), "the follower leads", 15)
    until(lambda: leader.has(number), "the one that hung follows", 20)
    assert desks.streams == 2
    assert leader.get("reloads") == follower.get("reloads") == 1


def test_a_closed_connection_is_silent(desks: Desks, desk: Desk) -> None:
    closed, other = desks.tab(), desks.tab()
    closed.get("live.close()")
    number = received(desk, utc_now())
    until(lambda: other.has(number), "the other goes on")
    assert not closed.has(number)
