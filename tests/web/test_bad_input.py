"""Bad input: each is answered with 4xx in Chinese that names the field and the fix, on both databases."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from tests.support.cast import ticket_at
from tests.web.conftest import As, a_call

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NASTY = {"surrogate": "\ud800", "nul": "a\x00b", "escape": "\x1b[31m", "c1": "\x85"}
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def problem(answer: TestResponse, status: int, field: str | None = None) -> dict[str, Any]:
    """The problem document of an answer, which has this status, speaks Chinese and names the field."""
    told: dict[str, Any] = json.loads(answer.data)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), told
    assert told["status"] == status
    assert CHINESE.search(told["detail"]), told["detail"]
    if field is not None:
        assert told["field"] == field
    return told


PIN: dict[str, Any] = {"lon": 112.9, "lat": 28.2, "datum": "wgs84"}
AGREED = {"appointment_at": "2026-11-26T10:00:00+08:00"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("category", {"category": None}, "应为文字"),
    ("category", {"category": ""}, "至少 1 个字"),
    ("category", {"category": "重"}, "未知的诉求类别"),
    ("colour", {"colour": "red"}, "未知字段"),
    ("description", {"description": "水" * 100_000}, "最多 2000 个字"),
    ("description", {"description": 5}, "应为文字"),
    ("called_at", {"called_at": "2026-11-24T10:00:00"}, "缺少时区"),
    ("called_at", {"called_at": "yesterday"}, "应为带时区的时间"),
    ("called_at", {"called_at": "2026-11-24"}, "缺少时区"),
    ("called_at", {"called_at": 1_795_500_000}, "应为带时区的文字"),
    ("called_at", {"called_at": "1795500000"}, "应为带时区的文字"),
    ("called_at", {"called_at": "0001-01-01T00:00:00+08:00"}, "年份"),
    ("called_at", {"called_at": "9999-12-31T23:59:59-08:00"}, "年份"),
    ("called_at", {"called_at": "2026-11-25T10:00:00+08:00"}, "在未来"),
    ("pipe_dn", {"pipe_dn": 14}, "不能小于 15"),
    ("pipe_dn", {"pipe_dn": 2**70}, "不能大于 4000"),
    ("pipe_dn", {"pipe_dn": 15.5}, "应为整数"),
    ("pipe_dn", {"pipe_dn": "100"}, "应为整数"),
    ("location", {"location": [1, 2]}, "应为 JSON 对象"),
    ("location.lat", {"location": {"lon": 112.9, "datum": "wgs84"}}, "必填"),
    ("location.lon", {"location": PIN | {"lon": 181}}, "不能大于 180"),
    ("location.lon", {"location": PIN | {"lon": True}}, "应为数字"),
    ("location.datum", {"location": PIN | {"datum": "epsg"}}, "只能取 wgs84, gcj02, bd09"),
    ("answers", {"answers": {str(n): True for n in range(21)}}, "最多 20 项"),
    ("answers.on_road", {"answers": {"on_road": 1}}, "回答应为 true、false"),
    ("answers." + "k" * 40, {"answers": {"k" * 61: True}}, "名称最多 60 个字"),
    ("cti_call_id", {"cti_call_id": "x" * 201}, "最多 200 个字"),
    ("answers.colour", {"answers": {"colour": True}, "category": "inquiry", "answer": "好的"}, "没有这个问题"),
    ("pipe_dn", {"pipe_dn": 300, "attach_to": "GD20261124-000001"}, "请去掉 pipe_dn"),
    ("pipe_dn", {"pipe_dn": 300, "category": "inquiry", "answer": "好的"}, "请去掉 pipe_dn"),
    ("appointment_at", AGREED | {"category": "install", "attach_to": "GD20261124-000001"}, "请去掉 appointment_at"),
    ("appointment_at", AGREED | {"category": "leak"}, "请去掉 appointment_at"),
]


@on_sqlite
def test_what_is_wrong_with_a_call_is_said(as_: As, now: datetime, subtests: pytest.Subtests) -> None:
    for field, changes, why in WRONG:
        with subtests.test(field=field, why=why):
            told = problem(as_("agent").post("/calls", a_call(now, **changes)), 422, field)
            assert why in told["detail"]
            assert told.get("errors", [{"field": field}])[0]["field"] == field


@on_sqlite
def test_all_faults_are_told_at_once_and_no_more_than_help(as_: As) -> None:
    told = problem(as_("agent").post("/calls", {f"x{n}": n for n in range(500)}), 422, "category")
    assert [fault["field"] for fault in told["errors"][:3]] == ["category", "x0", "x1"]
    assert len(told["errors"]) == 20


NO_JSON = {
    "empty object missing": (b"{", "第 1 行第 2 列"),
    "nan": (b'{"called_at": NaN}', "NaN"),
    "infinity": (b'{"called_at": -Infinity}', "-Infinity"),
    "deep list": (b"[" * 100_000, "嵌套过深"),
    "deep object": (b'{"a":' * 100_000, "嵌套过深"),
    "gbk": ('{"description": "整栋楼"}'.encode("gbk"), "UTF-8"),
    "endless number": (b'{"pipe_dn": ' + b"9" * 5000 + b"}", "数字过长"),
    "twice": (b'{"category": "burst", "category": "leak"}', "“category”出现多次"),
    "twice and alike": (b'{"category": "burst", "category": "burst"}', "“category”出现多次"),
    "twice inside": (b'{"location": {"lon": 112.9, "lat": 28.2, "lon": 28.2}}', "“lon”出现多次"),
    "twice in other letters": (b'{"lon": 1, "l\\u006fn": 2}', "“lon”出现多次"),
    "twice a surrogate": (b'{"\\ud800": 1, "\\ud800": 2}', "出现多次"),
    "form": (b"category=no_water", "JSON"),
}


@on_sqlite
def test_what_is_no_json_says_what_to_send(as_: As, subtests: pytest.Subtests) -> None:
    for name, (data, why) in NO_JSON.items():
        with subtests.test(name):
            told = problem(as_("agent").post("/calls", data=data), 400)
            assert told["code"] == "bad-json"
            assert why in told["detail"]


@on_sqlite
def test_a_body_is_an_object(as_: As) -> None:
    for data, kind in ((b"[]", "列表"), (b"null", "null"), (b'"x"', "文字"), (b"1e400", "数字")):
        told = problem(as_("agent").post("/calls", data=data), 422)
        assert kind in told["detail"]


@on_sqlite
def test_a_huge_float_is_no_coordinate(as_: As, now: datetime) -> None:
    body = json.dumps(a_call(now, location=PIN)).replace("112.9", "1e400")
    problem(as_("agent").post("/calls", data=body.encode()), 422, "location.lon")


TEXTS = ["category", "description", "address", "caller_name", "caller_phone", "cti_call_id", "attach_to", "answer"]


def test_no_text_of_a_call_holds_what_no_person_types(as_: As, now: datetime, subtests: pytest.Subtests) -> None:
    for name, text in NASTY.items():
        for field in TEXTS:
            with subtests.test(field=field, text=name):
                problem(as_("agent").post("/calls", a_call(now, **{field: text})), 422, field)


def test_neither_do_names_nor_answers(as_: As, now: datetime, subtests: pytest.Subtests) -> None:
    for name, text in NASTY.items():
        with subtests.test(name):
            problem(as_("agent").post("/calls", a_call(now, answers={"q": text})), 422, "answers.q")
            told = problem(as_("agent").post("/calls", a_call(now, answers={text: True})), 422)
            assert told["field"].startswith("answers")
            problem(as_("agent").post("/calls", a_call(now, **{text: 1})), 422)


VERBS: list[tuple[str, dict[str, Any], str]] = [
    ("cancel", {"reason": "by_caller"}, "note"),
    ("cancel", {}, "reason"),
    ("merge", {}, "into"),
    ("assist", {}, "team_id"),
    ("reassign", {}, "team_id"),
    ("reveal", {}, "reason"),
]


def test_nor_any_text_of_a_verb(as_: As, desk: Desk, now: datetime, subtests: pytest.Subtests) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    for name, text in NASTY.items():
        for verb, body, field in VERBS:
            with subtests.test(verb=verb, field=field, text=name):
                problem(as_("dispatcher").post(f"/tickets/{number}/{verb}", {**body, field: text}), 422, field)


FILTERS = ["status", "level", "category", "zone_id", "branch", "team_id", "route_status", "q"]


def test_nor_a_filter(as_: As, subtests: pytest.Subtests) -> None:
    for field in FILTERS:
        with subtests.test(field):
            problem(as_("agent").get("/tickets", **{field: "a\x00"}), 422, field)
    problem(as_("auditor").get("/audit", subject="\x00"), 422, "subject")


def test_nor_the_number_in_the_path(as_: As) -> None:
    problem(as_("admin").get("/tickets/%00"), 422, "number")
    for verb in ("accept", "reveal"):
        problem(as_("admin").post(f"/tickets/%00/{verb}", {}), 422, "number")


def test_nor_the_idempotency_key(as_: As, now: datetime) -> None:
    problem(as_("agent").post("/calls", a_call(now), key="a\x85"), 422, "Idempotency-Key")
    problem(as_("agent").post("/calls", a_call(now), key="k" * 201), 422, "Idempotency-Key")


def test_undecodable_bytes_in_an_address_find_nothing(as_: As) -> None:
    problem(as_("agent").get("/tickets/%FF"), 404)
    assert as_("agent").client.get(
        "/api/v1/tickets?zone_id=%ED%A0%80", headers={"Authorization": f"Bearer {as_('agent').token}"}
    ).json == {"items": [], "next": None}


def test_an_id_is_within_64_bits(as_: As, subtests: pytest.Subtests) -> None:
    for id_ in (str(2**63), "-1", "x", "9" * 5000, "1.5"):
        with subtests.test(id_[:20]):
            problem(as_("admin").post(f"/escalations/{id_}/acknowledge"), 422, "escalation_id")
            problem(as_("auditor").get("/audit", after=id_), 422, "after")
            problem(as_("auditor").get("/tickets", after=id_), 422, "after")


def test_the_largest_id_is_only_not_there(as_: As) -> None:
    problem(as_("admin").post(f"/escalations/{2**63 - 1}/acknowledge"), 404)
    assert as_("admin").get("/tickets", after=2**63 - 1).status_code == 200


@on_sqlite
def test_an_unknown_status_is_told_what_there_is(as_: As) -> None:
    assert (
        "只能取 received, dispatched" in problem(as_("agent").get("/tickets", status="open"), 422, "status")["detail"]
    )
    assert as_("agent").get("/tickets", status="done, closed").json == {"items": [], "next": None}


@on_sqlite
def test_a_page_has_its_limits(as_: As) -> None:
    for limit in ("0", "201", "x", ""):
        problem(as_("agent").get("/tickets", limit=limit), 422, "limit")


def test_emoji_are_text(as_: As, now: datetime) -> None:
    answer = as_("agent").post("/calls", a_call(now, description="漏水💧\n二楼\t"))
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["ticket"]["description"] == "漏水💧\n二楼\t"
