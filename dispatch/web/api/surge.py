"""Routes of surge mode: how it stands, by hand in and out, what people are told, wider clocks."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import NewWidening
from dispatch.services import surge, widening
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text, Version
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.api.responses import Time
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

_Reason = Annotated[Text, Field(min_length=1, max_length=300)]
_Kind = Annotated[ClockKind, Field(strict=False)]


class EnterIn(Body):
    """Begin by hand."""

    reason: _Reason


class LeaveIn(Body):
    """End by hand."""

    reason: _Reason
    version: Version = Field(description="version of the surge that was seen")


class ReleaseIn(Body):
    """Leave it to the thresholds again."""


class TextsIn(Body):
    """What people are told."""

    broadcast: Text = Field(max_length=500, description="for agents and crews")
    public_text: Text = Field(max_length=500, description="for everybody, on the public page")
    version: Version = Field(description="version of the surge that was seen")


class WideningIn(Body):
    """Wider clocks, proposed."""

    levels: list[Annotated[Text, Field(max_length=20)]] = Field(min_length=1, max_length=20)
    clocks: list[_Kind] = Field(min_length=1, max_length=5)
    factor: float = Field(gt=1, le=100, description="how many times as long")
    word: Text = Field(min_length=1, max_length=40, description="why, as it stands on each ticket, such as 寒潮")
    is_for_running: bool = Field(False, description="tickets that are open already get them too")


class WideningIdIn(BaseModel):
    """A widening, by the id in the path."""

    widening_id: Position


class DecideIn(Body):
    """The answer to a proposal."""

    is_approved: bool
    note: Text = Field("", max_length=300)


class Widening(BaseModel):
    """Wider clocks."""

    id: int
    state: str = Field(description="proposed, approved, refused, or ended with its surge")
    levels: list[str]
    clocks: list[str]
    factor: float
    word: str
    is_for_running: bool
    proposed_by_id: int
    proposed_by: str
    proposed_at: str
    decided_by: str | None
    decided_at: Time
    note: str
    widened: int = Field(description="running tickets that got them; new ones are not counted")
    is_under_way: bool = Field(description="running tickets are still to be done")


class Calls(BaseModel):
    """How many calls came."""

    calls: int = Field(description="calls of the window")
    window_s: float
    calls_per_minute: float


class Surge(BaseModel):
    """A surge."""

    id: int
    version: int
    is_open: bool
    entered_at: str
    entered_how: str = Field(description="thresholds or hand")
    entered_by: str
    reason: str
    figures: Calls
    left_at: Time
    left_how: str | None
    left_by: str | None
    left_reason: str | None
    calm_since: Time = Field(description="since when so few calls come that it may end")
    broadcast: str
    public_text: str
    digest_to: list[str] = Field(description="audiences whose notices of steps come as digests")
    at_once: list[str] = Field(description="levels whose breaches come at once all the same")
    digest_every_s: float
    digest_at: str = Field(description="when the next digest is due")
    digests: int = Field(description="rounds of digests that were sent")
    widenings: list[Widening]


class Widenable(BaseModel):
    """What the policy allows to be widened."""

    levels: list[str]
    clocks: list[str]
    most: float


class SurgeState(Calls):
    """How things stand."""

    server_time: str
    surge: Surge | None
    is_held: bool = Field(description="a person said so, and no threshold changes it")
    is_automatic: bool = Field(description="the thresholds of the policy decide")
    enter_calls: int | None
    leave_calls: int | None
    calm_s: float | None
    waiting: int = Field(description="notices that wait for the next digest")
    widenable: Widenable


class Surges(BaseModel):
    """A page of surges."""

    items: list[Surge]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("surge", __name__, url_prefix="/api/v1", tag="surge")
    _reading(api, desk)
    _by_hand(api, desk)
    _widening(api, desk)
    return api


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/surge")
    @needs(api, Permission.READ)
    @api.output(SurgeState)
    @api.doc(summary="大流量模式的状态和来电数")
    def get_surge() -> dict[str, Any]:
        return surge.state(desk, actor(), utc_now())

    @api.get("/surges")
    @needs(api, Permission.READ)
    @api.input(PageIn, location="query", arg_name="query")
    @api.output(Surges)
    @api.doc(summary="历次大流量")
    def list_surges(query: PageIn) -> dict[str, Any]:
        return surge.history(desk, actor(), after=query.after, limit=query.limit)


def _by_hand(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/surge/enter")
    @needs(api, Permission.SURGE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(EnterIn, arg_name="body")
    @api.output(SurgeState, 201)
    @api.doc(summary="手动进入大流量模式", description="It lasts until it is ended by hand, or released.")
    def enter_surge(key: KeyIn, body: EnterIn) -> dict[str, Any]:
        return surge.enter(desk, actor(), body.reason, body.model_dump(mode="json"), utc_now(), key.idempotency_key)

    @api.post("/surge/leave")
    @needs(api, Permission.SURGE)
    @api.input(LeaveIn, arg_name="body")
    @api.output(SurgeState)
    @api.doc(summary="手动退出大流量模式", description="None begins by itself until the state is released.")
    def leave_surge(body: LeaveIn) -> dict[str, Any]:
        return surge.leave(desk, actor(), body.reason, body.version, utc_now())

    @api.post("/surge/release")
    @needs(api, Permission.SURGE)
    @api.input(ReleaseIn, arg_name="body")
    @api.output(SurgeState)
    @api.doc(summary="恢复由来电数自动进出", description="Once more changes nothing.")
    def release_surge(body: ReleaseIn) -> dict[str, Any]:
        return surge.release(desk, actor(), utc_now())

    @api.post("/surge/texts")
    @needs(api, Permission.SURGE)
    @api.input(TextsIn, arg_name="body")
    @api.output(SurgeState)
    @api.doc(summary="修改坐席广播和公众提示")
    def write_surge_texts(body: TextsIn) -> dict[str, Any]:
        return surge.write(desk, actor(), body.broadcast, body.public_text, body.version, utc_now())


def _widening(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/surge/widenings")
    @needs(api, Permission.SURGE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(WideningIn, arg_name="body")
    @api.output(Widening, 201)
    @api.doc(summary="提议放宽时限", description="Another person decides. It ends with the surge.")
    def propose_widening(key: KeyIn, body: WideningIn) -> dict[str, Any]:
        told = NewWidening(**body.model_dump())
        return widening.propose(desk, actor(), told, body.model_dump(mode="json"), utc_now(), key.idempotency_key)

    @api.post("/surge/widenings/<widening_id>/decide")
    @needs(api, Permission.SURGE)
    @api.input(WideningIdIn, location="path", arg_name="path")
    @api.input(DecideIn, arg_name="body")
    @api.output(Widening)
    @api.doc(summary="批准或拒绝放宽", description="Who proposed it may refuse it, but not approve it.")
    def decide_widening(widening_id: str, path: WideningIdIn, body: DecideIn) -> dict[str, Any]:
        return widening.decide(
            desk, actor(), path.widening_id, is_approved=body.is_approved, note=body.note, now=utc_now()
        )
