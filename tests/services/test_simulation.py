"""The simulated hour runs through the real services, and is the same each time."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from dispatch.services import simulation
from dispatch.services.desk import Desk
from dispatch.services.simulation import Hour, Outcome
from dispatch.storage import health
from tests.support.cast import Cast, Spy
from tests.support.store import open_desk

MIX = {"billing": 4, "no_water": 8, "other": 8}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MIX", MIX)
    monkeypatch.setattr(simulation, "BURST_CALLERS", 5)
    monkeypatch.setattr(simulation, "_ONE_SILENT_OF", 3)


def play(desk: Desk, cast: Cast, now: datetime, told: list[tuple[datetime, str]]) -> tuple[Outcome, Spy]:
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    spy = Spy()
    hour = Hour(desk, cast.agent, zones, now, Random(96533), {"console": spy}, lambda at, text: told.append((at, text)))
    return hour.run(), spy


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_hour(desk: Desk, cast: Cast, now: datetime) -> None:
    told: list[tuple[datetime, str]] = []
    done, spy = play(desk, cast, now, told)
    assert done.by_category == Counter(MIX) - Counter(other=done.by_category["inquiry"]) + Counter(
        burst=5, inquiry=done.by_category["inquiry"]
    )
    assert done.outcomes["attached"] == 4
    assert done.outcomes["answered"] == done.by_category["inquiry"] > 0
    assert sum(done.outcomes.values()) == 25
    assert done.actions > 0
    assert done.sweep.fired > 0
    assert done.sweep.max_late_s == 0.0
    assert spy.parcels
    ((at, text),) = told
    assert at == now + simulation.BURST_AT
    assert done.burst in text
    with desk.store.read() as tx:
        assert set(health.orphans(tx).values()) == {0}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_same_dice_give_the_same_hour(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    first, _ = play(desk, cast, now, [])
    later = now + timedelta(days=1)
    other = open_desk(url)
    second, _ = play(other, cast, later, [])
    other.store.close()
    assert (first.by_category, first.outcomes, first.actions) == (second.by_category, second.outcomes, second.actions)
