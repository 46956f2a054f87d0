"""Routes of incidents: one burst, many tickets and callers."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from dispatch.domain.incident import IncidentStatus
from dispatch.domain.roles import Permission
from dispatch.domain.shape import LONGEST_M, MOST_POINTS
from dispatch.services import incident_facts, incident_forms, incident_members
from dispatch.services import incidents as service
from dispatch.services.desk import Desk
from dispatch.services.incident_facts import How, Outline
from dispatch.services.incidents import MOST_TICKETS, Wish
from dispatch.web.api.fields import Text, Time, split
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

Number = Annotated[Text, Field(min_length=1, max_length=40)]
Numbers = Annotated[list[Number], Field(max_length=MOST_TICKETS)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


def _known(text: str) -> str:
    if any(part not in set(IncidentStatus) for part in split(text)):
        raise PydanticCustomError("status", f"只能取 {', '.join(IncidentStatus)}, 多个用逗号分隔")
    return text


_ONE = f" *({'|'.join(IncidentStatus)})? *"
Statuses = Annotated[Text, AfterValidator(_known)]


class IncidentsIn(PageIn):
    """Filter of the incidents."""

    status: Statuses | None = Field(
        None,
        max_length=100,
        description="comma-separated: " + ", ".join(IncidentStatus),
        json_schema_extra={"pattern": f"^{_ONE}(,{_ONE})*$"},
    )


class IncidentNumberIn(BaseModel):
    """An incident, by the number in the path."""

    incident: Text = Field(max_length=20, description="e.g. E000012")


class OpenIn(Body):
    """An incident to be opened."""

    lead: Number = Field(description="the ticket that stays the crew's one job")
    tickets: Numbers = Field(default_factory=list, description="those that go along")
    title: Text = Field("", max_length=120, description="left out: category and address of the lead")


class ConfirmIn(Body):
    """Which tickets of a proposal are one incident."""

    lead: Number | None = Field(None, description="left out: the first of them")
    tickets: Numbers


class WhyIn(Body):
    """A word why."""

    note: Text = Field(min_length=1, max_length=500)


class JoinIn(Body):
    """Tickets that join."""

    tickets: Annotated[Numbers, Field(min_length=1)]


class SplitIn(WhyIn):
    """A ticket that is let out."""

    ticket: Number
    team_id: Text | None = Field(None, min_length=1, max_length=60, description="left out: the team of its grid")


class LeadIn(Body):
    """Which ticket leads from now on."""

    ticket: Number


class AbsorbIn(Body):
    """Which incident is the same as this one."""

    incident: Annotated[Text, Field(min_length=1, max_length=20)]


class AreaIn(Body):
    """The area, told in one of three ways."""

    ring: list[Pair] | None = Field(
        None, min_length=3, max_length=MOST_POINTS, description="corners [lon, lat] in WGS-84 as somebody drew them"
    )
    metres: float | None = Field(None, gt=0, le=LONGEST_M, description="so far round the hull of its tickets")
    zone_ids: list[Annotated[Text, Field(min_length=1, max_length=60)]] | None = Field(
        None, min_length=1, max_length=200, description="the union of grids"
    )


class EstimateIn(Body):
    """How many households it may touch."""

    how: Annotated[How, Field(strict=False)] = Field(description="what `value` is: the number itself, or per what")
    value: float = Field(ge=0, le=10_000_000)
    basis: Text = Field(min_length=1, max_length=300, description="where that number comes from")


class TimesIn(Body):
    """When water was stopped, is expected back, or came back; what is left out stays."""

    isolated_at: Time | None = None
    restore_expected_at: Time | None = None
    restored_at: Time | None = None


class CloseIn(Body):
    """The end of an incident."""

    note: Text = Field("", max_length=500)
    is_done: bool = Field(False, description="say by this that the crew's work is done, where it is at work")


class Incident(BaseModel):
    """One incident."""

    id: int
    number: str
    status: str = Field(description="proposed, open, closed or dismissed")
    status_label: str
    version: int
    title: str
    category: str
    category_label: str
    reason: str = Field(description="how it came up")
    lead: str | None = Field(description="the ticket that is the crew's one job")
    ticket_count: int
    suggested_count: int
    callers: int = Field(description="distinct numbers that called; a call without a number counts as one")
    area: dict[str, Any] | None = Field(description="GeoJSON geometry in WGS-84")
    area_how: dict[str, Any] | None = Field(description="drawn, around (with metres) or grids (with zone_ids)")
    affected_users: int | None = Field(description="an estimate")
    affected_basis: str | None = Field(description="what the estimate stands on")
    isolated_at: str | None
    restore_expected_at: str | None
    restored_at: str | None
    created_at: str
    decided_at: str | None
    closed_at: str | None


class IncidentTicket(BaseModel):
    """A ticket of an incident, or one that is suggested for it."""

    number: str
    status: str
    status_label: str
    version: int
    category: str
    team_id: str | None
    zone_id: str | None
    address: str
    description: str
    lon: float | None
    lat: float | None
    received_at: str
    calls: int
    is_lead: bool


class IncidentEvent(BaseModel):
    """A line of an incident's timeline."""

    at: str
    kind: str
    text: str


class IncidentDetail(Incident):
    """One incident with its tickets."""

    tickets: list[IncidentTicket]
    suggested: list[IncidentTicket] = Field(description="of no incident yet; only a person lets them join")
    timeline: list[IncidentEvent]


