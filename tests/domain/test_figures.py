"""Facts and figures in the small: what is kept of a row, what is counted of it, and that packing loses nothing."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import facts as values
from dispatch.domain import figures as counting
from dispatch.domain.definitions import DEFINITIONS, Figure
from dispatch.domain.facts import NOTHING, Facts, Gatherer
from dispatch.domain.figures import By, Value, change, nearest_rank, spread
from dispatch.domain.sla import ClockKind, start

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REST = (1, 0, 0, 1, 1, 1, 0, 0, 2, 1, 1, 1)


def some(ids: range) -> Facts:
    gathered = Gatherer()
    for n in ids:
        gathered.ticket(n, NOW + n * MINUTE, (f"z{n % 3}", None, "城南", None, "P1", "burst"), REST)
        gathered.clock(n, start(ClockKind.ACK, 1, NOW, NOW + n * MINUTE + 5 * MINUTE))
        gathered.step(n, NOW, NOW + n * MINUTE if n % 2 else None)
        gathered.call(n, NOW + n * MINUTE, "burst", is_answered=n % 2 == 0, is_repeat=False)
    return gathered.facts()


def same(one: Facts, other: Facts) -> bool:
    return {by: counting.count(one, by, NOW + DAY) for by in By} == {
        by: counting.count(other, by, NOW + DAY) for by in By
    }


def test_every_figure_is_defined_in_both_languages() -> None:
    assert list(DEFINITIONS) == list(Figure)
    for definition in DEFINITIONS.values():
        for said in (definition.zh, definition.en):
            assert said.label
            assert said.words
            assert said.formula
            assert said.source
        assert definition.unit in ("share", "count", "minutes")


def test_facts_survive_packing_and_joining() -> None:
    whole = some(range(1, 20))
    assert same(values.unpack(values.pack(whole)), whole)
    parts = [values.unpack(values.pack(some(ids))) for ids in (range(1, 4), range(4, 4), range(4, 20))]
    joined = values.join(parts)
    assert same(joined, whole)
    assert same(values.join([values.without(joined, {3, 5}, {3, 5}), some(range(3, 6, 2))]), whole)
    assert values.without(joined, {99}, ()) is joined
    assert values.unpack(values.pack(NOTHING)).count == 0


def test_a_clock_that_stands_still_says_nothing_unless_it_broke_before() -> None:
    clock = start(ClockKind.FIX, 1, NOW, NOW + 5 * MINUTE)
    for breached_at, judged in ((None, 0), (clock.due_at, 1)):
        gathered = Gatherer()
        gathered.ticket(1, NOW, ("z", None, "城南", None, "P1", "burst"), REST)
        gathered.clock(1, replace(clock, paused_at=NOW + 9 * MINUTE, breached_at=breached_at))
        (group,) = counting.count(gathered.facts(), By.ZONE, NOW + DAY).values()
        assert group.clocks[ClockKind.FIX].judged == judged


def test_a_period_holds_its_first_moment_and_not_its_last() -> None:
    facts = some(range(5))
    assert values.within(facts, NOW + MINUTE, NOW + 3 * MINUTE).tickets["id"].tolist() == [1, 2]
    assert values.within(facts, NOW, NOW + DAY) is facts


def test_narrowed_to_what_is_asked_for() -> None:
    facts = some(range(9))
    assert counting.narrowed(facts, {}) is facts
    assert counting.narrowed(facts, {"zone": "z1", "level": "P1"}).tickets["id"].tolist() == [1, 4, 7]
    by_category = counting.narrowed(facts, {"category": "burst"})
    assert (by_category.count, len(by_category.calls["id"])) == (9, 9)
    unknown = counting.narrowed(facts, {"team": "nobody"})
    assert (unknown.count, len(unknown.calls["id"])) == (0, 0)


def test_too_many_visits_are_still_many() -> None:
    gathered = Gatherer()
    gathered.ticket(1, NOW, (None,) * 6, (1, 0, 0, 10**9, *REST[4:]))
    total = counting.count(gathered.facts(), None, NOW)[""]
    assert total.measures[Figure.VISITS] == Value(65_535.0, 1)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_the_spread_is_that_of_sorted_values(tenths: list[int]) -> None:
    ordered = sorted(tenths)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 1200
    (first, second) = spread(np.array([1] * len(tenths)), np.array(tenths), 2)
    assert first == (None, None)
    assert second == pytest.approx((middle, nearest_rank(ordered, 0.9) / 600))


def test_percentiles_are_values_that_were() -> None:
    assert nearest_rank([5], 0.9) == 5
    assert nearest_rank(list(range(10, 0, -1)), 0.9) == 9
    assert nearest_rank(list(range(1, 12)), 0.9) == 10


def test_halved_is_minus_a_half() -> None:
    assert change(Value(2.0, 2), Value(1.0, 2)) == -0.5
    assert change(Value(0.0, 2), Value(1.0, 2)) is None
    assert change(Value(0.5, 2), Value(None, 0)) is None
    assert change(Value(None, 0), Value(1.0, 1)) is None


def test_a_hundred_thousand_are_counted_as_one_by_one() -> None:
    dice, gathered = random.Random(1), Gatherer()
    kept = {zone: [0, 0] for zone in "abcdef"}
    for n in range(100_000):
        zone, taken = dice.choice("abcdef"), timedelta(seconds=dice.randint(0, 900))
        gathered.ticket(n, NOW, (zone, None, None, None, "P2", "burst"), REST)
        clock = start(ClockKind.ACK, 1, NOW, NOW + 10 * MINUTE)
        gathered.clock(n, replace(clock, met_at=NOW + taken))
        kept[zone][0] += 1
        kept[zone][1] += taken <= 10 * MINUTE
    counted = counting.count(values.unpack(values.pack(gathered.facts())), By.ZONE, NOW + DAY)
    told = {
        zone: [group.clocks[ClockKind.ACK].judged, group.clocks[ClockKind.ACK].on_time]
        for zone, group in counted.items()
    }
    assert told == kept
