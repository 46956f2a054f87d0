"""Routes of the boards: counters and queue, crews on the map, teams and who could take a ticket over."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Permission
from dispatch.services import candidates, queue
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from dispatch.web.api.fields import Position, Text, split
from dispatch.web.api.requests import NumberIn
from dispatch.web.api.responses import Exclusion, Ticket, Time, Travel
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class BoardIn(BaseModel):
    """Filters of a board; several values of one filter are separated by commas."""

    branch: Text | None = Field(None, max_length=60)
    zone_id: Text | None = Field(None, max_length=60)
    category: Text | None = Field(None, max_length=300)
    level: Text | None = Field(None, max_length=60)
    team_id: Text | None = Field(None, max_length=60)
    after: Position = Field(0, description="`next` of the page before")
    limit: int = Field(100, ge=0, le=200, description="tickets of each kind; 0 for the counters alone")

    model_config = ConfigDict(extra="forbid")

    def wanted(self) -> Filter:
        """Return the filter of the services."""
        return Filter(
            branch=self.branch,
            zone_id=self.zone_id,
            categories=split(self.category),
            levels=split(self.level),
            team_id=self.team_id,
        )


class Lamp(BaseModel):
    """Whether somebody watches the clocks: ok, late or down."""

    status: str
    late_s: float
    heartbeat_at: Time
    heartbeat_age_s: float | None
    outbox_waiting_s: float


class Counters(BaseModel):
    """How much of what there is, within the filter."""

    open: int
    unassigned: int = Field(description="no team has them")
    near_breach: int = Field(description="a clock has used 80 %, none is overdue")
    breached: int = Field(description="a clock is overdue")
    unanswered: int = Field(description="steps of the ladder, at the breach or beyond, without an answer")
    on_hold: int
    requests: int = Field(description="holds and extensions that crews ask for")
    closed_today: int


class Board(BaseModel):
    """What a board shows."""

    server_time: str
    lamp: Lamp
    counters: Counters
    rescuable: list[Ticket] = Field(description="past 80 % of a clock and not overdue, the most pressing first")
    items: list[Ticket] = Field(description="without a team; then by the next breach; then those that rest")
    next: int | None


class TeamLoad(BaseModel):
    """A team and how loaded it is."""

    team_id: str
    name: str
    branch: str | None
    zone_ids: list[str]
    open: int
    breached: int
    on_shift: int = Field(description="members who told their place within 15 minutes")


class TeamLoads(BaseModel):
    """All teams."""

    items: list[TeamLoad]


class Candidate(BaseModel):
    """A team that could take the ticket over."""

    team_id: str
    name: str
    branch: str | None
    reason: str = Field(description="own, neighbour, branch or nearest")
    away_m: float | None = Field(description="metres from the place to its grid")
    load: int = Field(description="its open tickets")
    person: str | None = Field(description="of its people the one who should go")
    travel: Travel | None
    worked_h: float | None = Field(description="hours on duty of that person within the last 24, by the roster")
    exclusions: list[Exclusion] = Field(description="what speaks against that person; nothing for a recommended team")


class Candidates(BaseModel):
    """Teams for a ticket, the best first."""

    items: list[Candidate]
    warning: str | None = Field(description="where nobody is expected in time")


class CrewPosition(BaseModel):
    """Where somebody on shift was last, in WGS-84."""

    user_id: int
    name: str
    team_id: str | None
    lon: float
    lat: float
    accuracy_m: float | None
    at: str


class CrewPositions(BaseModel):
    """Who is on shift, and where."""

    items: list[CrewPosition]
    server_time: str


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("board", __name__, url_prefix="/api/v1", tag="board")

    @api.get("/board")
    @needs(api, Permission.READ)
    @api.input(BoardIn, location="query", arg_name="query")
    @api.output(Board)
    @api.doc(summary="看板: 计数、可挽回和按超时先后的队列", description="Keyset pages: pass `next` as `after`.")
    def get_board(query: BoardIn) -> dict[str, Any]:
        return queue.board(desk, actor(), query.wanted(), after=query.after, limit=query.limit, now=utc_now())

    @api.get("/board/teams")
    @needs(api, Permission.READ)
    @api.output(TeamLoads)
    @api.doc(summary="各班组的在办、超时和在岗")
    def list_team_loads() -> dict[str, Any]:
        return {"items": queue.teams(desk, actor(), utc_now())}

    @api.get("/positions")
    @needs(api, Permission.READ)
    @api.output(CrewPositions)
    @api.doc(summary="在岗水管家的最近位置", description="Of the last 15 minutes.")
    def list_positions() -> dict[str, Any]:
        now = utc_now()
        return {"items": queue.positions(desk, actor(), now), "server_time": now.isoformat()}

    @api.get("/tickets/<number>/candidates")
    @needs(api, Permission.READ)
    @api.input(NumberIn, location="path", arg_name="path")
    @api.output(Candidates)
    @api.doc(summary="可改派的班组和理由")
    def list_candidates(number: str, path: NumberIn) -> dict[str, Any]:
        return candidates.candidates(desk, actor(), number, utc_now())

    return api
