"""What the API takes in. Strict: a number is no text, an unknown field is an error."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.call import NewCall
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum, Point, point_of
from dispatch.domain.states import Status, Verb
from dispatch.domain.temporary import Fix, Temporary
from dispatch.services.actions import Action
from dispatch.web.api.fields import STATUSES, Answer, Diameter, Key, Position, Statuses, Text, Time, Version


class Body(BaseModel):
    """Base of all JSON bodies."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Location(Body):
    """A pin with its datum."""

    lon: float = Field(ge=-180, le=180, description="degrees east")
    lat: float = Field(ge=-90, le=90, description="degrees north")
    datum: Annotated[Datum, Field(strict=False)] = Field(description="what the pair is measured against")

    def point(self) -> Point:
        """Return the point of this pin."""
        return point_of(self.lon, self.lat, self.datum)


class CallIn(Body):
    """One call, as the agent or the telephone system tells it."""

    called_at: Time | None = Field(None, description="when it came in; left out: now")
    category: Text = Field(min_length=1, max_length=60)
    description: Text = Field("", max_length=2000)
    cti_call_id: Key | None = None
    caller_phone: Text | None = Field(None, max_length=21, description="digits, may start with +")
    caller_name: Text | None = Field(None, max_length=60)
    location: Location | None = None
    is_approximate: bool = Field(False, description="the location is the middle of something larger, not the door")
    address: Text = Field("", max_length=300)
    answers: dict[Annotated[Text, Field(max_length=60)], Answer] = Field(default_factory=dict, max_length=20)
    pipe_dn: Diameter | None = Field(None, description="pipe diameter in mm")
    appointment_at: Time | None = Field(None, description="only where the level goes by appointment")
    attach_to: Text | None = Field(
        None, max_length=40, description="number of the ticket to join; it keeps its own pipe_dn and appointment_at"
    )
    answer: Text | None = Field(None, max_length=2000, description="what was answered; for 咨询 only")
    not_same: list[Annotated[Text, Field(max_length=40)]] = Field(
        default_factory=list, max_length=20, description="numbers of suggested tickets that are about something else"
    )
    override_outage: bool = Field(False, description="dispatch although a known outage would answer it")
    article_id: Position | None = Field(None, description="article that it was answered by; for 咨询 only")
    article_version: Version | None = Field(None, description="version of it that was read; left out: the current one")

    def call(self, now: datetime) -> NewCall:
        """Return the call of the domain, which came in `now` where no other time is told."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "location"}
        values |= {"called_at": self.called_at or now, "not_same": tuple(dict.fromkeys(self.not_same))}
        return NewCall(**values, point=self.location.point() if self.location else None)


# Without a time: one that is written down is refused a week later.
CALL_EXAMPLE = {
    "category": "no_water",
    "description": "整栋楼都停水了",
    "cti_call_id": "cti-000017",
    "caller_phone": "13000000001",
    "caller_name": "李娭毑",
    "location": {"lon": 112.97, "lat": 28.19, "datum": "wgs84"},
    "address": "天心区坡子街 12 号",
}


class ActionIn(Body):
    """What every verb may carry."""

    version: Version | None = Field(None, description="version of the ticket that was seen")
    device_at: Time | None = Field(None, description="the phone's own time of the action")
    note: Text = Field("", max_length=1000)

    def action(self, verb: Verb, key: str | None) -> Action:
        """Return the action of the services."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "location"}
        pin: Location | None = getattr(self, "location", None)
        body = self.model_dump(mode="json")
        return Action(verb=verb, key=key, point=pin.point() if pin else None, body=body, **values)


class ReasonIn(ActionIn):
    """A verb with a coded reason."""

    reason: Text = Field(min_length=1, max_length=60)


class ArriveIn(ActionIn):
    """Arrival, with the phone's position; a note says why where there is none, or a far one."""

    location: Location | None = None
    accuracy_m: float | None = Field(None, ge=0, le=100_000)


class DoneIn(ActionIn):
    """The work is done, or done for now: then what is left opens its own ticket."""

    outcome: Annotated[Fix, Field(strict=False)] = Fix.FIXED
    temporary_kind: Text | None = Field(None, max_length=60, description="code of `temporary` at `/categories`")
    left_to_do: Text | None = Field(None, max_length=500)
    due_at: Time | None = Field(None, description="by when the rest should be done; the policy's limit goes before it")

    def action(self, verb: Verb, key: str | None) -> Action:
        """Return the action of the services.

        Raises:
            InvalidInput: for words about what is left where all is mended.
        """
        told = {name: getattr(self, name) for name in ActionIn.model_fields}
        temporary = None
        if self.outcome is Fix.TEMPORARY:
            temporary = Temporary(self.temporary_kind or "", self.left_to_do or "", self.due_at)
        elif self.temporary_kind is not None or self.left_to_do is not None or self.due_at is not None:
            raise InvalidInput("已修好的工单没有后续: 请去掉待办内容, 或选“临时处理”", field="outcome")
        return Action(verb=verb, key=key, body=self.model_dump(mode="json"), temporary=temporary, **told)


