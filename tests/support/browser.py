"""A real Chromium on a real server: a page for each of the cast, and no error on it goes unseen.

Where Chromium is missing the tests fail with the command that brings it; they are never skipped.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from tests.support.cast import password_of
from tests.support.processes import Site, Web

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Countdowns and polls of a page behind another one must go on as on a desk with two screens.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
]
INSTALL = "apt-get install -y chromium fonts-noto-cjk  (or set CHROMIUM to another one)"
SHOTS = Path(__file__).parents[2] / "docs" / "guide" / "img"
# What the API refuses, and what a form is refused, is no fault of the page; Chromium says it on the console all the
# same. A script, style, picture or map that is missing is one.
_PROBLEM = re.compile(
    r"Failed to load resource: the server responded with a status of (4\d\d|503) .*"
    r"\(https?://[^/]+/(api/|cti/|signin|account|welcome/)[^)]*\)$"
)


def chromium() -> str:
    """Return where Chromium is, or fail with how to get it."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail(f"the browser tests need Chromium: {INSTALL}")
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver, one for a session."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for a session; each page has a context, that is, cookies and storage, of its own."""
    opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
    yield opened
    opened.close()


@dataclass
class Watch:
    """What went wrong on the pages of a test: console errors, uncaught exceptions, broken security rules."""

    faults: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=lambda: [_PROBLEM])

    def allow(self, pattern: str) -> None:
        """Expect errors that fit: a test that cuts the network allows `net::ERR`."""
        self.allowed.append(re.compile(pattern))

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._note(f"uncaught: {error.error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"{message.text} ({message.location.get('url')})")

    def _note(self, text: str) -> None:
        self.faults.append(text)

    def unexpected(self) -> list[str]:
        """The faults that nobody allowed."""
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self.allowed)]


@dataclass
class Pages:
    """Opens pages on one server; `site.port` says where it listens."""

    browser: Browser
    site: Site
    web: Web
    watch: Watch
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.site.port}"

    def context(self, *, width: int = 1440, height: int = 900, language: str = "zh", **options: Any) -> BrowserContext:
        """A browser of its own: no cookies but the language, nothing stored; options as of Playwright."""
        made = self.browser.new_context(
            base_url=self.address, viewport={"width": width, "height": height}, locale="zh-CN", **options
        )
        made.add_cookies([{"name": "language", "value": language, "url": self.address}])
        made.set_default_timeout(10_000)
        self.watch.over(made)
        self.contexts.append(made)
        return made

    def visitor(self, **options: Any) -> Page:
        """A page of somebody who is not signed in."""
        return self.context(**options).new_page()

    def signed_in(self, login: str, **options: Any) -> Page:
        """A page of one of the cast, at the home of the role; options as of `context`."""
        page = self.visitor(**options)
        sign_in(page, login)
        return page

    def close(self) -> None:
        """Close what is open; a context whose browser was killed is gone already."""
        for context in self.contexts:
            with suppress(Exception):
                context.close()


def sign_in(page: Page, login: str) -> None:
    """Sign in by the form."""
    page.goto("/signin")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password_of(login))
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


@pytest.fixture
def pages(browser: Browser, site: Site) -> Iterator[Pages]:
    """A running server and a browser; an error on the console of any page fails the test."""
    opened = Pages(browser, site, site.web().wait_until_up(), Watch())
    yield opened
    opened.close()
    assert opened.watch.unexpected() == []


@pytest.fixture
def as_user(pages: Pages) -> Callable[..., Page]:
    """A page signed in as one of the cast, by login."""
    return pages.signed_in


def picture(page: Page, name: str) -> None:
    """Take a picture for the guide where the docs are being written, else nothing."""
    if os.environ.get("DISPATCH_WRITE_DOCS"):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")
