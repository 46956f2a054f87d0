"""One's own account: password, second factors, and where one is signed in."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import segno
from apiflask import APIBlueprint
from flask import Response as FileResponse
from flask import jsonify, redirect, request, session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.roles import ROLE_LABELS
from dispatch.domain.signin import Standing
from dispatch.domain.times import shanghai_text
from dispatch.services import accounts, contacts, factors, passkeys, sessions
from dispatch.services.desk import Desk
from dispatch.storage.accounts import Session
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render
from dispatch.web.pages.signin import Answer, address, onward

# What a page may say is done, by its word in the catalogue.
_DONE = {
    "password": "signin.done_password",
    "totp_on": "signin.done_totp_on",
    "totp_off": "signin.done_totp_off",
    "passkey_added": "signin.done_passkey_added",
    "passkey_removed": "signin.done_passkey_removed",
    "others": "signin.done_others",
    "ways": "signin.done_ways",
}
_PAGE = "/account"
# Where the cookie of this browser keeps a secret that is not yet switched on.
_DRAFT = "totp"


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    pages = APIBlueprint("account", __name__, enable_openapi=False)

    @pages.get(_PAGE)
    @auth.own(pages, may_lack_factor=True)
    def show(known: Session) -> Answer:
        return _page(desk, known)

    @pages.post("/account/password")
    @auth.own(pages)
    def change_password(known: Session) -> Response | Answer:
        def change() -> None:
            if _field("new") != _field("again"):
                raise InvalidInput("两次输入的密码不一致", field="again")
            accounts.change_password(
                desk, known, current=_field("password"), new=_field("new"), address=address(), now=utc_now()
            )

        return _do(desk, known, "password", change)

    @pages.post("/account/others")
    @auth.own(pages)
    def sign_out_others(known: Session) -> Response | Answer:
        return _do(desk, known, "others", lambda: sessions.sign_out_others(desk, known, utc_now()))

    @pages.post("/account/ways")
    @auth.own(pages)
    def choose_ways(known: Session) -> Response | Answer:
        def choose() -> None:
            hours = (_field("quiet_from"), _field("quiet_until"))
            contacts.choose(desk, known.actor, known.login, request.form.getlist("way"), utc_now(), hours)

        return _do(desk, known, "ways", choose)

    @pages.post("/account/ways/test")
    @auth.own(pages)
    def test_way(known: Session) -> Response | Answer:
        way, now = _field("test"), utc_now()
        try:
            contacts.test_own(desk, known.actor, known.login, way, now)
        except DispatchError as error:
            return _page(desk, known, error, "ways")
        return redirect(f"{_PAGE}?{urlencode({'test': way, 'at': now.isoformat()})}#h-ways", 303)

    _totp(pages, desk)
    _passkeys(pages, desk)
    return pages


def _totp(pages: APIBlueprint, desk: Desk) -> None:
    @pages.get("/account/totp")
    @auth.own(pages, may_lack_factor=True)
    def enrol(known: Session) -> Answer:
        session.setdefault(_DRAFT, factors.new_secret())
        return _enrol()

    @pages.get("/account/totp.svg")
    @auth.own(pages, may_lack_factor=True)
    def qr_code(known: Session) -> FileResponse:
        if _DRAFT not in session:
            raise NotFound
        drawn = BytesIO()
        segno.make(factors.uri(session[_DRAFT], known.login)).save(drawn, kind="svg", scale=5)
        return FileResponse(drawn.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "no-store"})

    @pages.post("/account/totp")
    @auth.own(pages, may_lack_factor=True)
    def switch_on(known: Session) -> Response | Answer:
        told = {name: _field(name) for name in ("code", "password")}
        if _DRAFT not in session:
            return redirect("/account/totp", 303)
        try:
            token = factors.switch_on(desk, known, secret=session[_DRAFT], address=address(), now=utc_now(), **told)
        except DispatchError as error:
            return _enrol(error)
        session.pop(_DRAFT)
        return _done(desk, "totp_on", token)

    @pages.post("/account/totp/off")
    @auth.own(pages)
    def switch_off(known: Session) -> Response | Answer:
        def off() -> None:
            factors.switch_off(desk, known, password=_field("password"), address=address(), now=utc_now())

        return _do(desk, known, "totp_off", off)


def _passkeys(pages: APIBlueprint, desk: Desk) -> None:
    @pages.post("/account/passkeys/options")
    @auth.own(pages, may_lack_factor=True)
    def options(known: Session) -> FileResponse:
        password = str(request.get_json().get("password", ""))
        told = passkeys.options_to_add(desk, known, password=password, address=address(), now=utc_now())
        return FileResponse(told, mimetype="application/json")

    @pages.post("/account/passkeys")
    @auth.own(pages, may_lack_factor=True)
    def add(known: Session) -> FileResponse:
        told: dict[str, Any] = request.get_json()
        answer = told.get("passkey")
        token = passkeys.add(
            desk, known, answer if isinstance(answer, dict) else {}, label=str(told.get("label", "")), now=utc_now()
        )
        return jsonify({"next": _done(desk, "passkey_added", token).location})

    @pages.post("/account/passkeys/<int:passkey_id>/remove")
    @auth.own(pages)
    def remove(known: Session, passkey_id: int) -> Response | Answer:
        def drop() -> None:
            passkeys.remove(desk, known, passkey_id, password=_field("password"), address=address(), now=utc_now())

        return _do(desk, known, "passkey_removed", drop)


def _field(name: str) -> str:
    return request.form.get(name, "")


def _do(desk: Desk, known: Session, what: str, deed: Callable[[], object]) -> Response | Answer:
    """Do something, and say on the page that it is done or why it is not."""
    try:
        deed()
    except DispatchError as error:
        return _page(desk, known, error, what)
    return _done(desk, what)


def _done(desk: Desk, what: str, token: str | None = None) -> Response:
    auth.forget_known()
    if token is not None:
        auth.remember(token)
        return onward(desk)
    return redirect(f"{_PAGE}?done={what}", 303)


def _page(desk: Desk, known: Session, error: DispatchError | None = None, what: str = "") -> Answer:
    page = render(
        "signin/account.html",
        here=_PAGE,
        sections=("signin",),
        here_again=request.full_path,
        known=known,
        role=ROLE_LABELS[known.actor.role],
        must_enrol=sessions.standing_of(desk, known) is Standing.ENROL,
        done=_DONE.get(request.args.get("done", "")),
        error=error,
        what=what,
        has_totp=factors.is_on(desk, known),
        passkeys=passkeys.own(desk, known),
        may_passkey=passkeys.is_possible(desk.settings),
        sessions=sessions.own(desk, known, utc_now()),
        ways=contacts.choices(desk, known.login) if desk.settings.ways else [],
        quiet=contacts.quiet(desk, known.login),
        tested=_tested(desk, known),
        written=shanghai_text,
    )
    return page, error.status if error else 200, _headers(error)


def _tested(desk: Desk, known: Session) -> dict[str, Any] | None:
    """Return what became of the test that the address of the page names."""
    way, at = request.args.get("test"), request.args.get("at")
    found = contacts.outcome(desk, known.login, way, at) if way and at else None
    if found is None:
        return None
    word = f"state_{found['state']}" if found["receipt"] is None else f"receipt_{found['receipt']}"
    return {**found, "word": f"messages.{word}"}


def _enrol(error: DispatchError | None = None) -> Answer:
    secret = session[_DRAFT]
    grouped = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    page = render("signin/totp.html", secret=grouped, error=error)
    return page, error.status if error else 200, _headers(error)


def _headers(error: DispatchError | None) -> dict[str, str]:
    wait = {"Retry-After": str(error.extra["retry_after_s"])} if error and "retry_after_s" in error.extra else {}
    return {"Cache-Control": "no-store", **wait}
