"""The online geocoders against stand-ins that speak their real forms, also when these are refusals or nonsense."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from dispatch.domain.address import Level
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.geocode import http
from dispatch.geocode.geodesic import distance_m
from dispatch.geocode.online.amap import AMapOnline
from dispatch.geocode.online.asked import in_city
from dispatch.geocode.online.baidu import BaiduOnline
from dispatch.geocode.online.nominatim import NominatimOnline
from dispatch.geocode.online.tianditu import TiandituOnline
from dispatch.geocode.port import Geocoder, GeocoderDown
from tests.support.map_services import (
    AMAP,
    BAIDU,
    FAULTY,
    KEY,
    NOMINATIM,
    SECRET,
    TIANDITU,
    MapServices,
    Spot,
    map_services,
)

pytestmark = pytest.mark.network
TEXT = "天心区坡子街 12 号"
HERE = Wgs84Point(112.970123, 28.190456)
SHORT_S = 0.4
Make = Callable[[MapServices], Geocoder]


def amap(to: MapServices, **options: str) -> Geocoder:
    return AMapOnline(options.pop("key", KEY), city="长沙市", timeout_s=SHORT_S, url=to.origin + AMAP, **options)


def baidu(to: MapServices, **options: str) -> Geocoder:
    return BaiduOnline(options.pop("key", KEY), city="长沙市", timeout_s=SHORT_S, url=to.origin + BAIDU, **options)


def tianditu(to: MapServices, key: str = KEY) -> Geocoder:
    return TiandituOnline(key, city="长沙市", timeout_s=SHORT_S, url=to.origin + TIANDITU)


def nominatim(to: MapServices) -> Geocoder:
    return NominatimOnline(to.origin + "/", city="长沙市", timeout_s=SHORT_S)


ALL: list[tuple[Make, str]] = [(amap, AMAP), (baidu, BAIDU), (tianditu, TIANDITU), (nominatim, NOMINATIM)]
each = pytest.mark.parametrize(("make", "path"), ALL, ids=["amap", "baidu", "tianditu", "nominatim"])


@pytest.fixture
def services() -> Iterator[MapServices]:
    with map_services() as server:
        server.spots[TEXT] = [Spot(HERE)]
        yield server


def told(geocoder: Geocoder, text: str = TEXT) -> GeocoderDown:
    with pytest.raises(GeocoderDown) as caught:
        geocoder.find(text)
    return caught.value


@each
def test_a_place_comes_back_in_wgs84(services: MapServices, make: Make, path: str) -> None:
    (found,) = make(services).find(TEXT)
    assert found.point is not None
    # Six decimals of the answers are 0.1 m; the datums are some 660 m and 1,200 m apart.
    assert distance_m(found.point, HERE) < 0.2
    assert (found.level, found.source, found.zone_id) == (Level.NUMBER, make(services).name, None)
    assert 0.8 <= found.confidence <= 0.9
    assert "坡子街" in found.label
    assert found.district == (None if path in (BAIDU, TIANDITU) else "天心区")


def test_each_declares_its_datum(services: MapServices) -> None:
    made = [make(services) for make, _ in ALL]
    assert [one.datum for one in made] == [Datum.GCJ02, Datum.BD09, Datum.WGS84, Datum.WGS84]


def test_they_are_told_the_city(services: MapServices) -> None:
    for make, _ in ALL:
        make(services).find(TEXT)
    asked = dict(services.got)
    assert asked[AMAP]["city"] == asked[BAIDU]["city"] == "长沙市"
    assert asked[NOMINATIM]["q"] == f"长沙市{TEXT}"
    assert asked[NOMINATIM]["accept-language"] == "zh-CN"
    assert in_city("长沙坡子街", "长沙市") == "长沙坡子街"
    assert in_city("坡子街", "") == "坡子街"


@each
def test_what_is_not_known_is_no_fault(services: MapServices, make: Make, path: str) -> None:
    assert list(make(services).find("不知道在哪里")) == []
    if path != NOMINATIM:
        services.moods[path] = ["no-address"]
        assert list(make(services).find(TEXT)) == []


@each
@pytest.mark.parametrize(
    ("mood", "words", "permanent"),
    [
        ("bad-key", "密钥或签名无效", True),
        ("quota", "配额用尽", True),
        ("throttle", "限流", False),
        ("no-right", "密钥", True),
        ("odd", "", False),
    ],
)
def test_each_refusal_is_told_apart(
    services: MapServices, make: Make, path: str, mood: str, words: str, permanent: bool
) -> None:
    services.moods[path] = [mood]
    fault = told(make(services))
    assert words in fault.detail
    assert fault.permanent is permanent


@each
@pytest.mark.parametrize("mood", FAULTY)
def test_nonsense_is_told_in_time(services: MapServices, make: Make, path: str, mood: str) -> None:
    services.moods[path] = [mood]
    fault = told(make(services))
    assert not fault.permanent
    # Both would go on for twenty seconds: who waits for their end is told something else.
    assert ("超时" in fault.detail) == (mood in ("hang", "drip"))
    assert KEY not in fault.detail
    assert TEXT not in fault.detail


@each
def test_nobody_is_there(make: Make, path: str) -> None:
    with map_services() as gone:
        pass
    assert told(make(gone)).detail == "连接不上"


def test_requests_are_signed_where_there_is_a_secret(services: MapServices) -> None:
    for make in (amap, baidu):
        assert make(services, secret=SECRET).find(TEXT)
        fault = told(make(services, secret="another"))
        assert (fault.detail, fault.permanent) == ("密钥或签名无效", True)
        assert told(make(services, key="another")).permanent
    assert told(tianditu(services, "another")).permanent


@pytest.mark.parametrize(
    ("kinds", "rank", "level"),
    [
        (("区县", "区县", "区县"), 12, Level.DISTRICT),
        (("乡镇", "乡镇", "乡镇"), 16, Level.STREET),
        (("道路", "道路", "道路"), 26, Level.ROAD),
        (("兴趣点", "地产小区", "兴趣点"), 28, Level.ESTATE),
        (("村庄", "村庄", "村"), 20, Level.COMMUNITY),
        (("市", "城市", "市"), 8, Level.CITY),
    ],
)
def test_their_words_for_kinds_of_places(
    services: MapServices, kinds: tuple[str, str, str], rank: int, level: Level
) -> None:
    services.spots[TEXT] = [Spot(HERE, kinds=kinds, rank=rank)]
    assert {make(services).find(TEXT)[0].level for make, _ in ALL} == {level}


def test_several_places_and_no_more_than_five(services: MapServices) -> None:
    services.spots[TEXT] = [Spot(HERE)] * 9
    assert [len(make(services).find(TEXT)) for make, _ in ALL] == [5, 1, 1, 5]


def test_a_text_without_end_is_cut(services: MapServices) -> None:
    assert list(amap(services).find("长" * 5_000)) == []
    assert len(dict(services.got)[AMAP]["address"]) == 120


def test_a_place_of_unknown_rank_and_without_a_district(services: MapServices) -> None:
    raw = {"lat": "28.19", "lon": "112.97", "display_name": "", "address": {}}
    place = NominatimOnline(services.origin)._geocoder._parse_code(raw)
    found = NominatimOnline(services.origin)._candidate(place)
    assert (found.level, found.district, found.label) == (Level.CITY, None, "")


# ---------------------------------------------------------------- the way there


def test_a_page_is_not_followed_elsewhere(services: MapServices) -> None:
    reply = http.ask(f"{services.origin}{NOMINATIM}?q=x", timeout_s=2)
    assert reply.status == 400
    assert reply.headers["content-length"] == str(len(reply.body))


def test_tls_that_never_shakes_hands_ends_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(http.NoReply) as caught:
            http.ask(f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.3)
        assert caught.value.is_slow


def test_a_host_without_a_name_or_a_way_to_it() -> None:
    with pytest.raises(http.NoReply):
        http.ask("http://", timeout_s=0.3)
