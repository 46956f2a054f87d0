"""What the routes of rosters answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from dispatch.web.api.responses import Time


class PassedOver(BaseModel):
    """Somebody who would have come first."""

    person_id: str
    name: str
    why: str


class OnDuty(BaseModel):
    """Who answers for a team or a post; without a person it is a hole."""

    unit_id: str
    unit: str = Field(description="its name; the id where no roster names it")
    person_id: str | None
    name: str | None
    reason: str
    passed_over: list[PassedOver]


class RosterName(BaseModel):
    """Which roster."""

    id: int
    name: str
    is_sample: bool


class Duty(BaseModel):
    """Who is responsible for a place at a moment, and why."""

    at: str
    at_text: str = Field(description="the moment in Shanghai, for people")
    status: str = Field(description="how the place was found, as of a routed point")
    place_reason: str
    zone_id: str | None
    zone_name: str | None
    branch: str | None
    team_id: str | None
    team_name: str | None
    roster: RosterName | None = Field(description="null: none is published, the order of the teams holds")
    responsible: OnDuty | None = Field(description="null where no team answers for the place")
    backup: OnDuty | None
    above: list[OnDuty] = Field(description="the on-call chain, lowest first")


class RosterHead(RosterName):
    """A roster without its content."""

    made_by: str
    made_at: str
    valid_from: Time
    published_by: str | None
    published_at: Time
    note: str | None
    uncovered_h: float | None = Field(description="zone-hours without anybody that were accepted")
    is_live: bool


class RosterHeads(BaseModel):
    """All rosters, the last one first."""

    items: list[RosterHead]


class RosterFinding(BaseModel):
    """Something odd."""

    section: str
    row: int | None
    field: str
    text: str
    is_fatal: bool


class Uncovered(BaseModel):
    """A time without anybody."""

    unit_id: str
    zone_ids: list[str]
    start_at: str
    end_at: str
    zone_hours: float


class RosterShown(RosterHead):
    """A roster with what is odd about it, and the hours of four weeks without anybody."""

    body: dict[str, Any]
    findings: list[RosterFinding]
    checked_from: str
    checked_to: str
    zone_hours: float
    holes: list[Uncovered]
    hole_count: int


class Span(BaseModel):
    """A time."""

    start_at: str
    end_at: str


class UnitHole(Span):
    """A time without anybody that a change has opened."""

    unit_id: str
    unit: str


class LeftOpen(BaseModel):
    """What a change leaves without anybody."""

    holes: list[UnitHole] = []


class Changed(LeftOpen):
    """Leave or a swap that was entered or taken back."""

    id: int


class WeekDuty(Span):
    """A shift of a day."""

    shift: str
    hours: str
    is_swapped: bool
    is_away: bool = Field(description="for a part of it, or the whole, its person is on leave")
    by: list[str] = Field(description="who does it instead")


class WeekRow(BaseModel):
    """A person in a unit."""

    person_id: str
    name: str
    rank: str = Field(description="A, B, C or lead")
    worked_h: float = Field(description="hours on duty in this week, in all units")
    days: list[list[WeekDuty]]


class WeekUnit(BaseModel):
    """A team or post."""

    id: str
    name: str
    branch: str | None = Field(description="null: of the whole company")
    in_hand: int = Field(description="open tickets of the team")
    rows: list[WeekRow]
    holes: list[list[Span]]


class WeekPerson(BaseModel):
    """Somebody on the roster."""

    id: str
    name: str


class WeekLeave(Span):
    """Leave."""

    id: int
    person_id: str
    name: str
    reason: str
    cover_id: str | None
    cover: str | None
    made_by: str


class WeekSwap(BaseModel):
    """A swap."""

    id: int
    unit_id: str
    owner_id: str
    owner: str
    day: str
    taker_id: str
    taker: str
    back_day: str | None
    note: str
    made_by: str


class Week(BaseModel):
    """A week of one branch."""

    monday: str
    days: list[str]
    has_roster: list[bool] = Field(description="for each day; before the first roster the order of the teams holds")
    roster: RosterName | None
    branches: list[str]
    branch: str | None
    units: list[WeekUnit] = Field(description="as they are called: each before who stands above it")
    people: list[WeekPerson] = Field(description="like leaves and swaps for those who make rosters, else empty")
    leaves: list[WeekLeave]
    swaps: list[WeekSwap]
