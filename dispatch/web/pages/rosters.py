"""The page of the roster: a week, who is responsible and why; for those who make it workbooks, leave and swaps."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.web.auth import actor, page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("roster_pages", __name__, enable_openapi=False)

    @pages.get("/roster")
    @page(pages, Permission.READ)
    def roster() -> str:
        may_change = Permission.ROSTER in PERMISSIONS[actor().role]
        data = {"may_change": may_change}
        return render("roster/roster.html", sections=("roster", "rank"), data=data, may_change=may_change)

    return pages
