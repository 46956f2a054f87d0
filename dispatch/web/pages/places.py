"""The page of addresses: tables that staff import, and what confirmed tickets have taught."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("places_pages", __name__, enable_openapi=False)

    @pages.get("/places")
    @page(pages, Permission.PLACES)
    def places() -> str:
        return render("places/places.html", sections=("places",))

    return pages
