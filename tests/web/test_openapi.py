"""The description of the API, its page, and the one list of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from openapi_spec_validator import OpenAPIV31SpecValidator

from dispatch.domain.errors import DispatchError
from dispatch.web.api.responses import XLSX
from dispatch.web.api.zone_forms import MEDIA

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def spec(app: APIFlask) -> Any:
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    return json.loads(answer.data)


PUBLIC = "/api/v1/public/"
# What changes something and can meet no other change: it adds, or looks at something under audit.
WITHOUT_CONFLICT = (
    r"/(calls|cases|known-cases|outages|outage-drafts|zone-drafts|preview|positions|events|reports|sms-replies|track"
    r"|subscriptions)$|/(policies|policy-check|policy-dry-run|rosters|roster-import)$"
    r"|/roster-(leaves|swaps|(leave|swap)-check)"
    r"|/(import|remove|reveal|acknowledge|surge/release|\{token\}/photos)$"
)


def operations(spec: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_valid_as_3_1(spec: Any) -> None:
    assert spec["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(spec).validate()


def test_every_route_of_the_api_is_described(app: APIFlask, spec: Any) -> None:
    rules = {
        re.sub("<(.+?)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/cti/"))
    }
    assert rules | {"/healthz"} == set(spec["paths"])


def test_every_operation_says_what_it_does_and_who_may(spec: Any) -> None:
    for path, method, operation in operations(spec):
        assert re.search(r"[\u4e00-\u9fff]", operation["summary"]), path
        is_open = path == "/healthz" or path.startswith(PUBLIC)
        assert operation["security"] == ([] if is_open else [{"BearerAuth": []}]), path
        assert operation["operationId"]
        for parameter in operation["parameters"]:
            assert "anyOf" not in parameter["schema"], (path, method, parameter["name"])
    ids = [operation["operationId"] for *_, operation in operations(spec)]
    assert len(ids) == len(set(ids))


def test_every_operation_names_its_problems(spec: Any) -> None:
    for path, method, operation in operations(spec):
        answers = operation["responses"]
        if path == "/healthz":
            assert set(answers) == {"200", "503"}
            assert set(answers["503"]["content"]) == {"application/json", "application/problem+json"}
            continue
        wanted = {"429", "503"} if path.startswith(PUBLIC) else {"401", "403", "503"}
        wanted |= {"404"} if "{" in path else set()
        wanted |= {"400", "404", "413", "422"} if "requestBody" in operation else set()
        assert wanted <= set(answers), (path, method)
        assert ("409" in answers) is (method != "get" and not re.search(WITHOUT_CONFLICT, path)), (path, method)
        for status, answer in answers.items():
            if status == "204":
                assert "content" not in answer
                continue
            good = "image/jpeg" if path.endswith(".jpg") else "application/json"
            good = "image/svg+xml" if path.endswith(".svg") else good
            good = "text/html" if path.endswith(".html") else good
            good = XLSX if path.endswith(".xlsx") else good
            good = "text/event-stream" if path.endswith("/stream") else good
            kind = good if status < "300" else "application/problem+json"
            kinds = set(MEDIA.values()) if path.endswith("/export") and status < "300" else {kind}
            assert set(answer["content"]) == kinds, (path, status)


def test_a_call_says_how_it_is_repeated(spec: Any) -> None:
    calls = spec["paths"]["/api/v1/calls"]["post"]
    assert [parameter["name"] for parameter in calls["parameters"]] == ["Idempotency-Key"]
    assert calls["responses"]["200"]["content"] == calls["responses"]["201"]["content"]
    assert calls["requestBody"]["required"]


def read(app: APIFlask, path: str) -> bytes:
    with app.test_client().get(path) as answer:
        assert answer.status_code == 200, path
        return bytes(answer.data)


def test_the_page_needs_no_internet(app: APIFlask) -> None:
    page, script = read(app, "/docs").decode(), read(app, "/docs/page.js").decode()
    assert "https:" not in page + script
    assert "http:" not in page + script
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert read(app, address)


def everything_below(kind: type[DispatchError]) -> Iterator[type[DispatchError]]:
    for below in kind.__subclasses__():
        yield below
        yield from everything_below(below)


def test_every_error_has_a_code_of_its_own_and_a_status(app: APIFlask) -> None:
    kinds = [kind for kind in everything_below(DispatchError) if kind.__module__.startswith("dispatch.")]
    codes = [kind.__dict__.get("code") for kind in kinds]
    assert len(kinds) >= 10
    assert len(set(codes)) == len(codes)
    for kind in kinds:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code), kind
        assert 400 <= kind.status < 600, kind


def test_what_is_not_there_or_not_so_is_a_problem(app: APIFlask) -> None:
    client = app.test_client()
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/api/v2/tickets", 404),
        ("GET", "/docs/assets/../../config.py", 404),
        ("DELETE", "/api/v1/calls", 405),
        ("POST", "/healthz", 405),
        ("TRACE", "/api/v1/tickets", 405),
    ):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), path
        told = json.loads(answer.data)
        assert (told["status"], told["instance"]) == (status, path)
        if status == 405:
            assert answer.headers["Allow"]
            assert method in told["detail"]
