"""The board of dispatchers and supervisors, its figures, and the wallboard."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.web.auth import actor, page
from dispatch.web.pages.shell import render


def blueprint() -> APIBlueprint:
    """Return the pages."""
    pages = APIBlueprint("board_pages", __name__, enable_openapi=False)

    @pages.get("/board")
    @page(pages, Permission.READ)
    def board() -> str:
        # Buttons that the server would refuse are not shown; it decides all the same.
        may = sorted(PERMISSIONS[actor().role])
        words = ("board", "similar", "stage", "surge", "surge_panel", "temporary", "temporary_kind")
        sections = (*words, "cases", "customers", "callbacks", "callback_reason")
        return render("board/board.html", sections=sections, data={"may": may})

    @pages.get("/figures")
    @page(pages, Permission.READ)
    def figures() -> str:
        return render("board/figures.html", sections=("board",))

    @pages.get("/wall")
    @page(pages, Permission.READ)
    def wall() -> str:
        return render("board/wall.html", sections=("wall", "surge"))

    return pages
