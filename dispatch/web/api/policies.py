"""Routes of the policy: its versions, checking a form, trying it on the past, publishing it."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.services import policies
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text, Time
from dispatch.web.api.requests import Body, KeyIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

_Form = Annotated[
    dict[str, Any],
    Field(description="the whole policy as `GET /policies/{version}` shows it; `version` and `valid_from` are ours"),
]


class PolicyVersionIn(BaseModel):
    """A version, by its name in the path."""

    version: Annotated[Text, Field(min_length=1, max_length=100)]


class PolicyFormIn(Body):
    """A policy that nobody has published."""

    policy: _Form


class PolicyTryIn(PolicyFormIn):
    """One step of a dry run."""

    after: Position = Field(0, description="`next` of the step before")


class PolicyPublishIn(PolicyFormIn):
    """A policy to be published."""

    reason: Text = Field(min_length=1, max_length=500, description="why, for those who come after")
    valid_from: Time | None = Field(None, description="left out: from now on")


class PolicyHead(BaseModel):
    """A version without its content."""

    version: str
    valid_from: str
    loaded_at: str
    author: str = Field(description="empty: it was read from a file")
    reason: str
    is_current: bool


class PolicyVersions(BaseModel):
    """All versions, the one that is valid last first."""

    items: list[PolicyHead]
    current: str | None


class PolicySentence(BaseModel):
    """One sentence of the policy in plain language."""

    zh: str
    en: str


class PolicyVersion(PolicyHead):
    """A version."""

    policy: dict[str, Any]
    preview: list[PolicySentence]


class PolicyProblem(BaseModel):
    """What must be put right."""

    field: str = Field(description="dotted place in the policy")
    detail: str


class PolicyCheck(BaseModel):
    """What is wrong about a form, and what it says."""

    problems: list[PolicyProblem]
    preview: list[PolicySentence]


class DryRunRow(BaseModel):
    """The clocks of one kind and level."""

    level: str
    clock: str
    label: str
    before: int
    after: int


class DryRun(BaseModel):
    """One step of a dry run; the caller adds the steps up."""

    tickets: int
    total: int | None = Field(description="tickets of all steps, told with the first")
    clocks: int
    before: int = Field(description="clocks that were broken")
    after: int = Field(description="clocks that would have been")
    rows: list[DryRunRow]
    next: int | None


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("policies", __name__, url_prefix="/api/v1", tag="policies")
    _reading(api, desk)
    _writing(api, desk)
    return api


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/policies")
    @needs(api, Permission.POLICY)
    @api.output(PolicyVersions)
    @api.doc(summary="政策版本")
    def list_policies() -> dict[str, Any]:
        return policies.versions(desk, actor(), utc_now())

    @api.get("/policies/<version>")
    @needs(api, Permission.POLICY)
    @api.input(PolicyVersionIn, location="path", arg_name="path")
    @api.output(PolicyVersion)
    @api.doc(summary="一个政策版本: 内容和说明")
    def get_policy(version: str, path: PolicyVersionIn) -> dict[str, Any]:
        return policies.version(desk, actor(), path.version, utc_now())


def _writing(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/policies")
    @needs(api, Permission.POLICY)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(PolicyPublishIn, arg_name="body")
    @api.output(PolicyHead, 201)
    @api.doc(summary="发布新的政策版本", description="Tickets keep the version that they were made under.")
    def publish_policy(key: KeyIn, body: PolicyPublishIn) -> dict[str, Any]:
        return policies.publish(
            desk,
            actor(),
            body.policy,
            reason=body.reason,
            valid_from=body.valid_from,
            now=utc_now(),
            key=key.idempotency_key,
        )

    @api.post("/policy-check")
    @needs(api, Permission.POLICY)
    @api.input(PolicyFormIn, arg_name="body")
    @api.output(PolicyCheck)
    @api.doc(summary="检查政策并用文字说明", description="Nothing is kept.")
    def check_policy(body: PolicyFormIn) -> dict[str, Any]:
        return policies.check(desk, actor(), body.policy, utc_now())

    @api.post("/policy-dry-run")
    @needs(api, Permission.POLICY)
    @api.input(PolicyTryIn, arg_name="body")
    @api.output(DryRun)
    @api.doc(
        summary="用最近 90 天试算政策",
        description="Counts broken clocks of 1,000 tickets a step; nothing is written. Pass `next` as `after`.",
    )
    def try_policy(body: PolicyTryIn) -> dict[str, Any]:
        return policies.try_on_the_past(desk, actor(), body.policy, body.after, utc_now())
