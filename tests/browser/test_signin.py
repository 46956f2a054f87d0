"""Signing in as people do it: by the form, by an authenticator's code, by a passkey that Chromium holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from dispatch.domain.roles import SYSTEM
from dispatch.services import accounts
from dispatch.services.desk import Desk
from tests.browser.test_every_page import violations
from tests.support.browser import Pages, Watch
from tests.support.cast import password_of
from tests.support.processes import Site, free_port

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
GOOD = "岳麓山 爱晚亭 枫叶"
KEY = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}


@pytest.fixture
def pages(browser: Browser, desk: Desk, tmp_path: Path) -> Iterator[Pages]:
    """A server that calls itself by a name, as passkeys need it."""
    port = free_port()
    with Site(desk, tmp_path, DISPATCH_PUBLIC_URL=f"http://localhost:{port}") as site:
        site.port = port
        opened = Named(browser, site, site.web().wait_until_up(), Watch())
        yield opened
        opened.close()
        assert opened.watch.unexpected() == []


class Named(Pages):
    """Pages under the server's name."""

    @property
    def address(self) -> str:
        return f"http://localhost:{self.site.port}"


def fill(page: Page, login: str, password: str) -> None:
    page.goto("/signin?next=/account")
    page.fill("#login", login)
    page.fill("#password", password)
    page.press("#password", "Enter")


def sign_out(page: Page) -> None:
    page.click("form[action='/signout'] button")
    page.wait_for_url("**/signin")


def test_a_wrong_password_is_told_and_a_right_one_opens(pages: Pages) -> None:
    page = pages.visitor()
    page.goto("/account")
    assert page.url.endswith("/signin?next=/account") or "next=%2Faccount" in page.url
    page.fill("#login", "agent")
    page.fill("#password", "falsch falsch")
    page.press("#password", "Enter")
    assert page.text_content("#fault") == "登录名或密码不正确"
    assert violations(page) == []
    assert page.input_value("#login") == "agent"
    page.fill("#password", password_of("agent"))
    page.press("#password", "Enter")
    page.wait_for_url("**/account")
    sign_out(page)


def test_without_scripts_one_signs_in_all_the_same(pages: Pages) -> None:
    page = pages.visitor(java_script_enabled=False)
    fill(page, "agent", password_of("agent"))
    page.goto("/account")
    assert page.text_content("h1") == "我的账号"


def test_a_link_then_codes_then_the_second_step(pages: Pages, desk: Desk) -> None:
    page = pages.visitor()
    page.goto(f"/welcome/{accounts.password_link(desk, SYSTEM, 'auditor', datetime.now(UTC))}")
    assert violations(page) == []
    page.fill("#password", GOOD)
    page.fill("#again", GOOD)
    page.press("#again", "Enter")
    page.wait_for_load_state()
    page.goto("/account/totp")
    page.wait_for_function("document.querySelector('img').naturalWidth > 100")
    assert violations(page) == []
    codes = pyotp.TOTP((page.text_content("code") or "").replace(" ", ""))
    page.fill("#code", codes.now())
    page.fill("#password", GOOD)
    page.press("#password", "Enter")
    page.wait_for_url("**/account?done=totp_on")
    sign_out(page)
    fill(page, "auditor", GOOD)
    page.wait_for_url(re.compile("/signin/factor"))
    assert violations(page) == []
    page.fill("#code", codes.at(datetime.now(UTC) + timedelta(seconds=30)))  # this one is used up
    page.press("#code", "Enter")
    page.wait_for_url(lambda url: "/signin" not in url)
    page.goto("/account")
    assert page.text_content("h1") == "我的账号"


def test_a_passkey_in_chromium(pages: Pages) -> None:
    page = pages.visitor()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | {"automaticPresenceSimulation": True}})
    fill(page, "agent", password_of("agent"))
    page.wait_for_load_state()
    page.goto("/account")
    page.fill("#label", "值班电脑")
    page.fill("#passkey-password", "falsch")
    page.click("#passkey-add button")
    page.wait_for_selector("#passkey-fault:not([hidden])")
    assert page.text_content("#passkey-fault") == "密码不正确"
    page.fill("#passkey-password", password_of("agent"))
    page.click("#passkey-add button")
    page.wait_for_url("**/account?done=passkey_added")
    assert page.text_content(".passkey h3") == "值班电脑"
    assert violations(page) == []
    sign_out(page)
    fill(page, "agent", password_of("agent"))
    page.wait_for_url(re.compile("/signin/factor"))
    page.click("#passkey")
    page.wait_for_url(lambda url: "/signin" not in url)
    page.goto("/account")
    assert "上次使用" in (page.text_content(".passkey") or "")
    held = devtools.send("WebAuthn.getCredentials", {"authenticatorId": added["authenticatorId"]})
    assert len(held["credentials"]) == 1
