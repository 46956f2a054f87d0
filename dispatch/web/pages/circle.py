"""The page of the service circle."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("circle_pages", __name__, enable_openapi=False)

    @pages.get("/circle")
    @page(pages, Permission.CIRCLE)
    def circle() -> str:
        return render("circle/circle.html", sections=("circle",))

    return pages
