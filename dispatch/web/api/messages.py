"""Routes of what single people were told: their own list, the link in a message, and the gateway's replies."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.services import messages
from dispatch.services.desk import Desk
from dispatch.services.messages import Sms
from dispatch.web.api.fields import Text, Time
from dispatch.web.api.requests import Body, LinkIn, PageIn
from dispatch.web.api.responses import Time as TimeOut
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

REPLY_EXAMPLE = {"phone": "13000000002", "text": "1", "at": "2026-11-24T02:31:00+08:00"}


class ReplyIn(Body):
    """An SMS that came back, as any gateway can hand it on."""

    phone: Text = Field(min_length=1, max_length=40)
    text: Text = Field(max_length=500, description="`1` answers the newest step, `1 000123` that of ticket …000123")
    at: Time = Field(description="when it was sent; what is told later is not answered by it")


class Answered(BaseModel):
    """Who has answered a step, and when."""

    acknowledged_at: TimeOut
    acknowledged_by: str | None


class ReplyOut(Answered):
    """The ticket whose step was answered."""

    number: str


class Alert(Answered):
    """What somebody was told, and why; of a ticket no caller and no address."""

    text: str
    why: str = Field(description="why him, by the roster of that moment")
    name: str = Field(description="who was told")
    at: str
    number: str | None
    level: str | None
    category: str | None
    zone_id: str | None
    status: str | None
    escalation_id: int | None


class WayOut(BaseModel):
    """A way by which a message went out, and what became of it."""

    way: str
    state: str
    at: TimeOut
    receipt: str | None


class Gathered(BaseModel):
    """That a message went out with others in a surge."""

    at: TimeOut = Field(description="when that digest went out; null while it waits")


class Message(Alert):
    """What I was told."""

    id: int
    ways: list[WayOut]
    gathered: Gathered | None


class Messages(BaseModel):
    """What I was told, newest first."""

    items: list[Message]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("messages", __name__, url_prefix="/api/v1", tag="messages")

    @api.get("/messages")
    @needs(api, Permission.READ)
    @api.input(PageIn, location="query", arg_name="query")
    @api.output(Messages)
    @api.doc(summary="我的消息: 通知过我什么, 为什么是我, 谁应答了")
    def list_messages(query: PageIn) -> dict[str, Any]:
        return messages.mine(desk, actor(), query.after, query.limit)

    @api.post("/sms-replies")
    @needs(api, Permission.CTI)
    @api.input(ReplyIn, arg_name="body", example=REPLY_EXAMPLE)
    @api.output(ReplyOut)
    @api.doc(summary="短信回复应答升级", description="A copy of a reply answers nothing else.")
    def hear_reply(body: ReplyIn) -> dict[str, Any]:
        return messages.answer_by_sms(desk, actor(), Sms(**body.model_dump()), utc_now())

    return api


def link_routes(api: APIBlueprint, desk: Desk) -> None:
    """Add what the link in a message opens, without a login; looking at it answers nothing."""

    @api.get("/alerts/<token>")
    @api.input(LinkIn, location="path", arg_name="path")
    @api.output(Alert)
    @api.doc(summary="升级通知的链接: 是什么, 为什么是我")
    def get_alert(token: str, path: LinkIn) -> dict[str, Any]:
        return messages.look(desk, token)

    @api.post("/alerts/<token>/acknowledge")
    @api.input(LinkIn, location="path", arg_name="path")
    @api.output(Alert)
    @api.doc(summary="从链接应答升级", description="In the name of whom it was sent to; the first answer stays.")
    def answer_alert(token: str, path: LinkIn) -> dict[str, Any]:
        return messages.answer(desk, token, utc_now())
