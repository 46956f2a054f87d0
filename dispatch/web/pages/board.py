"""The board of dispatchers and supervisors, its figures, and the wallboard."""

from __future__ import annotations

from datetime import date, timedelta

from apiflask import APIBlueprint
from flask import request
from markupsafe import Markup

from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import PERMISSIONS, Permission
from dispatch.domain.times import shanghai_day
from dispatch.services import report
from dispatch.services.desk import Desk
from dispatch.web.auth import actor, page
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the pages over one desk."""
    pages = APIBlueprint("board_pages", __name__, enable_openapi=False)

    @pages.get("/board")
    @page(pages, Permission.READ)
    def board() -> str:
        # Buttons that the server would refuse are not shown; it decides all the same.
        may = sorted(PERMISSIONS[actor().role])
        words = ("board", "similar", "stage", "surge", "surge_panel", "temporary", "temporary_kind")
        sections = (*words, "cases", "customers", "callbacks", "callback_reason", "known")
        return render("board/board.html", sections=sections, data={"may": may})

    @pages.get("/figures")
    @page(pages, Permission.READ)
    def figures() -> str:
        return render("board/figures.html", sections=("board", "figures"))

    @pages.get("/figures/wall")
    @page(pages, Permission.READ)
    def figures_wall() -> str:
        return render("board/figures_wall.html", sections=("figures_wall",))

    @pages.get("/report")
    @page(pages, Permission.READ)
    def daily() -> str:
        now = utc_now()
        asked = request.args.get("day")
        try:
            day = date.fromisoformat(asked) if asked else shanghai_day(now) - timedelta(days=1)
        except ValueError as error:
            raise InvalidInput("日期应为 2026-11-24 的形式", field="day") from error
        article = Markup(report.shown(desk, actor(), day, now))  # noqa: S704 - its texts are escaped where it is made
        return render("report/report.html", sections=("report",), article=article, day=day.isoformat())

    @pages.get("/wall")
    @page(pages, Permission.READ)
    def wall() -> str:
        return render("board/wall.html", sections=("wall", "surge"))

    return pages
