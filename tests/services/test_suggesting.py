"""Suggestions from online geocoders: asked behind the call's back, checked, noted, and never a pin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import select

from dispatch.domain.address import Candidate, Level
from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.domain.settings import Settings
from dispatch.domain.states import Verb
from dispatch.geocode.breaker import State
from dispatch.geocode.guarded import Guarded
from dispatch.geocode.port import GeocoderDown
from dispatch.services import board, health, lookup, suggesting
from dispatch.services.desk import Desk
from dispatch.services.lookup import Lookup
from dispatch.services.suggesting import LEASE_S, PAUSES_S, Suggested, suggest
from dispatch.storage import suggestions
from dispatch.storage.suggestions import SUGGESTIONS
from tests.support.cast import ZONE_A, Cast, act, call, received, spot

DOWN = GeocoderDown("超时未答复", permanent=False)
ADDRESS = "天心区坡子街 12 号 3 栋 501 室"
ASKED = "天心区坡子街 12 号"


@dataclass
class Clock:
    at: datetime

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Stub:
    """A geocoder that says what it is told to, errors first."""

    name: str
    answer: Sequence[Candidate] = ()
    errors: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    datum: Datum = Datum.GCJ02

    def find(self, text: str) -> Sequence[Candidate]:
        self.asked.append(text)
        self.meanwhile()
        if self.errors:
            raise self.errors.pop(0)
        return self.answer


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def online(desk: Desk, url: str) -> Desk:
    """A desk whose geocoders are on."""
    settings = Settings(database_url=url, geocoders="amap, baidu", amap_key="k", baidu_key="k")
    return Desk(desk.store, settings)


@pytest.fixture
def found(desk: Desk, now: datetime) -> Candidate:
    here = spot(desk, ZONE_A, now)
    return Candidate("天心区坡子街12号", Level.NUMBER, here, 50, None, "天心区", None, None, 0.9, "", "amap")


def ring(clock: Clock, *stubs: Stub) -> Lookup:
    districts = {"天心区": shapely.box(112.5, 27.5, 113.5, 28.5)}
    return Lookup([Guarded(stub, clock) for stub in stubs], districts)


def detail(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    return board.ticket(desk, cast.dispatcher, number, now)


def notes(desk: Desk, cast: Cast, number: str, now: datetime) -> list[str]:
    return [line["text"] for line in detail(desk, cast, number, now)["timeline"] if line["kind"] == "suggest"]


def rows(desk: Desk) -> list[dict[str, Any]]:
    with desk.store.read() as tx:
        return [dict(row) for row in tx.conn.execute(select(SUGGESTIONS)).mappings()]


# ---------------------------------------------------------------- who is asked about


def test_off_nothing_is_asked(desk: Desk, now: datetime) -> None:
    received(desk, now, address=ADDRESS)
    assert rows(desk) == []


def test_a_call_with_words_alone_is_asked_about_without_its_room(online: Desk, now: datetime) -> None:
    received(online, now, address=ADDRESS)
    (row,) = rows(online)
    assert (row["text"], row["state"], row["attempts"], row["next_try_at"]) == (ASKED, "waiting", 0, now)


def test_a_call_with_a_pin_or_without_words_is_not(online: Desk, now: datetime) -> None:
    received(online, now, address=ADDRESS, point=spot(online, ZONE_A, now))
    received(online, now, address="", category="billing")
    assert rows(online) == []


# ---------------------------------------------------------------- what comes of it


def test_a_good_answer_is_a_line_for_the_dispatcher_and_no_pin(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)
    amap, baidu = Stub("amap", [found]), Stub("baidu")
    assert suggest(online, ring(clock, amap, baidu), clock) == Suggested(found=1)
    assert (amap.asked, baidu.asked) == ([ASKED], [])
    (note,) = notes(online, cast, number, now)
    assert note.startswith("在线定位建议: 天心区坡子街12号, ")
    assert "来源高德, 置信 0.90" in note
    assert ZONE_A in note
    ticket = detail(online, cast, number, now)
    assert (ticket["lon"], ticket["team_id"], ticket["status"], ticket["version"]) == (None, None, "received", 1)
    told = ticket["suggestion"]
    assert (told["state"], told["level"], told["zone_id"], told["source"]) == ("suggested", "number", ZONE_A, "amap")
    assert found.point is not None
    assert (told["lon"], told["lat"]) == pytest.approx((found.point.lon, found.point.lat))
    assert told["answered_at"] == now.isoformat()
    assert suggest(online, ring(clock, amap), clock) == Suggested()


def test_without_a_question_there_is_no_suggestion(desk: Desk, cast: Cast, now: datetime) -> None:
    assert detail(desk, cast, received(desk, now), now)["suggestion"] is None


def test_the_next_is_asked_where_one_is_down_or_lies(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)
    liar = Stub("nominatim", [replace(found, label="上海市", point=Wgs84Point(121.4, 31.2))])
    last = Stub("baidu", [replace(found, source="baidu")])
    assert suggest(online, ring(clock, Stub("amap", errors=[DOWN]), liar, last), clock) == Suggested(found=1)
    assert "来源百度" in notes(online, cast, number, now)[0]


def test_when_all_lie_or_do_not_know_it_says_what_each_said(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)
    liar = Stub("amap", [replace(found, label="上海市", point=Wgs84Point(121.4, 31.2))])
    assert suggest(online, ring(clock, liar, Stub("baidu"), Stub("own")), clock) == Suggested(unknown=1)
    (note,) = notes(online, cast, number, now)
    assert "高德: 返回的位置不在服务区: 上海市; 百度: 没有结果; own: 没有结果" in note
    assert "请人工定位" in note
    assert detail(online, cast, number, now)["suggestion"]["state"] == "unknown"


def test_an_outage_is_told_once_and_then_its_end(online: Desk, cast: Cast, now: datetime, clock: Clock) -> None:
    number = received(online, now, address=ADDRESS)
    away = ring(clock, Stub("amap", errors=[DOWN] * 9))
    for pause in PAUSES_S:
        assert suggest(online, away, clock) == Suggested(retried=1)
        assert suggest(online, away, clock) == Suggested()
        assert len(notes(online, cast, number, now)) == 1
        clock.at += timedelta(seconds=pause)
    assert suggest(online, away, clock) == Suggested(unknown=1)
    first, last = notes(online, cast, number, now)
    assert first.startswith("在线定位暂不可用 (高德: 超时未答复), 稍后自动再试")
    assert last.startswith("在线定位一直不可用 (高德: 超时未答复), 已停止尝试")
    assert rows(online)[0]["state"] == "given_up"


def test_a_geocoder_that_comes_back_still_gives_its_suggestion(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)
    back = ring(clock, Stub("amap", [found], errors=[DOWN]))
    assert suggest(online, back, clock) == Suggested(retried=1)
    clock.at += timedelta(seconds=PAUSES_S[0])
    assert suggest(online, back, clock) == Suggested(found=1)
    assert [note[:9] for note in notes(online, cast, number, now)] == ["在线定位暂不可用 ", "在线定位建议: 天"]


def test_what_a_person_has_pinned_is_no_longer_asked(online: Desk, cast: Cast, now: datetime, clock: Clock) -> None:
    number = received(online, now, address=ADDRESS)
    act(online, cast.dispatcher, number, Verb.DISPATCH, now, point=spot(online, ZONE_A, now))
    stub = Stub("amap")
    assert suggest(online, ring(clock, stub), clock) == Suggested(dropped=1)
    assert (stub.asked, rows(online)[0]["state"]) == ([], "moot")


def test_who_pins_while_it_is_asked_is_not_told(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)

    def pin() -> None:  # no transaction is open while asking
        act(online, cast.dispatcher, number, Verb.DISPATCH, now, point=spot(online, ZONE_A, now))

    assert suggest(online, ring(clock, Stub("amap", [found], meanwhile=pin)), clock) == Suggested(dropped=1)
    assert notes(online, cast, number, now) == []


def test_a_dead_askers_question_is_asked_by_the_next_and_marked_once(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    number = received(online, now, address=ADDRESS)

    def long_pause() -> None:
        clock.at += timedelta(seconds=LEASE_S)
        assert suggest(online, ring(clock, Stub("amap", [found])), clock) == Suggested(found=1)

    assert suggest(online, ring(clock, Stub("amap", [found], meanwhile=long_pause)), clock) == Suggested()
    assert len(notes(online, cast, number, now)) == 1
    assert rows(online)[0]["attempts"] == 2


def test_another_may_be_faster(online: Desk, now: datetime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    received(online, now, address=ADDRESS)
    monkeypatch.setattr(suggestions, "lease", lambda *_: None)
    assert suggest(online, ring(clock, Stub("amap")), clock) == Suggested()


def test_a_stop_leaves_the_rest_as_it_was(online: Desk, now: datetime, clock: Clock) -> None:
    received(online, now, address=ADDRESS)
    stopped: list[bool] = []
    first, second = Stub("amap", meanwhile=lambda: stopped.append(True)), Stub("baidu")
    assert suggest(online, ring(clock, first, second), clock, lambda: bool(stopped)) == Suggested()
    assert second.asked == []
    (row,) = rows(online)
    assert (row["state"], row["attempts"], row["next_try_at"]) == ("waiting", 0, now)
    assert suggest(online, ring(clock, first), clock, lambda: True) == Suggested()


# ---------------------------------------------------------------- an agent's own wish


def test_an_agent_asks_and_sees_who_said_what(online: Desk, cast: Cast, clock: Clock, found: Candidate) -> None:
    asked = Stub("amap", errors=[DOWN])
    told = lookup.find(online, ring(clock, asked, Stub("baidu", [found])), cast.agent, ADDRESS, clock)
    assert asked.asked == [ASKED]
    assert told["is_on"] is True
    assert [one["zone_id"] for one in told["items"]] == [ZONE_A]
    assert told["said"][0] == {"source": "amap", "label": "高德", "words": "超时未答复"}
    assert told["said"][1]["label"] == "百度"


def test_she_does_not_wait_for_one_after_the_other(online: Desk, cast: Cast, clock: Clock) -> None:
    def hang() -> None:
        clock.at += timedelta(seconds=online.settings.geocoder_timeout_s)

    second = Stub("baidu")
    told = lookup.find(
        online, ring(clock, Stub("amap", errors=[DOWN], meanwhile=hang), second), cast.agent, "坡子街", clock
    )
    assert (told["items"], second.asked) == ([], [])


def test_off_she_is_told_so(desk: Desk, cast: Cast, clock: Clock) -> None:
    assert lookup.find(desk, Lookup(), cast.agent, "坡子街", clock) == {"is_on": False, "items": [], "said": []}


def test_who_takes_no_calls_may_not_ask_and_a_room_alone_is_nothing(desk: Desk, cast: Cast, clock: Clock) -> None:
    with pytest.raises(NotPermitted):
        lookup.find(desk, Lookup(), cast.crew_a, "坡子街", clock)
    with pytest.raises(InvalidInput):
        lookup.find(desk, Lookup(), cast.agent, " 501 ", clock)


# ---------------------------------------------------------------- how they stand


def test_the_lamp_and_the_doctor_know_how_they_stand(
    online: Desk, cast: Cast, now: datetime, clock: Clock, found: Candidate
) -> None:
    unused = {"state": "unused", "fault": "", "since": None}
    assert health.status(online, now)["geocoders"] == [{"name": "amap", **unused}, {"name": "baidu", **unused}]
    bad_key = GeocoderDown("密钥或签名无效", permanent=True)
    asked = ring(clock, Stub("amap", errors=[bad_key]), Stub("baidu", [found]))
    for _ in range(2):
        lookup.find(online, asked, cast.agent, ADDRESS, clock)
    assert health.status(online, now)["geocoders"] == [
        {"name": "amap", "state": State.OPEN, "fault": "密钥或签名无效", "since": now.isoformat()},
        {"name": "baidu", "state": State.CLOSED, "fault": "", "since": now.isoformat()},
    ]
    told = {one.what: one for one in health.examine(online, now) if one.what.startswith("geocoder")}
    assert [one.is_good for one in told.values()] == [False, True]
    assert "密钥或签名无效" in told["geocoder amap"].detail


def test_intake_goes_on_whatever_they_do(online: Desk, cast: Cast, now: datetime, clock: Clock) -> None:
    """The call is answered before anybody is asked, and the ticket then says why nobody knew."""
    numbers = [call(online, cast.agent, now, address=f"天心区坡子街 {n} 号").body["ticket"]["number"] for n in range(5)]
    asked = ring(clock, Stub("amap", errors=[DOWN] * 99), Stub("baidu", errors=[DOWN] * 99))
    assert suggest(online, asked, clock) == Suggested(retried=5)
    for number in numbers:
        (note,) = notes(online, cast, number, now)
        assert "高德" in note
        assert "超时未答复" in note
    assert len(asked.geocoders) == 2


def test_lines_name_no_room(online: Desk, cast: Cast, now: datetime, clock: Clock) -> None:
    number = received(online, now, address=ADDRESS)
    suggest(online, ring(clock, Stub("amap")), clock)
    assert "501" not in notes(online, cast, number, now)[0]
    assert suggesting.LEASE_S > 4 * 10
