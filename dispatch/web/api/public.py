"""Routes without a login: known outages, a report, how it goes, a photo, a rating.

A browser shows the token of the page (X-CSRFToken), so that no other site can make it report; a program that shows a
bearer token of its own needs none.
"""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import request
from flask_wtf.csrf import validate_csrf
from pydantic import BaseModel, ConfigDict, Field
from wtforms import ValidationError

from dispatch.domain.photo import MAX_BYTES
from dispatch.domain.tracking import token as token_of
from dispatch.services import callback_links, outage_view, public, surge, tracking
from dispatch.services.desk import Desk
from dispatch.services.public import Report
from dispatch.web.api.callbacks import AnswerIn
from dispatch.web.api.fields import Key, Text
from dispatch.web.api.messages import link_routes
from dispatch.web.api.outages import Outage
from dispatch.web.api.requests import Body, LinkIn, Location
from dispatch.web.api.responses import FollowUp, KnownOutage, Rating, Time
from dispatch.web.api.suggested import Water
from dispatch.web.auth import CsrfMissing, has_token
from dispatch.web.now import utc_now


class ReportIn(Body):
    """A problem, told on the page."""

    category: Text = Field(min_length=1, max_length=60)
    description: Text = Field(min_length=1, max_length=1000)
    phone: Annotated[Text, Field(pattern=r"^\+?[0-9]{7,20}$")] = Field(description="where to call back")
    address: Text = Field("", max_length=300)
    location: Location | None = None
    override_outage: bool = Field(False, description="the known outage does not explain it: somebody is to come")

    def report(self) -> Report:
        """Return the report of the services."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "location"}
        return Report(**values, point=self.location.point() if self.location else None)


class ReportKeyIn(BaseModel):
    """The page's own name for a report, which makes it safe to repeat."""

    idempotency_key: Key = Field(alias="Idempotency-Key")

    model_config = ConfigDict(populate_by_name=True)


class LookUpIn(Body):
    """What a caller knows of the ticket."""

    number: Text = Field(min_length=1, max_length=40)
    phone_end: Annotated[Text, Field(pattern=r"^[0-9]{4}$")] = Field(description="last four digits of the phone")


class TicketIn(BaseModel):
    """A ticket and the token that opens it, in the path."""

    number: Text = Field(max_length=40)
    token: Text = Field(max_length=64)


class PhotoNameIn(BaseModel):
    """The page's own name for a photo."""

    uuid: Annotated[Text, Field(min_length=1, max_length=64)]

    model_config = ConfigDict(extra="forbid")


class Kept(BaseModel):
    """The photo that was kept; who sent it cannot ask for it again."""

    uuid: str


class RatingIn(Body):
    """What the caller thinks of the work."""

    stars: int = Field(ge=1, le=5)
    words: Text = Field("", max_length=500)


class Asked(BaseModel):
    """What a link asks about."""

    number: str
    state: str
    can_answer: bool
    reasons: dict[str, str]


class KnownOutages(BaseModel):
    """The notices that hold or will."""

    items: list[Outage]
    server_time: str


class PublicSurge(BaseModel):
    """What everybody is told of a surge."""

    text: str | None


class Opened(BaseModel):
    """A ticket, and what opens it to its caller: `/track/<number>/<token>`."""

    number: str
    token: str


class Reported(BaseModel):
    """A ticket and what opens it; or the known outage that explains the problem, and no ticket."""

    number: str | None
    token: str | None
    outage: KnownOutage | None


class StepOut(BaseModel):
    """A step of the bar."""

    status: str
    at: Time


class Promise(BaseModel):
    """A promise of this round, and how it stands."""

    due_at: str
    met_at: Time
    state: str = Field(description="running, met, breached or paused")
    resume_at: Time


class Promises(BaseModel):
    """What was promised."""

    arrive: Promise | None
    fix: Promise | None


class Follower(FollowUp):
    """The ticket for what a temporary fix has left, and what opens it."""

    token: str


class Progress(BaseModel):
    """How a ticket goes: no person, no phone, no room."""

    number: str
    is_merged: bool = Field(description="the work is done under another ticket, and these are its steps")
    status: str
    step: int | None = Field(description="the step it stands at, from 0; null where it was cancelled")
    steps: list[StepOut]
    category: str
    category_label: str
    address: str = Field(description="up to the house")
    team: str | None
    received_at: str
    promises: Promises
    water: Water | None = Field(description="of the incident that it belongs to, or null")
    outages: list[Outage]
    follow_up_of: str | None = Field(description="the ticket whose rest this one is")
    follow_ups: list[Follower]
    rating: Rating | None
    can_rate: bool
    server_time: str


