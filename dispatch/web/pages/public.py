"""The pages without a login: outages and reports at `/`, and the page of one's own report."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, make_response

from dispatch.services import public
from dispatch.services.desk import Desk
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the pages over one desk."""
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
        answer = make_response(render("public/track.html", sections=("public", "known", "temporary"), data=told))
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return pages
