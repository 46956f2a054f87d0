"""Routes of notices that water is off."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.outage import NewOutage
from dispatch.domain.roles import Permission
from dispatch.services import outages
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text, Time
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class OutageIn(Body):
    """A notice to be published."""

    title: Text = Field(min_length=1, max_length=100)
    place: Text = Field(min_length=1, max_length=300, description="where, in words")
    is_planned: bool
    zone_ids: list[Annotated[Text, Field(min_length=1, max_length=60)]] = Field(min_length=1, max_length=200)
    starts_at: Time
    ends_at: Time = Field(description="when water is expected back")


class OutageIdIn(BaseModel):
    """A notice, by the id in the path."""

    outage_id: Position


class Outage(BaseModel):
    """A notice that water is off."""

    id: int
    title: str
    place: str
    is_planned: bool
    zone_ids: list[str]
    zones: list[str] = Field(description="names of the grids")
    starts_at: str
    ends_at: str
    restored_at: str | None
    published_at: str
    phase: str = Field(description="coming, current, late (past its end, water not told to be back) or over")


class Outages(BaseModel):
    """A page of notices."""

    items: list[Outage]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("outages", __name__, url_prefix="/api/v1", tag="outages")

    @api.post("/outages")
    @needs(api, Permission.OUTAGE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(OutageIn, arg_name="body")
    @api.output(Outage, 201)
    @api.doc(summary="发布停水公告")
    def publish_outage(key: KeyIn, body: OutageIn) -> dict[str, Any]:
        told = NewOutage(**body.model_dump())
        return outages.publish(desk, actor(), told, body.model_dump(mode="json"), utc_now(), key.idempotency_key)

    @api.post("/outages/<outage_id>/restore")
    @needs(api, Permission.OUTAGE)
    @api.input(OutageIdIn, location="path", arg_name="path")
    @api.output(Outage)
    @api.doc(summary="恢复供水", description="Once more changes nothing.")
    def restore_outage(outage_id: str, path: OutageIdIn) -> dict[str, Any]:
        return outages.restore(desk, actor(), path.outage_id, utc_now())

    @api.get("/outages")
    @needs(api, Permission.READ)
    @api.input(PageIn, location="query", arg_name="query")
    @api.output(Outages)
    @api.doc(summary="停水公告", description="All of them; what holds now and what comes is at `/public/outages`.")
    def list_outages(query: PageIn) -> dict[str, Any]:
        return outages.listed(desk, actor(), after=query.after, limit=query.limit, now=utc_now())

    return api
