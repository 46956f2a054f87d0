"""Routes of the API: read the request, call one service, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from dispatch.domain.roles import Permission
from dispatch.domain.states import VERB_LABELS, Verb
from dispatch.services import board, fieldwork, intake, routing, supervision
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from dispatch.web.api import requests as take
from dispatch.web.api import responses as give
from dispatch.web.api.callback_forms import Callers
from dispatch.web.api.fields import split
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

View = Callable[..., Any]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("v1", __name__, url_prefix="/api/v1", tag="v1")
    _calls(api, desk)
    _reading(api, desk)
    _desk_only(api, desk)
    for verbs, act in ((fieldwork.VERBS, fieldwork.act), (supervision.VERBS, supervision.act)):
        for verb in verbs:
            _verb(api, desk, verb, act)
    return api


def _calls(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/calls")
    @needs(api, Permission.CALL)
    @api.input(take.KeyIn, location="headers", arg_name="key")
    @api.input(take.CallIn, arg_name="body", example=take.CALL_EXAMPLE)
    @api.output(give.Receipt, 201)
    @api.doc(summary="登记来电", description="One call becomes one ticket, joins one, or is answered.")
    def add_call(key: take.KeyIn, body: take.CallIn) -> Response:
        told, now = body.model_dump(mode="json"), utc_now()
        receipt = intake.register(desk, actor(), body.call(now), told, now, key.idempotency_key)
        answer = jsonify(receipt.body)
        answer.status_code = 200 if receipt.is_repeat else 201
        return answer

    @api.get("/categories")
    @needs(api, Permission.READ)
    @api.input(take.CategoriesIn, location="query", arg_name="query")
    @api.output(give.Categories)
    @api.doc(summary="诉求类别、话术和原因代码")
    def list_categories(query: take.CategoriesIn) -> dict[str, Any]:
        return board.categories(desk, utc_now(), query.policy_version)

    @api.get("/route")
    @needs(api, Permission.READ)
    @api.input(take.RouteIn, location="query", arg_name="pin")
    @api.output(give.Route)
    @api.doc(summary="试派: 坐标归哪个网格和班组", description="Nothing is saved.")
    def preview_route(pin: take.RouteIn) -> dict[str, Any]:
        return routing.preview(desk, pin.point(), utc_now())


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/tickets")
    @needs(api, Permission.READ)
    @api.input(take.TicketsIn, location="query", arg_name="query")
    @api.output(give.Tickets)
    @api.doc(summary="工单列表", description="Newest first; keyset pages: pass `next` as `after`.")
    def list_tickets(query: take.TicketsIn) -> dict[str, Any]:
        wanted = Filter(
            statuses=split(query.status),
            levels=split(query.level),
            categories=split(query.category),
            zone_id=query.zone_id,
            branch=query.branch,
            team_id=query.team_id,
            route_status=query.route_status,
            is_breached=query.is_breached,
            is_open=query.is_open,
        )
        return board.tickets(desk, actor(), wanted, text=query.q, after=query.after, limit=query.limit, now=utc_now())

    @api.get("/tickets/<number>")
    @needs(api, Permission.READ)
    @api.input(take.NumberIn, location="path", arg_name="path")
    @api.output(give.TicketDetail)
    @api.doc(summary="工单详情: 来电、时间线、升级")
    def get_ticket(number: str, path: take.NumberIn) -> dict[str, Any]:
        return board.ticket(desk, actor(), number, utc_now())

    @api.get("/escalations")
    @needs(api, Permission.READ)
    @api.input(take.EscalationsIn, location="query", arg_name="query")
    @api.output(give.Escalations)
    @api.doc(summary="升级记录")
    def list_escalations(query: take.EscalationsIn) -> dict[str, Any]:
        return board.fired(desk, actor(), is_unanswered=query.is_unanswered, after=query.after, limit=query.limit)

    @api.get("/teams")
    @needs(api, Permission.READ)
    @api.output(give.Teams)
    @api.doc(summary="班组和水管家")
    def list_teams() -> dict[str, Any]:
        return {"items": board.teams(desk, actor())}


def _desk_only(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/escalations/<escalation_id>/acknowledge")
    @needs(api, Permission.ACKNOWLEDGE)
    @api.input(take.EscalationIn, location="path", arg_name="path")
    @api.output(give.Escalation)
    @api.doc(summary="确认升级")
    def acknowledge(escalation_id: str, path: take.EscalationIn) -> dict[str, Any]:
        return supervision.acknowledge(desk, actor(), path.escalation_id, utc_now())

    @api.post("/tickets/<number>/reveal")
    @needs(api, Permission.REVEAL)
    @api.input(take.NumberIn, location="path", arg_name="path")
    @api.input(take.RevealIn, arg_name="body")
    @api.output(Callers)
    @api.doc(summary="查看来电号码", description="Who looked and why is kept in the audit.")
    def reveal(number: str, path: take.NumberIn, body: take.RevealIn) -> dict[str, Any]:
        return {"items": supervision.reveal(desk, actor(), number, body.reason, utc_now())}

    @api.get("/audit")
    @needs(api, Permission.AUDIT)
    @api.input(take.AuditIn, location="query", arg_name="query")
    @api.output(give.Audit)
    @api.doc(summary="审计记录")
    def list_audit(query: take.AuditIn) -> dict[str, Any]:
        return board.audited(desk, actor(), subject=query.subject, after=query.after, limit=query.limit)


def _verb(api: APIBlueprint, desk: Desk, verb: Verb, act: Callable[..., dict[str, Any]]) -> None:
    permission = Permission(verb)

    @api.post(f"/tickets/<number>/{verb}", endpoint=f"ticket_{verb}")
    @needs(api, permission)
    @api.input(take.NumberIn, location="path", arg_name="path")
    @api.input(take.KeyIn, location="headers", arg_name="key")
    @api.input(take.BODIES.get(verb, take.ActionIn), arg_name="body")
    @api.output(give.Ticket)
    @api.doc(summary=VERB_LABELS[verb], operation_id=f"ticket_{verb}")
    def do(number: str, path: take.NumberIn, key: take.KeyIn, body: take.ActionIn) -> dict[str, Any]:
        action: Action = body.action(verb, key.idempotency_key)
        return act(desk, actor(), number, action, utc_now())
