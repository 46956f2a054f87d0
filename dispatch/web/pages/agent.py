"""The agent's console: one screen from ring to saved, by keyboard alone."""

from __future__ import annotations

from apiflask import APIBlueprint

from dispatch.domain.roles import Permission
from dispatch.services import board
from dispatch.services.desk import Desk
from dispatch.web import catalogue
from dispatch.web.auth import page
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import render


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the page over one desk."""
    pages = APIBlueprint("agent_pages", __name__, enable_openapi=False)

    @pages.get("/agent")
    @page(pages, Permission.CALL)
    def agent() -> str:
        categories = board.categories(desk, utc_now())["items"]
        # What goes into a ticket is Chinese, whatever the page speaks.
        note = catalogue.word(catalogue.DEFAULT, "agent.place_note", grid="{grid}")
        answered = catalogue.word(catalogue.DEFAULT, "agent_articles.answered_note", answer="{answer}")
        is_online = bool(desk.settings.geocoder_names)
        notes = {"place_note": note, "answered_note": answered}
        told = {"categories": categories, "is_online": is_online, **notes}
        sections = ("agent", "similar", "question", "choice", "known", "surge", "agent_articles", "cases")
        return render("agent/agent.html", sections=sections, data=told, is_online=is_online)

    return pages
