"""The one place where errors become answers: RFC 9457 problem+json, in Chinese for people, with a code for machines.

Somebody who opens an address in a browser gets a page instead: one who asks for HTML first, and not of the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, current_app, request
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from dispatch.domain.errors import DispatchError
from dispatch.web.messages import explain

# Makes the page of an error from its status, its code and, where a domain error has one, itself.
FaultPage = Callable[[int, str, DispatchError | None], str]
# Where programs speak.
MACHINES = ("/api/", "/cti/")
log = structlog.get_logger()
PROBLEM_JSON = "application/problem+json"
_TITLES = {
    400: "请求格式有误",
    401: "未登录或令牌无效",
    403: "没有权限",
    404: "没有找到",
    405: "不支持的方法",
    409: "与当前状态冲突",
    413: "内容过大",
    415: "不支持的内容类型",
    422: "输入有误",
    429: "请求过于频繁",
    500: "系统内部错误",
    503: "暂不可用",
}


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """Return a problem document."""
    body = {
        "type": f"urn:dispatch:problem:{code}",
        "title": _TITLES.get(status, "错误"),
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.path,
        **{name: value for name, value in members.items() if value is not None},
    }
    # What was sent is quoted: a lone surrogate in it is no UTF-8.
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, status, content_type=PROBLEM_JSON)


def register(app: APIFlask, fault_page: FaultPage) -> None:
    """Teach `app` to answer every error as a problem, or to a person as a page."""
    app.extensions["fault_page"] = fault_page
    app.error_processor(_invalid)
    app.register_error_handler(DispatchError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(Exception, _bug)


def _answer(status: int, code: str, detail: str, error: DispatchError | None = None) -> Response:
    """Answer in the form that was asked for: a page only where HTML is preferred, as by browsers for an address."""
    preferred = request.accept_mimetypes.best_match([PROBLEM_JSON, "application/json", "text/html"])
    if preferred == "text/html" and not request.path.startswith(MACHINES):
        fault_page: FaultPage = current_app.extensions["fault_page"]
        return Response(fault_page(status, code, error), status, {"Cache-Control": "no-store"}, mimetype="text/html")
    return problem(status, code, detail, field=error and error.field, **(error.extra if error else {}))


def _invalid(error: HTTPError) -> Response:
    cause = error.__cause__
    faults = explain(cause) if isinstance(cause, ValidationError) else []
    if "headers" in error.detail:
        faults = [fault | {"field": fault["field"].replace("_", "-").title()} for fault in faults]
    if not faults:
        return problem(error.status_code, "invalid-input", str(error.message))
    first = faults[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return problem(error.status_code, "invalid-input", detail, field=first["field"], errors=faults)


def _domain(error: DispatchError) -> Response:
    answer = _answer(error.status, error.code, error.detail, error)
    if "retry_after_s" in error.extra:
        answer.headers["Retry-After"] = str(error.extra["retry_after_s"])
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    answer = _answer(status, error.name.lower().replace(" ", "-"), _detail(error, status))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    return answer


def _detail(error: HTTPException, status: int) -> str:
    if isinstance(error, MethodNotAllowed):
        return f"该地址不支持 {request.method}, 可用: {', '.join(sorted(error.valid_methods or ()))}"
    if status == 413:
        return f"请求体不能超过 {request.max_content_length} 字节"
    return {404: "没有这个地址, 接口说明见 /docs"}.get(status, _TITLES.get(status, error.name))


def _database(error: OperationalError) -> Response:
    log.exception("database", path=request.path, error=type(error.orig).__name__)
    answer = _answer(503, "database-unavailable", "数据库暂不可用, 请稍后重试")
    answer.headers["Retry-After"] = "5"
    return answer


def _bug(error: Exception) -> Response:
    log.exception("unhandled", path=request.path, error=type(error).__name__)
    return _answer(500, "internal", "系统内部错误, 已记录; 请重试或联系管理员")
