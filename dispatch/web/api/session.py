"""Who is signed in: what a page asks when it comes back after a while."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request
from flask_wtf.csrf import generate_csrf
from pydantic import BaseModel, Field

from dispatch.domain.roles import ROLE_LABELS, Permission
from dispatch.services import accounts
from dispatch.services.desk import Desk
from dispatch.web import catalogue
from dispatch.web.auth import actor, has_token, needs
from dispatch.web.now import utc_now


class User(BaseModel):
    """A person or an integration."""

    id: int
    login: str
    name: str
    role: str
    role_label: str
    team_id: str | None


class SessionOut(BaseModel):
    """Who asks, and what the next request needs."""

    user: User
    csrf_token: str | None = Field(description="for X-CSRFToken of a browser; null for a bearer token")
    server_time: str
    lang: str


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the route over one desk."""
    api = APIBlueprint("session", __name__, url_prefix="/api/v1", tag="session")

    @api.get("/session")
    @needs(api, Permission.READ)
    @api.output(SessionOut)
    @api.doc(summary="当前登录的用户")
    def get_session() -> dict[str, Any]:
        who = actor()
        user = {
            "id": who.user_id,
            "login": accounts.login_of(desk, who),
            "name": who.name,
            "role": who.role,
            "role_label": ROLE_LABELS[who.role],
            "team_id": who.team_id,
        }
        return {
            "user": user,
            "csrf_token": None if has_token() else generate_csrf(),
            "server_time": utc_now().isoformat(),
            "lang": catalogue.language_of(request.cookies.get("language")),
        }

    return api
