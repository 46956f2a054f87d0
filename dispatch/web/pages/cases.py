"""The page of cases, and of customers with flags for those who look after them."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.case import ROOT_CAUSES
from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.web.auth import actor, page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("case_pages", __name__, enable_openapi=False)

    @pages.get("/cases")
    @page(pages, Permission.CASE)
    def cases() -> str:
        held = PERMISSIONS[actor().role]
        works, has_customers = Permission.CASEWORK in held, Permission.CUSTOMER in held
        told = {"works": works, "causes": list(ROOT_CAUSES)}
        return render("cases/cases.html", sections=("cases", "customers"), data=told, has_customers=has_customers)

    return pages
