"""Travel times from OSRM and Valhalla: their forms, their refusals, and what is told without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.app import create_app
from dispatch.domain.place import Wgs84Point
from dispatch.domain.settings import Settings
from dispatch.domain.travel import LineRules, RoadRules
from dispatch.geocode.breaker import FAILURES, FIRST_PAUSE, State
from dispatch.geocode.geodesic import LineEtas, distance_m
from dispatch.geocode.routers import AT_ONCE, AskedFirst, Osrm, Router, RouterDown, Valhalla, router_of
from tests.support.routing_services import BAD, MIDDLE, SPEED, RoutingServices, routing_services

pytestmark = pytest.mark.network
RULES = RoadRules(slow=1.5, snap_m=500, off_road_kmh=5)
NEAR, FAR = Wgs84Point(112.98, 28.2), Wgs84Point(113.0, 28.15)
NO_WAY, ABROAD = Wgs84Point(112.98, 27.999), Wgs84Point(121.47, 31.23)
KINDS = pytest.mark.parametrize("kind", [Osrm, Valhalla])


@dataclass
class Clock:
    at: datetime = datetime(2026, 11, 24, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def services() -> Iterator[RoutingServices]:
    with routing_services() as server:
        yield server


def router(kind: type[Router], at: RoutingServices, clock: Clock | None = None) -> Router:
    return kind(f"{at.origin}/", RULES, clock or Clock(), timeout_s=0.4)


@KINDS
def test_a_time_for_each_as_a_range(services: RoutingServices, kind: type[Router]) -> None:
    near, nobody, far = router(kind, services).etas(MIDDLE, [NEAR, NO_WAY, FAR])
    assert near is not None
    assert far is not None
    assert nobody is None
    assert near.low_s == pytest.approx(distance_m(NEAR, MIDDLE) / SPEED, rel=1e-3)
    assert near.high_s == pytest.approx(near.low_s * 1.5)
    assert (far.kind, far.note) == ("service", "约 8–14 分, 按路径服务")
    assert router(kind, services).etas(MIDDLE, []) == []


@KINDS
def test_many_are_asked_in_parts(services: RoutingServices, kind: type[Router]) -> None:
    found = router(kind, services).etas(MIDDLE, [NEAR] * (AT_ONCE + 7))
    assert len(found) == AT_ONCE + 7
    assert services.asked == [AT_ONCE, 7]


@KINDS
def test_a_place_on_no_road_is_no_outage(services: RoutingServices, kind: type[Router]) -> None:
    asked = router(kind, services)
    assert list(asked.etas(ABROAD, [NEAR])) == [None]
    assert list(asked.etas(MIDDLE, [ABROAD])) == [None]
    services.mood = "off-road"
    assert list(asked.etas(MIDDLE, [NEAR, FAR])) == [None, None]
    assert asked.condition.state is State.CLOSED


@KINDS
@pytest.mark.parametrize("mood", [*BAD, "hang", "refuse", "no-table"])
def test_whatever_is_no_time_is_told(services: RoutingServices, kind: type[Router], mood: str) -> None:
    services.mood = mood
    with pytest.raises(RouterDown) as caught:
        router(kind, services).etas(MIDDLE, [NEAR, FAR])
    assert ("超时" in caught.value.detail) == (mood == "hang")


@KINDS
def test_who_fails_is_left_alone_for_a_while(services: RoutingServices, kind: type[Router]) -> None:
    clock = Clock()
    asked = router(kind, services, clock)
    services.mood = "busy"
    for _ in range(FAILURES):
        with pytest.raises(RouterDown, match="HTTP 503"):
            asked.etas(MIDDLE, [NEAR])
    with pytest.raises(RouterDown, match=r"暂停使用 \(路径服务答复 HTTP 503\)"):
        asked.etas(MIDDLE, [NEAR])
    assert len(services.asked) == FAILURES
    services.mood = ""
    clock.at += FIRST_PAUSE + timedelta(seconds=1)
    assert asked.etas(MIDDLE, [NEAR])[0]


@KINDS
def test_where_it_knows_nothing_another_answers_and_says_why(services: RoutingServices, kind: type[Router]) -> None:
    asked = AskedFirst(router(kind, services), LineEtas(LineRules(1.2, 1.6, 40, 25, 4_000)))
    by_service, by_line = asked.etas(MIDDLE, [NEAR, NO_WAY])
    assert by_service is not None
    assert by_line is not None
    assert (by_service.kind, by_line.kind, asked.name) == ("service", "line", kind.name)
    assert by_line.note.endswith("直线估算 (路径服务没有结果)")
    services.mood = "hang"
    (eta,) = asked.etas(MIDDLE, [NEAR])
    assert eta is not None
    assert eta.note.endswith("直线估算 (路径服务超时)")


def test_nobody_is_there() -> None:
    with routing_services() as gone:
        pass
    with pytest.raises(RouterDown, match="连接不上"):
        router(Osrm, gone).etas(MIDDLE, [NEAR])


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@KINDS
def test_the_setting_puts_it_before_all_others(services: RoutingServices, kind: type[Router], url: str) -> None:
    address = f"{kind.name}+{services.origin}"
    assert isinstance(router_of(address, RULES, Clock()), kind)
    app = create_app(Settings(database_url=url, router_url=address))
    desk = app.extensions["desk"]
    by_service, by_line = desk.roads.provider().etas(MIDDLE, [NEAR, NO_WAY])
    assert (by_service.kind, by_line.kind) == ("service", "line")
    app.extensions["stop_live"]()
    desk.store.close()
