"""What a person sees who opens an address that is wrong, or right at the wrong moment: a page, with a way home."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from apiflask import APIFlask
from flask import Response
from sqlalchemy import text
from werkzeug.test import TestResponse

from dispatch.services.desk import Desk
from dispatch.web.errors import PROBLEM_JSON
from tests.support.cast import password_of
from tests.web.conftest import Browser, In

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
pytestmark = on_sqlite
# As Chromium asks for what is typed into its address bar.
OPENED = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}


def opened(browser: Browser, path: str) -> TestResponse:
    return browser.client.get(path, headers=OPENED)


def heading(answer: TestResponse) -> str:
    assert answer.mimetype == "text/html"
    assert "default-src" in answer.headers["Content-Security-Policy"]
    (told,) = re.findall("<h1>(.+)</h1>", answer.text)
    return str(told)


def link_of_language(answer: TestResponse) -> str:
    (link,) = re.findall(r'href="(/language/[^"]+)"', answer.text)
    return str(link)


def test_a_wrong_address_is_a_page_with_a_way_home(browser: Browser, in_: In) -> None:
    answer = opened(browser, "/bord")
    assert (answer.status_code, heading(answer)) == (404, "没有这个页面")
    assert 'class="button primary" href="/"' in answer.text
    browser.client.set_cookie("language", "en")
    assert heading(opened(browser, "/bord")) == "No such page"
    known = opened(in_("agent"), "/bord")
    assert 'class="button primary" href="/agent"' in known.text
    assert "坐席小周" in known.text
    wrong_way = opened(browser, "/account/others")
    assert (wrong_way.status_code, heading(wrong_way)) == (405, "No such page")
    assert "POST" in wrong_way.headers["Allow"]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.9", "image/png"])
def test_a_program_is_answered_with_a_problem(browser: Browser, accept: str | None) -> None:
    answer = browser.client.get("/bord", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (404, PROBLEM_JSON)


@pytest.mark.parametrize("path", ["/api/v1/tickts", "/cti/event", "/api/v1/tickets"])
def test_the_api_answers_with_a_problem_whoever_asks(browser: Browser, path: str) -> None:
    answer = opened(browser, path)
    assert answer.content_type == PROBLEM_JSON
    assert answer.status_code in (401, 404)


def test_a_database_that_is_away_is_a_page_that_can_be_tried_again(in_: In, desk: Desk, now: datetime) -> None:
    agent = in_("agent")
    with desk.store.engine.begin() as conn:
        for table in ("sessions", "zone_sets", "policies"):
            conn.execute(text(f"ALTER TABLE {table} RENAME TO gone_{table}"))
    answer = opened(agent, "/account?done=others")
    assert (answer.status_code, heading(answer)) == (503, "系统暂时不可用")
    assert answer.headers["Retry-After"] == "5"
    assert 'class="button primary" href="/account?done=others"' in answer.text


def test_a_bug_is_a_page_that_says_so(app: APIFlask, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> Response:
        raise ZeroDivisionError

    monkeypatch.setitem(app.view_functions, "signin.form", breaks)
    answer = opened(browser, "/signin")
    assert (answer.status_code, heading(answer)) == (500, "系统内部错误")
    assert "系统内部错误, 已记录" in answer.text


def test_the_language_can_be_changed_after_a_refused_form(in_: In) -> None:
    agent = in_("agent")
    refused = agent.submit("/account/password", password=password_of("agent"), new="一二三四五六七八九十", again="")
    assert refused.status_code == 422
    answer = agent.client.get(link_of_language(refused), follow_redirects=True)
    assert answer.status_code == 200
    assert answer.request.path == "/account"
    assert '<html lang="en">' in answer.text


def test_the_language_link_keeps_what_a_page_was_asked(in_: In) -> None:
    answer = in_("supervisor").client.get("/board?level=P1")
    assert link_of_language(answer) == "/language/en?next=/board%3Flevel%3DP1"
