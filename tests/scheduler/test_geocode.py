"""Intake and online geocoders, all real but the services: down, slow or lying, the call is answered at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from dispatch.app import geocoders
from dispatch.domain.address import Candidate
from dispatch.domain.settings import Settings
from dispatch.geocode.guarded import Guarded
from dispatch.geocode.online.amap import AMapOnline
from dispatch.geocode.online.baidu import BaiduOnline
from dispatch.geocode.online.nominatim import NominatimOnline
from dispatch.geocode.online.tianditu import TiandituOnline
from dispatch.scheduler.jobs import Jobs, utc_now
from dispatch.services import board
from dispatch.services.desk import Desk
from dispatch.services.lookup import Lookup
from tests.support.cast import ZONE_A, Cast, call, spot
from tests.support.map_services import AMAP, BAIDU, KEY, NOMINATIM, TIANDITU, MapServices, Spot, map_services

pytestmark = pytest.mark.network
ON = {"geocoders": "amap,baidu,tianditu,nominatim", "amap_key": KEY, "baidu_key": KEY, "tianditu_key": KEY}
TEXT = "天心区坡子街 12 号"
SOON_S, SHORT_S = 20.0, 0.3


def soon(is_so: Callable[[], object]) -> bool:
    deadline = time.monotonic() + SOON_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lookup_at(services: MapServices) -> Lookup:
    common = {"city": "长沙市", "timeout_s": SHORT_S}
    made = [
        AMapOnline(KEY, url=services.origin + AMAP, **common),  # type: ignore[arg-type]
        BaiduOnline(KEY, url=services.origin + BAIDU, **common),  # type: ignore[arg-type]
        TiandituOnline(KEY, url=services.origin + TIANDITU, **common),  # type: ignore[arg-type]
        NominatimOnline(services.origin, **common),  # type: ignore[arg-type]
    ]
    return Lookup([Guarded(one, utc_now) for one in made])


def told(desk: Desk, cast: Cast, number: str) -> list[str]:
    timeline = board.ticket(desk, cast.agent, number, datetime.now(UTC))["timeline"]
    return [line["text"] for line in timeline if line["kind"] == "suggest"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_stop_waits_for_no_geocoder_that_does_not_answer(desk: Desk, cast: Cast) -> None:
    on = Desk(desk.store, Settings(database_url="sqlite://", geocoders="amap", amap_key=KEY))
    before = threading.active_count()
    is_asked, let_go = threading.Event(), threading.Event()

    class Stuck(AMapOnline):
        def find(self, text: str) -> Sequence[Candidate]:
            is_asked.set()
            let_go.wait(SOON_S)
            return []

    jobs = Jobs(on, {}, Lookup([Guarded(Stuck(KEY), utc_now)]))
    jobs.start()
    try:
        ticket = call(on, cast.agent, datetime.now(UTC), address=TEXT).body["ticket"]
        assert is_asked.wait(SOON_S)
    finally:
        jobs.stop()
    assert not let_go.is_set()
    assert board.ticket(on, cast.agent, ticket["number"], datetime.now(UTC))["suggestion"]["state"] == "leased"
    let_go.set()
    assert soon(lambda: threading.active_count() == before)


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("hang", "超时未答复"),
        ("drip", "超时未答复"),
        ("html", "返回的不是数据"),
        ("elsewhere", "返回的位置不在服务区"),
        ("shut", "连接不上"),
        ("", "在线定位建议"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_call_is_answered_whatever_they_do(desk: Desk, cast: Cast, mood: str, words: str) -> None:
    on = Desk(desk.store, Settings(database_url="sqlite://", nominatim_url="http://127.0.0.1", **ON))  # type: ignore[arg-type]
    assert [one.name for one in geocoders(on.settings)] == ["amap", "baidu", "tianditu", "nominatim"]
    with map_services() as services:
        here = spot(desk, ZONE_A, datetime.now(UTC))
        beyond = Spot(here.__class__(121.47, 31.23), district="黄浦区", city="上海市")
        services.spots[TEXT] = [beyond if mood == "elsewhere" else Spot(here)]
        services.moods = {path: [mood] for path in (AMAP, BAIDU, TIANDITU, NOMINATIM)} if mood != "elsewhere" else {}
        jobs = Jobs(on, {}, lookup_at(services))
        jobs.start()
        try:
            ticket = call(on, cast.agent, datetime.now(UTC), address=f"{TEXT} 501 室").body["ticket"]
            assert ticket["status"] == "received"
            assert soon(lambda: told(on, cast, ticket["number"]))
        finally:
            jobs.stop()
    (note,) = told(on, cast, ticket["number"])
    assert words in note
