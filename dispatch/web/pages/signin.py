"""Signing in and out, and what a browser is told that came to the wrong door."""

from __future__ import annotations

from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import redirect, request
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from dispatch.domain.signin import Standing, TooManyAttempts, WrongCredentials
from dispatch.services import sessions
from dispatch.services.desk import Desk
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import in_words, render, way_back

Answer = tuple[str, int, dict[str, str]]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    pages = APIBlueprint("signin", __name__, enable_openapi=False)
    _doors(pages)

    @pages.get("/signin")
    def form() -> Response | Answer:
        return onward(desk) if auth.signed_in() else _form()

    @pages.post("/signin")
    def sign_in() -> Response | Answer:
        told = {name: request.form.get(name, "") for name in ("login", "password")}
        try:
            token = sessions.sign_in(desk, address=address(), now=utc_now(), **told)
        except WrongCredentials as error:
            return _form(in_words(error), 401)
        except TooManyAttempts as error:
            return _form(in_words(error), 429, {"Retry-After": str(error.wait_s)})
        auth.remember(token)
        return onward(desk)

    @pages.post("/signout")
    def sign_out() -> Response:
        known = auth.signed_in()
        if known is not None:
            sessions.sign_out(desk, known, utc_now())
        auth.forget()
        return redirect("/signin", 303)

    return pages


def address() -> str:
    """Return where the request comes from."""
    return request.remote_addr or "?"


def wanted() -> str:
    """Return where the browser wanted to go, empty where it did not say or may not."""
    return auth.safe_path(request.values.get("next")) or ""


def onward(desk: Desk) -> Response:
    """Go where the browser wanted to go, or home; first to what its session lacks."""
    known = auth.signed_in()
    match sessions.standing_of(desk, known) if known else None:
        case Standing.FULL if known:
            return redirect(wanted() or auth.home_of(known.actor.role), 303)
        case Standing.VERIFY:
            return redirect("/signin/factor" + (f"?{urlencode({'next': wanted()})}" if wanted() else ""), 303)
        case Standing.ENROL:
            return redirect("/account", 303)
        case _:
            return redirect("/signin", 303)


def _form(fault: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    login = request.form.get("login", "")
    page = render("signin/signin.html", fault=fault, login=login, next=wanted())
    return page, status, {"Cache-Control": "no-store", **(headers or {})}


def _doors(pages: APIBlueprint) -> None:
    """Answer in words where a page is not for whoever asks."""

    @pages.app_errorhandler(auth.SignInFirst)
    def sign_in_first(_error: auth.SignInFirst) -> Response:
        path = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(f"/signin?{urlencode({'next': path})}" if path else "/signin", 303)

    @pages.app_errorhandler(auth.PageRefused)
    def refused(error: auth.PageRefused) -> Answer:
        known = auth.visitor()
        home = auth.home_of(known.role) if known else "/signin"
        return render("signin/refused.html", title="signin.refused", fault=in_words(error), way=home), 403, {}

    @pages.app_errorhandler(CSRFError)
    def expired(_error: CSRFError) -> Answer:
        way = way_back("/signin")
        return render("signin/refused.html", title="signin.expired", fault="", way=way), 400, {}