class Incidents(BaseModel):
    """A page of incidents."""

    items: list[Incident]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("incidents", __name__, url_prefix="/api/v1", tag="incidents")
    _reading(api, desk)
    _beginning(api, desk)
    _members(api, desk)
    _facts(api, desk)
    return api


def _wish(desk: Desk, what: str, path: IncidentNumberIn | None, key: KeyIn, body: Body) -> Wish:
    """Return who wants what; a key is for one wish about one incident."""
    told = {"what": what, "incident": path and path.incident, **body.model_dump(mode="json")}
    return Wish(desk, actor(), told, utc_now(), key.idempotency_key)


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/incidents")
    @needs(api, Permission.READ)
    @api.input(IncidentsIn, location="query", arg_name="query")
    @api.output(Incidents)
    @api.doc(summary="事件列表", description="Newest first; keyset pages: pass `next` as `after`.")
    def list_incidents(query: IncidentsIn) -> dict[str, Any]:
        now, statuses = utc_now(), split(query.status)
        return incident_forms.listed(desk, actor(), statuses=statuses, after=query.after, limit=query.limit, now=now)

    @api.get("/incidents/<incident>")
    @needs(api, Permission.READ)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.output(IncidentDetail)
    @api.doc(summary="事件详情: 工单、建议加入、经过")
    def get_incident(incident: str, path: IncidentNumberIn) -> dict[str, Any]:
        return incident_forms.get(desk, actor(), path.incident, utc_now())


def _beginning(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/incidents")
    @needs(api, Permission.INCIDENT)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(OpenIn, arg_name="body")
    @api.output(IncidentDetail, 201)
    @api.doc(summary="开立事件", description="One ticket leads and stays the crew's one job; the others go along.")
    def open_incident(key: KeyIn, body: OpenIn) -> dict[str, Any]:
        return service.open_(_wish(desk, "open", None, key, body), body.lead, body.tickets, body.title)

    @api.post("/incidents/<incident>/confirm")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(ConfirmIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="确认提议的事件")
    def confirm_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: ConfirmIn) -> dict[str, Any]:
        return service.confirm(_wish(desk, "confirm", path, key, body), path.incident, body.lead, body.tickets)

    @api.post("/incidents/<incident>/dismiss")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(WhyIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="认定不是事件", description="A proposal, or an incident in which its lead is alone.")
    def dismiss_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: WhyIn) -> dict[str, Any]:
        return service.dismiss(_wish(desk, "dismiss", path, key, body), path.incident, body.note)

    @api.post("/incidents/<incident>/close")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(CloseIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="关闭事件", description="Once the work of its lead is done; with `is_done` by this.")
    def close_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: CloseIn) -> dict[str, Any]:
        wish = _wish(desk, "close", path, key, body)
        return service.close(wish, path.incident, body.note, is_done=body.is_done)


def _members(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/incidents/<incident>/join")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(JoinIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="工单加入事件", description="They keep their clocks and follow the ticket that leads.")
    def join_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: JoinIn) -> dict[str, Any]:
        return service.join(_wish(desk, "join", path, key, body), path.incident, body.tickets)

    @api.post("/incidents/<incident>/split")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(SplitIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="工单移出事件", description="It keeps clocks and history, and gets a crew job of its own.")
    def split_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: SplitIn) -> dict[str, Any]:
        wish = _wish(desk, "split", path, key, body)
        return incident_members.split(wish, path.incident, body.ticket, body.team_id, body.note)

    @api.post("/incidents/<incident>/lead")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(LeadIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="换牵头工单")
    def lead_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: LeadIn) -> dict[str, Any]:
        return incident_members.lead(_wish(desk, "lead", path, key, body), path.incident, body.ticket)

    @api.post("/incidents/<incident>/absorb")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(AbsorbIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="并入另一事件", description="All tickets of the other one go over, and it ends.")
    def absorb_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: AbsorbIn) -> dict[str, Any]:
        return incident_members.absorb(_wish(desk, "absorb", path, key, body), path.incident, body.incident)


def _facts(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/incidents/<incident>/area")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(AreaIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="影响范围: 手绘、按距离或按网格")
    def area_of_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: AreaIn) -> dict[str, Any]:
        wish = _wish(desk, "area", path, key, body)
        return incident_facts.outline(wish, path.incident, Outline(**body.model_dump()))

    @api.post("/incidents/<incident>/estimate")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(EstimateIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="估计影响户数, 须写明依据")
    def estimate_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: EstimateIn) -> dict[str, Any]:
        wish = _wish(desk, "estimate", path, key, body)
        return incident_facts.estimate(wish, path.incident, body.how, body.value, body.basis)

    @api.post("/incidents/<incident>/times")
    @needs(api, Permission.INCIDENT)
    @api.input(IncidentNumberIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(TimesIn, arg_name="body")
    @api.output(IncidentDetail)
    @api.doc(summary="止水、预计恢复和恢复供水的时间")
    def times_of_incident(incident: str, path: IncidentNumberIn, key: KeyIn, body: TimesIn) -> dict[str, Any]:
        told = {name: at for name, at in body.model_dump().items() if at is not None}
        return incident_facts.times(_wish(desk, "times", path, key, body), path.incident, told)
