"""The page behind a link that works once: the first administrator is made, or a user chooses a password."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import request
from werkzeug.wrappers import Response

from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.services import accounts
from dispatch.services.accounts import LinkSpent
from dispatch.services.desk import Desk
from dispatch.services.setup import Conflict
from dispatch.web import auth
from dispatch.web.now import utc_now
from dispatch.web.pages.shell import in_words, render
from dispatch.web.pages.signin import Answer, address, onward


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    pages = APIBlueprint("welcome", __name__, enable_openapi=False)

    @pages.get("/welcome/<token>")
    def form(token: str) -> Answer:
        return _form(desk, token)

    @pages.post("/welcome/<token>")
    def choose(token: str) -> Response | Answer:
        told = {name: request.form.get(name, "").strip() for name in ("login", "name")}
        password = request.form.get("password", "")
        try:
            if password != request.form.get("again", ""):
                raise InvalidInput("两次输入的密码不一致", field="again")
            session = accounts.choose_password(desk, token, password=password, address=address(), now=utc_now(), **told)
        except (InvalidInput, Conflict) as error:
            return _form(desk, token, error)
        auth.remember(session)
        return onward(desk)

    @pages.errorhandler(LinkSpent)
    def spent(error: LinkSpent) -> Answer:
        return render("signin/refused.html", title="signin.link_spent", fault=in_words(error), way="/signin"), 404, {}

    return pages


def _form(desk: Desk, token: str, error: DispatchError | None = None) -> Answer:
    whom = accounts.welcome(desk, token, utc_now())
    page = render("signin/welcome.html", whom=whom, error=error, told=request.form)
    # The address is a secret: no page that is gone to from here is told of it.
    return page, error.status if error else 200, {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
