"""The page of the policy: its versions, an editor, what it says in words, and what it would have done."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.policy_checks import AUDIENCES
from dispatch.domain.roles import Permission
from dispatch.web.auth import page
from dispatch.web.pages.shell import render

_SECTIONS = ("policies", "audience", "policy_area")


def blueprint() -> APIBlueprint:
    """Return the page."""
    pages = APIBlueprint("policy_pages", __name__, enable_openapi=False)

    @pages.get("/policies")
    @page(pages, Permission.POLICY)
    def policies() -> str:
        return render("policies/policies.html", sections=_SECTIONS, data={"audiences": list(AUDIENCES)})

    return pages
