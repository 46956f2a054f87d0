"""The page of call-backs: who is to be rung, one conversation at a time, and what was said."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("callback_pages", __name__, enable_openapi=False)

    @pages.get("/callbacks")
    @page(pages, Permission.CALLBACK)
    def callbacks() -> str:
        return render("callbacks/callbacks.html", sections=("callbacks", "callback_reason"))

    return pages
