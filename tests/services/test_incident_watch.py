"""Many calls close together are proposed as one incident, once, and join nothing by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.incident import IncidentChanged
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM
from dispatch.services import board, incident_facts, incident_forms, incident_watch, incidents
from dispatch.services.desk import Desk
from dispatch.services.incident_facts import Outline
from dispatch.services.incident_watch import Watch
from dispatch.storage import outbox
from tests.services.test_incidents import burst, opened, queued, seen, wish
from tests.support.cast import ZONE_A, Cast, call, dispatched, spot
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)


def near(desk: Desk, now: datetime, east_m: float = 0) -> Wgs84Point:
    here = spot(desk, ZONE_A, now)
    return Wgs84Point(here.lon + east_m / 98_200, here.lat)


def bursts(desk: Desk, now: datetime, count: int, first: int = 0) -> list[str]:
    """So many tickets of one street, each of another caller."""
    return [
        burst(desk, now, point=near(desk, now, 20 * n), caller_phone=f"1300000{n:04d}")
        for n in range(first, first + count)
    ]


def proposals(desk: Desk, cast: Cast, now: datetime) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = incident_forms.listed(
        desk, cast.agent, statuses=("proposed",), after=0, limit=9, now=now
    )["items"]
    return items


def test_enough_calls_are_proposed_once_and_nothing_joins(desk: Desk, cast: Cast, now: datetime) -> None:
    watch = Watch(desk)
    assert watch.look(now) == 0
    numbers = bursts(desk, now, 4)
    dispatched(desk, now, category="billing", point=near(desk, now))
    assert watch.look(now) == 0
    # The neighbour tells it otherwise.
    numbers.append(dispatched(desk, now, point=near(desk, now, 90), caller_phone="13000000004"))
    assert watch.look(now) == 1
    assert watch.look(now) == watch.look(now + MINUTE) == 0
    (found,) = proposals(desk, cast, now)
    whole = incident_forms.get(desk, cast.dispatcher, found["number"], now)
    assert (whole["tickets"], [one["number"] for one in whole["suggested"]]) == ([], numbers)
    assert {seen(desk, cast, number, now)["incident"] for number in numbers} == {None}
    assert set(numbers) <= set(queued(desk, cast, now))
    with desk.store.read() as tx:
        told = [row.recipients for row in tx.conn.execute(outbox.OUTBOX.select()) if found["number"] in row.text]
    assert told == [["dispatcher"]]
    # What comes later is added to the proposal, and to the incident that it becomes.
    later = bursts(desk, now, 1, first=5)
    assert watch.look(now) == 1
    assert proposals(desk, cast, now)[0]["suggested_count"] == 6
    opened = incidents.confirm(wish(desk, cast.dispatcher, now), found["number"], None, numbers)
    assert (opened["status"], opened["lead"]) == ("open", numbers[0])
    assert [one["number"] for one in opened["suggested"]] == later
    with pytest.raises(IncidentChanged):
        incidents.confirm(wish(desk, cast.dispatcher, now), found["number"], None, later)
    more = bursts(desk, now, 4, first=6)
    assert watch.look(now) == 1
    again = incident_forms.get(desk, cast.agent, found["number"], now)
    assert [one["number"] for one in again["suggested"]] == later + more
    assert proposals(desk, cast, now) == []
    joined = incidents.join(wish(desk, cast.dispatcher, now), found["number"], later + more)
    assert (joined["suggested"], joined["callers"]) == ([], 10)


def test_calls_that_join_one_ticket_count_too(desk: Desk, cast: Cast, now: datetime) -> None:
    number = bursts(desk, now, 1)[0]
    for n in range(1, 5):
        call(desk, cast.agent, now, attach_to=number, caller_phone=f"1300000{n:04d}")
    assert incident_watch.propose(desk, now) == 1
    (found,) = proposals(desk, cast, now)
    assert "5 个" in found["reason"]
    told = incidents.confirm(wish(desk, cast.dispatcher, now), found["number"], number, [])
    assert (told["callers"], told["ticket_count"]) == (5, 1)
    assert incident_watch.propose(desk, now) == 0


def test_what_is_dismissed_stays_so(desk: Desk, cast: Cast, now: datetime) -> None:
    bursts(desk, now, 5)
    assert incident_watch.propose(desk, now) == 1
    (found,) = proposals(desk, cast, now)
    with pytest.raises(InvalidInput):
        incidents.confirm(wish(desk, cast.dispatcher, now), found["number"], None, [])
    with pytest.raises(IncidentChanged):
        incidents.close(wish(desk, cast.dispatcher, now), found["number"], "", is_done=True)
    incidents.dismiss(wish(desk, cast.dispatcher, now), found["number"], "两处漏水")
    bursts(desk, now, 4, first=5)
    assert incident_watch.propose(desk, now) == 0
    bursts(desk, now, 1, first=9)
    assert incident_watch.propose(desk, now) == 1


def test_what_is_old_far_or_of_another_kind_is_none(desk: Desk, cast: Cast, now: datetime) -> None:
    bursts(desk, now, 4)
    burst(desk, now - timedelta(hours=1), point=near(desk, now))
    burst(desk, now, point=near(desk, now, 2_000))
    dispatched(desk, now, category="noise", point=near(desk, now))
    assert incident_watch.propose(desk, now) == 0
    # Another street's burst is another proposal.
    bursts(desk, now, 1, first=4)
    assert incident_watch.propose(desk, now) == 1
    for n in range(5):
        burst(desk, now, point=near(desk, now, 2_000 + 10 * n))
    assert incident_watch.propose(desk, now) == 1
    assert len(proposals(desk, cast, now)) == 2


def test_many_schedulers_make_one_proposal(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    bursts(desk, now, 6)
    desks = [open_desk(url) for _ in range(4)]
    in_parallel([lambda one=one: Watch(one).look(now) for one in desks])  # type: ignore[misc]
    assert len(proposals(desk, cast, now)) == 1
    for one in desks:
        one.store.close()


def test_a_ticket_in_the_area_of_an_incident_is_suggested_to_it_and_the_timeline_says_so(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    lead = burst(desk, now, point=near(desk, now))
    number = opened(desk, cast, now, lead)
    far = burst(desk, now, point=near(desk, now, 900), caller_phone="13000000009")
    watch = Watch(desk)
    assert watch.look(now) == 0
    incident_facts.outline(wish(desk, cast.dispatcher, now), number, Outline(metres=1200))
    assert watch.look(now + MINUTE) == 1
    whole = incident_forms.get(desk, cast.dispatcher, number, now)
    assert [one["number"] for one in whole["suggested"]] == [far]
    assert whole["timeline"][-1]["text"] == f"{SYSTEM.label} 又提议 1 张工单: {far}"
    audited = board.audited(desk, cast.auditor, subject=number, after=0, limit=9)["items"]
    assert "incident-propose" in [entry["action"] for entry in audited]
