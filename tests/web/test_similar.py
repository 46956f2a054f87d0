"""Duplicates over HTTP."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from dispatch.services.desk import Desk
from dispatch.storage import live
from tests.support.cast import ZONE_A, dispatched, spot
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def body(desk: Desk, now: datetime, **changes: Any) -> dict[str, Any]:
    here = spot(desk, ZONE_A, now)
    pin = {"lon": here.lon, "lat": here.lat, "datum": "wgs84"}
    told = {"category": "no_water", "description": "停水了", "called_at": now.isoformat(), "location": pin}
    return {**told, "caller_phone": "13000000002", **changes}


def test_suggestions_before_and_with_the_call_and_what_is_not_the_same(desk: Desk, as_: As, now: datetime) -> None:
    first = dispatched(desk, now)
    (seen,) = json.loads(as_("agent").post("/preview", body(desk, now)).data)["suggestions"]
    assert (seen["number"], seen["incident"]) == (first, None)
    assert seen["reasons"]
    told = json.loads(as_("cti").post("/calls", body(desk, now), key="c-1").data)
    assert [one["number"] for one in told["suggestions"]] == [first]
    again = as_("cti").post("/calls", body(desk, now), key="c-1")
    assert (again.status_code, json.loads(again.data)) == (200, told)
    second = told["ticket"]["number"]
    third = json.loads(as_("agent").post("/calls", body(desk, now, not_same=[first, first])).data)
    assert [one["number"] for one in third["suggestions"]] == [second]
    found = json.loads(as_("dispatcher").get(f"/tickets/{second}/similar").data)["items"]
    assert {one["number"] for one in found} == {first, third["ticket"]["number"]}
    left = as_("agent").post(f"/tickets/{second}/not-same", {"other": first})
    assert (left.status_code, [one["number"] for one in json.loads(left.data)["items"]]) == (
        200,
        [third["ticket"]["number"]],
    )
    with desk.store.read() as tx:
        heard = [(row.topic, row.key) for row in live.behind(tx, live.SIGNALS, 0, 50)]
    assert [key for topic, key in heard if topic == "similar"] == [first, third["ticket"]["number"], first, second]


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"not_same": ["GD1"]}, 404, "not_same"),
        ({"not_same": "GD1"}, 422, "not_same"),
        ({"not_same": ["GD1"] * 21}, 422, "not_same"),
        ({"not_same": ["G" * 41]}, 422, "not_same.0"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    desk: Desk, as_: As, now: datetime, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = as_("agent").post("/calls", body(desk, now, **changes))
    assert (answer.status_code, json.loads(answer.data)["field"]) == (status, field)


def test_who_may_not(desk: Desk, as_: As, now: datetime) -> None:
    first, second = dispatched(desk, now), dispatched(desk, now)
    for login in ("crew.a", "auditor", "cti"):
        assert as_(login).post(f"/tickets/{first}/not-same", {"other": second}).status_code == 403
    for login in ("crew.a", "auditor"):
        assert as_(login).get(f"/tickets/{first}/similar").status_code == 403
    assert as_("agent").post(f"/tickets/{first}/not-same", {"other": "GD1"}).status_code == 404
    assert as_("agent").post(f"/tickets/{first}/not-same", {}).status_code == 422
