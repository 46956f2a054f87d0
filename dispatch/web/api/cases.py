"""Routes of cases: one person or one address over time."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.case import DEFAULT_RHYTHM_DAYS, DEFAULT_WATCH_DAYS, MOST_DAYS, CaseKind, CaseStatus, EntryKind
from dispatch.domain.case import Solved as SolvedCase
from dispatch.domain.case import Visit as CaseVisit
from dispatch.domain.place import to_wgs84
from dispatch.domain.roles import Permission
from dispatch.services import cases, casework
from dispatch.services.desk import Desk
from dispatch.services.watching import Known as KnownCall
from dispatch.web.api.fields import Position, Text, Time, Version
from dispatch.web.api.requests import Body, KeyIn, Location, PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Login = Annotated[Text, Field(min_length=1, max_length=40)]


class KnownIn(Body):
    """The call that is on the line, as far as it is written down."""

    key: Text | None = Field(
        None, min_length=1, max_length=200, description="call of the telephone platform, or number"
    )
    address: Text = Field("", max_length=300)
    location: Location | None = Field(None, description="the caller's door; left out where it is only near")
    category: Text | None = Field(None, min_length=1, max_length=60)


class CaseIn(KnownIn):
    """A case to be opened, of a ticket or of the call that is on the line."""

    kind: Annotated[CaseKind, Field(strict=False)]
    number: Text | None = Field(None, max_length=40, description="ticket that it is opened from")
    title: Text = Field("", max_length=100, description="left out: made of what is known")
    owner: Login | None = Field(None, description="login; left out: the opener where she may, else who has the fewest")
    rhythm_days: Days = DEFAULT_RHYTHM_DAYS


class CaseIdIn(BaseModel):
    """A case, by the id in the path."""

    case_id: Position


class CasesIn(PageIn):
    """Which cases."""

    status: CaseStatus | None = None
    is_mine: bool = False
    number: Text | None = Field(None, max_length=40, description="those of this ticket")


class Seen(Body):
    """What a change may carry."""

    version: Version | None = Field(None, description="version of the case that was seen")


class VisitIn(Body):
    """What somebody did for a case."""

    kind: Annotated[EntryKind, Field(strict=False, description="visit, neighbour, phone or measure")]
    at: Time | None = Field(None, description="left out: now")
    whom: Text = Field("", max_length=100, description="whom or where; which neighbour")
    finding: Text = Field(min_length=1, max_length=1000)
    next_step: Text = Field("", max_length=300)


class SolveIn(Seen):
    """Why it happened and what came of it."""

    root_cause: Text = Field(min_length=1, max_length=40)
    note: Text = Field("", max_length=500)
    outcome: Text = Field(min_length=1, max_length=1000)
    watch_days: Days = DEFAULT_WATCH_DAYS


class ReopenIn(Seen):
    """Why."""

    note: Text = Field(min_length=1, max_length=500)


class OwnerIn(Seen):
    """Who."""

    owner: Login


class RhythmIn(Seen):
    """How often."""

    rhythm_days: Days


class LinkIn(Body):
    """A ticket."""

    number: Text = Field(min_length=1, max_length=40)


class Entry(BaseModel):
    """A line of a case's story."""

    at: str
    kind: str
    label: str
    text: str
    whom: str
    next_step: str
    by: str
    number: str | None = Field(description="ticket that it is about")
    is_visit: bool = Field(description="somebody went there")
    is_by_hand: bool


class Case(BaseModel):
    """A case in brief: numbers masked, no rooms."""

    id: int
    number: str
    kind: str
    kind_label: str
    title: str
    status: str
    status_label: str
    version: int
    owner: str
    owner_login: str
    rhythm_days: int
    category: str
    category_label: str
    phone: str | None
    address: str
    opened_at: str
    next_follow_up_at: str | None
    watched_until: str | None
    tickets: int
    visits: int = Field(description="arrivals of crews in all rounds, and visits that were noted")
    neighbours: int
    last: list[Entry]


class Neighbour(BaseModel):
    """A neighbour who was visited."""

    at: str
    whom: str
    finding: str


class LinkedTicket(BaseModel):
    """A ticket of a case."""

    number: str
    status: str
    status_label: str
    level: str
    category: str
    category_label: str
    description: str
    is_auto: bool = Field(description="linked by itself")
    received_at: str


class CaseDetail(Case):
    """A case with its whole story."""

    root_cause: str | None
    root_cause_label: str | None
    root_note: str | None
    outcome: str | None
    closed_at: str | None
    neighbours_visited: list[Neighbour]
    linked: list[LinkedTicket]
    timeline: list[Entry]


class Cases(BaseModel):
    """A page of cases, in order of what is due next."""

    items: list[Case]
    next: int | None


class Flag(BaseModel):
    """A customer flag."""

    label: str
    group: str


