"""The second step of signing in, the links of welcome, and one's own account, in a browser."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import update
from werkzeug.test import TestResponse

from dispatch.domain.roles import SYSTEM
from dispatch.services import accounts
from dispatch.services.desk import Desk
from dispatch.storage.accounts import USERS
from tests.support.authenticator import Authenticator
from tests.support.cast import password_of
from tests.web.conftest import Browser, In, open_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
ORIGIN = "http://localhost:8653"
GOOD = "岳麓山 爱晚亭 枫叶"
LATER = timedelta(minutes=1)


def switch_on(browser: Browser, login: str, now: datetime) -> pyotp.TOTP:
    """Switch one-time codes on by the pages."""
    page = browser.client.get("/account/totp").text
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found
    codes = pyotp.TOTP(found[1].replace(" ", ""))
    answer = browser.submit("/account/totp", code=codes.at(now), password=password_of(login))
    assert answer.status_code == 303, answer.text
    return codes


def send(browser: Browser, path: str, body: Any = None) -> TestResponse:
    """Send JSON as a script of the page does."""
    return browser.client.post(path, json=body or {}, headers={"X-CSRFToken": browser.csrf})


def add_passkey(browser: Browser, login: str) -> Authenticator:
    own = Authenticator(ORIGIN)
    options = send(browser, "/account/passkeys/options", {"password": password_of(login)}).get_json()
    answer = send(browser, "/account/passkeys", {"passkey": own.create(options), "label": "值班电脑"})
    assert answer.status_code == 200, answer.text
    return own


@pytest.fixture
def app(url: str, now: datetime) -> Any:
    """The application at an address that can have passkeys."""
    with time_machine.travel(now, tick=False):
        made = open_app(url, public_url=ORIGIN)
        yield made
        made.extensions["desk"].store.close()


# ---------------------------------------------------------------- one-time codes


def test_with_codes_nothing_opens_before_the_second_step(app: APIFlask, in_: In, now: datetime) -> None:
    codes = switch_on(in_("agent"), "agent", now)
    browser = Browser(app.test_client())
    answer = browser.sign_in("agent", next="/agent?tab=map")
    assert answer.location == "/signin/factor?next=%2Fagent%3Ftab%3Dmap"
    assert browser.get("/session").status_code == 401
    for path in ("/account", "/account/totp"):
        assert browser.client.get(path).location.startswith("/signin?next=")
    assert browser.client.get("/signin").location == "/signin/factor"
    page = browser.client.get("/signin/factor?next=/agent").text
    assert 'autocomplete="one-time-code"' in page
    with time_machine.travel(now + LATER, tick=False):
        wrong = submit_code(browser, "000000x")
        assert (wrong.status_code, "验证码不正确" in wrong.text) == (401, True)
        right = submit_code(browser, codes.at(now + LATER), next="/agent?tab=map")
        assert (right.status_code, right.location) == (303, "/agent?tab=map")
        assert browser.get("/session").status_code == 200
        assert browser.client.get("/signin/factor").location == "/agent"


def submit_code(browser: Browser, code: str, **fields: str) -> TestResponse:
    return browser.client.post("/signin/factor", data={"csrf_token": csrf_of(browser), "code": code, **fields})


def csrf_of(browser: Browser, path: str = "/signin/factor") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.client.get(path).text)
    assert found
    return found[1]


def test_guesses_of_a_code_wait(app: APIFlask, in_: In, now: datetime) -> None:
    switch_on(in_("agent"), "agent", now)
    browser = Browser(app.test_client())
    browser.sign_in("agent")
    for _ in range(5):
        assert submit_code(browser, "1").status_code == 401
    answer = submit_code(browser, "1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "32")


def test_the_second_step_is_for_those_who_made_the_first(browser: Browser) -> None:
    assert browser.client.get("/signin/factor").location == "/signin"
    assert browser.submit("/signin/factor", code="1").location == "/signin"
    assert send(browser, "/signin/passkey/options").location == "/signin"
    assert send(browser, "/signin/passkey").location == "/signin"


def test_the_code_is_drawn_and_told(in_: In) -> None:
    browser = in_("agent")
    assert browser.client.get("/account/totp.svg").status_code == 404
    assert browser.submit("/account/totp", code="1", password="x").location == "/account/totp"
    browser.client.get("/account/totp")
    drawn = browser.client.get("/account/totp.svg")
    assert (drawn.mimetype, drawn.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert b"<svg" in drawn.data
    wrong = browser.submit("/account/totp", code="1", password="falsch")
    assert (wrong.status_code, "密码不正确" in wrong.text) == (422, True)


def test_codes_are_switched_off_with_the_password(in_: In, now: datetime) -> None:
    browser = in_("agent")
    switch_on(browser, "agent", now)
    assert "已启用" in browser.client.get("/account").text
    wrong = browser.submit("/account/totp/off", password="falsch")
    assert (wrong.status_code, "密码不正确" in wrong.text) == (422, True)
    assert browser.submit("/account/totp/off", password=password_of("agent")).location == "/account?done=totp_off"
    assert "未启用" in browser.client.get("/account?done=totp_off").text


# ---------------------------------------------------------------- passkeys


def test_a_passkey_is_the_second_step(app: APIFlask, in_: In) -> None:
    own = add_passkey(in_("agent"), "agent")
    browser = Browser(app.test_client())
    browser.sign_in("agent")
    assert "使用通行密钥" in browser.client.get("/signin/factor").text
    headers = {"X-CSRFToken": csrf_of(browser)}
    options = browser.client.post("/signin/passkey/options", headers=headers).get_json()
    bad = browser.client.post("/signin/passkey", json={}, headers=headers)
    assert (bad.status_code, bad.get_json()["code"]) == (422, "passkey-failed")
    answer = browser.client.post("/signin/passkey?next=/agent", json=own.get(options), headers=headers)
    assert answer.get_json() == {"next": "/agent"}
    assert browser.get("/session").status_code == 200


def test_a_passkey_is_shown_and_removed(in_: In) -> None:
    browser = in_("agent")
    assert send(browser, "/account/passkeys/options", {"password": "x"}).status_code == 422
    assert send(browser, "/account/passkeys", {"passkey": 5}).get_json()["code"] == "passkey-failed"
    add_passkey(browser, "agent")
    page = browser.client.get("/account").text
    assert "值班电脑" in page
    found = re.search(r"/account/passkeys/(\d+)/remove", page)
    assert found
    assert browser.submit(found[0], password="falsch").status_code == 422
    assert browser.submit(found[0], password=password_of("agent")).location == "/account?done=passkey_removed"
    assert "没有通行密钥" in browser.client.get("/account").text


# ---------------------------------------------------------------- administrators who need one


def test_an_administrator_first_makes_a_factor(url: str, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        strict = open_app(url, public_url=ORIGIN, admin_second_factor=True)
        browser = Browser(strict.test_client())
        assert browser.sign_in("admin").location == "/account"
        assert browser.get("/session").status_code == 401
        page = browser.client.get("/account").text
        assert "须先启用" in page
        token = csrf_of(browser, "/account/totp")
        for path in ("/account/password", "/account/others", "/account/totp/off", "/account/passkeys/1/remove"):
            assert browser.client.post(path, data={"csrf_token": token}).location == "/signin", path
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.client.get("/account/totp").text)
        assert found
        code = pyotp.TOTP(found[1].replace(" ", "")).at(now)
        told = {"csrf_token": token, "code": code, "password": password_of("admin")}
        assert browser.client.post("/account/totp", data=told).location == "/board"
        assert browser.get("/session").status_code == 200
        refused = browser.submit("/account/totp/off", password=password_of("admin"))
        assert (refused.status_code, "必须保留" in refused.text) == (403, True)
        strict.extensions["desk"].store.close()


# ---------------------------------------------------------------- links


def test_a_link_makes_the_first_administrator(browser: Browser, desk: Desk, now: datetime) -> None:
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "admin").values(is_active=False))
    path = f"/welcome/{accounts.first_admin_link(desk, now)}"
    page = browser.client.get(path)
    assert (page.status_code, page.headers["Cache-Control"], "创建第一个管理员" in page.text) == (200, "no-store", True)
    told = {"login": "root", "name": "李主任", "password": GOOD}
    for worse, fault in (
        ({"again": "x"}, "不一致"),
        ({"again": "short", "password": "short"}, "至少 10 个字符"),
        ({"again": GOOD, "login": "agent"}, "已被使用"),
    ):
        answer = browser.submit(path, **{**told, **worse})
        assert answer.status_code in (409, 422)
        assert fault in answer.text
        assert 'value="李主任"' in answer.text
        assert GOOD not in answer.text
    assert browser.submit(path, again=GOOD, **told).location == "/board"
    assert browser.get("/session").get_json()["user"]["login"] == "root"
    spent = browser.client.get(path)
    assert (spent.status_code, "已使用" in spent.text) == (404, True)


def test_a_link_lets_a_user_choose(browser: Browser, desk: Desk, now: datetime) -> None:
    path = f"/welcome/{accounts.password_link(desk, SYSTEM, 'crew.a', now)}"
    assert "水管家甲" in browser.client.get(path).text
    assert browser.submit(path, password=GOOD, again=GOOD, login="root").location == "/crew"
    assert browser.get("/session").get_json()["user"]["login"] == "crew.a"


def test_what_is_no_link_says_so(browser: Browser) -> None:
    answer = browser.client.get("/welcome/nothing")
    assert (answer.status_code, "链接不能再用" in answer.text) == (404, True)
    assert browser.submit("/welcome/nothing", password=GOOD, again=GOOD).status_code == 404


# ---------------------------------------------------------------- one's own account


def test_one_changes_ones_password(app: APIFlask, in_: In, now: datetime) -> None:
    browser, other = in_("agent"), in_("agent")
    for told, fault in (
        ({"password": password_of("agent"), "new": GOOD, "again": "x"}, "不一致"),
        ({"password": "falsch", "new": GOOD, "again": GOOD}, "密码不正确"),
        ({"password": password_of("agent"), "new": "short", "again": "short"}, "至少 10 个字符"),
    ):
        answer = browser.submit("/account/password", **told)
        assert (answer.status_code, fault in answer.text) == (422, True)
    told = {"password": password_of("agent"), "new": GOOD, "again": GOOD}
    assert browser.submit("/account/password", **told).location == "/account?done=password"
    assert "密码已修改" in browser.client.get("/account?done=password").text
    assert other.get("/session").status_code == 401
    assert Browser(app.test_client()).sign_in("agent", GOOD).status_code == 303


def test_too_many_guesses_at_ones_own_password(in_: In) -> None:
    browser = in_("agent")
    for _ in range(5):
        browser.submit("/account/totp/off", password="falsch")
    answer = browser.submit("/account/totp/off", password=password_of("agent"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "32")


def test_one_sees_where_one_is_signed_in_and_leaves_the_others(in_: In) -> None:
    browser, other = in_("agent"), in_("agent")
    page = browser.client.get("/account").text
    assert page.count("127.0.0.1") == 2
    assert page.count("本机</span>") == 1
    assert browser.submit("/account/others").location == "/account?done=others"
    assert other.get("/session").status_code == 401
    assert browser.get("/session").status_code == 200
    assert 'action="/account/others"' not in browser.client.get("/account?done=%3Cscript%3E").text


def test_every_word_of_the_pages_is_there_in_english(in_: In) -> None:
    browser = in_("agent")
    browser.client.set_cookie("language", "en")
    for path in ("/account", "/account/totp", "/account?done=totp_on"):
        text = re.sub(r"<script.*?</script>", "", browser.client.get(path).text, flags=re.DOTALL)
        assert "Password" in text or "One-time codes" in text
        shown = re.sub(r"坐席小周|坐席|中文|供水调度", "", text)
        assert not re.search("[\u4e00-\u9fff]", shown), path


def test_json_of_a_page_is_json(in_: In) -> None:
    browser = in_("agent")
    answer = browser.client.post("/account/passkeys", data=b"{", headers={"X-CSRFToken": browser.csrf})
    assert json.loads(answer.data)["code"] == "bad-json"
    for odd in ({"password": "\ud800"}, {"password": ["x"]}):
        told = json.dumps(odd)
        answer = browser.client.post("/account/passkeys/options", data=told, headers={"X-CSRFToken": browser.csrf})
        assert answer.status_code == 422
