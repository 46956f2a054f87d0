"""A crew's list and position over HTTP."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from apiflask import APIFlask

from dispatch.domain.states import Status
from tests.support.cast import ticket_at
from tests.web.conftest import As, desk_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_a_crew_reads_its_jobs(app: APIFlask, as_: As, now: datetime) -> None:
    number = ticket_at(desk_of(app), Status.EN_ROUTE, now)
    told = json.loads(as_("crew.a").get("/crew/jobs").data)
    assert told["server_time"] == now.isoformat()
    assert [(job["number"], job["next"], job["status"]) for job in told["items"]] == [(number, "arrive", "en_route")]
    assert json.loads(as_("crew.b").get("/crew/jobs").data)["items"] == []


def test_a_phone_says_where_it_is(as_: As, now: datetime) -> None:
    place = {"lon": 112.98, "lat": 28.19, "datum": "gcj02", "accuracy_m": 12, "at": now.isoformat()}
    for is_newest in (True, False):
        answer = as_("crew.a").post("/positions", place)
        assert (answer.status_code, json.loads(answer.data)) == (200, {"is_newest": is_newest})
    assert as_("crew.a").post("/positions", place | {"datum": "mars"}).status_code == 422
    assert as_("agent").post("/positions", place).status_code == 403