class Known(BaseModel):
    """What is known of a call."""

    nth_of_caller: int = Field(description="the how-manieth call of this number within 30 days; 0 without a number")
    nth_of_spot: int = Field(description="the how-manieth of its kind from this house; 0 without a house")
    is_frequent: bool
    flags: list[Flag]
    cases: list[Case]


class Owner(BaseModel):
    """Who may own a case, and how many she has."""

    login: str
    name: str
    cases: int


class Owners(BaseModel):
    """Who may own a case."""

    items: list[Owner]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("cases", __name__, url_prefix="/api/v1", tag="cases")
    _reading(api, desk)
    _working(api, desk)
    _steering(api, desk)
    return api


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/known-cases")
    @needs(api, Permission.CASE)
    @api.input(KnownIn, arg_name="body")
    @api.output(Known)
    @api.doc(
        summary="来电人和地址已知的个案、标记、第几次来电", description="Nothing is saved; a look is in the audit."
    )
    def known_cases(body: KnownIn) -> dict[str, Any]:
        point = to_wgs84(body.location.point()) if body.location else None
        told = KnownCall(phone=None, address=body.address, point=point, category=body.category)
        return cases.known(desk, actor(), told, body.key, utc_now())

    @api.get("/cases")
    @needs(api, Permission.CASE)
    @api.input(CasesIn, location="query", arg_name="query")
    @api.output(Cases)
    @api.doc(summary="个案列表", description="In order of the next follow-up; closed ones last.")
    def list_cases(query: CasesIn) -> dict[str, Any]:
        return cases.listed(desk, actor(), **query.model_dump(), now=utc_now())

    @api.get("/cases/<case_id>")
    @needs(api, Permission.CASE)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.output(CaseDetail)
    @api.doc(summary="个案经过", description="Every look is in the audit.")
    def get_case(case_id: str, path: CaseIdIn) -> dict[str, Any]:
        return cases.read(desk, actor(), path.case_id, utc_now())

    @api.get("/case-owners")
    @needs(api, Permission.CASE)
    @api.output(Owners)
    @api.doc(summary="可以负责个案的人")
    def list_owners() -> dict[str, Any]:
        return cases.owners(desk, actor())


def _working(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/cases")
    @needs(api, Permission.CASE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(CaseIn, arg_name="body")
    @api.output(CaseDetail, 201)
    @api.doc(summary="开个案", description="Where the person or house has one already, that one.")
    def open_case(key: KeyIn, body: CaseIn) -> dict[str, Any]:
        values = {name: getattr(body, name) for name in type(body).model_fields if name != "location"}
        told = cases.NewCase(**values, point=body.location.point() if body.location else None)
        return cases.open_(desk, actor(), told, body.model_dump(mode="json"), utc_now(), key.idempotency_key)

    @api.post("/cases/<case_id>/visits")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(VisitIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="记录上门、走访邻居、电话跟进或检测措施")
    def note_visit(case_id: str, path: CaseIdIn, key: KeyIn, body: VisitIn) -> dict[str, Any]:
        now = utc_now()
        visit = CaseVisit(**{**body.model_dump(), "at": body.at or now})
        told = body.model_dump(mode="json")
        return casework.note_visit(desk, actor(), path.case_id, visit, told, now, key.idempotency_key)

    @api.post("/cases/<case_id>/tickets")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(LinkIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="关联工单", description="Once more changes nothing.")
    def link_ticket(case_id: str, path: CaseIdIn, body: LinkIn) -> dict[str, Any]:
        return casework.link(desk, actor(), path.case_id, body.number, utc_now())


def _steering(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/cases/<case_id>/solve")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(SolveIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="结案", description="It is watched for a time: the next call within it opens the case again.")
    def solve_case(case_id: str, path: CaseIdIn, body: SolveIn) -> dict[str, Any]:
        told = SolvedCase(**body.model_dump(exclude={"version"}))
        return casework.solve(desk, actor(), path.case_id, told, body.version, utc_now())

    @api.post("/cases/<case_id>/reopen")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(ReopenIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="重开个案")
    def reopen_case(case_id: str, path: CaseIdIn, body: ReopenIn) -> dict[str, Any]:
        return casework.reopen(desk, actor(), path.case_id, body.note, body.version, utc_now())

    @api.post("/cases/<case_id>/owner")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(OwnerIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="移交个案")
    def hand_over_case(case_id: str, path: CaseIdIn, body: OwnerIn) -> dict[str, Any]:
        return casework.hand_over(desk, actor(), path.case_id, body.owner, body.version, utc_now())

    @api.post("/cases/<case_id>/rhythm")
    @needs(api, Permission.CASEWORK)
    @api.input(CaseIdIn, location="path", arg_name="path")
    @api.input(RhythmIn, arg_name="body")
    @api.output(CaseDetail)
    @api.doc(summary="改跟进周期")
    def pace_case(case_id: str, path: CaseIdIn, body: RhythmIn) -> dict[str, Any]:
        return casework.pace(desk, actor(), path.case_id, body.rhythm_days, body.version, utc_now())
