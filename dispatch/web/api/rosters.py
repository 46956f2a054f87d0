"""Routes of rosters: who is on duty, drafts and publishing, workbooks, the week, leave and swaps."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.place import Datum, point_of
from dispatch.domain.roles import Permission
from dispatch.domain.roster import Leave, Swap
from dispatch.services import duty_now, roster_changes, roster_sheet, roster_week, rosters
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text, Time
from dispatch.web.api.requests import Body
from dispatch.web.api.responses import XLSX
from dispatch.web.api.roster_forms import Changed, Duty, LeftOpen, RosterHead, RosterHeads, RosterShown, Week
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

_Id = Annotated[Text, Field(min_length=1, max_length=60)]
_Reason = Annotated[Text, Field(min_length=1, max_length=200)]
_Day = Annotated[
    date,
    Field(strict=False, ge=date(2000, 1, 1), le=date(2100, 12, 31), description="day in Shanghai, 2026-12-04"),
]


class DutyIn(BaseModel):
    """A place, by point or address, and a moment."""

    lon: float | None = None
    lat: float | None = None
    datum: Annotated[Datum, Field(strict=False)] = Datum.WGS84
    address: Text = Field("", max_length=200)
    at: Time | None = Field(None, description="ISO 8601 with time zone; now if left out")

    model_config = ConfigDict(extra="forbid")


class RosterIdIn(BaseModel):
    """A roster, by the id in the path."""

    roster_id: Position


class ChangeIdIn(BaseModel):
    """Leave or a swap, by the id in the path."""

    change_id: Position


class DraftIn(Body):
    """A roster as data."""

    name: Text = Field(min_length=1, max_length=100)
    is_sample: bool = False
    body: dict[str, Any] = Field(description="shifts, people, units, members; see the guide")


class NameIn(BaseModel):
    """The name of a draft that a workbook becomes."""

    name: Text = Field(min_length=1, max_length=100)

    model_config = ConfigDict(extra="forbid")


class PublishRosterIn(Body):
    """From when on, and why."""

    valid_from: Time
    note: Text = Field("", max_length=200)
    accepts_holes: bool = Field(False, description="the hours without anybody are known and accepted")


class LeaveIn(Body):
    """Somebody is away."""

    person_id: _Id
    start_at: Time
    end_at: Time
    reason: _Reason
    cover_id: _Id | None = Field(None, description="who does the duties meanwhile")


class SwapIn(Body):
    """A duty goes to somebody else, and another one back."""

    unit_id: _Id
    owner_id: _Id
    day: _Day
    taker_id: _Id
    back_day: _Day | None = None
    note: _Reason


class WeekIn(BaseModel):
    """A day of the week, and a branch."""

    day: _Day
    branch: Text | None = Field(None, max_length=60)

    model_config = ConfigDict(extra="forbid")


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("rosters", __name__, url_prefix="/api/v1", tag="rosters")

    @api.get("/duty")
    @needs(api, Permission.READ)
    @api.input(DutyIn, location="query", arg_name="query")
    @api.output(Duty)
    @api.doc(
        summary="此刻或某时谁负责某地, 为什么",
        description="One person, or an explicit hole (`responsible.person_id` is null) with its reason; who was passed "
        "over and why; who is next; who stands above, up to the company duty leader.",
    )
    def who_is_on_duty(query: DutyIn) -> dict[str, Any]:
        is_placed = query.lon is not None or query.lat is not None
        point = point_of(query.lon, query.lat, query.datum) if is_placed else None
        return duty_now.who(desk, actor(), point, query.address, query.at, utc_now())

    _add_drafts(api, desk)
    _add_one(api, desk)
    _add_changes(api, desk)
    return api


def _add_drafts(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/rosters")
    @needs(api, Permission.ROSTER)
    @api.output(RosterHeads)
    @api.doc(summary="排班表列表")
    def list_rosters() -> dict[str, Any]:
        return {"items": rosters.listed(desk, actor(), utc_now())}

    @api.post("/rosters")
    @needs(api, Permission.ROSTER)
    @api.input(DraftIn, arg_name="body")
    @api.output(RosterShown, 201)
    @api.doc(summary="新建排班草稿", description="One with a mistake is refused whole, each with list, row and field.")
    def add_roster(body: DraftIn) -> dict[str, Any]:
        return rosters.add(desk, actor(), body.name, body.body, utc_now(), is_sample=body.is_sample)

    @api.post("/roster-import")
    @needs(api, Permission.ROSTER)
    @api.input(NameIn, location="query", arg_name="query")
    @api.output(RosterShown, 201)
    @api.doc(
        summary="导入排班 Excel 为草稿", description="The body is the xlsx itself; mistakes by sheet, row, column."
    )
    def import_roster(query: NameIn) -> dict[str, Any]:
        request.max_content_length = roster_sheet.MAX_BYTES
        return roster_sheet.add(desk, actor(), query.name, request.get_data(), utc_now())

    @api.get("/roster-week")
    @needs(api, Permission.READ)
    @api.input(WeekIn, location="query", arg_name="query")
    @api.output(Week)
    @api.doc(summary="一周排班: 班次、空缺、请假、换班、工时")
    def get_roster_week(query: WeekIn) -> dict[str, Any]:
        return roster_week.week(desk, actor(), query.day, query.branch, utc_now())


def _add_one(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/rosters/<roster_id>")
    @needs(api, Permission.ROSTER)
    @api.input(RosterIdIn, location="path", arg_name="path")
    @api.output(RosterShown)
    @api.doc(summary="一份排班表及其检查结果")
    def get_roster(roster_id: str, path: RosterIdIn) -> dict[str, Any]:
        return rosters.get(desk, actor(), path.roster_id, utc_now())

    @api.post("/rosters/<roster_id>/publish")
    @needs(api, Permission.ROSTER)
    @api.input(RosterIdIn, location="path", arg_name="path")
    @api.input(PublishRosterIn, arg_name="body")
    @api.output(RosterShown)
    @api.doc(
        summary="发布排班表", description="`roster-holes` lists the hours without anybody; `accepts_holes` accepts."
    )
    def publish_roster(roster_id: str, path: RosterIdIn, body: PublishRosterIn) -> dict[str, Any]:
        return rosters.publish(
            desk, actor(), path.roster_id, body.valid_from, body.note, utc_now(), accepts_holes=body.accepts_holes
        )

    @api.delete("/rosters/<roster_id>")
    @needs(api, Permission.ROSTER)
    @api.input(RosterIdIn, location="path", arg_name="path")
    @api.output(RosterHead)
    @api.doc(summary="删除排班草稿")
    def drop_roster(roster_id: str, path: RosterIdIn) -> dict[str, Any]:
        return rosters.drop(desk, actor(), path.roster_id, utc_now())

    @api.get("/rosters/<roster_id>/roster.xlsx")
    @needs(api, Permission.ROSTER)
    @api.input(RosterIdIn, location="path", arg_name="path")
    @api.doc(summary="导出排班 Excel", description="In the form that the import reads.")
    def export_roster(roster_id: str, path: RosterIdIn) -> Response:
        answer = Response(roster_sheet.workbook(desk, actor(), path.roster_id, utc_now()), mimetype=XLSX)
        answer.headers["Content-Disposition"] = f'attachment; filename="roster-{path.roster_id}.xlsx"'
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _add_changes(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/roster-leave-check")
    @needs(api, Permission.ROSTER)
    @api.input(LeaveIn, arg_name="body")
    @api.output(LeftOpen)
    @api.doc(summary="试算请假会造成的空缺", description="Enters nothing.")
    def check_leave(body: LeaveIn) -> dict[str, Any]:
        return roster_changes.check_leave(desk, actor(), Leave(**body.model_dump()), utc_now())

    @api.post("/roster-swap-check")
    @needs(api, Permission.ROSTER)
    @api.input(SwapIn, arg_name="body")
    @api.output(LeftOpen)
    @api.doc(summary="试算换班会造成的空缺", description="Enters nothing.")
    def check_swap(body: SwapIn) -> dict[str, Any]:
        return roster_changes.check_swap(desk, actor(), _swap(body), body.note, utc_now())

    @api.post("/roster-leaves")
    @needs(api, Permission.ROSTER)
    @api.input(LeaveIn, arg_name="body")
    @api.output(Changed, 201)
    @api.doc(summary="登记请假", description="Answers with the hours that it leaves without anybody.")
    def add_leave(body: LeaveIn) -> dict[str, Any]:
        return roster_changes.add_leave(desk, actor(), Leave(**body.model_dump()), utc_now())

    @api.delete("/roster-leaves/<change_id>")
    @needs(api, Permission.ROSTER)
    @api.input(ChangeIdIn, location="path", arg_name="path")
    @api.output(Changed)
    @api.doc(summary="撤销请假")
    def cancel_leave(change_id: str, path: ChangeIdIn) -> dict[str, Any]:
        return roster_changes.cancel_leave(desk, actor(), path.change_id, utc_now())

    @api.post("/roster-swaps")
    @needs(api, Permission.ROSTER)
    @api.input(SwapIn, arg_name="body")
    @api.output(Changed, 201)
    @api.doc(summary="登记换班或顶班", description="Answers with the hours that it leaves without anybody.")
    def add_swap(body: SwapIn) -> dict[str, Any]:
        return roster_changes.add_swap(desk, actor(), _swap(body), body.note, utc_now())

    @api.delete("/roster-swaps/<change_id>")
    @needs(api, Permission.ROSTER)
    @api.input(ChangeIdIn, location="path", arg_name="path")
    @api.output(Changed)
    @api.doc(summary="撤销换班")
    def cancel_swap(change_id: str, path: ChangeIdIn) -> dict[str, Any]:
        return roster_changes.cancel_swap(desk, actor(), path.change_id, utc_now())


def _swap(body: SwapIn) -> Swap:
    return Swap(**body.model_dump(exclude={"note"}))
