"""Grid maps over HTTP."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.domain.zone_files import LEFT, document, feature
from tests.services.test_zone_drafts import OVERLAPPING
from tests.support.cast import TEAM_A, TEAM_B
from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
TWO = document(feature(LEFT, id="A", team_id=TEAM_A), feature(OVERLAPPING, id="B", team_id=TEAM_B))


def send(as_: As, data: bytes = TWO, **fields: str) -> TestResponse:
    form: dict[str, Any] = {"datum": "wgs84", **fields, "file": (io.BytesIO(data), "grids.geojson")}
    form = {key: value for key, value in form.items() if value}
    return as_("admin").post("/zone-drafts", data=form, content_type="multipart/form-data")


def told(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.data)
    assert answer.status_code == status, body
    return body


def edit(as_: As, draft: dict[str, Any], op: str, **fields: Any) -> TestResponse:
    return as_("supervisor").post(
        f"/zone-drafts/{draft['id']}/edits", {"op": op, "version": draft["version"], **fields}
    )


def test_the_live_map_becomes_a_draft(as_: As) -> None:
    draft = told(as_("supervisor").post("/zone-drafts", {"name": "调整", "source": "live"}), 201)
    assert told(as_("admin").get(f"/zone-drafts/{draft['id']}")) == draft
    (head,) = told(as_("admin").get("/zone-drafts"))["items"]
    assert (head["id"], head["zones"], head["problems"]) == (draft["id"], 112, 0)


def test_a_file_becomes_a_draft_that_is_mended(as_: As) -> None:
    draft = told(send(as_), 201)
    assert draft["name"] == "grids.geojson"
    assert [each["kind"] for each in draft["problems"]] == ["overlap"]
    draft = told(edit(as_, draft, "give_overlap", zone_ids=["A", "B"], to="A"))
    assert draft["problems"] == []
    draft = told(edit(as_, draft, "move_vertex", **{"from": [112.92, 28.1], "to": [112.925, 28.1]}))
    draft = told(
        edit(as_, draft, "split", zone_id="A", line=[[112.8, 28.05], [112.93, 28.05]], new_zone={"zone_id": "A2"})
    )
    draft = told(edit(as_, draft, "merge", zone_ids=["A", "A2"], into="A"))
    draft = told(edit(as_, draft, "properties", zone_id="A", name="新名", team_id=None, in_circle=False))
    first = draft["features"]["features"][0]["properties"]
    assert first == {"zone_id": "A", "name": "新名", "branch": None, "team_id": None, "in_circle": False}
    draft = told(edit(as_, draft, "undo"))
    assert draft["features"]["features"][0]["properties"]["team_id"] == TEAM_A


def test_who_comes_second_gets_the_draft_as_it_is(as_: As) -> None:
    draft = told(send(as_), 201)
    now = told(edit(as_, draft, "remove", zone_id="A"))
    stale = told(edit(as_, draft, "remove", zone_id="B"), 409)
    assert (stale["code"], stale["current_version"], stale["draft"]) == ("stale-version", 2, now)


def test_a_draft_is_dropped(as_: As) -> None:
    draft = told(send(as_), 201)
    client, headers = as_("admin").client, {"Authorization": f"Bearer {as_('admin').token}"}
    path = f"/api/v1/zone-drafts/{draft['id']}"
    assert told(client.delete(path, headers=headers))["id"] == draft["id"]
    assert client.delete(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"datum": ""}, "datum"),
        ({"datum": "bd11"}, "datum"),
        ({"name": "x" * 101}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_the_form_is_named(as_: As, fields: dict[str, str], field: str) -> None:
    problem = told(send(as_, TWO, **fields), 422)
    assert (problem["code"], problem["field"]) == ("invalid-input", field)


def test_a_form_without_a_file_says_so(as_: As) -> None:
    answer = as_("admin").post("/zone-drafts", data={"datum": "wgs84"}, content_type="multipart/form-data")
    assert told(answer, 422)["field"] == "file"


def test_a_file_that_cannot_be_read_is_refused_whole(as_: As) -> None:
    problem = told(send(as_, b"no zones at all"), 422)
    assert problem["code"] == "invalid-zone-file"
    assert "文件不是 JSON" in problem["problems"][0]["reason"]
    assert told(as_("admin").get("/zone-drafts")) == {"items": []}
    problem = told(as_("admin").post("/zone-drafts", {"name": ""}), 422)
    assert problem["field"] == "name"


def test_a_draft_is_previewed_published_and_exported(as_: As, now: datetime) -> None:
    draft = told(as_("supervisor").post("/zone-drafts", {"name": "调整"}), 201)
    preview = told(as_("supervisor").get(f"/zone-drafts/{draft['id']}/preview"))
    assert preview["open"] == {"count": 0, "changes": []}
    order = {"version": 1, "valid_from": now.isoformat(), "open_tickets": "keep"}
    problem = told(as_("admin").post(f"/zone-drafts/{draft['id']}/publish", order | {"open_tickets": "burn"}), 422)
    assert problem["field"] == "open_tickets"
    done = told(as_("supervisor").post(f"/zone-drafts/{draft['id']}/publish", order), 201)
    assert done == {"zone_set_id": 2, "valid_from": now.isoformat(), "zones": 112, "moved": None}
    live, first = told(as_("admin").get("/zone-sets"))["items"]
    assert (live["is_live"], live["zones"], first["is_live"]) == (True, 112, False)
    for form, kind in (("geojson", "application/geo+json"), ("csv", "text/csv"), ("kml", "application/vnd")):
        answer = as_("supervisor").get("/zone-sets/2/export", form=form)
        assert (answer.status_code, answer.content_type.startswith(kind)) == (200, True)
        assert f"zones-v2-wgs84.{form}" in answer.headers["Content-Disposition"]
    assert as_("supervisor").get("/zone-sets/2/export", form="shp").status_code == 422


def test_problems_and_doubts_are_told(as_: As, now: datetime) -> None:
    order = {"version": 1, "valid_from": now.isoformat(), "open_tickets": "keep"}
    draft = told(send(as_), 201)
    problem = told(as_("admin").post(f"/zone-drafts/{draft['id']}/publish", order), 422)
    assert (problem["code"], problem["problems"][0]["kind"]) == ("unsolved-problems", "overlap")
    draft = told(send(as_, document(feature(LEFT, id="A"))), 201)
    problem = told(as_("admin").post(f"/zone-drafts/{draft['id']}/publish", order), 422)
    assert (problem["code"], problem["field"], len(problem["doubts"])) == ("not-sure", "is_sure", 1)