def blueprint(desk: Desk, secret: str) -> APIBlueprint:
    """Return the routes over one desk; `secret` is the installation's key."""
    api = APIBlueprint("public_api", __name__, url_prefix="/api/v1/public", tag="public")
    api.before_request(_check_form)
    _telling(api, desk, secret)
    _tracking(api, desk, secret)
    _answering(api, desk)
    link_routes(api, desk)
    return api


def _check_form() -> None:
    if request.method == "POST" and not has_token():
        try:
            validate_csrf(request.headers.get("X-CSRFToken"))
        except ValidationError as error:
            raise CsrfMissing("页面已过期, 请刷新后重试 (请求头 X-CSRFToken 缺失或失效)") from error


def _address() -> str:
    return request.remote_addr or "?"


def _telling(api: APIBlueprint, desk: Desk, secret: str) -> None:
    @api.get("/outages")
    @api.output(KnownOutages)
    @api.doc(summary="现在和将要停水的地方, 和一天内取消的公告")
    def list_known_outages() -> dict[str, Any]:
        now = utc_now()
        return {"items": outage_view.known(desk, now), "server_time": now.isoformat()}

    @api.get("/surge")
    @api.output(PublicSurge)
    @api.doc(summary="大流量提示", description="`text` is null as long as no surge is open.")
    def get_public_surge() -> dict[str, Any]:
        return {"text": surge.public_text(desk)}

    @api.post("/reports")
    @api.input(ReportKeyIn, location="headers", arg_name="key")
    @api.input(ReportIn, arg_name="body")
    @api.output(Reported, 201)
    @api.doc(
        summary="网页报修", description="Five an hour from one address. A known outage answers it without a ticket."
    )
    def add_report(key: ReportKeyIn, body: ReportIn) -> dict[str, Any]:
        told = body.model_dump(mode="json")
        return public.report(
            desk, secret, body.report(), told, key=key.idempotency_key, address=_address(), now=utc_now()
        )

    @api.post("/track")
    @api.input(LookUpIn, arg_name="body")
    @api.output(Opened)
    @api.doc(summary="按工单号和电话后四位查询", description="A wrong pair and an unknown number get the same answer.")
    def look_up(body: LookUpIn) -> dict[str, Any]:
        return public.look_up(desk, secret, body.number, body.phone_end, address=_address(), now=utc_now())


def _tracking(api: APIBlueprint, desk: Desk, secret: str) -> None:
    @api.get("/tickets/<number>/<token>")
    @api.input(TicketIn, location="path", arg_name="path")
    @api.output(Progress)
    @api.doc(summary="办理进度")
    def get_progress(number: str, token: str, path: TicketIn) -> dict[str, Any]:
        public.check_token(secret, number, token)
        told = tracking.progress(desk, number, utc_now())
        followers = [{**one, "token": token_of(secret, one["number"])} for one in told["follow_ups"]]
        return {**told, "follow_ups": followers}

    @api.post("/tickets/<number>/<token>/rating")
    @api.input(TicketIn, location="path", arg_name="path")
    @api.input(RatingIn, arg_name="body")
    @api.output(Rating)
    @api.doc(summary="评价", description="Once for each round of work, after 完工.")
    def rate(number: str, token: str, path: TicketIn, body: RatingIn) -> dict[str, Any]:
        public.check_token(secret, number, token)
        return tracking.rate(desk, number, body.stars, body.words, utc_now())

    @api.post("/tickets/<number>/<token>/photos")
    @api.input(TicketIn, location="path", arg_name="path")
    @api.input(PhotoNameIn, location="query", arg_name="query")
    @api.output(Kept, 201)
    @api.doc(summary="补充照片", description="The body is a JPEG or PNG; three at most.")
    def add_public_photo(number: str, token: str, path: TicketIn, query: PhotoNameIn) -> dict[str, Any]:
        public.check_token(secret, number, token)
        request.max_content_length = MAX_BYTES
        public.add_photo(desk, number, query.uuid, request.get_data(), address=_address(), now=utc_now())
        return {"uuid": query.uuid}


def _answering(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/callbacks/<token>")
    @api.input(LinkIn, location="path", arg_name="path")
    @api.output(Asked)
    @api.doc(summary="回访链接: 问的是哪张工单")
    def get_asked(token: str, path: LinkIn) -> dict[str, Any]:
        return callback_links.look(desk, token)

    @api.post("/callbacks/<token>")
    @api.input(LinkIn, location="path", arg_name="path")
    @api.input(AnswerIn, arg_name="body")
    @api.output(Asked)
    @api.doc(summary="自助答复回访", description="Once for each link; a no brings somebody again.")
    def answer_callback(token: str, path: LinkIn, body: AnswerIn) -> dict[str, Any]:
        return callback_links.answer(desk, token, body.answer(), body.model_dump(mode="json"), utc_now())
