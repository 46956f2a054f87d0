"""The pages without a login: outages and reports at `/`, and the page of one's own report."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, make_response, redirect
from werkzeug.wrappers import Response as AnyResponse

from dispatch.domain.tracking import token as track_token
from dispatch.services import callback_links, public
from dispatch.services.desk import Desk
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render


def blueprint(desk: Desk, secret: str) -> APIBlueprint:
    """Return the pages over one desk; `secret` is the installation's key."""
    pages = APIBlueprint("public", __name__, enable_openapi=False)

    @pages.get("/")
    def home() -> str:
        visitor = auth.visitor()
        workplace = auth.home_of(visitor.role) if visitor else None
        told = {"categories": public.categories(desk, utc_now())}
        return render("public/home.html", sections=("public", "known"), data=told, workplace=workplace)

    @pages.get("/track/<number>/<token>")
    def track(number: str, token: str) -> Response:
        # Whether the token opens anything is asked by the script, of the one route that knows.
        told = {"number": number, "token": token}
        sections = ("public", "known", "temporary", "callback_reason")
        answer = make_response(render("public/track.html", sections=sections, data=told))
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    @pages.get("/answer/<token>")
    def answer(token: str) -> AnyResponse:
        """Lead to the page of the ticket; what is behind the # stays in the browser."""
        number = callback_links.look(desk, token)["number"]
        there = redirect(f"/track/{number}/{track_token(secret, number)}#answer={token}")
        there.headers["Cache-Control"] = "no-store"
        return there

    return pages
