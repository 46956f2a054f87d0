"""What the stories of the agent's console share: calls that ring, and a keyboard whose presses are counted."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

from dispatch.domain.roles import SYSTEM
from dispatch.services import board, setup
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from tests.support.browser import Pages
from tests.support.cast import CALLER_PHONE, cast_of


@dataclass
class Platform:
    """The telephone platform, with its token."""

    address: str
    token: str

    def tell(self, call_id: str, event: str = "ring", **more: Any) -> dict[str, Any]:
        told = {"call_id": call_id, "event": event, "at": datetime.now(UTC).isoformat(), "caller": CALLER_PHONE, **more}
        request = urllib.request.Request(
            f"{self.address}/cti/events",
            data=json.dumps(told).encode(),
            headers={"Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request) as answer:
            heard: dict[str, Any] = json.load(answer)
        return heard


def platform(pages: Pages, desk: Desk) -> Platform:
    now = datetime.now(UTC)
    token = setup.create_token(desk, SYSTEM, login="cti", label="story", expires_at=None, now=now)
    return Platform(pages.address, token)


@dataclass
class Keyboard:
    """A keyboard without a mouse: counts what is pressed, apart from text that is typed."""

    page: Page
    presses: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.presses.append(key)
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)


def console(pages: Pages, login: str = "agent", **options: Any) -> Page:
    """A console that hears of calls."""
    page = pages.signed_in(login, **options)
    page.goto("/agent")
    expect(page.locator("#state")).to_have_text(re.compile("实时|轮询"))
    expect(page.locator("#waiting li")).not_to_have_count(0)
    return page


def saved_number(page: Page) -> str:
    """The number of the ticket that was just saved."""
    return page.locator("#said .saved").get_attribute("data-number") or ""


def tickets(desk: Desk) -> list[dict[str, Any]]:
    """All tickets, newest first."""
    now = datetime.now(UTC)
    found = board.tickets(desk, cast_of(desk).admin, Filter(), text="", after=0, limit=50, now=now)
    items: list[dict[str, Any]] = found["items"]
    return items
