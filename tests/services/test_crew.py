"""What a crew's phone is told, and where it says it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from dispatch.domain.errors import NotPermitted
from dispatch.domain.place import Point, Wgs84Point, to_gcj02
from dispatch.domain.states import Status, Verb
from dispatch.services import crew, positions
from dispatch.services.desk import Desk
from dispatch.storage import board
from dispatch.storage.crew import REQUESTS
from dispatch.storage.positions import POSITIONS
from tests.support.cast import TEAM_A, TEAM_B, Cast, act, received, ticket_at

THEIRS = (
    Status.DISPATCHED, Status.ACCEPTED, Status.EN_ROUTE, Status.ON_SITE, Status.WORKING, Status.ON_HOLD,
)  # fmt: skip


def jobs(desk: Desk, actor: Any, now: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = crew.jobs(desk, actor, now)["items"]
    return found


def test_a_crew_is_told_what_it_can_move(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers: dict[Status, str] = {
        status: ticket_at(desk, status, now) for status in Status if status is not Status.MERGED
    }
    found = {job["number"]: job for job in jobs(desk, cast.crew_a, now)}
    assert set(found) == {numbers[status] for status in THEIRS}
    assert [found[numbers[status]]["next"] for status in THEIRS] == [
        "accept", "depart", "arrive", "work", "done", "resume",
    ]  # fmt: skip
    assert jobs(desk, cast.crew_b, now) == []


def test_it_is_told_how_to_get_there_and_a_number_that_says_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket_at(desk, Status.DISPATCHED, now)
    (job,) = jobs(desk, cast.crew_a, now)
    place = to_gcj02(Wgs84Point(job["lon"], job["lat"]))
    assert job["gcj02"] == {"lon": round(place.lon, 6), "lat": round(place.lat, 6)}
    assert job["caller_phone"] == "130****0001"
    assert (job["is_own"], job["photos"], job["asked"]) == (True, {"before": 0, "after": 0}, [])


def test_a_ticket_without_place_and_number(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now, caller_phone=None)
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id=TEAM_A)
    (job,) = jobs(desk, cast.crew_a, now)
    assert (job["gcj02"], job["caller_phone"]) == (None, None)


def test_what_is_due_first_comes_first_and_what_is_on_hold_last(desk: Desk, cast: Cast, now: datetime) -> None:
    held = ticket_at(desk, Status.ON_HOLD, now - timedelta(minutes=2), cti_call_id="1")
    slow = ticket_at(desk, Status.DISPATCHED, now, category="pressure")
    fast = ticket_at(desk, Status.DISPATCHED, now, category="burst")
    begun = ticket_at(desk, Status.WORKING, now, category="burst", cti_call_id="2")
    assert [job["number"] for job in jobs(desk, cast.crew_a, now)] == [fast, slow, begun, held]


def test_a_team_that_assists_sees_the_ticket_without_a_step(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    act(desk, cast.lead_a, number, Verb.ASSIST, now, team_id=TEAM_B)
    (job,) = jobs(desk, cast.crew_b, now)
    assert (job["number"], job["is_own"], job["next"]) == (number, False, None)


def test_what_was_asked_for_is_shown_until_it_is_decided(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    with desk.store.write() as tx:
        row = board.find(tx, number)
        assert row is not None
        common = {
            "ticket_id": row["id"],
            "reason": None,
            "note": "",
            "until": now,
            "asked_by": cast.crew_a.user_id,
            "asked_at": now,
        }
        for verb, decided_at in (("hold", None), ("extend", now)):
            tx.conn.execute(insert(REQUESTS).values(**common, verb=verb, decided_at=decided_at))
    (job,) = jobs(desk, cast.crew_a, now)
    assert job["asked"] == ["hold"]


def test_the_last_lines_of_its_story_come_along(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now)
    act(desk, cast.agent, number, Verb.REWORK, now + timedelta(minutes=1), note="又漏了")
    (job,) = jobs(desk, cast.crew_a, now)
    assert len(job["history"]) == 6
    assert job["history"][0] == {
        "at": (now + timedelta(minutes=1)).isoformat(),
        "text": "坐席小周 (坐席) 返工: 第 2 轮; 又漏了",
    }


def test_many_tickets_come_all(desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_A_PAGE", 2)
    numbers = {ticket_at(desk, Status.DISPATCHED, now, cti_call_id=str(n)) for n in range(5)}
    assert {job["number"] for job in jobs(desk, cast.crew_a, now)} == numbers


def test_only_crews_have_this_list(desk: Desk, cast: Cast, now: datetime) -> None:
    for actor in (cast.agent, cast.dispatcher, cast.auditor):
        with pytest.raises(NotPermitted):
            crew.jobs(desk, actor, now)
        with pytest.raises(NotPermitted):
            positions.put(desk, actor, Wgs84Point(113, 28), None, now, now)
    assert jobs(desk, cast.admin, now) == []


def test_the_last_position_is_kept_and_no_other(desk: Desk, cast: Cast, now: datetime) -> None:
    place = Wgs84Point(112.98, 28.19)
    told: list[tuple[Point, float | None, datetime, bool]] = [
        (place, 12.0, now - timedelta(minutes=1), True),
        (to_gcj02(place), None, now + timedelta(hours=1), True),
        (Wgs84Point(113.0, 28.0), 5.0, now - timedelta(minutes=5), False),
    ]
    for point, accuracy_m, at, is_newest in told:
        assert positions.put(desk, cast.crew_a, point, accuracy_m, at, now) is is_newest
    with desk.store.read() as tx:
        (row,) = tx.conn.execute(select(POSITIONS)).mappings()
    assert (row["user_id"], row["accuracy_m"], row["at"]) == (cast.crew_a.user_id, None, now)
    assert (row["lon"], row["lat"]) == pytest.approx((place.lon, place.lat), abs=1e-8)
