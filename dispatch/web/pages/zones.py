"""The page on which people manage the grids: versions, drafts, import, editing on a map, publishing."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("zone_pages", __name__, enable_openapi=False)

    @pages.get("/zones")
    @page(pages, Permission.ZONES)
    def zones() -> str:
        return render("zones/zones.html", sections=("zones", "zone_problem"))

    return pages
