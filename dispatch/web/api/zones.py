"""Routes of grid maps: drafts, their edits, and the published versions as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from apiflask.exceptions import _ValidationError
from flask import Response, request
from pydantic import ValidationError

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.roles import Permission
from dispatch.domain.zone_json import MAX_BYTES
from dispatch.services import zone_drafts, zone_publish
from dispatch.services.desk import Desk
from dispatch.services.districts import outlines
from dispatch.services.zone_drafts import File
from dispatch.web.api.zone_forms import (
    MEDIA,
    CopyIn,
    Draft,
    DraftHead,
    DraftIdIn,
    Drafts,
    EditIn,
    ExportIn,
    FileIn,
    Published,
    PublishIn,
    SetIdIn,
    ZonePreview,
    ZoneSets,
)
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

_FORM = "multipart/form-data"


def blueprint(desk: Desk, districts: Path) -> APIBlueprint:
    """Return the routes over one desk; `districts` is the file of trusted outlines."""
    api = APIBlueprint("zones", __name__, url_prefix="/api/v1", tag="zones")

    @api.post("/zone-drafts")
    @needs(api, Permission.ZONES)
    @api.output(Draft, 201)
    @api.doc(
        summary="新建网格草稿",
        description="JSON copies the version that is valid now; multipart/form-data reads a file: GeoJSON, a zipped "
        "Shapefile, KML or CSV with WKT.",
    )
    def add_draft() -> dict[str, Any]:
        if request.mimetype != _FORM:
            copy = _validated(CopyIn, request.get_json())
            return zone_drafts.copy_live(desk, actor(), copy.name, utc_now())
        request.max_content_length = MAX_BYTES
        told, sent = _validated(FileIn, request.form.to_dict()), request.files.get("file")
        if sent is None:
            raise InvalidInput("请选择文件 (表单字段 file)", field="file")
        fields = {name: getattr(told, name) or None for name in ("id_field", "name_field", "team_field")}
        file = File(sent.filename or "", sent.read(), Datum(told.datum), **fields)
        return zone_drafts.import_file(
            desk, actor(), told.name or sent.filename or "", file, outlines(districts), utc_now()
        )

    @api.get("/zone-drafts")
    @needs(api, Permission.ZONES)
    @api.output(Drafts)
    @api.doc(summary="网格草稿")
    def list_drafts() -> dict[str, Any]:
        return {"items": zone_drafts.listed(desk, actor())}

    @api.get("/zone-drafts/<draft_id>")
    @needs(api, Permission.ZONES)
    @api.input(DraftIdIn, location="path", arg_name="path")
    @api.output(Draft)
    @api.doc(summary="一份网格草稿", description="With its grids as GeoJSON, WGS-84, and all that is wrong with them.")
    def get_draft(draft_id: str, path: DraftIdIn) -> dict[str, Any]:
        return zone_drafts.get(desk, actor(), path.draft_id)

    @api.post("/zone-drafts/<draft_id>/edits")
    @needs(api, Permission.ZONES)
    @api.input(DraftIdIn, location="path", arg_name="path")
    @api.input(EditIn, arg_name="body")
    @api.output(Draft)
    @api.doc(summary="修改网格草稿", description="What would break a border is refused and changes nothing.")
    def edit_draft(draft_id: str, path: DraftIdIn, body: EditIn) -> dict[str, Any]:
        return zone_drafts.edit(desk, actor(), path.draft_id, body.edit(), utc_now())

    @api.delete("/zone-drafts/<draft_id>")
    @needs(api, Permission.ZONES)
    @api.input(DraftIdIn, location="path", arg_name="path")
    @api.output(DraftHead)
    @api.doc(summary="删除网格草稿")
    def drop_draft(draft_id: str, path: DraftIdIn) -> dict[str, Any]:
        return zone_drafts.drop(desk, actor(), path.draft_id, utc_now())

    _add_publishing(api, desk, districts)
    return api


def _add_publishing(api: APIBlueprint, desk: Desk, districts: Path) -> None:
    @api.get("/zone-drafts/<draft_id>/preview")
    @needs(api, Permission.ZONES)
    @api.input(DraftIdIn, location="path", arg_name="path")
    @api.output(ZonePreview)
    @api.doc(
        summary="发布前预览: 哪些工单会换班组",
        description="Open tickets, and those of the last 90 days, that the map has given to their team; `to_team` is "
        "null where no team would answer, and `move` leaves these. What people have reassigned or ruled upon stays.",
    )
    def preview_draft(draft_id: str, path: DraftIdIn) -> dict[str, Any]:
        return zone_publish.preview(desk, actor(), path.draft_id, utc_now())

    @api.post("/zone-drafts/<draft_id>/publish")
    @needs(api, Permission.ZONES)
    @api.input(DraftIdIn, location="path", arg_name="path")
    @api.input(PublishIn, arg_name="body")
    @api.output(Published, 201)
    @api.doc(
        summary="发布网格草稿",
        description="Grave problems must be mended (`unsolved-problems`); doubts need `is_sure` (`not-sure`). A draft "
        "is gone then. `move` reassigns open tickets when the version becomes valid; `keep` leaves them.",
    )
    def publish_draft(draft_id: str, path: DraftIdIn, body: PublishIn) -> dict[str, Any]:
        return zone_publish.publish(desk, actor(), path.draft_id, body.order(), outlines(districts), utc_now())

    @api.get("/zone-sets")
    @needs(api, Permission.ZONES)
    @api.output(ZoneSets)
    @api.doc(summary="网格版本")
    def list_zone_sets() -> dict[str, Any]:
        return {"items": zone_publish.versions(desk, actor(), utc_now())}

    @api.get("/zone-sets/<set_id>/export")
    @needs(api, Permission.ZONES)
    @api.input(SetIdIn, location="path", arg_name="path")
    @api.input(ExportIn, location="query", arg_name="query")
    @api.doc(summary="导出网格", description="GeoJSON, CSV with WKT or KML; each grid names the datum.")
    def export_zones(set_id: str, path: SetIdIn, query: ExportIn) -> Response:
        data = zone_publish.export(desk, actor(), path.set_id, query.form, query.datum)
        answer = Response(data, mimetype=MEDIA[query.form])
        name = f"zones-v{path.set_id}-{query.datum}.{query.form}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


def _validated(model: Any, told: Any) -> Any:
    """What came in, in the form that `model` says; wrong input is told as that of every other route."""
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise _ValidationError(422, "输入有误", {"json": {}}) from error
