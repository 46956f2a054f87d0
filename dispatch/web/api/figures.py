"""Routes of the figures: as JSON for the page, as a workbook to take away."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.facts import DIMENSIONS
from dispatch.domain.figures import By
from dispatch.domain.roles import Permission
from dispatch.services import export, figures, measures
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.web.api.fields import Text, Time
from dispatch.web.api.responses import XLSX
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

KEY = Field(None, max_length=200, description="only these; empty: those that have none")


class FiguresIn(BaseModel):
    """A period of 受理, at most 367 days, what to group by, and what to narrow it to."""

    by: Annotated[By, Field(strict=False)] = By.ZONE
    from_: Time = Field(alias="from")
    to: Time
    zone: Text | None = KEY
    team: Text | None = KEY
    branch: Text | None = KEY
    steward: Text | None = KEY
    level: Text | None = KEY
    category: Text | None = KEY

    model_config = ConfigDict(extra="forbid")

    @property
    def asked(self) -> Asked:
        """What the service is asked for."""
        told = ((name, getattr(self, name)) for name in DIMENSIONS)
        only = {name: value for name, value in told if value is not None}
        return Asked(start=self.from_, end=self.to, by=self.by, only=only)


class MeasuresIn(FiguresIn):
    """Two periods of the same length."""

    versus: Time | None = Field(None, description="first moment of the other period; left out: the one right before")


class SaidOut(BaseModel):
    """A figure in the words of one language."""

    label: str
    words: str
    formula: str
    source: str


class DefinitionOut(BaseModel):
    """What a figure counts."""

    id: str
    unit: str = Field(description="share, count or minutes")
    is_more_better: bool
    zh: SaidOut
    en: SaidOut


class OnTime(BaseModel):
    """How one kind of promise was kept."""

    judged: int = Field(description="met, or overdue")
    on_time: int
    share: float | None
    median_min: float | None = Field(description="minutes from 受理, the pauses left out")
    p90_min: float | None
    late_median_min: float | None = Field(description="minutes by which broken ones were late, unmet ones until now")
    late_p90_min: float | None


class Promises(BaseModel):
    """The promises of some tickets."""

    tickets: int
    ack: OnTime
    arrive: OnTime
    isolate: OnTime
    fix: OnTime
    callback: OnTime


class Group(Promises):
    """A grid, an hour, a team …; without a key: tickets that have none."""

    key: str
    label: str


class Figures(BaseModel):
    """The figures of a period."""

    by: str
    from_: str = Field(alias="from")
    to: str
    items: list[Group]
    total: Promises
    definitions: list[DefinitionOut]


class MeasuredValue(BaseModel):
    """A measure of some tickets."""

    value: float | None
    of: int = Field(description="tickets, callers, calls or steps that it is made of")


class Measured(DefinitionOut):
    """A measure of two periods, with what it counts in words."""

    before: MeasuredValue
    after: MeasuredValue
    change: float | None = Field(description="the part by which it has grown; -0.5: halved")


class MeasuredGroup(BaseModel):
    """The measures of a grid, an hour, a team …; without a key: of tickets that have none."""

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
    @api.doc(summary="按时率: 五个时限, 各按所选分组")
    def get_figures(query: FiguresIn) -> dict[str, Any]:
        return figures.on_time(desk, actor(), query.asked, utc_now())

    @api.get("/measures")
    @needs(api, Permission.READ)
    @api.input(MeasuresIn, location="query", arg_name="query")
    @api.output(Measures)
    @api.doc(summary="服务指标: 首次修复、到场和转手次数、回访、满意, 两个时段对比")
    def get_measures(query: MeasuresIn) -> dict[str, Any]:
        return measures.compared(desk, actor(), query.asked, query.versus, utc_now())

    @api.get("/figures.xlsx")
    @needs(api, Permission.READ)
    @api.input(FiguresIn, location="query", arg_name="query")
    @api.doc(summary="按时率: Excel", description="Who took it out is in the audit and on the sheet.")
    def export_figures(query: FiguresIn) -> Response:
        return _file(export.workbook(desk, actor(), query.asked, utc_now()), XLSX, query, "xlsx")

    @api.get("/figures.csv")
    @needs(api, Permission.READ)
    @api.input(FiguresIn, location="query", arg_name="query")
    @api.doc(summary="按时率: CSV", description="Who took it out is in the audit and on the first line.")
    def export_table(query: FiguresIn) -> Response:
        # With a mark in front, spreadsheets know that it is UTF-8.
        data = export.table(desk, actor(), query.asked, utc_now()).encode("utf-8-sig")
        return _file(data, "text/csv; charset=utf-8", query, "csv")

    return api


def _file(data: bytes, type_: str, query: FiguresIn, ending: str) -> Response:
    answer = Response(data, content_type=type_)
    name = f"figures-{query.by}-{query.from_:%Y%m%d}-{query.to:%Y%m%d}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
