"""Routes of the call-backs: the queue, taking a caller, what came of it; and the caller's own link."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.callback import Answer
from dispatch.domain.roles import Permission
from dispatch.services import callback_queue, calling_back
from dispatch.services.callback_queue import Wanted
from dispatch.services.calling_back import Told
from dispatch.services.desk import Desk
from dispatch.web.api.callback_forms import CallbackHistory
from dispatch.web.api.fields import Position, Text
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.api.responses import Ticket, Time
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class QueueIn(PageIn):
    """What the queue is narrowed to."""

    number: Text | None = Field(None, max_length=40, description="those who wait for this ticket")
    branch: Text | None = Field(None, max_length=60)
    is_overdue: bool = False
    is_ready: bool = Field(False, description="who may be rung at this moment")
    is_mine: bool = Field(False, description="whom I have claimed")

    def wanted(self) -> Wanted:
        """Return the filter of the services."""
        return Wanted(**self.model_dump(exclude={"after", "limit"}))


class SettledIn(PageIn):
    """What waits no more, of one ticket or of all."""

    number: Text | None = Field(None, max_length=40)


class CallbackIdIn(BaseModel):
    """A call-back, by the id in the path."""

    callback_id: Position


class UnreachedIn(Body):
    """A try that nobody answered."""

    note: Text = Field("", max_length=500)


class AnswerIn(Body):
    """What a caller says."""

    is_solved: bool
    is_satisfied: bool | None = None
    reason: Text | None = Field(None, max_length=40, description="needed where either is no")
    note: Text = Field("", max_length=500)

    def answer(self) -> Answer:
        """Return the answer of the domain."""
        return Answer(**{name: getattr(self, name) for name in type(self).model_fields if name != "id"})


class SettledOne(AnswerIn):
    """What a caller says about one call-back."""

    id: Position
    wants_rework: bool | None = Field(None, description="left out: exactly where it is not solved")


class SettleIn(Body):
    """One conversation with one caller."""

    items: list[SettledOne] = Field(min_length=1, max_length=20)


class Matter(BaseModel):
    """One ticket that a caller is rung about."""

    id: int
    number: str
    round: int
    category: str
    category_label: str
    address: str
    description: str
    called_at: str
    made_at: str
    due_at: str


class Person(BaseModel):
    """A caller to be rung."""

    id: int = Field(description="of the most pressing call-back")
    caller_phone: str | None = Field(description="masked until claimed")
    caller_name: str | None = Field(description="null until claimed")
    due_at: str
    is_overdue: bool
    tries: int
    next_try_at: Time = Field(description="not to be rung before")
    claimed_until: Time
    is_mine: bool
    is_taken: bool = Field(description="another agent has claimed the caller")
    items: list[Matter]


class People(BaseModel):
    """A page of the queue."""

    items: list[Person]
    next: int | None
    reasons: dict[str, str]
    server_time: str


class SettledPage(BaseModel):
    """A page of what waits no more."""

    items: list[CallbackHistory]
    next: int | None


class Closable(BaseModel):
    """Finished tickets that only wait to be closed."""

    items: list[Ticket]


class Outcome(BaseModel):
    """How a call-back stands now."""

    id: int
    number: str
    state: str = Field(description="waiting, reached, unreached, answered_by_link or void")
    tries: int
    rework: str | None = Field(description="number of the ticket under which somebody comes again")


class Outcomes(BaseModel):
    """What came of a conversation."""

    items: list[Outcome]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("callbacks", __name__, url_prefix="/api/v1", tag="callbacks")
    _lists(api, desk)
    _ringing(api, desk)
    return api


def _lists(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/callbacks")
    @needs(api, Permission.CALLBACK)
    @api.input(QueueIn, location="query", arg_name="query")
    @api.output(People)
    @api.doc(summary="回访队列: 按到期先后, 每人一次", description="Keyset pages: pass `next` as `after`.")
    def list_callbacks(query: QueueIn) -> dict[str, Any]:
        return callback_queue.queue(desk, actor(), query.wanted(), after=query.after, limit=query.limit, now=utc_now())

    @api.get("/callbacks/settled")
    @needs(api, Permission.CALLBACK)
    @api.input(SettledIn, location="query", arg_name="query")
    @api.output(SettledPage)
    @api.doc(summary="回访记录")
    def list_settled_callbacks(query: SettledIn) -> dict[str, Any]:
        return callback_queue.settled(desk, actor(), number=query.number, after=query.after, limit=query.limit)

    @api.get("/callbacks/closable")
    @needs(api, Permission.CALLBACK)
    @api.output(Closable)
    @api.doc(summary="回访已毕、待办结的工单")
    def list_closable() -> dict[str, Any]:
        return callback_queue.closable(desk, actor(), utc_now())


def _ringing(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/callbacks/<callback_id>/claim")
    @needs(api, Permission.CALLBACK)
    @api.input(CallbackIdIn, location="path", arg_name="path")
    @api.output(Person)
    @api.doc(summary="领取一位来电人", description="Shows the number; kept in the audit. Lapses after ten minutes.")
    def claim_callback(callback_id: str, path: CallbackIdIn) -> dict[str, Any]:
        return calling_back.claim(desk, actor(), path.callback_id, utc_now())

    @api.post("/callbacks/<callback_id>/release")
    @needs(api, Permission.CALLBACK)
    @api.input(CallbackIdIn, location="path", arg_name="path")
    @api.output({}, 204)
    @api.doc(summary="放回队列")
    def release_callback(callback_id: str, path: CallbackIdIn) -> str:
        calling_back.release(desk, actor(), path.callback_id, utc_now())
        return ""

    @api.post("/callbacks/<callback_id>/unreached")
    @needs(api, Permission.CALLBACK)
    @api.input(CallbackIdIn, location="path", arg_name="path")
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(UnreachedIn, arg_name="body")
    @api.output(Outcomes)
    @api.doc(
        summary="未接通", description="Counts for all that waits for this caller; three tries, half an hour apart."
    )
    def callback_unreached(callback_id: str, path: CallbackIdIn, key: KeyIn, body: UnreachedIn) -> dict[str, Any]:
        told, name = body.model_dump(mode="json"), key.idempotency_key
        return calling_back.unreached(desk, actor(), path.callback_id, body.note, told, utc_now(), name)

    @api.post("/callbacks/settle")
    @needs(api, Permission.CALLBACK)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(SettleIn, arg_name="body")
    @api.output(Outcomes)
    @api.doc(
        summary="记录回访结果",
        description="One caller, one or several tickets. What is not solved is worked on again: a ticket with one "
        "caller as its next round, one of several callers under a ticket of their own.",
    )
    def settle_callbacks(key: KeyIn, body: SettleIn) -> dict[str, Any]:
        told = [Told(one.id, one.answer()) for one in body.items]
        return calling_back.settle(desk, actor(), told, body.model_dump(mode="json"), utc_now(), key.idempotency_key)
