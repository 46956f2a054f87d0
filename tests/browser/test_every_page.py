"""What holds for every page: accessible in both languages, nothing cut off at 320 px, light enough to be quick."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

from tests.support.browser import Pages, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]

# Where a page is, and as whom it is seen; None is a visitor.
PLACES = [
    ("/", None),
    ("/signin", None),
    ("/account", "agent"),
    ("/agent", "agent"),
    ("/board", "supervisor"),
    ("/figures", "supervisor"),
    ("/circle", "supervisor"),
    ("/wall", "supervisor"),
    ("/zones", "supervisor"),
    ("/crew", "crew.a"),
]
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
# The goal is one second on a machine of one's own; the tests run on one that is busy with others.
FIRST_PAINT_MS = 3_000
AGENT_PAGE_BYTES = 300_000


def opened(pages: Pages, path: str, login: str | None, **options: Any) -> Page:
    page = pages.signed_in(login, **options) if login else pages.visitor(**options)
    page.goto(path)
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # lists and maps come by themselves
    return page


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=WCAG).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary'][:200]}" for rule in found for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("path", "login"), PLACES)
def test_a_page_is_for_everybody(pages: Pages, path: str, login: str | None) -> None:
    for language, told in (("zh", "zh-CN"), ("en", "en")):
        page = opened(pages, path, login, language=language)
        assert page.evaluate("document.documentElement.lang") == told
        assert violations(page) == [], language
    narrow = opened(pages, path, login, width=320, height=640)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_agent_page_is_light_and_quick(pages: Pages) -> None:
    page = pages.visitor()
    sizes: list[int] = []

    def weigh(request: Request) -> None:
        if "/stream" not in request.url:
            sizes.append(request.sizes()["responseBodySize"])

    page.on("requestfinished", weigh)
    sign_in(page, "agent")  # and on to the agent's page, of which nothing is in the browser's cache yet
    page.wait_for_timeout(2000)
    assert page.url.endswith("/agent")
    assert 50_000 < sum(sizes) <= AGENT_PAGE_BYTES
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert 0 < paint <= FIRST_PAINT_MS
