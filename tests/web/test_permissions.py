"""Every route is public by this list, or one's own, or names its permission and keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from dispatch.domain.roles import PERMISSIONS, ROLE_LABELS, Permission, Role
from dispatch.domain.states import Verb
from dispatch.services.desk import Desk
from dispatch.web import auth
from tests.support.cast import dispatched
from tests.web.conftest import In, token_of

PUBLIC = {
    "docs", "docs_asset", "docs_script", "health.healthz", "openapi.spec", "static",
    "pages.districts", "pages.grids", "pages.language", "pages.vendor",
    "public_api.list_known_outages", "public_api.get_public_surge", "public_api.add_report", "public_api.look_up",
    "public_api.get_progress", "public_api.rate", "public_api.add_public_photo",
    "public_api.get_asked", "public_api.answer_callback", "public_api.get_alert", "public_api.answer_alert",
    "public.home", "public.track", "public.answer", "message_pages.message",
    "crew_pages.manifest", "crew_pages.worker",
    "signin.form", "signin.sign_in", "signin.sign_out",
    # For who has given a password or holds a link: they say so themselves, see test_second_factor and test_welcome.
    "factor.form", "factor.verify_code", "factor.passkey_options", "factor.verify_passkey",
    "welcome.form", "welcome.choose",
}  # fmt: skip
LOGINS = {
    Role.AGENT: "agent",
    Role.CREW: "crew.a",
    Role.LEAD: "lead.a",
    Role.DISPATCHER: "dispatcher",
    Role.SUPERVISOR: "supervisor",
    Role.ADMIN: "admin",
    Role.AUDITOR: "auditor",
    Role.INTEGRATION: "cti",
}
# What stands for a part of a path, so that it is at least well formed.
VALUES = {"number": "GD20261124-000001", "package": "leaflet"}
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Route:
    """One guarded rule with one of its methods; without a permission it is a page of one's own account."""

    rule: Rule
    method: str
    permission: Permission | None

    @property
    def address(self) -> str:
        return re.sub(r"<(?:\w+(?:\(.*?\))?:)?(\w+)>", lambda part: VALUES.get(part[1], "1"), self.rule.rule)

    @property
    def is_page(self) -> bool:
        return not self.rule.rule.startswith(("/api/", "/cti/"))

    def ask(self, client: FlaskClient, **headers: str) -> TestResponse:
        """Ask with a body that no route can read: whoever gets past the guard is told so, and changes nothing."""
        form = {"csrf_token": headers.get("X-CSRFToken", "")}
        body: Any = None if self.is_read else form if self.is_page else b"{"
        return client.open(self.address, method=self.method, headers=headers, data=body)

    @property
    def is_read(self) -> bool:
        return self.method == "GET"


def routes(app: APIFlask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC:
            view = app.view_functions[rule.endpoint]
            permission = getattr(view, "permission", None)
            assert isinstance(permission, Permission) or hasattr(view, "is_own"), (
                f"{rule} is neither public nor guarded"
            )
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Route(rule, method, permission)


def test_the_public_list_names_only_what_there_is(app: APIFlask) -> None:
    assert set(app.view_functions) >= PUBLIC
    views = [app.view_functions[name] for name in PUBLIC]
    assert not [view for view in views if hasattr(view, "permission") or hasattr(view, "is_own")]


def test_every_permission_is_asked_for_somewhere(app: APIFlask) -> None:
    assert {route.permission for route in routes(app)} - {None} == set(Permission)
    assert set(LOGINS) == set(Role) - {Role.SYSTEM}


def test_every_verb_has_its_route(app: APIFlask) -> None:
    rules = {route.rule.rule for route in routes(app) if route.method == "POST"}
    assert {f"/api/v1/tickets/<number>/{verb}" for verb in Verb} <= rules


def test_without_token_or_session_nobody_comes_in(app: APIFlask) -> None:
    client = app.test_client()
    for route in routes(app):
        for shown in ("", "Bearer nobody", "Bearer", "Basic YTpi", "x"):
            answer = route.ask(client, **({"Authorization": shown} if shown else {}))
            if route.is_page:
                assert_sent_to_sign_in(route, answer)
                continue
            assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), route
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert json.loads(answer.data)["code"] == "not-authenticated"


def assert_sent_to_sign_in(route: Route, answer: TestResponse) -> None:
    """A page leads to /signin; a form that is sent without its token is expired before anything else."""
    if route.is_read:
        assert answer.status_code == 303, route
        assert answer.location.startswith("/signin"), route
    else:
        assert answer.status_code == 400, route


@pytest.mark.parametrize("role", LOGINS)
def test_every_route_and_this_role_with_a_token(app: APIFlask, now: datetime, role: Role) -> None:
    """Before it reads anything: a role without the permission gets 403, any other does not."""
    client, token = app.test_client(), token_of(app, LOGINS[role], now)
    for route in routes(app):
        if not route.is_page:  # a page is for browsers
            assert_kept(route, role, route.ask(client, Authorization=f"Bearer {token}"))


@pytest.mark.parametrize("role", [role for role in LOGINS if role is not Role.INTEGRATION])
def test_every_route_and_this_role_in_a_browser(app: APIFlask, in_: In, role: Role) -> None:
    browser = in_(LOGINS[role])
    csrf = browser.csrf
    for route in routes(app):
        assert_kept(route, role, route.ask(browser.client, **{"X-CSRFToken": csrf}))


def test_a_foreign_ticket_is_to_every_route_as_none(app: APIFlask, in_: In, desk: Desk, now: datetime) -> None:
    """Whoever may not see a ticket cannot tell from any answer that it is there; its own crew is let in."""
    number, missing = dispatched(desk, now), "GD20261124-009999"
    own, foreign = in_("crew.a"), in_("crew.b")
    headers = {"X-CSRFToken": foreign.csrf}
    tried = [route for route in routes(app) if "<number>" in route.rule.rule and not route.is_page]
    assert len(tried) > 20
    for route in tried:
        told = {}
        for tell in (number, missing):
            path = route.address.replace(VALUES["number"], tell)
            answer = foreign.client.open(path, method=route.method, json={}, headers=headers)
            told[tell] = (answer.status_code, answer.text.replace(tell, "?"))
        assert told[number] == told[missing], route
        assert 400 <= told[number][0] < 500, route
        if route.is_read and route.permission in PERMISSIONS[Role.CREW]:
            path = route.address.replace(VALUES["number"], number)
            assert own.client.get(path).status_code == 200, route


def assert_kept(route: Route, role: Role, answer: TestResponse) -> None:
    is_refused = answer.status_code == 403
    is_open = route.permission is None or route.permission in PERMISSIONS[role]
    assert is_refused == (not is_open), (role, route, answer.status_code)
    if not is_refused:
        assert answer.status_code != 401, (role, route)
        assert not (answer.location or "").startswith("/signin"), (role, route)
    elif route.is_page:
        assert answer.content_type.startswith("text/html"), route
        assert auth.home_of(role) in answer.text
    else:
        assert answer.content_type == "application/problem+json"
        assert ROLE_LABELS[role] in json.loads(answer.data)["detail"]
