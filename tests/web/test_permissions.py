"""Every route is public by this list, or names its permission and keeps to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from apiflask import APIFlask
from werkzeug.routing import Rule

from dispatch.domain.roles import PERMISSIONS, ROLE_LABELS, Permission, Role
from dispatch.domain.states import Verb
from tests.support.cast import cast_of
from tests.web.conftest import desk_of, token_of

PUBLIC = {"docs", "docs_asset", "docs_script", "health.healthz", "openapi.spec", "static"}
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def routes(app: APIFlask) -> Iterator[tuple[Rule, str, Permission]]:
    """Every guarded rule with its method and its permission."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC:
            (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            permission = getattr(app.view_functions[rule.endpoint], "permission", None)
            assert isinstance(permission, Permission), f"{rule} is neither public nor guarded"
            yield rule, method, permission


def address(rule: Rule) -> str:
    return rule.rule.replace("<number>", "GD20261124-000001").replace("<escalation_id>", "1")


def test_the_public_list_names_only_what_there_is(app: APIFlask) -> None:
    assert set(app.view_functions) >= PUBLIC
    assert not [name for name in PUBLIC if hasattr(app.view_functions[name], "permission")]


def test_every_permission_is_asked_for_somewhere(app: APIFlask) -> None:
    assert {permission for *_, permission in routes(app)} == set(Permission)


def test_every_verb_has_its_route(app: APIFlask) -> None:
    rules = {rule.rule for rule, method, _ in routes(app) if method == "POST"}
    assert {f"/api/v1/tickets/<number>/{verb}" for verb in Verb} <= rules


def test_without_a_token_nobody_comes_in(app: APIFlask) -> None:
    client = app.test_client()
    for rule, method, _ in routes(app):
        for headers in (
            {},
            {"Authorization": "Bearer nobody"},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "x"},
        ):
            answer = client.open(address(rule), method=method, headers=headers)
            assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), rule
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert json.loads(answer.data)["code"] == "not-authenticated"


def test_every_route_keeps_to_its_permission(app: APIFlask, now: datetime) -> None:
    """Before it reads anything: a role without the permission gets 403, any other does not."""
    cast, client = cast_of(desk_of(app)), app.test_client()
    logins = {"agent": Role.AGENT, "crew.a": Role.CREW, "lead.a": Role.LEAD, "cti": Role.INTEGRATION}
    logins |= {role.value: role for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR)}
    assert set(logins.values()) == set(Role) - {Role.SYSTEM}
    for login, role in logins.items():
        token = token_of(app, login, now)
        assert cast.of(role).role is role
        for rule, method, permission in routes(app):
            answer = client.open(address(rule), method=method, headers={"Authorization": f"Bearer {token}"}, data=b"{")
            is_refused = answer.status_code == 403
            assert is_refused == (permission not in PERMISSIONS[role]), (role, rule)
            if is_refused:
                assert answer.content_type == "application/problem+json"
                assert ROLE_LABELS[role] in json.loads(answer.data)["detail"]
