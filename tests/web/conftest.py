"""The application on a furnished database, and a client for each of the cast."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.app import create_app
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.services import setup
from dispatch.services.desk import Desk
from tests.support.cast import CALLER, CALLER_PHONE, password_of


@dataclass
class Caller:
    """A client with a token."""

    client: FlaskClient
    token: str

    def get(self, path: str, **query: Any) -> TestResponse:
        address = f"/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        return self.client.get(address, headers=self._headers())

    def post(self, path: str, body: Any = None, key: str | None = None, **options: Any) -> TestResponse:
        if body is not None:
            options["data"] = json.dumps(body)
        return self.client.post(f"/api/v1{path}", headers=self._headers(key), **options)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(f"/api/v1{path}", headers=self._headers())

    def _headers(self, key: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})


As = Callable[[str], Caller]


@dataclass
class Browser:
    """A client with a cookie, as a page has it."""

    client: FlaskClient

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/signin?again=1").text)
        return found[1] if found else str(self.get("/session").get_json()["csrf_token"])

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}")

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.csrf}
        return self.client.post(f"/api/v1{path}", data=json.dumps(body or {}), headers=headers, **options)

    def submit(self, path: str, **fields: str) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={"csrf_token": self.csrf, **fields})

    def sign_in(self, login: str, password: str = "", **fields: str) -> TestResponse:
        return self.submit("/signin", login=login, password=password or password_of(login), **fields)


In = Callable[[str], Browser]


def open_app(url: str, **settings: Any) -> APIFlask:
    return create_app(Settings(database_url=url, **settings))


def desk_of(app: APIFlask) -> Desk:
    desk = app.extensions["desk"]
    assert isinstance(desk, Desk)
    return desk


def token_of(app: APIFlask, login: str, now: datetime) -> str:
    return setup.create_token(desk_of(app), SYSTEM, login=login, label="test", expires_at=None, now=now)


@pytest.fixture
def app(url: str, now: datetime) -> Iterator[APIFlask]:
    """The application at the moment of the tests; its scheduler sleeps."""
    with time_machine.travel(now, tick=False):
        made = open_app(url)
        yield made
        made.extensions["stop_live"]()
        desk_of(made).store.close()


@pytest.fixture
def as_(app: APIFlask, now: datetime) -> As:
    """A client that speaks as one of the cast, by login."""
    known: dict[str, Caller] = {}

    def speak(login: str) -> Caller:
        if login not in known:
            known[login] = Caller(app.test_client(), token_of(app, login, now))
        return known[login]

    return speak


@pytest.fixture
def browser(app: APIFlask) -> Browser:
    """A browser that nobody has signed in with."""
    return Browser(app.test_client())


@pytest.fixture
def in_(app: APIFlask) -> In:
    """A browser that one of the cast has signed in with, by login."""

    def enter(login: str) -> Browser:
        entered = Browser(app.test_client())
        assert entered.sign_in(login).status_code == 303
        return entered

    return enter


def a_call(now: datetime, **changes: Any) -> dict[str, Any]:
    """The body of a call that becomes a ticket."""
    return {
        "called_at": now.isoformat(),
        "category": "no_water",
        "description": "整栋楼都停水了",
        "caller_phone": CALLER_PHONE,
        "caller_name": CALLER,
        "address": "天心区坡子街 12 号",
        **changes,
    }
