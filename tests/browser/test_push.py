"""Web Push on a crew's page: switched on by a press, and what the phone shows when a push comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dispatch.notify import webpush
from dispatch.services.desk import Desk
from dispatch.storage import push
from tests.support.browser import Pages, sign_in
from tests.support.cast import TEAM_A
from tests.support.processes import Site, wait_for
from tests.support.push_service import Phone

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
ENDPOINT = "https://push.example.net/send/1"
# Chromium's own push service is on the internet: here stands one that gives what it would give.
STAND_IN = """(told) => {
  let current = null;
  const made = { endpoint: told.endpoint, toJSON: () => told, unsubscribe: async () => { current = null; } };
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    if (applicationServerKey.length !== 65 || applicationServerKey[0] !== 4) throw new Error("no key");
    return (current = made);
  };
}"""


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Iterator[Site]:
    """An installation with Web Push switched on."""
    key = webpush.make_key()
    with Site(desk, tmp_path, DISPATCH_PUSH_KEY=key, DISPATCH_PUSH_CONTACT="mailto:it@example.cn") as opened:
        yield opened


def known(desk: Desk) -> list[str]:
    with desk.store.read() as tx:
        return [row["endpoint"] for row in push.of_teams(tx, [TEAM_A])]


def test_a_crew_switches_notifications_on_and_off(pages: Pages) -> None:
    phone = Phone().at(ENDPOINT)
    told = {"endpoint": ENDPOINT, "keys": {"p256dh": phone.p256dh, "auth": phone.auth}}
    page = pages.visitor(permissions=["notifications"])
    page.add_init_script(f"({STAND_IN})({json.dumps(told)})")
    sign_in(page, "crew.a")
    page.click("text=锁屏时也通知新工单")
    expect(page.locator("#bell")).to_have_text("关闭锁屏通知")
    assert known(pages.site.desk) == [ENDPOINT]
    page.click("#bell")
    expect(page.locator("#bell")).to_have_text("锁屏时也通知新工单")
    assert known(pages.site.desk) == []


def deliver(page: Page, told: dict[str, Any]) -> None:
    """Let the browser's worker get a push, as if its push service had brought it."""
    devtools = page.context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    page.wait_for_timeout(500)
    origin = page.evaluate("location.origin")
    data = json.dumps(told, ensure_ascii=False)
    devtools.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": found[0], "data": data})


def test_a_push_lies_on_the_screen(pages: Pages) -> None:
    page = pages.visitor(permissions=["notifications"])
    sign_in(page, "crew.a")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    told = {"title": "紧急 GD20261124-000001", "body": "新工单", "number": "GD20261124-000001", "url": "/crew"}
    deliver(page, told)

    def shown() -> list[dict[str, Any]]:
        # A promise counts as true while nothing is there yet: it is asked for again and again.
        found: list[dict[str, Any]] = page.evaluate(
            """async () => {
              const worker = await navigator.serviceWorker.ready;
              const all = await worker.getNotifications();
              return all.map(({ title, body, tag, data }) => ({ title, body, tag, data }));
            }"""
        )
        return found

    wait_for(shown, "a notification on the screen")
    assert shown() == [{"title": told["title"], "body": "新工单", "tag": "GD20261124-000001", "data": {"url": "/crew"}}]
