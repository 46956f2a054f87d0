"""Who asks, and may they: a bearer token for each request, a permission for each route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from apiflask import APIBlueprint, HTTPTokenAuth
from flask import Flask, Response, current_app

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


class _Tokens:
    """Who holds which token, asked of the database of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[str, tuple[datetime, Actor]] = {}

    def holder(self, token: str, now: datetime) -> Actor | None:
        seen = self._known.get(token)
        if seen is not None and abs(now - seen[0]) < _TRUSTED_FOR:
            return seen[1]
        who = actor_of_token(self._desk, token, now) if token else None
        if who is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[token] = (now, who)
        return who


def install(app: Flask, desk: Desk) -> None:
    """Let the tokens that `app` is shown be looked up in the database of `desk`."""
    app.extensions["tokens"] = _Tokens(desk)


def _verify(token: str) -> Actor | None:
    tokens: _Tokens = current_app.extensions["tokens"]
    return tokens.holder(token, utc_now())


bearer.verify_token(_verify)


@bearer.error_processor
def _refuse(_error: Any) -> Response:
    answer = problem(401, "not-authenticated", "请在 Authorization 头中给出有效的令牌: Bearer <token>")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def actor() -> Actor:
    """Return who asks; only behind `needs`."""
    return cast(Actor, bearer.current_user)


def needs(api: APIBlueprint, permission: Permission) -> Callable[[F], F]:
    """Guard a view of `api`: 401 without a token, 403 without `permission`; both before anything is read."""

    def guard(view: F) -> F:
        @wraps(view)
        def permitted(*args: Any, **kwargs: Any) -> Any:
            check_permitted(actor(), permission)
            return view(*args, **kwargs)

        guarded = api.auth_required(bearer)(cast(F, permitted))
        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard
