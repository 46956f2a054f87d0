"""Routes of a crew's phone: its work, and where it is."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.services import crew, positions
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Time
from dispatch.web.api.requests import Location
from dispatch.web.api.responses import Ticket
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class Pair(BaseModel):
    """A place in GCJ-02, as AMap and Tencent show it."""

    lon: float
    lat: float


class PhotoCounts(BaseModel):
    """How many photos of each stage there are."""

    before: int
    after: int


class Line(BaseModel):
    """Something that happened, and when."""

    at: str
    text: str


class Job(Ticket):
    """A ticket as its crew sees it."""

    is_own: bool = Field(description="false where the team only assists")
    next: str | None = Field(description="the verb of the next step, if it is this team's")
    caller_phone: str | None = Field(description="masked; the number itself by `reveal`")
    gcj02: Pair | None
    photos: PhotoCounts
    history: list[Line] = Field(description="the last lines of the timeline, newest first")
    asked: list[str] = Field(description="hold or extend, asked for and not decided yet")


class Jobs(BaseModel):
    """The work of a team, most urgent first."""

    items: list[Job]
    server_time: str


class PositionIn(Location):
    """Where a phone is."""

    accuracy_m: float | None = Field(None, ge=0, le=100_000)
    at: Time


class PositionOut(BaseModel):
    """Whether the position is the newest that is known."""

    is_newest: bool


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("crew_api", __name__, url_prefix="/api/v1", tag="crew")

    @api.get("/crew/jobs")
    @needs(api, Permission.CREW)
    @api.output(Jobs)
    @api.doc(summary="本班组的工单, 按时限排序")
    def list_jobs() -> dict[str, Any]:
        return crew.jobs(desk, actor(), utc_now())

    @api.post("/positions")
    @needs(api, Permission.CREW)
    @api.input(PositionIn, arg_name="body")
    @api.output(PositionOut)
    @api.doc(summary="上报位置", description="Only the last position of a person is kept.")
    def put_position(body: PositionIn) -> dict[str, Any]:
        return {
            "is_newest": positions.put(desk, actor(), body.point(), body.accuracy_m, body.at, utc_now()),
        }

    return api
