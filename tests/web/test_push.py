"""Web Push over HTTP: the key, on, off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from apiflask import APIFlask

from dispatch.app import channels
from dispatch.notify import webpush
from dispatch.notify.webpush import WebPush
from tests.support.push_service import Phone
from tests.web.conftest import As, Caller, In, desk_of, open_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
KEY = webpush.make_key()


@pytest.fixture
def app(url: str, now: datetime) -> Iterator[APIFlask]:
    """The application with Web Push switched on."""
    with time_machine.travel(now, tick=False):
        made = open_app(url, push_key=KEY, push_contact="mailto:it@example.cn")
        yield made
        made.extensions["stop_live"]()
        desk_of(made).store.close()


def body() -> dict[str, object]:
    told = Phone().at("https://push.example.net/send/1")
    return {"endpoint": told.endpoint, "keys": {"p256dh": told.p256dh, "auth": told.auth}}


def delete(caller: Caller, told: object) -> int:
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.client.delete("/api/v1/push/subscriptions", data=json.dumps(told), headers=headers).status_code


def test_a_crew_switches_it_on_and_off(app: APIFlask, as_: As, in_: In) -> None:
    crew = as_("crew.a")
    assert json.loads(crew.get("/push/key").data) == {"key": webpush.public_key(KEY)}
    told = body()
    assert json.loads(crew.post("/push/subscriptions", told).data) == {"is_on": True}
    assert in_("lead.a").post("/push/subscriptions", told).status_code == 200
    for _ in range(2):
        assert delete(crew, {"endpoint": told["endpoint"]}) == 200
    assert delete(as_("agent"), {"endpoint": told["endpoint"]}) == 403
    inside = crew.post("/push/subscriptions", told | {"endpoint": "https://10.0.0.1/x"})
    assert (inside.status_code, json.loads(inside.data)["field"]) == (422, "endpoint")


def test_the_channel_is_served_under_the_name_that_notices_wait_for(app: APIFlask) -> None:
    assert desk_of(app).channels == ("console", "webpush")
    assert isinstance(channels(desk_of(app))["webpush"], WebPush)


def test_without_a_key_it_is_off(url: str, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        made = open_app(url)
        assert "webpush" not in desk_of(made).channels
        made.extensions["stop_live"]()
        desk_of(made).store.close()
