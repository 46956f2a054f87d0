"""The frame of every screen: language, words, who is signed in, scripts and styles from here alone."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, redirect, render_template, request, send_from_directory
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse
from xstatic.pkg import leaflet, leaflet_markercluster

from dispatch.domain.errors import DispatchError
from dispatch.domain.roles import PERMISSIONS, TEAM_BOUND, Actor, Permission, Role
from dispatch.services import basemap
from dispatch.services.desk import Desk
from dispatch.web import auth, catalogue
from dispatch.web.now import utc_now

# The screens by their path, and who finds them in the bar; a crew has its own, and its messages.
_SCREENS = {
    "agent": Permission.CALL,
    "callbacks": Permission.CALLBACK,
    "board": Permission.READ,
    "incidents": Permission.READ,
    "cases": Permission.CASE,
    "figures": Permission.READ,
    "circle": Permission.CIRCLE,
    "wall": Permission.READ,
    "outages": Permission.OUTAGE,
    "zones": Permission.ZONES,
    "places": Permission.PLACES,
    "articles": Permission.READ,
    "roster": Permission.READ,
    "policies": Permission.POLICY,
    "messages": Permission.READ,
    "crew": Permission.CREW,
}
# What a role works at all day stands in the bar, the rest of its screens in a menu behind it; a role that is not here
# has few, and all of them in the bar. A new screen is in the menu until it is named here.
_DAILY = {
    Role.AGENT: ("agent", "callbacks", "board", "cases", "articles"),
    Role.DISPATCHER: ("agent", "callbacks", "board", "incidents", "outages"),
    Role.SUPERVISOR: ("agent", "callbacks", "board", "incidents", "outages", "figures"),
    Role.ADMIN: ("agent", "callbacks", "board", "incidents", "outages", "figures"),
}
# What scripts of every screen may say.
_ALWAYS = (
    "common", "status", "verb", "clock", "sla", "role", "category", "level", "reason",
    "advice", "advice_kind", "advice_not", "advice_part",
)  # fmt: skip
# In Chinese a problem says it better itself.
_PROBLEMS = {code: () if code == catalogue.DEFAULT else ("error", "said") for code in catalogue.LANGUAGES}
# What the page of an error is called.
_FAULTS = {
    403: "common.no_permission",
    404: "common.not_found",
    405: "common.not_found",
    500: "common.broken",
    503: "common.away",
}
_OURS = 500
_VENDORS = {"leaflet": leaflet.BASE_DIR, "markercluster": leaflet_markercluster.BASE_DIR}
_A_YEAR_S = 365 * 86_400


def blueprint(desk: Desk, data: Path) -> APIBlueprint:
    """Return what all screens share: the map's library and outlines, and the switch of language."""
    pages = APIBlueprint("pages", __name__, enable_openapi=False)

    @pages.get("/vendor/<package>/<path:name>")
    def vendor(package: str, name: str) -> Response:
        if package not in _VENDORS:
            raise NotFound
        return send_from_directory(_VENDORS[package], name, max_age=86_400)

    @pages.get("/map/grids.geojson")
    def grids() -> AnyResponse:
        return _packed(basemap.grids(desk, utc_now()))

    @pages.get("/map/districts.geojson")
    def districts() -> Response:
        return send_from_directory(data, "districts.geojson", mimetype="application/geo+json", max_age=86_400)

    @pages.get("/language/<code>")
    def language(code: str) -> AnyResponse:
        if code not in catalogue.LANGUAGES:
            raise NotFound
        answer = redirect(auth.safe_path(request.args.get("next")) or "/")
        answer.set_cookie("language", code, max_age=_A_YEAR_S, samesite="Lax")
        return answer

    return pages


def spoken() -> str:
    """Return the language of this request: Chinese unless its cookie says otherwise."""
    return catalogue.language_of(request.cookies.get("language"))


