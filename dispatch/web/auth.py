"""Who asks, and may they: a bearer token for each request, a permission for each route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from apiflask import HTTPTokenAuth
from flask import Response

from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services.desk import Desk
from dispatch.services.setup import actor_of_token
from dispatch.web.errors import problem
from dispatch.web.now import utc_now

# A token looked up is trusted so long: a revoked one dies within this time, and a burst asks the database once.
_TRUSTED_FOR = timedelta(seconds=2)
_MOST_KNOWN = 4096
F = TypeVar("F", bound=Callable[..., Any])
bearer = HTTPTokenAuth(scheme="Bearer", description="令牌由 create-token 生成")


def install(desk: Desk) -> None:
    """Let tokens be looked up in the database of `desk`."""
    known: dict[str, tuple[datetime, Actor]] = {}

    def verify(token: str) -> Actor | None:
        now = utc_now()
        seen = known.get(token)
        if seen is not None and abs(now - seen[0]) < _TRUSTED_FOR:
            return seen[1]
        who = actor_of_token(desk, token, now) if token else None
        if who is not None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[token] = (now, who)
        return who

    bearer.verify_token(verify)


@bearer.error_processor
def _refuse(_error: Any) -> Response:
    answer = problem(401, "not-authenticated", "请在 Authorization 头中给出有效的令牌: Bearer <token>")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def actor() -> Actor:
    """Return who asks; only behind `needs`."""
    return cast(Actor, bearer.current_user)


def needs(permission: Permission) -> Callable[[F], F]:
    """Mark a view with the permission it needs, for the docs and the test that no route forgets it."""

    def mark(view: F) -> F:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def check(permission: Permission) -> Actor:
    """Return who asks, or raise NotPermitted."""
    who = actor()
    check_permitted(who, permission)
    return who
