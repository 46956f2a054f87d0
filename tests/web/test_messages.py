"""One's own messages over HTTP, the page and the route behind a link, and the replies of a gateway."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import update

from dispatch.services.desk import Desk
from dispatch.services.escalation import sweep
from dispatch.services.links import sha256_of
from dispatch.storage.messages import MESSAGES
from tests.support.cast import Cast, dispatched
from tests.support.night import PHONES, set_up
from tests.web.conftest import As, Browser

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
NIGHT = timedelta(hours=16, minutes=10)


def body(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return json.loads(answer.data)


@pytest.fixture
def fired(desk: Desk, cast: Cast, now: datetime) -> str:
    """A burst at night whose crew was reminded, told to the cast's crew A with the link `t-1`."""
    set_up(desk, now)
    number = dispatched(desk, now + NIGHT, category="burst")
    sweep(desk, now + NIGHT + timedelta(minutes=5))
    with desk.store.write() as tx:
        tx.conn.execute(update(MESSAGES).values(token_sha256=sha256_of("t-1")))
    return number


def test_my_messages(as_: As, fired: str) -> None:
    (one,) = body(as_("crew.a").get("/messages"))["items"]
    assert (one["number"], one["level"], one["category"]) == (fired, "P1", "burst")
    assert one["why"] == "天心-03 班组: 没有第二人当班, 由A角备岗"
    assert body(as_("auditor").get("/messages"))["items"] == []
    assert body(as_("crew.a").get("/messages", limit=0), 422)["field"] == "limit"


def test_a_link_shows_and_answers_nothing_until_the_button(app: APIFlask, browser: Browser, fired: str) -> None:
    page = app.test_client().get("/m/t-1")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    path = "/public/alerts/t-1"
    assert body(browser.get(path))["acknowledged_at"] is None
    assert body(app.test_client().post(f"/api/v1{path}/acknowledge"), 400)["code"] == "csrf"
    assert body(browser.post(f"{path}/acknowledge"))["acknowledged_by"] == "水管家甲 (水管家) (短信链接)"
    assert body(browser.get("/public/alerts/t-2"), 404)["detail"].startswith("没有找到")


def test_a_reply_comes_from_the_gateway(as_: As, desk: Desk, fired: str, now: datetime) -> None:
    sent = {"phone": PHONES["crew.a"], "text": "1", "at": (now + NIGHT + timedelta(hours=1)).isoformat()}
    assert body(as_("cti").post("/sms-replies", sent))["number"] == fired
    assert body(as_("cti").post("/sms-replies", {**sent, "text": "在哪"}), 422)["field"] == "text"
    assert body(as_("cti").post("/sms-replies", {**sent, "phone": "13000000999"}), 404)["field"] == "phone"
    assert body(as_("agent").post("/sms-replies", sent), 403)["code"] == "not-permitted"
