"""Routes of photos: bytes in, a list and pictures out."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.photo import MAX_BYTES, Stage
from dispatch.domain.roles import Permission
from dispatch.services import photos
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from dispatch.web.api.fields import Position, Text, Time
from dispatch.web.api.requests import NumberIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

# A photo never changes: its browser may keep it, nobody between.
_KEPT = "private, max-age=86400, immutable"


class PhotoIn(BaseModel):
    """What a photo is."""

    uuid: Annotated[Text, Field(min_length=1, max_length=64)] = Field(description="the phone's name for the photo")
    stage: Stage
    taken_at: Time | None = Field(None, description="the phone's own time of it")

    model_config = ConfigDict(extra="forbid")


class PhotoIdIn(BaseModel):
    """A photo, by the id in the path."""

    photo_id: Position


class Photo(BaseModel):
    """A photo of a ticket."""

    id: int
    uuid: str
    stage: str
    stage_label: str
    taken_at: str
    time_source: str = Field(description="whose time `taken_at` is: device or server")
    stored_at: str
    width: int
    height: int
    url: str
    thumbnail_url: str


class Photos(BaseModel):
    """The photos of a ticket."""

    items: list[Photo]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("photos", __name__, url_prefix="/api/v1", tag="photos")

    @api.post("/tickets/<number>/photos")
    @needs(api, Permission.PHOTO)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.input(PhotoIn, location="query", arg_name="query")
    @api.output(Photo, 201)
    @api.doc(summary="上传照片", description="The body is a JPEG or PNG of at most 20 MB and 40 million pixels.")
    def add_photo(number: str, path: NumberIn, query: PhotoIn) -> dict[str, Any]:
        request.max_content_length = MAX_BYTES
        upload = Upload(uuid=query.uuid, stage=query.stage, taken_at=query.taken_at, data=request.get_data())
        return photos.add(desk, actor(), number, upload, utc_now())

    @api.get("/tickets/<number>/photos")
    @needs(api, Permission.READ)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.output(Photos)
    @api.doc(summary="工单的照片")
    def list_photos(number: str, path: NumberIn) -> dict[str, Any]:
        return {"items": photos.of_ticket(desk, actor(), number)}

    for rule, name, summary in (
        ("/photos/<photo_id>.jpg", "get_photo", "照片"),
        ("/photos/<photo_id>/thumbnail.jpg", "get_thumbnail", "照片缩略图"),
    ):
        _picture(api, desk, rule, name, summary)
    return api


def _picture(api: APIBlueprint, desk: Desk, rule: str, name: str, summary: str) -> None:
    @api.get(rule, endpoint=name)
    @needs(api, Permission.READ)
    @api.input(PhotoIdIn, location="path", arg_name="path")
    @api.doc(summary=summary, operation_id=name)
    def get_picture(photo_id: str, path: PhotoIdIn) -> Response:
        data = photos.jpeg(desk, actor(), path.photo_id, is_thumbnail=name == "get_thumbnail")
        answer = Response(data, mimetype="image/jpeg")
        answer.headers["Cache-Control"] = _KEPT
        return answer
