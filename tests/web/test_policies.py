"""The policy over HTTP: for the administrator alone; a wrong form is answered with the places of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_a_version_is_read_changed_tried_and_published(as_: As) -> None:
    admin = as_("admin")
    (head,) = admin.get("/policies").get_json()["items"]
    told = admin.get(f"/policies/{head['version']}").get_json()["policy"]
    told["levels"]["P2"]["limits"][0]["within"] = "8 min"
    checked = admin.post("/policy-check", {"policy": told}).get_json()
    assert checked["problems"] == []
    assert any("8 分钟接单" in sentence["zh"] for sentence in checked["preview"])
    tried = admin.post("/policy-dry-run", {"policy": told})
    assert (tried.status_code, tried.get_json()["next"]) == (200, None)
    made = admin.post("/policies", {"policy": told, "reason": "冬季口径"}, key="p")
    assert (made.status_code, made.get_json()["reason"]) == (201, "冬季口径")
    assert admin.post("/policies", {"policy": told, "reason": "冬季口径"}, key="p").get_json() == made.get_json()
    assert admin.get("/policies").get_json()["current"] == made.get_json()["version"]


def test_what_is_wrong_is_answered_with_its_place(as_: As) -> None:
    admin = as_("admin")
    told = admin.get("/policies/2026-11-01").get_json()["policy"]
    told["ladders"]["normal"]["ack"][0]["to"] = []
    refused = admin.post("/policies", {"policy": told, "reason": "试"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid-policy")
    assert [one["field"] for one in refused.get_json()["problems"]] == ["ladders.normal.ack[0].to"]
    assert admin.get("/policies/none").status_code == 404
    wrong: list[dict[str, Any]] = [{"policy": []}, {"policy": {}, "after": -1}, {"policy": {"x": 1e300}}]
    for body in wrong:
        assert admin.post("/policy-dry-run", body).status_code == 422


@pytest.mark.parametrize("login", ["supervisor", "dispatcher", "auditor", "crew.a"])
def test_nobody_else_may(as_: As, login: str) -> None:
    other = as_(login)
    for path in ("/policies", "/policies/2026-11-01"):
        assert other.get(path).status_code == 403
    for path, body in (("policies", {"reason": "x"}), ("policy-check", {}), ("policy-dry-run", {})):
        assert other.post(f"/{path}", {"policy": {}, **body}).status_code == 403
