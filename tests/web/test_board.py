"""The routes of the boards."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from tests.support.cast import TEAM_A, TEAM_B, ZONE_B, dispatched, received, ticket_at
from tests.web.conftest import As
from tests.web.test_tickets import told

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_a_board_in_one_answer(as_: As, desk: Desk, now: datetime) -> None:
    one, other = dispatched(desk, now), dispatched(desk, now, ZONE_B, category="burst")
    new = received(desk, now)
    boss = as_("supervisor")
    answer = told(boss.get("/board"))
    assert [item["number"] for item in answer["items"]] == [new, other, one]
    assert answer["server_time"] == now.isoformat()
    assert (answer["counters"]["open"], answer["counters"]["unassigned"]) == (3, 1)
    assert [item["number"] for item in told(boss.get("/board", level="P1"))["items"]] == [other]
    assert [item["number"] for item in told(boss.get("/board", team_id=TEAM_A))["items"]] == [one]
    with time_machine.travel(now + timedelta(minutes=9), tick=False):
        late = told(boss.get("/board", category="no_water"))
    assert [item["number"] for item in late["rescuable"]] == [one, new]


def test_a_board_has_pages(as_: As, desk: Desk, now: datetime) -> None:
    made = [dispatched(desk, now) for _ in range(3)]
    first = told(as_("dispatcher").get("/board", limit=2))
    then = told(as_("dispatcher").get("/board", limit=2, after=first["next"]))
    assert [item["number"] for item in first["items"] + then["items"]] == made
    assert told(as_("dispatcher").get("/board", limit=201), 422)["field"] == "limit"


def test_teams_and_positions(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.DISPATCHED, now)
    teams = {team["team_id"]: team for team in told(as_("dispatcher").get("/board/teams"))["items"]}
    assert (teams[TEAM_A]["open"], teams[TEAM_B]["open"]) == (1, 0)
    assert told(as_("dispatcher").get("/positions")) == {"items": [], "server_time": now.isoformat()}
    found = told(as_("dispatcher").get(f"/tickets/{number}/candidates"))["items"]
    assert TEAM_B in {one["team_id"] for one in found}
    assert told(as_("crew.b").get(f"/tickets/{number}/candidates"), 404)
