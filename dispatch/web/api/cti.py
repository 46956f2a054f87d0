"""Routes of telephone calls: events of any platform in, waiting calls out, one agent for each."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.cti import CtiEvent, CtiEventKind
from dispatch.domain.roles import Permission
from dispatch.services import cti
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Key, Text, Time
from dispatch.web.api.requests import Body
from dispatch.web.api.responses import Time as TimeOut
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

EVENT_EXAMPLE = {
    "call_id": "20261124-140500-17",
    "event": "ring",
    "at": "2026-11-24T14:05:00+08:00",
    "caller": "13000000001",
    "line": "96533",
    "seat": "012",
}


class EventIn(Body):
    """What happened to a call."""

    call_id: Key
    event: Annotated[CtiEventKind, Field(strict=False)]
    at: Time
    caller: Text | None = Field(None, max_length=21, description="digits, may start with +; null where withheld")
    line: Text | None = Field(None, max_length=40, description="the number that was dialled")
    seat: Text | None = Field(None, max_length=40, description="where it rings or was answered")

    def value(self) -> CtiEvent:
        """Return the event of the domain."""
        told = self.model_dump(exclude={"event"})
        return CtiEvent(kind=self.event, **told)


class CallIdIn(BaseModel):
    """A call, by the platform's id in the path."""

    call_id: Text = Field(max_length=200)


class CtiCall(BaseModel):
    """A call of the telephone platform."""

    call_id: str
    state: str = Field(description="ringing, answered or over")
    caller_phone: str | None = Field(description="masked but for who claimed the call")
    line: str | None
    seat: str | None
    is_mine: bool
    claimed_by: str | None = Field(description="name of who has it")
    is_saved: bool = Field(description="whether it has been registered")
    heard_at: str
    rung_at: TimeOut
    answered_at: TimeOut
    hung_up_at: TimeOut


class CtiCalls(BaseModel):
    """Calls, newest first."""

    items: list[CtiCall]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("cti", __name__, tag="cti")

    @api.post("/cti/events")
    @needs(api, Permission.CTI)
    @api.input(EventIn, arg_name="body", example=EVENT_EXAMPLE)
    @api.output(CtiCall)
    @api.doc(summary="话务事件: 振铃、接听、挂断", description="Copies and any order of events lead to the same call.")
    def hear(body: EventIn) -> dict[str, Any]:
        return cti.hear(desk, actor(), body.value(), utc_now())

    @api.get("/api/v1/cti-calls")
    @needs(api, Permission.CALL)
    @api.output(CtiCalls)
    @api.doc(summary="正在振铃或通话的来电")
    def list_waiting() -> dict[str, Any]:
        return cti.waiting(desk, actor(), utc_now())

    @api.post("/api/v1/cti-calls/<call_id>/claim")
    @needs(api, Permission.CALL)
    @api.input(CallIdIn, location="path", arg_name="path")
    @api.output(CtiCall)
    @api.doc(summary="接起来电", description="Of several who try, one gets it; the others are told who.")
    def claim(call_id: str, path: CallIdIn) -> dict[str, Any]:
        return cti.claim(desk, actor(), call_id, utc_now())

    return api
