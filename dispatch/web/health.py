"""`/healthz`: 200 while clocks are watched in time, else 503; no login, no data."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify

from dispatch.services import health
from dispatch.services.desk import Desk
from dispatch.web.api.responses import Health
from dispatch.web.errors import PROBLEM_JSON
from dispatch.web.now import utc_now


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the route over one desk."""
    pages = APIBlueprint("health", __name__, tag="health")
    content = {
        kind: {"schema": {"$ref": f"#/components/schemas/{name}"}}
        for kind, name in (("application/json", "Health"), (PROBLEM_JSON, "Problem"))
    }
    why = "时钟滞后 (late) 或没有调度进程 (down); 数据库暂不可用时是 problem+json"
    red: Any = {503: {"description": why, "content": content}}

    @pages.get("/healthz")
    @pages.output(Health)
    @pages.doc(summary="时钟、调度和发件箱的状态", responses=red)
    def healthz() -> Response:
        state = health.status(desk, utc_now())
        answer = jsonify(state)
        answer.status_code = 200 if state["status"] == "ok" else 503
        return answer

    return pages
