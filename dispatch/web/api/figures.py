"""Routes of the figures: as JSON for the page, as a workbook to take away."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Permission
from dispatch.services import export, figures
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
