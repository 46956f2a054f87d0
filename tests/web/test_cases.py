"""Cases and customers over HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.cast import CALLER_PHONE
from tests.web.conftest import As, a_call

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_a_case_from_the_call_to_its_close(as_: As, now: datetime) -> None:
    agent, boss = as_("agent"), as_("supervisor")
    number = told(agent.post("/calls", a_call(now)), 201)["ticket"]["number"]
    body = {"kind": "person", "key": CALLER_PHONE, "category": "noise", "rhythm_days": 3}
    case = told(agent.post("/cases", body, key="c-1"), 201)
    assert told(agent.post("/cases", body, key="c-1"), 201) == case
    assert (case["owner_login"], [one["number"] for one in case["linked"]]) == ("supervisor", [number])
    known = told(agent.post("/known-cases", {"key": CALLER_PHONE, "category": "noise"}))
    assert (known["nth_of_caller"], known["is_frequent"], [one["id"] for one in known["cases"]]) == (2, False, [1])
    here = {"lon": 112.97, "lat": 28.19, "datum": "gcj02"}
    assert told(agent.post("/known-cases", {"location": here}))["nth_of_spot"] == 1
    assert told(agent.get("/cases", status="open", number=number))["items"] == told(agent.get("/cases"))["items"]
    assert told(agent.get("/case-owners"))["items"][0]["login"] == "dispatcher"
    path = f"/cases/{case['id']}"
    visit = {"kind": "neighbour", "whom": "302", "finding": "也听到"}
    assert agent.post(f"{path}/visits", visit).status_code == 403
    case = told(boss.post(f"{path}/visits", visit, key="v-1"))
    assert (case["visits"], case["neighbours_visited"][0]["whom"]) == (1, "302")
    at = (now - timedelta(hours=1)).isoformat()
    assert told(boss.post(f"{path}/visits", {"kind": "phone", "at": at, "finding": "已回电"}))["timeline"][0]["kind"]
    case = told(boss.post(f"{path}/rhythm", {"rhythm_days": 2, "version": 3}))
    case = told(boss.post(f"{path}/owner", {"owner": "dispatcher", "version": case["version"]}))
    assert told(boss.post(f"{path}/tickets", {"number": number}))["tickets"] == 1
    stale = boss.post(f"{path}/solve", {"root_cause": "pump", "outcome": "已更换", "version": 1})
    assert (stale.status_code, json.loads(stale.data)["code"]) == (409, "stale-version")
    case = told(boss.post(f"{path}/solve", {"root_cause": "pump", "outcome": "已更换", "version": case["version"]}))
    assert (case["status"], case["root_cause"]) == ("watching", "pump")
    assert told(boss.post(f"{path}/reopen", {"note": "又响"}))["status"] == "open"
    assert told(agent.get(path))["outcome"] == "已更换"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/cases", {"kind": "house", "key": "1"}, "kind"),
        ("/cases", {"kind": "person", "key": CALLER_PHONE, "category": "noise", "rhythm_days": 0}, "rhythm_days"),
        ("/cases", {"kind": "address", "category": "noise", "address": "坡子街"}, "address"),
        ("/known-cases", {"location": {"lon": 999, "lat": 28, "datum": "wgs84"}}, "location.lon"),
        ("/cases/1/visits", {"kind": "dance", "finding": "x"}, "kind"),
        ("/cases/1/solve", {"root_cause": "pump"}, "outcome"),
    ],
)
def test_what_is_wrong_is_named(as_: As, path: str, body: dict[str, Any], field: str) -> None:
    answer = as_("supervisor").post(path, body)
    assert (answer.status_code, json.loads(answer.data)["field"]) == (422, field)


def test_customers_come_as_a_table_and_go_one_by_one(as_: As) -> None:
    boss = as_("supervisor")
    table = f"标记,名称,电话\n医院,样例医院,{CALLER_PHONE}\n教堂,x,1\n".encode()
    report = told(boss.post("/customers/import?source=a.csv", data=table))
    assert (report["taken"], report["replaced"], report["refused"][0]["row"]) == (1, 0, 3)
    (one,) = told(boss.get("/customers", flag="hospital"))["items"]
    assert (one["phone"], one["flag_label"]) == ("130****0001", "医院")
    assert told(boss.post(f"/customers/{one['id']}/reveal", {"reason": "通知停水"}))["phone"] == CALLER_PHONE
    assert as_("dispatcher").get("/customers").status_code == 403
    assert told(boss.post(f"/customers/{one['id']}/remove"))["id"] == one["id"]
    assert boss.post(f"/customers/{one['id']}/remove").status_code == 404
