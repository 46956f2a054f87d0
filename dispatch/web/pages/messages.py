"""The page of one's own messages, and the page behind the link of one of them."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, make_response

from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.web.auth import actor, page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the pages."""
    pages = APIBlueprint("message_pages", __name__, enable_openapi=False)

    @pages.get("/messages")
    @page(pages, Permission.READ)
    def messages() -> str:
        told = {"answers": Permission.ACKNOWLEDGE in PERMISSIONS[actor().role]}
        return render("messages/messages.html", sections=("messages", "way"), data=told)

    @pages.get("/m/<token>")
    def message(token: str) -> Response:
        # Whether the token opens anything is asked by the script, of the one route that knows.
        answer = make_response(render("messages/message.html", sections=("messages",), data={"token": token}))
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return pages
