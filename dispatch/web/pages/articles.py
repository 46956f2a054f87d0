"""The knowledge base: agents and dispatchers read it, supervisors write it."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.services import board
from dispatch.services.desk import Desk
from dispatch.web.auth import actor, page
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the page over one desk."""
    pages = APIBlueprint("articles_pages", __name__, enable_openapi=False)

    @pages.get("/articles")
    @page(pages, Permission.READ)
    def articles() -> str:
        told = {
            "may_write": Permission.ARTICLE in PERMISSIONS[actor().role],
            "categories": board.categories(desk, utc_now())["items"],
        }
        return render("articles/articles.html", sections=("articles", "article_state"), data=told)

    return pages
