"""Routes of notices that water is off: written, approved by another person, published, extended, restored."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, Field

from dispatch.domain.outage import MOST_ESTATES, MOST_LATE_H, OUTAGE_VERB_LABELS, NewOutage, OutageVerb
from dispatch.domain.roles import Permission
from dispatch.services import outage_view, outages
from dispatch.services.desk import Desk
from dispatch.services.outages import Deed
from dispatch.web.api.fields import Position, Text, Time, Version
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.api.responses import Time as TimeOut
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

_SVG = "image/svg+xml"


class OutageIn(Body):
    """A notice: where by grids, by an area that was drawn, by estates and road segments in words, or by all three."""

    title: Text = Field(min_length=1, max_length=100)
    place: Text = Field(min_length=1, max_length=300, description="where, in words")
    is_planned: bool
    zone_ids: list[Annotated[Text, Field(min_length=1, max_length=60)]] = Field(default_factory=list, max_length=200)
    area: dict[str, Any] | None = Field(None, description="GeoJSON of a Polygon or MultiPolygon, WGS-84")
    estates: list[Annotated[Text, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=MOST_ESTATES, description="estates, road segments"
    )
    starts_at: Time
    ends_at: Time = Field(description="when water is expected back")
    late_return_h: int | None = Field(
        None, ge=1, le=MOST_LATE_H, description="hours later on high floors and behind secondary pumps"
    )

    def told(self) -> NewOutage:
        """Return the notice of the domain."""
        return NewOutage(**{name: getattr(self, name) for name in OutageIn.model_fields})


class ReviseIn(OutageIn):
    """A notice as it is to be, and the version that was seen."""

    version: Version | None = None
    note: Text = Field("", max_length=300)


class DeedIn(Body):
    """What is done to a notice; a short notice, a withdrawal and a cancellation need a note."""

    version: Version | None = Field(None, description="version of the notice that was seen")
    note: Text = Field("", max_length=300)


class LongerIn(DeedIn):
    """A later end."""

    ends_at: Time


class OutageIdIn(BaseModel):
    """A notice, by the id in the path."""

    outage_id: Position


class Extension(BaseModel):
    """An end that was moved."""

    at: str
    ends_from: str
    ends_to: str
    text: str


class Outage(BaseModel):
    """A notice that water is off."""

    id: int
    title: str
    place: str
    is_planned: bool
    status: str = Field(description="draft, approved, published, restored, withdrawn or cancelled")
    zone_ids: list[str] = Field(description="grids that are off whole")
    zones: list[str] = Field(description="names of the grids")
    area: dict[str, Any] | None = Field(description="GeoJSON, WGS-84")
    estates: list[str]
    starts_at: str
    ends_at: str
    restored_at: TimeOut
    published_at: TimeOut
    late_return_h: int | None
    late_note: str = Field(description="for high floors and secondary pumps; empty where nobody's water is later")
    extensions: list[Extension]
    text: str = Field(description="what a caller inside is told")
    phase: str = Field(description="unpublished, coming, current, late (past its end, not told to be back) or over")


class StaffOutage(Outage):
    """A notice for those who write them."""

    version: int
    created_by: int = Field(description="id of the user who wrote it last: another one approves")
    short_reason: str | None = Field(description="why it was approved at less than 24 hours' notice")
    closed_reason: str | None
    alarm_at: TimeOut = Field(description="when it is asked next whether water will be back")
    verbs: list[str] = Field(description="what its state allows next")


class OutageVersion(BaseModel):
    """What somebody did to a notice."""

    version: int
    at: str
    by: str
    verb: str
    text: str
    shown: dict[str, Any] = Field(description="how the notice stood")


class OutageDetail(StaffOutage):
    """A notice with its history."""

    warnings: list[str] = Field(description="notices that overlap it in time and place")
    unmatched: list[str] = Field(description="places that the gazetteer does not know: shown as words alone")
    answered: int = Field(description="calls that it answered")
    announcement: str = Field(description="text for the newspaper")
    history: list[OutageVersion]


class Outages(BaseModel):
    """A page of notices."""

    items: list[StaffOutage]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("outages", __name__, url_prefix="/api/v1", tag="outages")
    _writing(api, desk)
    for verb in OutageVerb:
        if verb is not OutageVerb.REVISE:
            _verb(api, desk, verb)
    _reading(api, desk)
    return api


def _writing(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/outages")
    @needs(api, Permission.OUTAGE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(OutageIn, arg_name="body")
    @api.output(OutageDetail, 201)
    @api.doc(summary="立即发布紧急停水公告", description="By one person, at once; a planned one begins as a draft.")
    def publish_outage(key: KeyIn, body: OutageIn) -> dict[str, Any]:
        told = body.model_dump(mode="json")
        return outages.publish(desk, actor(), body.told(), told, utc_now(), key.idempotency_key)

    @api.post("/outage-drafts")
    @needs(api, Permission.OUTAGE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(OutageIn, arg_name="body")
    @api.output(OutageDetail, 201)
    @api.doc(summary="起草停水公告", description="What it overlaps is in `warnings`.")
    def draft_outage(key: KeyIn, body: OutageIn) -> dict[str, Any]:
        told = {"draft": body.model_dump(mode="json")}
        return outages.draft(desk, actor(), body.told(), told, utc_now(), key.idempotency_key)

    @api.post("/outages/<outage_id>/revise")
    @needs(api, Permission.OUTAGE)
    @api.input(OutageIdIn, location="path", arg_name="path")
    @api.input(ReviseIn, arg_name="body")
    @api.output(OutageDetail)
    @api.doc(summary="修改停水公告", description="Before it is published; an approval is lost.")
    def revise_outage(outage_id: str, path: OutageIdIn, body: ReviseIn) -> dict[str, Any]:
        deed = Deed(verb=OutageVerb.REVISE, note=body.note, version=body.version)
        return outages.revise(desk, actor(), path.outage_id, body.told(), deed, utc_now())


_ABOUT = {
    OutageVerb.APPROVE: "A planned one by another person than wrote it; under 24 hours' notice with a note.",
    OutageVerb.PUBLISH: "A planned one once it is approved; an emergency from its draft as well.",
    OutageVerb.EXTEND: "Its alarms move with the end.",
    OutageVerb.RESTORE: "Who was answered with it is told; once more changes nothing.",
    OutageVerb.WITHDRAW: "Before it is published, with a note.",
    OutageVerb.CANCEL: "A published one that will not happen, with a note.",
}


def _verb(api: APIBlueprint, desk: Desk, verb: OutageVerb) -> None:
    taken: type[DeedIn] = LongerIn if verb is OutageVerb.EXTEND else DeedIn

    @api.post(f"/outages/<outage_id>/{verb}", endpoint=f"outage_{verb}")
    @needs(api, Permission.OUTAGE)
    @api.input(OutageIdIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(taken, arg_name="body")
    @api.output(OutageDetail)
    @api.doc(summary=f"停水公告: {OUTAGE_VERB_LABELS[verb]}", description=_ABOUT[verb], operation_id=f"outage_{verb}")
    def do(outage_id: str, path: OutageIdIn, key: KeyIn, body: DeedIn) -> dict[str, Any]:
        deed = Deed(verb=verb, note=body.note, version=body.version, ends_at=getattr(body, "ends_at", None))
        told = body.model_dump(mode="json")
        return outages.act(desk, actor(), path.outage_id, deed, told, utc_now(), key.idempotency_key)


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/outages")
    @needs(api, Permission.READ)
    @api.input(PageIn, location="query", arg_name="query")
    @api.output(Outages)
    @api.doc(summary="停水公告", description="All of them; drafts for those who write them alone.")
    def list_outages(query: PageIn) -> dict[str, Any]:
        return outage_view.listed(desk, actor(), after=query.after, limit=query.limit, now=utc_now())

    @api.get("/outages/<outage_id>")
    @needs(api, Permission.READ)
    @api.input(OutageIdIn, location="path", arg_name="path")
    @api.output(OutageDetail)
    @api.doc(summary="停水公告详情: 历次版本, 登报文字")
    def get_outage(outage_id: str, path: OutageIdIn) -> dict[str, Any]:
        return outage_view.detail(desk, actor(), path.outage_id, utc_now())

    @api.get("/outages/<outage_id>/picture.svg")
    @needs(api, Permission.READ)
    @api.input(OutageIdIn, location="path", arg_name="path")
    @api.doc(summary="停水公告图片", description="SVG for WeChat and the newspaper.")
    def outage_picture(outage_id: str, path: OutageIdIn) -> Response:
        return Response(outage_view.picture(desk, actor(), path.outage_id, utc_now()), mimetype=_SVG)
