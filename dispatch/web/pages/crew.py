"""The crew's page, and what makes it an application on a phone: manifest and service worker."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from dispatch.domain.roles import Permission
from dispatch.domain.states import RULES, Status, Verb, next_step
from dispatch.services.fieldwork import FAR_M, VERBS
from dispatch.web import catalogue
from dispatch.web.auth import page
from dispatch.web.pages.shell import render, spoken

_STATIC = Path(__file__).parents[1] / "static"
# What crews do themselves, and what they may ask for.
_SHOWN = (*VERBS, Verb.HOLD, Verb.EXTEND)
_PAGE = "/crew"


def blueprint() -> APIBlueprint:
    """Return the pages."""
    pages = APIBlueprint("crew_pages", __name__, enable_openapi=False)

    @pages.get(_PAGE)
    @page(pages, Permission.CREW)
    def crew() -> str:
        return render(
            "crew/crew.html", sections=("crew", "known", "stage", "surge", "temporary", "temporary_kind"), data=_told()
        )

    @pages.get("/crew/manifest.webmanifest")
    def manifest() -> Response:
        icons = [
            {"src": f"/static/crew/icon-{px}.png", "sizes": f"{px}x{px}", "type": "image/png"} for px in (192, 512)
        ]
        told = {
            "id": _PAGE,
            "name": catalogue.word(spoken(), "crew.app_name"),
            "short_name": catalogue.word(spoken(), "crew.app_short"),
            "lang": catalogue.LANGUAGES[spoken()],
            "start_url": _PAGE,
            "scope": _PAGE,
            "display": "standalone",
            "background_color": "#f5f6f8",
            "theme_color": "#1a1a1a",
            "icons": [*icons, icons[1] | {"purpose": "maskable"}],
        }
        return Response(json.dumps(told, ensure_ascii=False), mimetype="application/manifest+json")

    @pages.get("/crew/sw.js")
    def worker() -> Response:
        answer = Response(_worker(), mimetype="text/javascript")
        answer.headers["Service-Worker-Allowed"] = _PAGE
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    return pages


def _told() -> dict[str, object]:
    """Return the rules that lay what waits on a phone over what the server told last; the server decides."""
    rules = {
        verb: {"sources": sorted(RULES[verb].sources), "target": RULES[verb].target, "meets": RULES[verb].meets}
        for verb in _SHOWN
    }
    return {"rules": rules, "next": {status: next_step(status) for status in Status}, "far_m": FAR_M}


@cache
def _worker() -> str:
    """Return the service worker with the files that it keeps, and a version that changes with any of them."""
    files = [path for folder in ("common", "crew") for path in sorted((_STATIC / folder).iterdir())]
    kept = [path for path in files if path.suffix in (".js", ".css", ".svg", ".png") and path.name not in _NOT_KEPT]
    version = hashlib.sha256(b"".join(path.read_bytes() for path in kept)).hexdigest()[:12]
    shell = [_PAGE, "/crew/manifest.webmanifest", *(f"/static/{path.relative_to(_STATIC).as_posix()}" for path in kept)]
    head = f"const VERSION = {json.dumps(version)};\nconst SHELL = {json.dumps(shell)};\n"
    return head + (_STATIC / "crew" / "sw.js").read_text("utf-8")


# The worker is no part of what it keeps; a map is no part of this page.
_NOT_KEPT = {"sw.js", "map.js", "datum.js"}
