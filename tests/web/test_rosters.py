"""Rosters over the API: a draft, its holes, publishing, who is on duty, leave, swaps, the week, a workbook."""

from __future__ import annotations

import pytest

from dispatch.services.desk import Desk
from tests.support.cast import TEAM_A, ZONE_A, Cast, spot
from tests.support.rosters import body
from tests.support.store import NOW
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
AT = "2026-11-24T02:00:00+00:00"


def test_from_a_draft_to_who_is_on_duty(as_: As, desk: Desk, cast: Cast) -> None:
    boss, agent = as_("supervisor"), as_("agent")
    wrong = boss.post("/rosters", {"name": "错", "body": body(shifts=[])})
    assert (wrong.status_code, wrong.get_json()["code"]) == (422, "invalid-roster")
    assert {"section": "members", "row": 0, "field": "cycle", "text": "没有班次“day”", "is_fatal": True} in (
        wrong.get_json()["findings"]
    )
    draft = boss.post("/rosters", {"name": "十二月", "body": body(remark="\u0000 of no meaning here")})
    assert draft.status_code == 201
    assert "remark" not in draft.get_json()["body"]
    path = f"/rosters/{draft.get_json()['id']}"
    refused = boss.post(f"{path}/publish", {"valid_from": AT})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "roster-holes")
    published = boss.post(f"{path}/publish", {"valid_from": AT, "note": "测试", "accepts_holes": True})
    assert (published.status_code, published.get_json()["is_live"]) == (200, True)
    here = spot(desk, ZONE_A, NOW)
    told = agent.get(f"/duty?lon={here.lon}&lat={here.lat}&at=2026-11-27T03:00:00%2B08:00").get_json()
    assert (told["responsible"]["name"], told["above"][-1]["name"]) == ("测试夜班", "测试总值班")
    assert agent.get("/duty").status_code == 422
    assert boss.get(path).get_json()["name"] == "十二月"
    assert [one["is_live"] for one in boss.get("/rosters").get_json()["items"]] == [True]
    book = boss.get(f"{path}/roster.xlsx")
    again = boss.post("/roster-import?name=again", data=book.data)
    assert again.status_code == 201
    assert boss.delete(f"/rosters/{again.get_json()['id']}").get_json()["name"] == "again"


def test_leave_and_swaps_are_entered_and_taken_back(as_: As) -> None:
    boss = as_("supervisor")
    leave = {
        "person_id": "crew.a", "start_at": "2026-11-25T00:00:00Z", "end_at": "2026-11-25T12:00:00Z", "reason": "病假"
    }  # fmt: skip
    assert boss.post("/roster-leaves", leave).get_json()["code"] == "no-roster"
    draft = boss.post("/rosters", {"name": "十二月", "body": body()}).get_json()
    boss.post(f"/rosters/{draft['id']}/publish", {"valid_from": AT, "accepts_holes": True})
    told = boss.post("/roster-leave-check", leave)
    assert (told.status_code, len(told.get_json()["holes"])) == (200, 1)
    done = boss.post("/roster-leaves", leave)
    assert (done.status_code, len(done.get_json()["holes"])) == (201, 1)
    assert boss.delete(f"/roster-leaves/{done.get_json()['id']}").status_code == 200
    swap = {"unit_id": TEAM_A, "owner_id": "crew.a", "day": "2026-11-25", "taker_id": "lead.a", "note": "家事"}
    assert boss.post("/roster-swap-check", swap).get_json() == {"holes": []}
    done = boss.post("/roster-swaps", swap)
    assert done.status_code == 201
    week = boss.get("/roster-week?day=2026-11-25").get_json()
    assert [one["taker"] for one in week["swaps"]] == ["班组长甲"]
    read = as_("agent").get("/roster-week?day=2026-11-25")
    assert (read.status_code, read.get_json()["swaps"], len(read.get_json()["units"])) == (200, [], 5)
    for day in ("0001-01-01", "9999-12-31", "tomorrow"):
        assert boss.get(f"/roster-week?day={day}").status_code == 422
    assert boss.delete(f"/roster-swaps/{done.get_json()['id']}").status_code == 200
