"""The page on which notices are written, approved, published, extended and taken out for the newspaper."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render

_SECTIONS = ("outage", "outage_status", "outage_verb", "zones")


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("outage_pages", __name__, enable_openapi=False)

    @pages.get("/outages")
    @page(pages, Permission.OUTAGE)
    def outages() -> str:
        return render("outages/outages.html", sections=_SECTIONS)

    return pages
