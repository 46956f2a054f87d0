"""The knowledge base and temporary fixes over HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.states import Status
from dispatch.domain.tracking import token
from dispatch.services.desk import Desk
from tests.support.cast import ticket_at
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def body(now: datetime, **changes: Any) -> dict[str, Any]:
    review_at = (now + timedelta(days=90)).isoformat()
    return {"title": "水费怎么交", "body": "在网上交。", "keywords": ["缴费"], "review_at": review_at, **changes}


def read(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.data
    told: dict[str, Any] = json.loads(answer.data)
    return told


def test_an_article_is_written_published_found_and_answers(as_: As, now: datetime) -> None:
    writer, agent = as_("supervisor"), as_("agent")
    kept = read(writer.post("/articles", body(now), key="a-1"), 201)
    assert read(writer.post("/articles", body(now), key="a-1"), 201) == kept
    path = f"/articles/{kept['id']}"
    assert agent.get(path).status_code == 404
    read(writer.post(f"{path}/publish", {"version": 1}))
    read(writer.post(f"{path}/edit", body(now, body="也可到营业厅。", owner="admin", version=1)))
    assert read(agent.get(path))["version"] == 1
    assert read(writer.get(path))["owner_login"] == "admin"
    assert read(agent.get("/articles/search?q=水费"))["items"][0]["reason"] == "标题和关键词含 水费"
    told = {"category": "inquiry", "answer": "在网上交。", "article_id": kept["id"], "article_version": 1}
    read(agent.post("/calls", told), 201)
    found = read(agent.get("/articles/figures?from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z"))
    assert found["items"] == [{"article_id": kept["id"], "title": "水费怎么交", "answered": 1}]
    read(writer.post(f"{path}/review", {"review_at": (now + timedelta(days=30)).isoformat()}))
    assert read(writer.post(f"{path}/withdraw", {"note": "过时"}))["status"] == "withdrawn"
    assert read(writer.get("/articles?status=withdrawn"))["counts"] == {"draft": 0, "published": 0, "withdrawn": 1}
    assert read(writer.post(f"{path}/withdraw", {"note": "过时"}), 409)["code"] == "illegal-article-step"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"body": "水" * 2001}, "body"),
        ({"keywords": ["水" * 31]}, "keywords.0"),
        ({"category": "moon"}, "category"),
        ({"review_at": "2020-01-01T00:00:00+08:00"}, "review_at"),
        ({"review_at": "2026-12-24"}, "review_at"),
        ({"owner": "nobody"}, "owner"),
    ],
)
def test_what_is_wrong_is_named(as_: As, now: datetime, changes: dict[str, Any], field: str) -> None:
    assert read(as_("admin").post("/articles", body(now, **changes)), 422)["field"] == field


def test_a_temporary_fix_opens_its_rest_and_both_pages_say_so(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    crew = as_("crew.a")
    kinds = read(crew.get("/categories"))["temporary"]
    assert kinds["frozen_meter_bypass"] == "冻坏水表改接直通管"
    told = {"outcome": "temporary", "temporary_kind": "clamp", "left_to_do": "换管段"}
    done = read(crew.post(f"/tickets/{number}/done", told, key="d-1"))
    assert (done["outcome"], done["temporary_kind"]) == ("temporary", "clamp")
    rest = read(crew.get(f"/tickets/{number}"))["follow_ups"][0]["number"]
    assert read(crew.get(f"/tickets/{rest}"))["follow_up_of"] == number
    secret = crew.client.application.config["SECRET_KEY"]
    progress = read(crew.get(f"/public/tickets/{number}/{token(secret, number)}"))
    assert progress["follow_ups"][0] | {"number": rest, "token": token(secret, rest)} == progress["follow_ups"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": "glued"}, "outcome"),
        ({"outcome": "temporary"}, "temporary_kind"),
        ({"outcome": "temporary", "temporary_kind": "clamp"}, "left_to_do"),
        ({"temporary_kind": "clamp"}, "outcome"),
        ({"left_to_do": "换管段"}, "outcome"),
        ({"due_at": "2026-12-24T00:00:00+08:00"}, "outcome"),
    ],
)
def test_what_a_done_must_say(as_: As, desk: Desk, now: datetime, changes: dict[str, Any], field: str) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    assert read(as_("crew.a").post(f"/tickets/{number}/done", changes), 422)["field"] == field
