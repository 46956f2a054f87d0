"""Routes of the agent's console: who calls, where it would go, and what is open nearby."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Permission
from dispatch.services import console
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Answer, Diameter, Text, Time
from dispatch.web.api.outages import Outage
from dispatch.web.api.requests import Body, Location, RouteIn
from dispatch.web.api.responses import Advice, KnownOutage, Route, Ticket
from dispatch.web.api.responses import Time as TimeOut
from dispatch.web.api.suggested import SimilarTicket
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class CallerIn(BaseModel):
    """A call of the telephone platform, or a number."""

    key: Text = Field(min_length=1, max_length=200)


class PastCall(BaseModel):
    """A call of this number, and what became of it."""

    call_id: int
    called_at: str
    outcome: str
    category: str
    category_label: str
    description: str
    address: str
    answer: str | None
    number: str | None = Field(description="ticket that it became or joined")
    status: str | None
    status_label: str | None


class Household(BaseModel):
    """What is known of a number."""

    caller_phone: str | None
    is_revealed: bool
    names: list[str]
    calls_30d: int = Field(description="calls within 30 days")
    is_frequent: bool
    open_tickets: list[Ticket]
    calls: list[PastCall] = Field(description="the last five")


class PreviewIn(Body):
    """A call as far as it is written down."""

    called_at: Time
    category: Text | None = Field(None, min_length=1, max_length=60)
    answers: dict[Annotated[Text, Field(max_length=60)], Answer] = Field(default_factory=dict, max_length=20)
    location: Location | None = None
    is_approximate: bool = Field(False, description="as in POST /calls")
    address: Text = Field("", max_length=300)
    description: Text = Field("", max_length=2000)
    caller_phone: Text | None = Field(None, max_length=21, description="by it alone no ticket is told of")
    pipe_dn: Diameter | None = None
    appointment_at: Time | None = None

    def sketch(self) -> console.Sketch:
        """Return the sketch of the services."""
        told = {name: getattr(self, name) for name in type(self).model_fields if name != "location"}
        return console.Sketch(**told, point=self.location.point() if self.location else None)


class Promise(BaseModel):
    """When something would be due."""

    kind: str
    label: str
    due_at: TimeOut = Field(description="null until an appointment is made")
    basis: str


class DatumDoubt(BaseModel):
    """A datum that is likely the wrong one."""

    values: dict[str, str | int] = Field(description="declared, better, label, away and near (metres)")
    text: str


class Preview(Route):
    """Where the call would go, and what would be due when."""

    lon: float | None = Field(description="WGS-84")
    lat: float | None
    level: str | None
    level_label: str | None
    needs_appointment: bool
    clocks: list[Promise]
    care: str | None = Field(description="customer flags and what they change, in words")
    suggestions: list[SimilarTicket] = Field(description="open tickets that it may be about, the most likely first")
    doubt: DatumDoubt | None = Field(description="where the point fits the address much better in another datum")
    outages: list[Outage] = Field(description="notices that touch this grid and hold now or will")
    answered_by: KnownOutage | None = Field(description="what the call is answered with instead of a dispatch")
    advice: Advice | None = Field(description="who should go; null without a place in the city")


class GridsIn(BaseModel):
    """Part of a grid's name."""

    q: Text = Field(min_length=1, max_length=60)

    model_config = ConfigDict(extra="forbid")


class Grid(BaseModel):
    """A grid with a place inside it, which is not the caller's."""

    zone_id: str
    name: str
    branch: str | None
    lon: float = Field(description="WGS-84, about the middle of the grid")
    lat: float


class Grids(BaseModel):
    """Grids by name."""

    items: list[Grid]


class NearbyIn(RouteIn):
    """Around a pin."""

    radius_m: float = Field(500, gt=0, le=5000)


class NearTicket(Ticket):
    """An open ticket and how far away it is."""

    distance_m: float


class NearTickets(BaseModel):
    """Open tickets around a place, nearest first."""

    items: list[NearTicket]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("console", __name__, url_prefix="/api/v1", tag="console")

    @api.get("/callers/<key>")
    @needs(api, Permission.CALL)
    @api.input(CallerIn, location="path", arg_name="path")
    @api.output(Household)
    @api.doc(summary="来电用户: 未结工单和最近来电", description="By call id or number; every look is in the audit.")
    def get_caller(key: str, path: CallerIn) -> dict[str, Any]:
        return console.caller(desk, actor(), key, utc_now())

    @api.post("/preview")
    @needs(api, Permission.CALL)
    @api.input(PreviewIn, arg_name="body")
    @api.output(Preview)
    @api.doc(summary="试派: 将派给谁、何时到期", description="Nothing is saved.")
    def preview(body: PreviewIn) -> dict[str, Any]:
        return console.preview(desk, actor(), body.sketch(), utc_now())

    @api.get("/grids")
    @needs(api, Permission.CALL)
    @api.input(GridsIn, location="query", arg_name="query")
    @api.output(Grids)
    @api.doc(summary="按名称查网格")
    def list_grids(query: GridsIn) -> dict[str, Any]:
        return console.grids(desk, actor(), query.q, utc_now())

    @api.get("/nearby")
    @needs(api, Permission.CALL)
    @api.input(NearbyIn, location="query", arg_name="pin")
    @api.output(NearTickets)
    @api.doc(summary="附近的未结工单")
    def list_nearby(pin: NearbyIn) -> dict[str, Any]:
        return console.nearby(desk, actor(), pin.point(), pin.radius_m, utc_now())

    return api
