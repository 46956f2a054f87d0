"""Breaker and cache: who fails is left alone, what is known is not asked again, and neither for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.address import Candidate, Level
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.geocode.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker, State
from dispatch.geocode.cache import KEPT, KEPT_UNKNOWN, Cache
from dispatch.geocode.guarded import Guarded
from dispatch.geocode.port import GeocoderDown

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
PLACE = Candidate("坡子街", Level.ROAD, Wgs84Point(112.97, 28.19), 1500, None, None, None, None, 0.6, "", "spy")


@dataclass
class Spy:
    """A geocoder that fails as told, and answers after that."""

    errors: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: Sequence[Candidate] = (PLACE,)
    name: str = "spy"
    datum: Datum = Datum.WGS84

    def find(self, text: str) -> Sequence[Candidate]:
        self.asked.append(text)
        if self.errors:
            raise self.errors.pop(0)
        return self.answer


@dataclass
class Clock:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


def slow() -> GeocoderDown:
    return GeocoderDown("超时未答复", permanent=False)


# ---------------------------------------------------------------- breaker


def test_nothing_asked_yet() -> None:
    breaker = Breaker()
    assert (breaker.condition.state, breaker.condition.since) == (State.CLOSED, None)
    assert breaker.lets_through(NOW)


def test_it_opens_after_failures_in_a_row_and_asks_once_after_a_pause() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed("超时", NOW, permanent=False)
        assert breaker.lets_through(NOW)
    breaker.failed("超时", NOW, permanent=False)
    assert (breaker.condition.state, breaker.condition.fault) == (State.OPEN, "超时")
    assert not breaker.lets_through(NOW + FIRST_PAUSE - timedelta(seconds=1))
    later = NOW + FIRST_PAUSE
    assert breaker.lets_through(later)
    assert breaker.condition.state is State.HALF_OPEN
    assert not breaker.lets_through(later)  # the others wait for what becomes of the first
    breaker.succeeded(later)
    assert (breaker.condition.state, breaker.condition.fault) == (State.CLOSED, "")


def test_the_pause_doubles_up_to_ten_minutes() -> None:
    breaker, at, pauses = Breaker(), NOW, []
    for _ in range(FAILURES):
        breaker.failed("超时", at, permanent=False)
    for _ in range(8):
        begun = at
        while not breaker.lets_through(at):
            at += timedelta(seconds=1)
        pauses.append((at - begun).total_seconds())
        breaker.failed("超时", at, permanent=False)
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600]


def test_a_failure_that_lasts_opens_at_once_and_for_long() -> None:
    breaker = Breaker()
    breaker.failed("密钥无效", NOW, permanent=True)
    assert not breaker.lets_through(NOW + LONGEST_PAUSE - timedelta(seconds=1))
    assert breaker.lets_through(NOW + LONGEST_PAUSE)


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(5):
        breaker.failed("超时", NOW, permanent=False)
        breaker.succeeded(NOW)
    assert breaker.condition.state is State.CLOSED


def test_one_that_never_came_back_is_not_waited_for_for_ever() -> None:
    breaker = Breaker()
    breaker.failed("密钥无效", NOW, permanent=True)
    assert breaker.lets_through(NOW + LONGEST_PAUSE)
    assert breaker.lets_through(NOW + 2 * LONGEST_PAUSE)


# ---------------------------------------------------------------- cache


def test_the_same_text_in_another_spelling_is_known() -> None:
    cache = Cache()
    cache.put("坡子街 12 号", [PLACE], NOW)
    assert cache.get("坡子街１２号", NOW) == [PLACE]
    assert cache.get("坡子街13号", NOW) is None


def test_answers_grow_old_and_unknown_ones_sooner() -> None:
    cache = Cache()
    cache.put("a", [PLACE], NOW)
    cache.put("b", [], NOW)
    soon = NOW + KEPT_UNKNOWN
    assert cache.get("b", soon - timedelta(seconds=1)) == []
    assert cache.get("b", soon) is None
    assert cache.get("a", soon) == [PLACE]
    assert cache.get("a", NOW + KEPT) is None
    cache.put("a", [PLACE], NOW)
    assert cache.get("a", NOW - timedelta(days=1)) is None  # the clock was set back


def test_it_is_bounded_and_keeps_what_is_used() -> None:
    cache = Cache(2)
    cache.put("a", [PLACE], NOW)
    cache.put("b", [PLACE], NOW)
    cache.get("a", NOW)
    cache.put("c", [PLACE], NOW)
    assert cache.get("b", NOW) is None
    assert cache.get("a", NOW) == cache.get("c", NOW) == [PLACE]


# ---------------------------------------------------------------- both


def test_it_is_asked_once() -> None:
    spy = Spy()
    guarded = Guarded(spy, Clock())
    assert guarded.find("坡子街") == guarded.find(" 坡子街 ") == (PLACE,)
    assert (spy.asked, guarded.name, guarded.datum) == (["坡子街"], "spy", Datum.WGS84)


def test_who_fails_is_left_alone_and_says_why() -> None:
    clock, spy = Clock(), Spy([slow() for _ in range(FAILURES)])
    guarded = Guarded(spy, clock)
    for _ in range(FAILURES):
        with pytest.raises(GeocoderDown, match=r"^超时未答复$"):
            guarded.find("坡子街")
    with pytest.raises(GeocoderDown, match=r"暂停使用 \(超时未答复\)"):
        guarded.find("坡子街")
    assert len(spy.asked) == FAILURES
    clock.at += FIRST_PAUSE
    assert guarded.find("坡子街") == (PLACE,)
    assert guarded.condition.state is State.CLOSED


def test_a_fault_of_its_own_counts_as_well() -> None:
    guarded = Guarded(Spy([RuntimeError("x")]), Clock())
    with pytest.raises(GeocoderDown, match="服务故障"):
        guarded.find("坡子街")
    assert guarded.condition.fault == "服务故障"
