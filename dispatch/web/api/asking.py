"""Routes by which a crew asks for a hold or an extension, and somebody decides."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.domain.states import Verb
from dispatch.services import asking
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.web.api import responses as give
from dispatch.web.api.fields import Position, Text, Time
from dispatch.web.api.requests import Body, KeyIn, NumberIn, PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class Asked(StrEnum):
    """What a crew may ask for."""

    HOLD = "hold"
    EXTEND = "extend"


class AskIn(Body):
    """A hold or an extension, each with its coded reason, until a time."""

    verb: Annotated[Asked, Field(strict=False)]
    until: Time
    reason: Text | None = Field(None, min_length=1, max_length=60, description="code of `reasons` at `/categories`")
    note: Text = Field("", max_length=1000)
    device_at: Time | None = Field(None, description="the phone's own time of the request")

    def action(self, key: str | None) -> Action:
        """Return the action of the services."""
        told = {name: getattr(self, name) for name in ("until", "reason", "note", "device_at")}
        return Action(verb=Verb(self.verb), key=key, body=self.model_dump(mode="json"), **told)


class DecideIn(Body):
    """The answer to a request."""

    is_granted: bool
    answer: Text = Field("", max_length=500)


class RequestIn(BaseModel):
    """A request, by the id in the path."""

    request_id: Position


class RequestsIn(PageIn):
    """Filter of the requests."""

    is_open: bool = True
    number: Text | None = Field(None, max_length=40, description="of one ticket")


class Request(BaseModel):
    """What a crew asked for, and what became of it."""

    id: int
    number: str
    team_id: str | None
    verb: str
    verb_label: str
    reason: str | None
    reason_label: str | None
    note: str
    until: str
    asker: str
    asked_at: str
    decider: str | None
    decided_at: give.Time
    is_granted: bool | None
    answer: str | None


class Requests(BaseModel):
    """A page of requests."""

    items: list[Request]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("asking", __name__, url_prefix="/api/v1", tag="asking")

    @api.post("/tickets/<number>/requests")
    @needs(api, Permission.ASK)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(AskIn, arg_name="body")
    @api.output(Request)
    @api.doc(summary="申请挂起或延期", description="One open request for each verb of a ticket.")
    def ask(number: str, path: NumberIn, key: KeyIn, body: AskIn) -> dict[str, Any]:
        return asking.ask(desk, actor(), number, body.action(key.idempotency_key), utc_now())

    @api.get("/requests")
    @needs(api, Permission.READ)
    @api.input(RequestsIn, location="query", arg_name="query")
    @api.output(Requests)
    @api.doc(summary="挂起和延期的申请")
    def list_requests(query: RequestsIn) -> dict[str, Any]:
        return asking.requests(
            desk, actor(), is_open=query.is_open, number=query.number, after=query.after, limit=query.limit
        )

    @api.post("/requests/<request_id>/decide")
    @needs(api, Permission.DECIDE)
    @api.input(RequestIn, location="path", arg_name="path")
    @api.input(DecideIn, arg_name="body")
    @api.output(Request)
    @api.doc(summary="批准或驳回申请", description="What is granted is done at once.")
    def decide(request_id: str, path: RequestIn, body: DecideIn) -> dict[str, Any]:
        return asking.rule(
            desk, actor(), path.request_id, is_granted=body.is_granted, answer=body.answer, now=utc_now()
        )

    return api
