"""What the API answers with. The services make these forms; here is their contract."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from dispatch.web.api.callback_forms import CallbackHistory
from dispatch.web.api.suggested import SimilarTicket, Water

Time = str | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Clock(BaseModel):
    """One promise, and how it stands."""

    kind: str
    label: str
    round: int
    state: str = Field(description="running, met, breached, paused or void")
    start_at: str
    due_at: str
    original_due_at: str
    met_at: Time
    breached_at: Time
    noticed_at: Time
    resume_at: Time
    rescue_at: str = Field(description="from then on 80 % is used, or the way there takes longer than is left")
    travel_s: float | None = Field(description="seconds that its crew is expected to need to the place")
    travel_kind: str | None = Field(description="what that is estimated on: road, line or service")
    basis: str = Field(description="where the limit comes from")


class Travel(BaseModel):
    """How long somebody needs to a place."""

    low_s: int
    high_s: int
    expected_s: int
    kind: str = Field(description="road, line or service")
    samples: int = Field(description="observed ways by which the estimate is corrected, 0 for none")
    text: str


class Exclusion(BaseModel):
    """Why somebody is not recommended."""

    code: str = Field(description="off_duty, no_position, off_shift, stale, busy, late or unreachable")
    values: dict[str, int]
    text: str


class Choice(BaseModel):
    """Somebody who could go."""

    part: str = Field(description="responsible, backup or nearest")
    team_id: str
    team_name: str
    name: str | None
    in_hand: int = Field(description="tickets that the team has in hand")
    worked_h: float | None = Field(None, description="hours on duty within the last 24, by the roster")
    travel: Travel | None
    exclusions: list[Exclusion]


class Advice(BaseModel):
    """Who should go."""

    warning: str | None = Field(description="where nobody is expected in time")
    left_s: float | None = Field(description="seconds left of the arrival clock")
    items: list[Choice] = Field(description="recommended, the best first")
    excluded: list[Choice]


class Recommendation(Advice):
    """Who could go when the ticket went to its team, as it was told then."""

    team_id: str
    made_at: str


class TicketIncident(Water):
    """The incident that a ticket belongs to, and how many it is about."""

    number: str
    status: str = Field(description="proposed, open, closed or dismissed")
    title: str
    lead: str | None = Field(description="the ticket that is the crew's one job")
    tickets: int
    callers: int = Field(description="distinct numbers that called; a call without a number counts as one")


class Ticket(BaseModel):
    """A ticket without personal data of the caller."""

    number: str
    version: int
    status: str
    status_label: str
    round: int
    level: str
    level_label: str
    category: str
    category_label: str
    area: str
    policy_version: str
    team_id: str | None
    branch: str | None
    steward: str | None
    zone_id: str | None
    zone_set_id: int | None
    route_status: str
    route_reason: str = Field(description="why it went where it went")
    lon: float | None
    lat: float | None
    address: str
    description: str
    pipe_dn: int | None
    assisting: list[str]
    is_supervised: bool
    urge_count: int
    unanswered: int = Field(description="steps of its ladder, at the breach or beyond, that nobody has answered")
    callback_attempts: int
    is_solved: bool | None
    is_satisfied: bool | None
    merged_into: str | None
    nth_call: int | None = Field(description="the how-manieth call of its caller or house, where there were many")
    flags: list[str] = Field(description="customer flags that hold for it, e.g. 医院")
    outcome: str | None = Field(description="how the last 完工 left it: fixed or temporary")
    temporary_kind: str | None
    follow_up_of: str | None = Field(description="number of the ticket whose rest this one is")
    rework_of: str | None = Field(description="number of the ticket whose work was not good enough for one caller")
    received_at: str
    appointment_at: Time
    ended_at: Time
    is_carried: bool = Field(description="has no crew job of its own: it goes along with the lead of its incident")
    incident: TicketIncident | None
    verbs: list[str] = Field(description="what its state allows next")
    clocks: list[Clock]


class Call(BaseModel):
    """A call of a ticket, its number masked."""

    call_id: int
    outcome: str
    category: str
    description: str
    answers: dict[str, Any]
    called_at: str
    caller_phone: str | None


class Event(BaseModel):
    """A line of the timeline."""

    kind: str
    text: str
    from_status: str | None
    to_status: str
    time_source: str
    at: str
    effective_at: str


class Escalation(BaseModel):
    """A step of the ladder that fired."""

    id: int
    number: str
    clock: str
    round: int
    step: int
    ratio: float
    label: str
    recipients: list[str]
    scheduled_at: str
    fired_at: str
    late_s: float
    acknowledged_at: Time
    acknowledged_by: str | None


class Rating(BaseModel):
    """What the caller thinks of a round of work."""

    stars: int = Field(description="1 to 5")
    words: str
    round: int
    at: str


class Suggestion(BaseModel):
    """Where online geocoders think that a ticket without a place is; a person decides."""

    state: str = Field(description="waiting, leased, suggested, unknown, given_up or moot")
    note: str
    label: str | None
    level: str | None
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    zone_id: str | None
    confidence: float | None
    source: str | None
    answered_at: Time


class FollowUp(BaseModel):
    """The ticket for what a temporary fix has left."""

    number: str
    status: str
    status_label: str
    appointment_at: Time


class TicketDetail(Ticket):
    """A ticket with all that happened to it."""

    callbacks: list[CallbackHistory]
    reworked_by: list[str] = Field(description="numbers of the tickets of single callers that it did not help")
    rating: Rating | None = Field(description="of the last round that was rated")
    recommendation: Recommendation | None = Field(description="who could go when it went to its team")
    suggestion: Suggestion | None = Field(description="null where nobody was asked")
    follow_ups: list[FollowUp] = Field(description="opened by temporary fixes of this one")
    calls: list[Call]
    timeline: list[Event]
    escalations: list[Escalation]


class KnownOutage(BaseModel):
    """The outage that a call is answered with."""

    id: int
    title: str
    text: str = Field(description="what the caller is told")


class Receipt(BaseModel):
    """What became of a call."""

    call_id: int
    outcome: str = Field(description="ticket, attached or answered")
    ticket: Ticket | None
    suggestions: list[SimilarTicket] = Field(description="open tickets that it may be about too; nothing was joined")
    outage: KnownOutage | None = Field(description="set where it answered the call, and nobody is sent")


class Tickets(BaseModel):
    """A page of tickets."""

    items: list[Ticket]
    next: int | None


class Escalations(BaseModel):
    """A page of fired steps."""

    items: list[Escalation]
    next: int | None


class AuditEntry(BaseModel):
    """Who did or saw what; `seq` and `hash` are its place in the chain, once sealed."""

    id: int
    at: str
    actor_id: int
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    seq: int | None
    hash: str | None


class Audit(BaseModel):
    """A page of the audit."""

    items: list[AuditEntry]
    next: int | None


class Steward(BaseModel):
    """A steward of a team."""

    id: str
    name: str
    rank: str


class Team(BaseModel):
    """A grid team."""

    id: str
    name: str
    branch: str | None
    stewards: list[Steward]


class Teams(BaseModel):
    """All teams."""

    items: list[Team]


class Route(BaseModel):
    """Where a pin would go."""

    status: str
    reason: str
    zone_id: str | None
    zone_name: str | None
    boundary_m: float | None
    neighbour_zone_id: str | None
    neighbour_m: float | None
    team_id: str | None
    team_name: str | None
    steward: str | None
    area: str


class Category(BaseModel):
    """A category with its script."""

    id: str
    label: str
    level: str | None
    questions: list[dict[str, Any]]


class NamedLevel(BaseModel):
    """A level of urgency."""

    id: str
    label: str


class Categories(BaseModel):
    """The levels, categories and coded reasons by verb of a version of the policy."""

    policy_version: str
    levels: list[NamedLevel] = Field(description="the most urgent first")
    items: list[Category]
    reasons: dict[str, dict[str, str]]
    temporary: dict[str, str] = Field(description="kinds of temporary fixes by code")


class GeocoderState(BaseModel):
    """An online geocoder that is on, and how its circuit breaker stood last."""

    name: str
    state: str = Field(description="unused, closed, open or half-open")
    fault: str = Field(description="its last failure in words, empty after an answer")
    since: Time


class Health(BaseModel):
    """The lamp: ok, late or down."""

    status: str
    now: str
    late_s: float
    next_due_at: Time
    heartbeat_at: Time
    heartbeat_age_s: float | None
    outbox_waiting_s: float
    geocoders: list[GeocoderState] = Field(description="empty where they are off; none of them turns the lamp red")


class FieldError(BaseModel):
    """One field at fault."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    field: str | None = None
    errors: list[FieldError] | None = None
    claimed_by: str | None = None
    current_status: str | None = None
    current_version: int | None = None
    ticket: dict[str, Any] | None = None
    draft: dict[str, Any] | None = None
    doubts: list[str] | None = None
    problems: list[dict[str, Any]] | None = None
    findings: list[dict[str, Any]] | None = None
    holes: list[dict[str, Any]] | None = None
    zone_hours: float | None = None
