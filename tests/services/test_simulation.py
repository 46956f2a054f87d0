"""The simulated hour runs through the real services, and is the same each time."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from dispatch.domain.address_match import place_of
from dispatch.domain.case import spot_of
from dispatch.domain.place import Datum
from dispatch.domain.zone_file import read_zones
from dispatch.services import simulation
from dispatch.services.desk import Desk
from dispatch.services.simulation import Hour, Outcome
from dispatch.storage import health
from tests.support.cast import Cast, Spy
from tests.support.store import DATA, open_desk

SHIPPED = (simulation.MIX, simulation.INQUIRIES)
MIX = {"billing": 4, "no_water": 8, "other": 8}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MIX", MIX)
    monkeypatch.setattr(simulation, "INQUIRIES", 3)
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
    assert done.by_category == Counter(MIX) + Counter(burst=5, inquiry=3)
    assert done.outcomes == Counter(ticket=sum(MIX.values()) + 1, attached=4, answered=3)
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


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_shipped_hour_plays_the_stated_mix(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = {"billing": 140, "no_water": 138, "repair": 100, "pressure": 6, "quality": 5, "other": 217}
    assert (stated, 60) == SHIPPED
    monkeypatch.setattr(simulation, "MIX", SHIPPED[0])
    monkeypatch.setattr(simulation, "INQUIRIES", SHIPPED[1])
    monkeypatch.setattr(simulation, "_ONE_SILENT_OF", 1)  # nobody acts: only the calls count here
    done, _ = play(desk, cast, now, [])
    assert done.by_category == Counter(stated) + Counter(burst=5, inquiry=60)
    assert done.outcomes == Counter(ticket=606 + 1, attached=4, answered=60)


def test_no_two_grids_share_a_made_up_place() -> None:
    zones = read_zones((DATA / "zones.geojson").read_bytes(), datum=Datum.WGS84).zones
    spots = {spot_of(f"{simulation.made_up(zone)}小区 7 栋", None) for zone in zones}
    assert (len(spots), None in spots) == (len(zones), False)
    assert len({place_of(f"{simulation.made_up(zone)}大道").key for zone in zones}) == len(zones)
