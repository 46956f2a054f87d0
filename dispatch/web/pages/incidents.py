"""The page of incidents: one burst, many tickets and callers."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.web.auth import actor, page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("incident_pages", __name__, enable_openapi=False)

    @pages.get("/incidents")
    @page(pages, Permission.READ)
    def incidents() -> str:
        may = Permission.INCIDENT in PERMISSIONS[actor().role]
        return render("incidents/incidents.html", sections=("incidents",), data={"may": may})

    return pages
