"""The agent's own question to the online geocoders, and what a ticket then shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from apiflask import APIFlask

from dispatch.geocode.online.amap import AMapOnline
from dispatch.services.desk import Desk
from tests.support.cast import ZONE_A, spot
from tests.support.map_services import AMAP, KEY, MapServices, Spot, map_services
from tests.web.conftest import As, Caller, a_call, desk_of, open_app, token_of

pytestmark = [pytest.mark.network, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
TEXT = "天心区坡子街 12 号"


@pytest.fixture
def services(desk: Desk, now: datetime) -> Iterator[MapServices]:
    with map_services() as server:
        server.spots[TEXT] = [Spot(spot(desk, ZONE_A, now))]
        yield server


@pytest.fixture
def online(url: str, now: datetime, services: MapServices, monkeypatch: pytest.MonkeyPatch) -> Iterator[APIFlask]:
    """The application with AMap on, at its stand-in."""
    at_stand_in = [AMapOnline(KEY, city="长沙市", timeout_s=0.5, url=services.origin + AMAP)]
    monkeypatch.setattr("dispatch.app.geocoders", lambda _settings: at_stand_in)
    with time_machine.travel(now, tick=False):
        made = open_app(url, geocoders="amap", amap_key=KEY)
        yield made
        made.extensions["stop_live"]()
        desk_of(made).store.close()


@pytest.fixture
def agent(online: APIFlask, now: datetime) -> Caller:
    return Caller(online.test_client(), token_of(online, "agent", now))


def test_off_by_default(as_: As) -> None:
    assert as_("agent").get("/places/online", q=TEXT).get_json() == {"is_on": False, "items": [], "said": []}


def test_a_question_is_bounded(as_: As) -> None:
    for query in ({}, {"q": ""}, {"q": "长" * 201}, {"q": "501"}, {"q": TEXT, "more": 1}):
        assert as_("agent").get("/places/online", **query).status_code == 422


def test_an_agent_asks(agent: Caller, services: MapServices) -> None:
    answer = agent.get("/places/online", q=f"{TEXT} 501 室")
    (place,) = answer.get_json()["items"]
    assert (place["zone_id"], place["level"], place["source"]) == (ZONE_A, "number", "amap")
    assert answer.get_json()["said"][0]["label"] == "高德"
    assert services.got[0][1]["address"] == TEXT


def test_down_or_lying_it_says_so(agent: Caller, services: MapServices) -> None:
    services.moods[AMAP] = ["html", ""]
    told = agent.get("/places/online", q=TEXT).get_json()
    assert (told["items"], told["said"][0]["words"]) == ([], "返回的不是数据 (网页或残缺的答复)")
    assert agent.get("/places/online", q="别处").get_json()["said"][0]["words"] == "没有结果"


def test_the_lamp_tells_how_it_stands(online: APIFlask, agent: Caller, services: MapServices) -> None:
    lamp = online.test_client().get("/healthz").get_json()
    assert lamp["geocoders"] == [{"name": "amap", "state": "unused", "fault": "", "since": None}]
    services.moods[AMAP] = ["bad-key"]
    agent.get("/places/online", q=TEXT)
    (told,) = online.test_client().get("/healthz").get_json()["geocoders"]
    assert (told["state"], told["fault"]) == ("open", "密钥或签名无效")


def test_a_ticket_shows_that_the_question_waits(agent: Caller, now: datetime) -> None:
    number = agent.post("/calls", a_call(now)).get_json()["ticket"]["number"]
    assert agent.get(f"/tickets/{number}").get_json()["suggestion"]["state"] == "waiting"
