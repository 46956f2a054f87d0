"""Routes of duplicates: what may be the same as a ticket, and what is not."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from dispatch.domain.roles import Permission
from dispatch.services import similar
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Text
from dispatch.web.api.requests import Body, NumberIn
from dispatch.web.api.suggested import SimilarTickets
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class NotSameIn(Body):
    """The other ticket."""

    other: Text = Field(min_length=1, max_length=40)


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("similar", __name__, url_prefix="/api/v1", tag="similar")

    @api.get("/tickets/<number>/similar")
    @needs(api, Permission.CALL)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.output(SimilarTickets)
    @api.doc(summary="疑似同一问题的未结工单", description="Nothing is ever joined without a person.")
    def list_similar(number: str, path: NumberIn) -> dict[str, Any]:
        return similar.of_ticket(desk, actor(), number, utc_now())

    @api.post("/tickets/<number>/not-same")
    @needs(api, Permission.MERGE)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.input(NotSameIn, arg_name="body")
    @api.output(SimilarTickets)
    @api.doc(summary="认定两张工单不是同一问题", description="Remembered for good; said again it changes nothing.")
    def not_same(number: str, path: NumberIn, body: NotSameIn) -> dict[str, Any]:
        return similar.say_not_same(desk, actor(), number, body.other, utc_now())

    return api
