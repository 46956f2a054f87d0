"""The second step of signing in: a one-time code, or a passkey."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response as JsonResponse
from flask import jsonify, request
from werkzeug.wrappers import Response

from dispatch.domain.signin import Standing, TooManyAttempts, WrongCredentials
from dispatch.services import factors, passkeys, sessions
from dispatch.services.desk import Desk
from dispatch.storage.accounts import Session
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import in_words, render
from dispatch.web.pages.signin import Answer, address, onward, wanted


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    pages = APIBlueprint("factor", __name__, enable_openapi=False)

    @pages.get("/signin/factor")
    def form() -> Response | Answer:
        known = auth.signed_in()
        return _form(desk) if known and _lacks_one(desk, known) else onward(desk)

    @pages.post("/signin/factor")
    def verify_code() -> Response | Answer:
        try:
            token = factors.verify(
                desk, _waiting(desk), code=request.form.get("code", ""), address=address(), now=utc_now()
            )
        except WrongCredentials as error:
            return _form(desk, in_words(error), 401)
        except TooManyAttempts as error:
            return _form(desk, in_words(error), 429, {"Retry-After": str(error.wait_s)})
        auth.remember(token)
        return onward(desk)

    @pages.post("/signin/passkey/options")
    def passkey_options() -> JsonResponse:
        return JsonResponse(passkeys.options_to_verify(desk, _waiting(desk), utc_now()), mimetype="application/json")

    @pages.post("/signin/passkey")
    def verify_passkey() -> JsonResponse:
        answer: dict[str, Any] = request.get_json()
        token = passkeys.verify(desk, _waiting(desk), answer, address=address(), now=utc_now())
        auth.remember(token)
        return jsonify({"next": onward(desk).location})

    return pages


def _lacks_one(desk: Desk, known: Session) -> bool:
    return sessions.standing_of(desk, known) is Standing.VERIFY


def _waiting(desk: Desk) -> Session:
    """Return the session that waits for its factor."""
    known = auth.signed_in()
    if known is None or not _lacks_one(desk, known):
        raise auth.SignInFirst("请先登录")
    return known


def _form(desk: Desk, fault: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    known = _waiting(desk)
    has_passkey = bool(passkeys.own(desk, known)) and passkeys.is_possible(desk.settings)
    page = render(
        "signin/factor.html",
        sections=("signin",),
        fault=fault,
        next=wanted(),
        has_totp=factors.is_on(desk, known),
        has_passkey=has_passkey,
    )
    return page, status, {"Cache-Control": "no-store", **(headers or {})}
