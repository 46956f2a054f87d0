"""Routes of the figures: as JSON for the page, as a workbook to take away."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Permission
from dispatch.services import export, figures, measures
from dispatch.services.desk import Desk
from dispatch.services.figures import By
from dispatch.web.api.fields import Time
from dispatch.web.api.responses import XLSX
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class FiguresIn(BaseModel):
    """A period of 受理, at most 31 days, and what to group by."""

    by: Annotated[By, Field(strict=False)] = By.ZONE
    from_: Time = Field(alias="from")
    to: Time

    model_config = ConfigDict(extra="forbid")


class MeasuresIn(FiguresIn):
    """Two periods of the same length."""

    versus: Time | None = Field(None, description="first moment of the other period; left out: the one right before")


class OnTime(BaseModel):
    """How one kind of promise was kept."""

    judged: int = Field(description="met, or overdue")
    on_time: int
    share: float | None
    median_min: float | None = Field(description="minutes from 受理, the pauses left out")
    p90_min: float | None


class Promises(BaseModel):
    """The three promises."""

    ack: OnTime
    arrive: OnTime
    fix: OnTime


class Group(Promises):
    """A grid, an hour, a team or a branch; without a key: tickets that have none."""

    key: str
    label: str


class Figures(BaseModel):
    """The figures of a period."""

    by: str
    from_: str = Field(alias="from")
    to: str
    items: list[Group]
    total: Promises


class MeasuredValue(BaseModel):
    """A measure of some tickets."""

    value: float | None
    of: int = Field(description="tickets, or callers, that it is made of")


class Measured(BaseModel):
    """A measure of two periods, with what it counts in words."""

    id: str
    label: str
    words: str
    is_share: bool
    is_more_better: bool
    before: MeasuredValue
    after: MeasuredValue
    change: float | None = Field(description="the part by which it has grown; -0.5: halved")


class MeasuredGroup(BaseModel):
    """A grid, an hour, a team or a branch."""

    key: str
    label: str
    values: dict[str, MeasuredValue]


class Measures(BaseModel):
    """Measures of two periods side by side."""

    by: str
    from_: str = Field(alias="from")
    to: str
    versus_from: str
    versus_to: str
    measures: list[Measured]
    items: list[MeasuredGroup]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("figures", __name__, url_prefix="/api/v1", tag="figures")

    @api.get("/figures")
    @needs(api, Permission.READ)
    @api.input(FiguresIn, location="query", arg_name="query")
    @api.output(Figures)
    @api.doc(summary="按时率: 接单、到场、完工")
    def get_figures(query: FiguresIn) -> dict[str, Any]:
        return figures.on_time(desk, actor(), query.by, query.from_, query.to, utc_now())

    @api.get("/measures")
    @needs(api, Permission.READ)
    @api.input(MeasuresIn, location="query", arg_name="query")
    @api.output(Measures)
    @api.doc(summary="服务指标: 首次修复、到场和转手次数、回访、满意, 两个时段对比")
    def get_measures(query: MeasuresIn) -> dict[str, Any]:
        return measures.compared(desk, actor(), query.by, query.from_, query.to, query.versus, utc_now())

    @api.get("/figures.xlsx")
    @needs(api, Permission.READ)
    @api.input(FiguresIn, location="query", arg_name="query")
    @api.doc(summary="按时率: Excel", description="Who took it out is in the audit and on the sheet.")
    def export_figures(query: FiguresIn) -> Response:
        data = export.workbook(desk, actor(), query.by, query.from_, query.to, utc_now())
        answer = Response(data, mimetype=XLSX)
        name = f"figures-{query.by}-{query.from_:%Y%m%d}-{query.to:%Y%m%d}.xlsx"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return api
