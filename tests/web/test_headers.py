"""What every answer says to the browser about itself."""

from __future__ import annotations

import pytest
from apiflask import APIFlask

from tests.web.conftest import As, open_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
ANYWHERE = ["/signin", "/nowhere", "/api/v1/session", "/docs", "/static/common/base.css"]


def policy(app: APIFlask, path: str) -> dict[str, str]:
    with app.test_client().get(path) as answer:
        parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


@pytest.mark.parametrize("path", ANYWHERE)
def test_nothing_is_framed_guessed_or_told_elsewhere(app: APIFlask, path: str) -> None:
    with app.test_client().get(path) as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "geolocation=(self)" in headers["Permissions-Policy"]
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_pages_run_nothing_that_stands_in_them(app: APIFlask) -> None:
    told = policy(app, "/signin")
    assert "script-src" not in told  # as default-src
    assert (told["default-src"], told["style-src"], told["worker-src"]) == ("'self'", "'self'", "'self'")
    assert told["img-src"] == "'self' data: blob:"
    assert "unsafe" not in str(told)


def test_only_the_docs_style_themselves(app: APIFlask) -> None:
    assert policy(app, "/docs")["style-src"] == "'self' 'unsafe-inline'"
    assert policy(app, "/docs/page.js")["style-src"] == "'self' 'unsafe-inline'"
    assert policy(app, "/docsx")["style-src"] == "'self'"
    assert "unsafe" not in policy(app, "/docs")["default-src"]


@pytest.mark.parametrize(
    ("template", "host"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", "https://tiles.example"),
        ("https://{s}.tile.example:8443/{z}/{x}/{y}.png", "https://*.tile.example:8443"),
        ("/tiles/{z}/{x}/{y}.png", ""),
    ],
)
def test_tiles_come_from_where_they_are_set(url: str, template: str, host: str) -> None:
    assert policy(open_app(url, tiles_url=template), "/signin")["img-src"] == f"'self' data: blob: {host}".strip()


def test_https_stays_https(url: str) -> None:
    with open_app(url, public_url="https://96533.example").test_client().get("/signin") as answer:
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_what_is_somebodys_is_kept_by_nobody(app: APIFlask, as_: As) -> None:
    assert as_("agent").get("/session").headers["Cache-Control"] == "no-store"
    assert app.test_client().get("/signin").headers["Cache-Control"] == "no-store"
