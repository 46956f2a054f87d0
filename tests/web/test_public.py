"""The routes without a login: the page's token, limits, and what they never say."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask

from dispatch.domain.place import to_gcj02
from dispatch.domain.states import Status
from tests.support.cast import CALLER_PHONE, ZONE_A, spot, ticket_at
from tests.support.pictures import jpeg
from tests.web import test_outages
from tests.web.conftest import As, Browser, In, desk_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
SCRIPT = "<script>alert(1)</script>'; DROP TABLE tickets; --"


def body(app: APIFlask, now: datetime, **changes: Any) -> dict[str, Any]:
    place = to_gcj02(spot(desk_of(app), ZONE_A, now))
    return {
        "category": "leak",
        "description": "水表漏水",
        "phone": CALLER_PHONE,
        "address": "坡子街 12 号",
        "location": {"lon": place.lon, "lat": place.lat, "datum": "gcj02"},
        **changes,
    }


def send(browser: Browser, told: dict[str, Any], key: str = "k1") -> Any:
    headers = {"X-CSRFToken": browser.csrf, "Idempotency-Key": key}
    return browser.client.post("/api/v1/public/reports", data=json.dumps(told), headers=headers)


def test_a_report_is_followed_photographed_and_rated(
    app: APIFlask, browser: Browser, as_: As, in_: In, now: datetime
) -> None:
    answer = send(browser, body(app, now, description=SCRIPT))
    assert answer.status_code == 201
    opened = answer.get_json()
    assert send(browser, body(app, now, description=SCRIPT)).get_json() == opened
    number, token = opened["number"], opened["token"]
    path = f"/public/tickets/{number}/{token}"
    assert browser.get(path).get_json()["step"] == 1
    assert browser.post("/public/track", {"number": number, "phone_end": CALLER_PHONE[-4:]}).get_json() == {
        "number": number,
        "token": token,
    }
    assert json.loads(as_("agent").get(f"/tickets/{number}").data)["description"] == SCRIPT
    headers = {"X-CSRFToken": browser.csrf}
    for data, status in ((jpeg(), 201), (b"no picture", 422)):
        sent = browser.client.post(f"/api/v1{path}/photos?uuid={status}", data=data, headers=headers)
        assert sent.status_code == status
    assert len(json.loads(as_("agent").get(f"/tickets/{number}/photos").data)["items"]) == 1
    assert browser.post(f"{path}/rating", {"stars": 5}).status_code == 409
    crew = in_("crew.a")
    for verb in ("accept", "depart", "arrive", "work", "done"):
        assert crew.post(f"/tickets/{number}/{verb}", {"note": "手机无定位"}).status_code == 200, verb
    assert browser.post(f"{path}/rating", {"stars": 6}).status_code == 422
    assert browser.post(f"{path}/rating", {"stars": 5, "words": SCRIPT}).get_json()["words"] == SCRIPT
    assert json.loads(as_("agent").get(f"/tickets/{number}").data)["rating"]["stars"] == 5


def test_another_site_cannot_report(app: APIFlask, browser: Browser, now: datetime) -> None:
    for headers in ({}, {"X-CSRFToken": "guessed"}):
        for path in ("reports", "track", "tickets/a/b/rating", "tickets/a/b/photos"):
            answer = browser.client.post(f"/api/v1/public/{path}", data=b"{}", headers=headers)
            assert (answer.status_code, json.loads(answer.data)["code"]) == (400, "csrf")


def test_a_program_with_a_token_needs_no_page(app: APIFlask, as_: As, now: datetime) -> None:
    assert as_("cti").post("/public/reports", body(app, now), key="w1").status_code == 201
    assert as_("cti").post("/public/reports", body(app, now)).status_code == 422  # no key


def test_the_sixth_report_is_told_when_to_come_back(app: APIFlask, browser: Browser, now: datetime) -> None:
    for n in range(5):
        assert send(browser, body(app, now), key=f"k{n}").status_code == 201
    answer = send(browser, body(app, now), key="k6")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert "96533" in json.loads(answer.data)["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "1300000"}, None),
        ({"phone": ""}, "phone"),
        ({"phone": "李娭毑"}, "phone"),
        ({"description": ""}, "description"),
        ({"description": "x" * 1001}, "description"),
        ({"location": {"lon": 112.9, "lat": 28.1}}, "location.datum"),
        ({"location": None, "address": ""}, "location"),
        ({"category": "billing"}, "category"),
        ({"level": "P1"}, "level"),
    ],
)
def test_what_is_wrong_is_named(
    app: APIFlask, browser: Browser, now: datetime, changes: dict[str, Any], field: str | None
) -> None:
    answer = send(browser, body(app, now, **changes))
    assert answer.status_code == (422 if field else 201)
    assert json.loads(answer.data).get("field") == field


def test_a_wrong_pair_and_a_wrong_token_look_like_nothing_there(app: APIFlask, browser: Browser, now: datetime) -> None:
    number = ticket_at(desk_of(app), Status.DONE, now)
    wrong = [
        browser.post("/public/track", {"number": number, "phone_end": "9999"}),
        browser.post("/public/track", {"number": "GD20261124-999999", "phone_end": "0001"}),
        browser.get(f"/public/tickets/{number}/{'A' * 43}"),
        browser.get(f"/public/tickets/GD20261124-999999/{'A' * 43}"),
        browser.post(f"/public/tickets/{number}/{'A' * 43}/rating", {"stars": 1}),
    ]
    assert {(answer.status_code, json.loads(answer.data)["detail"]) for answer in wrong} == {
        (404, "没有找到: 请核对工单号和报修电话的后四位")
    }
    for digits in ("001", "00011", "000a"):
        assert browser.post("/public/track", {"number": number, "phone_end": digits}).status_code == 422


def test_known_outages_are_for_everybody(browser: Browser, as_: As, now: datetime) -> None:
    assert as_("dispatcher").post("/outages", test_outages.body(now)).status_code == 201
    soon = test_outages.body(now + timedelta(days=1))
    assert as_("dispatcher").post("/outages", soon).status_code == 201
    told = browser.get("/public/outages").get_json()
    assert [item["phase"] for item in told["items"]] == ["current", "coming"]
    assert told["server_time"] == now.isoformat()
