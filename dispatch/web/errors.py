"""The one place where errors become answers: RFC 9457 problem+json, in Chinese for people, with a code for machines."""

from __future__ import annotations

import json
from typing import Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException

from dispatch.domain.errors import DispatchError

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
    500: "系统内部错误",
    503: "暂不可用",
}


class StrictJson(DefaultJSONProvider):
    """JSON as RFC 8259 has it: NaN is none, and nesting beyond reason is an error of the sender."""

    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse, and raise ValueError (400) for all that is no JSON."""
        try:
            return json.loads(s, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, content_type=PROBLEM_JSON)


def register(app: APIFlask) -> None:
    """Teach `app` to answer every error as a problem."""
    app.json = StrictJson(app)

    @app.error_processor
    def _invalid(error: HTTPError) -> Response:
        fields = [
            {"field": field, "message": "; ".join(messages)}
            for place in (error.detail or {}).values()
            for field, messages in place.items()
        ]
        first = fields[0] if fields else {"field": "", "message": str(error.message)}
        detail = f"{first['field']}: {first['message']}" if fields else str(error.message)
        return problem(error.status_code, "invalid-input", detail, field=first["field"], errors=fields)

    @app.errorhandler(DispatchError)
    def _domain(error: DispatchError) -> Response:
        return problem(error.status, error.code, error.detail, field=error.field, **error.extra)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        answer = problem(status, error.name.lower().replace(" ", "-"), _TITLES.get(status, error.name))
        for name, value in error.get_headers():
            if name not in ("Content-Type", "Content-Length"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> Response:
        log.exception("unhandled", path=request.path, error=type(error).__name__)
        return problem(500, "internal", "系统内部错误, 已记录; 请重试或联系管理员")
