"""Routes from figures to what is behind them: tickets, days beside earlier ones, and the daily report to take away."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.drill import Which
from dispatch.domain.roles import Permission
from dispatch.domain.sla import ClockKind
from dispatch.services import drill, report
from dispatch.services.desk import Desk
from dispatch.web.api import responses as give
from dispatch.web.api.fields import Position, Text
from dispatch.web.api.figures import FiguresIn, Promises
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class BehindIn(FiguresIn):
    """Which figure is meant, and a page of its tickets."""

    key: Text | None = Field(None, max_length=200, description="of which group; left out: the total; empty: of none")
    clock: Annotated[ClockKind, Field(strict=False)] | None = None
    which: Annotated[Which, Field(strict=False)] = Which.JUDGED
    after: Position = Field(0, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)


class Behind(give.Tickets):
    """The tickets behind a figure."""

    total: int


class TrendDay(BaseModel):
    """A day's tickets, and which share of each clock was met in time."""

    day: str
    tickets: int
    ack: float | None
    arrive: float | None
    isolate: float | None
    fix: float | None
    callback: float | None


class TrendPeriod(BaseModel):
    """A period, day by day; days without anything are left out."""

    id: str = Field(description="now, week (7 days before) or year (364 days before)")
    from_: str = Field(alias="from")
    to: str
    total: Promises
    days: list[TrendDay]


class Trend(BaseModel):
    """The period that is asked for, and two before it."""

    periods: list[TrendPeriod]


class ReportIn(BaseModel):
    """A Shanghai day."""

    day: Annotated[date, Field(strict=False, ge=date(2000, 1, 1), le=date(2100, 12, 31))]

    model_config = ConfigDict(extra="forbid")


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("drill", __name__, url_prefix="/api/v1", tag="report")

    @api.get("/figures/tickets")
    @needs(api, Permission.READ)
    @api.input(BehindIn, location="query", arg_name="query")
    @api.output(Behind)
    @api.doc(summary="指标背后的工单", description="Newest first; keyset pages: pass `next` as `after`.")
    def list_behind(query: BehindIn) -> dict[str, Any]:
        return drill.tickets(
            desk, actor(), query.asked, query.key, query.clock, query.which, query.after, query.limit, utc_now()
        )

    @api.get("/figures/trend")
    @needs(api, Permission.READ)
    @api.input(FiguresIn, location="query", arg_name="query")
    @api.output(Trend)
    @api.doc(summary="趋势: 逐日, 对比上周和去年同期")
    def get_trend(query: FiguresIn) -> dict[str, Any]:
        return drill.trend(desk, actor(), query.asked, utc_now())

    @api.get("/report.html")
    @needs(api, Permission.READ)
    @api.input(ReportIn, location="query", arg_name="query")
    @api.doc(summary="日报", description="A document to keep; who took it out is in the audit and on it.")
    def export_report(query: ReportIn) -> Response:
        document = report.taken_away(desk, actor(), query.day, utc_now())
        answer = Response(document, content_type="text/html; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="report-{query.day:%Y%m%d}.html"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return api