class DispatchIn(ActionIn):
    """Dispatch or reassign: to a team, or to the one that answers for a place."""

    team_id: Text | None = Field(None, min_length=1, max_length=60)
    location: Location | None = None
    is_ruled: bool = False


class AssistIn(ActionIn):
    """Ask another team for help."""

    team_id: Text = Field(min_length=1, max_length=60)


class HoldIn(ReasonIn):
    """Hold until a time."""

    until: Time


class ExtendIn(ActionIn):
    """Move the fix clock, for a coded reason; under a policy from before there were any, for what the note says."""

    until: Time
    reason: Text | None = Field(None, min_length=1, max_length=60, description="code of `reasons` at `/categories`")


class RelevelIn(ActionIn):
    """Give the ticket another level."""

    level: Text = Field(min_length=1, max_length=40)
    note: Text = Field(min_length=1, max_length=1000)


class MergeIn(ActionIn):
    """Merge into another ticket."""

    into: Text = Field(min_length=1, max_length=40)


class CallbackIn(ActionIn):
    """What the call-back brought."""

    is_reached: bool
    is_solved: bool | None = None
    is_satisfied: bool | None = None


class NoteIn(ActionIn):
    """A verb that must say why."""

    note: Text = Field(min_length=1, max_length=1000)


class CategoriesIn(BaseModel):
    """Of which version of the policy."""

    policy_version: Text | None = Field(
        None, max_length=40, description="the one that a ticket keeps; else the valid one"
    )


class RevealIn(Body):
    """Why a phone number is looked at."""

    reason: Text = Field(min_length=1, max_length=300)


BODIES: dict[Verb, type[ActionIn]] = {
    Verb.ARRIVE: ArriveIn,
    Verb.ASSIST: AssistIn,
    Verb.CALLBACK: CallbackIn,
    Verb.CANCEL: ReasonIn,
    Verb.DISPATCH: DispatchIn,
    Verb.DONE: DoneIn,
    Verb.EXTEND: ExtendIn,
    Verb.HOLD: HoldIn,
    Verb.MERGE: MergeIn,
    Verb.REASSIGN: DispatchIn,
    Verb.RELEVEL: RelevelIn,
    Verb.RETURN: ReasonIn,
    Verb.REWORK: NoteIn,
    Verb.SUPERVISE: NoteIn,
}


class KeyIn(BaseModel):
    """The header that makes a request safe to repeat."""

    idempotency_key: Key | None = Field(None, alias="Idempotency-Key")

    model_config = ConfigDict(populate_by_name=True)


class NumberIn(BaseModel):
    """A ticket, by the number in the path."""

    number: Text = Field(max_length=40, description="e.g. GD20261124-000123")


class EscalationIn(BaseModel):
    """A fired step, by the id in the path."""

    escalation_id: Position


class LinkIn(BaseModel):
    """The token of a link that one person got, in the path."""

    token: Text = Field(max_length=64)


class PageIn(BaseModel):
    """A keyset page."""

    after: Position = Field(0, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200)

    model_config = ConfigDict(extra="forbid")


def _listed(values: Iterable[str]) -> str:
    return "comma-separated: " + ", ".join(values)


class TicketsIn(PageIn):
    """Filters of the ticket list; several values of one filter are separated by commas."""

    status: Statuses | None = Field(
        None, max_length=200, description=_listed(Status), json_schema_extra={"pattern": STATUSES}
    )
    level: Text | None = Field(None, max_length=60)
    category: Text | None = Field(None, max_length=300)
    zone_id: Text | None = Field(None, max_length=60)
    branch: Text | None = Field(None, max_length=60)
    team_id: Text | None = Field(None, max_length=60)
    route_status: Text | None = Field(None, max_length=20)
    is_breached: bool | None = None
    is_open: bool | None = None
    q: Text = Field("", max_length=100, description="full text, Chinese words of one character or more")


class EscalationsIn(PageIn):
    """Filter of the escalations."""

    is_unanswered: bool = False


class AuditIn(PageIn):
    """Filter of the audit."""

    subject: Text | None = Field(None, max_length=80, description="e.g. a ticket number")


class RouteIn(BaseModel):
    """A pin to route without saving."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    datum: Datum

    model_config = ConfigDict(extra="forbid")

    def point(self) -> Point:
        """Return the point of this pin."""
        return point_of(self.lon, self.lat, self.datum)