def in_words(error: DispatchError) -> str:
    """Return what an error says: in Chinese its own sentence, else that of the catalogue for its code."""
    code = spoken()
    told = None if code == catalogue.DEFAULT else catalogue.problem(code, error.code, error.field, error.extra)
    return told or error.detail


def render(template: str, *, sections: tuple[str, ...] = (), data: dict[str, Any] | None = None, **context: Any) -> str:
    """Return a page.

    Args:
        template: Its file under templates/.
        sections: Sections of the catalogue that its scripts need, besides those that all have.
        data: What its scripts are told, as `page.data`.
        context: For the template.
    """
    is_sample = basemap.is_sample(current_app.extensions["desk"], utc_now())
    return _frame(template, auth.visitor(), is_sample, sections, data or {}, context)


def fault(status: int, code: str, error: DispatchError | None) -> str:
    """Return the page of an error. Where the server itself has failed, its frame asks the database for nothing."""
    language = spoken()
    title = catalogue.word(language, _FAULTS.get(status, "common.went_wrong"))
    told = in_words(error) if error else catalogue.problem(language, code, None, {})
    if status >= _OURS:
        may_retry = request.method == "GET"
        context = {"title": title, "told": told, "home": "/", "may_retry": may_retry}
        return _frame("fault.html", None, False, (), {}, context)
    visitor = auth.visitor()
    home = auth.home_of(visitor.role) if visitor else "/"
    return render("fault.html", title=title, told=told, home=home, may_retry=False)


def way_back(otherwise: str = "/") -> str:
    """Return a path under which a link shows this page again; the address of a form may take no link."""
    takes_links = request.method in ("GET", "HEAD") or (request.url_rule and "GET" in (request.url_rule.methods or ()))
    return request.full_path.rstrip("?") if takes_links else otherwise


def _frame(
    template: str,
    visitor: Actor | None,
    is_sample: bool,
    sections: tuple[str, ...],
    data: dict[str, Any],
    context: dict[str, Any],
) -> str:
    code = spoken()
    screens = _screens(visitor)
    daily = _DAILY.get(visitor.role, screens) if visitor else screens
    return render_template(
        template,
        t=partial(catalogue.word, code),
        in_words=in_words,
        language=code,
        lang=catalogue.LANGUAGES[code],
        languages=catalogue.LANGUAGES,
        visitor=visitor,
        screens=[name for name in screens if name in daily],
        more_screens=[name for name in screens if name not in daily],
        is_sample=is_sample,
        words=_script_json(catalogue.words(code, (*_ALWAYS, *_PROBLEMS[code], *sections))),
        page=_script_json(_page(code, visitor, data)),
        **{"here": way_back(), **context},
    )


def _screens(visitor: Actor | None) -> list[str]:
    """Return the screens that a visitor works at, in the order of the bar."""
    if visitor is None:
        return []
    if visitor.role in TEAM_BOUND:
        return ["crew", "messages"]
    return [name for name, permission in _SCREENS.items() if permission in PERMISSIONS[visitor.role]]


def _page(code: str, visitor: Actor | None, data: dict[str, Any]) -> dict[str, Any]:
    settings = current_app.extensions["desk"].settings
    tiles = {"url": settings.tiles_url, "datum": settings.tiles_datum, "credit": settings.tiles_credit}
    return {
        "lang": code,
        "csrf": generate_csrf(),
        "user": visitor and _user(visitor),
        "tiles": tiles if settings.tiles_url else None,
        "now": utc_now().isoformat(),
        "data": data,
    }


def _user(visitor: Actor) -> dict[str, Any]:
    return {
        "id": visitor.user_id,
        "name": visitor.name,
        "role": visitor.role,
        "team_id": visitor.team_id,
    }


def _script_json(value: object) -> str:
    """Return JSON that cannot end the element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _packed(text: str) -> AnyResponse:
    """Answer with GeoJSON that a browser asks for again only where it changed."""
    answer = Response(text, mimetype="application/geo+json")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)
