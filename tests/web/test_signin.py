"""Signing in and out with a browser, and what a signed-in browser may."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from apiflask import APIBlueprint, APIFlask
from sqlalchemy import func, select

from dispatch.domain.roles import Permission, Role
from dispatch.services import accounts, board
from dispatch.services.desk import Desk
from dispatch.storage.accounts import SESSIONS
from dispatch.web import auth
from tests.support.cast import Cast, password_of
from tests.web.conftest import As, Browser, In, a_call, open_app

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_who_signs_in_is_known_from_then_on(browser: Browser, cast: Cast, now: datetime) -> None:
    assert browser.get("/session").status_code == 401
    answer = browser.sign_in("crew.a")
    assert (answer.status_code, answer.location) == (303, "/crew")
    told = browser.get("/session").get_json()
    assert told["user"] == {
        "id": cast.crew_a.user_id,
        "login": "crew.a",
        "name": "水管家甲",
        "role": "crew",
        "role_label": "水管家",
        "team_id": "tianxin-03",
    }
    assert (told["server_time"], told["lang"]) == (now.isoformat(), "zh")
    assert told["csrf_token"]


def test_a_bearer_token_needs_no_csrf_token_and_gets_none(as_: As, now: datetime) -> None:
    told = as_("agent").get("/session").get_json()
    assert (told["user"]["login"], told["csrf_token"]) == ("agent", None)
    assert as_("agent").post("/calls", a_call(now)).status_code == 201


@on_sqlite
def test_the_cookie_is_for_this_site_alone(app: APIFlask, browser: Browser, url: str) -> None:
    cookie = browser.sign_in("agent").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    https = Browser(open_app(url, public_url="https://96533.example").test_client())
    cookie = https.client.get("/signin").headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie


@on_sqlite
@pytest.mark.parametrize(
    ("login", "password"), [("agent", "falsch falsch"), ("nobody", "falsch falsch"), ("cti", "falsch falsch"), ("", "")]
)
def test_a_wrong_password_and_an_unknown_login_look_the_same(browser: Browser, login: str, password: str) -> None:
    answer = browser.sign_in(login, password or " ")
    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text
    assert browser.get("/session").status_code == 401


@on_sqlite
def test_roles_come_home(in_: In, app: APIFlask) -> None:
    for login, home in (("agent", "/agent"), ("lead.a", "/crew"), ("auditor", "/board"), ("admin", "/board")):
        browser = Browser(app.test_client())
        assert browser.sign_in(login).location == home
        assert browser.client.get("/signin").location == home


@on_sqlite
def test_a_browser_comes_back_to_where_it_was_going(browser: Browser) -> None:
    assert browser.sign_in("agent", next="/tickets/GD1?tab=map").location == "/tickets/GD1?tab=map"


@on_sqlite
@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/a\nb", "javascript:alert(1)"]
)
def test_it_comes_back_to_this_site_alone(browser: Browser, path: str) -> None:
    assert auth.safe_path(path) is None
    assert browser.sign_in("agent", next=path).location == "/agent"


def test_after_signing_out_the_cookie_opens_nothing(app: APIFlask, in_: In, desk: Desk, cast: Cast) -> None:
    browser = in_("agent")
    thief = app.test_client()
    stolen = browser.client.get_cookie("session")
    assert stolen
    thief.set_cookie("session", stolen.value)
    assert thief.get("/api/v1/session").status_code == 200
    assert browser.submit("/signout").location == "/signin"
    assert browser.get("/session").status_code == 401
    assert thief.get("/api/v1/session").status_code == 401
    actions = [entry["action"] for entry in board.audited(desk, cast.admin, subject="agent", after=0, limit=9)["items"]]
    assert actions[:2] == ["sign-out", "sign-in"]
    assert browser.submit("/signout").location == "/signin"  # a second time does no harm


@on_sqlite
def test_another_site_cannot_send_what_we_would_do(in_: In, now: datetime) -> None:
    browser = in_("agent")
    for headers in ({}, {"X-CSRFToken": "x"}, {"Authorization": "Basic YTpi"}):
        answer = browser.client.post("/api/v1/calls", json=a_call(now), headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf")
    assert browser.post("/calls", a_call(now)).status_code == 201
    answer = browser.client.post("/signout")
    assert answer.status_code == 400
    assert "页面已过期" in answer.text
    answer = browser.client.post("/signin", data={"login": "agent", "password": password_of("agent")})
    assert answer.status_code == 400


@on_sqlite
def test_a_token_of_another_browser_is_no_token(in_: In, now: datetime) -> None:
    other = in_("agent").csrf
    answer = in_("agent").client.post("/api/v1/calls", json=a_call(now), headers={"X-CSRFToken": other})
    assert answer.get_json()["code"] == "csrf"


def test_an_idle_session_ends(in_: In, now: datetime) -> None:
    browser = in_("agent")
    for hours, status in ((7, 200), (14, 200), (21, 200), (23.9, 200), (24, 401)):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            assert browser.get("/session").status_code == status, hours


def test_an_unused_session_ends(in_: In, now: datetime) -> None:
    browser = in_("agent")
    with time_machine.travel(now + timedelta(hours=8), tick=False):
        assert browser.get("/session").status_code == 401


@on_sqlite
def test_a_page_that_nobody_looks_at_keeps_no_session_going(in_: In, desk: Desk, now: datetime) -> None:
    browser = in_("agent")
    for hours, status in ((4, 200), (7.9, 200), (8, 401)):
        with time_machine.travel(now + timedelta(hours=hours), tick=False):
            answer = browser.client.get("/api/v1/session", headers={"X-Unattended": "1"})
            assert answer.status_code == status, hours
    assert seen_at(desk) == now


@on_sqlite
def test_what_ended_elsewhere_ends_here_within_two_seconds(in_: In, desk: Desk, cast: Cast, now: datetime) -> None:
    browser = in_("agent")
    assert browser.get("/session").status_code == 200
    accounts.set_password(desk, cast.admin, login="agent", password="新密码 neues Wort", now=now)
    with time_machine.travel(now + timedelta(seconds=2), tick=False):
        assert browser.get("/session").status_code == 401


@on_sqlite
def test_a_poll_writes_nothing(in_: In, desk: Desk, now: datetime) -> None:
    browser = in_("agent")
    for seconds in range(0, 59, 5):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            assert browser.get("/session").status_code == 200
    assert seen_at(desk) == now
    with time_machine.travel(now + timedelta(seconds=61), tick=False):
        assert browser.get("/session").status_code == 200
    assert seen_at(desk) == now + timedelta(seconds=61)


def seen_at(desk: Desk) -> datetime:
    with desk.store.read() as tx:
        found: datetime = tx.conn.execute(select(func.max(SESSIONS.c.seen_at))).scalar_one()
    return found


@on_sqlite
def test_after_the_fifth_failure_it_says_how_long_to_wait(browser: Browser, now: datetime) -> None:
    for _ in range(5):
        assert browser.sign_in("agent", "falsch falsch").status_code == 401
    answer = browser.sign_in("agent")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "32")
    assert "请在 32 秒后再试" in answer.text
    assert browser.sign_in("dispatcher").status_code == 303
    with time_machine.travel(now + timedelta(seconds=32), tick=False):
        assert browser.sign_in("agent").status_code == 303


def test_homes_are_of_roles() -> None:
    assert {auth.home_of(role) for role in Role} == {"/agent", "/crew", "/board"}


# ---------------------------------------------------------------- pages


@pytest.fixture
def paged(app: APIFlask) -> APIFlask:
    """The application with a page for those who may read the audit."""
    pages = APIBlueprint("test_pages", __name__)

    @pages.get("/secret")
    @auth.page(pages, Permission.AUDIT)
    def secret() -> str:
        return f"for {auth.actor().name}"

    app.register_blueprint(pages)
    return app


@on_sqlite
def test_a_page_sends_to_sign_in_and_back(paged: APIFlask) -> None:
    browser = Browser(paged.test_client())
    answer = browser.client.get("/secret?tab=1")
    assert (answer.status_code, answer.location) == (303, "/signin?next=%2Fsecret%3Ftab%3D1")
    assert browser.sign_in("auditor", next="/secret?tab=1").location == "/secret?tab=1"
    assert browser.client.get("/secret?tab=1").text == "for 审计员"


@on_sqlite
def test_a_page_for_others_says_so_and_shows_the_way_home(paged: APIFlask, in_: In) -> None:
    answer = in_("crew.a").client.get("/secret")
    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert "这个页面不对您的角色开放" in answer.text
    assert 'href="/crew"' in answer.text


@on_sqlite
def test_a_page_is_no_part_of_the_api(paged: APIFlask) -> None:
    assert "/secret" not in paged.test_client().get("/openapi.json").get_json()["paths"]


@on_sqlite
def test_a_page_says_in_english_what_is_wrong(browser: Browser) -> None:
    browser.client.set_cookie("language", "en")
    assert "Login, password or code is wrong" in browser.sign_in("agent", "falsch falsch").text
    browser.sign_in("agent")
    told = {"password": password_of("agent"), "new": "一二三四五六七八九十", "again": "anders"}
    assert "The two passwords differ" in browser.submit("/account/password", **told).text
    while True:
        answer = browser.submit("/account/password", **(told | {"password": "falsch", "again": told["new"]}))
        if answer.status_code == 429:
            break
        assert "The password is wrong" in answer.text
    assert re.search(r"Too many attempts; try again in \d+ s", answer.text)
    assert "This page is not for your role" in browser.client.get("/board").text
    browser.client.set_cookie("language", "zh")
    assert "两次输入的密码不一致" in browser.submit("/account/password", **told).text
