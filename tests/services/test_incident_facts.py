"""What is told of an incident: its area in three ways, an estimate with its ground, its times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.incident import IncidentChanged
from dispatch.services import board, crew, incident_facts, incidents, tracking
from dispatch.services.desk import Desk
from dispatch.services.incident_facts import How, Outline
from tests.services.test_incidents import burst, opened, wish
from tests.support.cast import ZONE_A, ZONE_B, Cast, call, received, spot

HOUR = timedelta(hours=1)


def test_the_area_in_three_ways(desk: Desk, cast: Cast, now: datetime) -> None:
    lead = burst(desk, now)
    number = opened(desk, cast, now, lead, [received(desk, now)])
    here = spot(desk, ZONE_A, now)
    ring = [[here.lon, here.lat], [here.lon + 0.01, here.lat], [here.lon, here.lat + 0.01]]
    told = incident_facts.outline(wish(desk, cast.dispatcher, now), number, Outline(ring=ring))
    assert (told["area"]["type"], told["area_how"]) == ("Polygon", {"kind": "drawn"})
    told = incident_facts.outline(wish(desk, cast.dispatcher, now), number, Outline(metres=150))
    assert (told["area"]["type"], told["area_how"]) == ("Polygon", {"kind": "around", "metres": 150})
    ids = [ZONE_A, ZONE_B, ZONE_A]
    told = incident_facts.outline(wish(desk, cast.dispatcher, now), number, Outline(zone_ids=ids))
    assert told["area_how"] == {"kind": "grids", "zone_ids": [ZONE_A, ZONE_B]}
    assert [line["kind"] for line in told["timeline"]][-3:] == ["area"] * 3


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (Outline(ring=[[100.0, 28.0], [100.1, 28.0], [100.0, 28.1]]), "ring"),
        (Outline(ring=[[113.0, 28.0], [113.0, 28.0], [113.0, 28.1]]), "ring"),
        (Outline(zone_ids=["月球-01"]), "zone_ids"),
        (Outline(), "zone_ids"),
        (Outline(metres=100), "metres"),
    ],
)
def test_what_is_no_area(desk: Desk, cast: Cast, now: datetime, told: Outline, field: str) -> None:
    number = opened(desk, cast, now, received(desk, now))
    with pytest.raises(InvalidInput) as caught:
        incident_facts.outline(wish(desk, cast.dispatcher, now), number, told)
    assert caught.value.field == field


def test_an_estimate_says_what_it_stands_on(desk: Desk, cast: Cast, now: datetime) -> None:
    number = opened(desk, cast, now, burst(desk, now), [burst(desk, now, caller_phone="13000000002")])

    def estimate(how: How, value: float, basis: str = "抄表册") -> tuple[int, str]:
        told = incident_facts.estimate(wish(desk, cast.dispatcher, now), number, how, value, basis)
        return told["affected_users"], told["affected_basis"]

    assert estimate(How.COUNT, 320) == (320, "抄表册")
    assert estimate(How.PER_CALLER, 30, "值班长估计") == (60, "2 位来电人 × 30 户: 值班长估计")
    with pytest.raises(InvalidInput) as caught:
        estimate(How.PER_KM2, 1_000)
    assert caught.value.field == "how"
    incident_facts.outline(wish(desk, cast.dispatcher, now), number, Outline(metres=564.2))
    users, basis = estimate(How.PER_KM2, 1_000)
    assert (users == pytest.approx(1_000, rel=0.02), "km²" in basis) == (True, True)
    with pytest.raises(InvalidInput) as caught:
        estimate(How.COUNT, 1, " ")
    assert caught.value.field == "basis"


def test_the_times(desk: Desk, cast: Cast, now: datetime) -> None:
    number = opened(desk, cast, now - 3 * HOUR, burst(desk, now - 3 * HOUR))

    def tell(**told: datetime) -> dict[str, Any]:
        return incident_facts.times(wish(desk, cast.dispatcher, now), number, told)

    told = tell(isolated_at=now - 2 * HOUR, restore_expected_at=now + HOUR)
    assert (told["isolated_at"], told["restored_at"]) == ((now - 2 * HOUR).isoformat(), None)
    assert tell(restored_at=now)["restored_at"] == now.isoformat()
    for wrong in (
        {},
        {"isolated_at": now + HOUR},
        {"restored_at": now - 3 * HOUR},
        {"restore_expected_at": now - 2 * HOUR},
        {"restore_expected_at": now + 31 * 24 * HOUR},
        {"isolated_at": now - 40 * 24 * HOUR, "restore_expected_at": now - 31 * 24 * HOUR},
    ):
        with pytest.raises(InvalidInput):
            tell(**wrong)
    other = opened(desk, cast, now, burst(desk, now))
    incidents.dismiss(wish(desk, cast.dispatcher, now), other, "误开")
    with pytest.raises(IncidentChanged):
        incident_facts.times(wish(desk, cast.dispatcher, now), other, {"isolated_at": now})


def test_when_water_comes_back_is_told_wherever_the_ticket_is_seen(desk: Desk, cast: Cast, now: datetime) -> None:
    """To the dispatcher, the crew, the next caller's agent, and whoever follows the ticket on the page."""
    lead = burst(desk, now)
    number = opened(desk, cast, now, lead)
    incident_facts.times(wish(desk, cast.dispatcher, now), number, {"isolated_at": now})
    incident_facts.times(wish(desk, cast.dispatcher, now), number, {"restore_expected_at": now + 3 * HOUR})
    told = {
        "isolated_at": now.isoformat(),
        "restore_expected_at": (now + 3 * HOUR).isoformat(),
        "restored_at": None,
    }
    seen = [board.ticket(desk, cast.dispatcher, lead, now)["incident"]]
    seen += [job["incident"] for job in crew.jobs(desk, cast.crew_a, now)["items"]]
    seen += [call(desk, cast.agent, now, category="burst", caller_phone=None).body["suggestions"][0]["water"]]
    seen += [tracking.progress(desk, lead, now)["water"]]
    assert [{name: one[name] for name in told} for one in seen] == [told] * 4
    alone = received(desk, now, category="billing")
    assert tracking.progress(desk, alone, now)["water"] is None
