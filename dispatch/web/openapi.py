"""The API's description: OpenAPI 3.1 at /openapi.json, and a page at /docs that works without the internet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from apiflask import APIFlask
from flask import Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path

from dispatch.domain.place import Datum
from dispatch.web.api.responses import XLSX, Problem
from dispatch.web.api.zone_forms import MEDIA, CopyIn, FileIn
from dispatch.web.errors import PROBLEM_JSON

_OF_TICKET = "/api/v1/tickets/{number}/"
_PUBLIC = "/api/v1/public/"
_PAGE = Path(__file__).parent / "docs"
# Problems by status: what every guarded operation may answer, and what only those that read or take something.
_ALWAYS = {401: "没有令牌, 或令牌无效", 403: "角色没有此项权限", 503: "系统尚未初始化, 或数据库暂不可用"}
_WITH_INPUT = {422: "输入有误: detail 说怎样改, field 和 errors 指明哪个字段; 也指同一幂等键带来了不同的内容"}
_WITH_PATH = {404: "没有找到, 或不属于本班组"}
_WITH_BODY = {
    400: "请求体不是所要的 JSON 或图片",
    404: "没有所指的工单",
    413: "请求体过大",
}
_WITHOUT_LOGIN = {429: "次数过多: Retry-After 说何时再试", 503: _ALWAYS[503]}
# Where another person, or the state of things, may have been faster: by path, the first that fits. To
# look at a ticket's callers changes nothing.
_CONFLICTS = (
    (
        r"/api/v1/tickets/\{number\}/(?!reveal$)|^/api/v1/requests/.*/decide$|/rating$",
        "与工单当前状态或版本冲突: current_status 和 current_version, 或 ticket, 是它现在的样子; 没有时请重新读取",
    ),
    (r"/api/v1/zone-drafts/\{", "草稿已被他人修改: current_version 和 draft 是它现在的样子"),
    (r"/api/v1/outages/\{", "公告的状态不允许 (current_status), 或已被他人更新 (current_version)"),
    (r"/api/v1/articles", "已有同名文章, 他人先写了一版, 或文章的状态不允许"),
    (r"/api/v1/cases/\{", "个案的状态不允许, 或已被他人更新"),
    (r"/callbacks", "回访已有结果或已作废, 正由他人进行, 或刚刚未接通"),
    (r"/api/v1/incidents", "事件的状态不允许 (current_status), 已被他人更新, 或工单已属于另一事件"),
    (r"/api/v1/surge/(?!release$)", "大流量模式的状态不允许, 或已被他人更改"),
    (r"/api/v1/rosters/\{", "有时段无人当班 (holes, zone_hours), 须补排或确认"),
    (r"/claim$", "已被他人接起 (claimed_by 说是谁), 或已挂断"),
)


def configure(app: APIFlask) -> None:
    """Describe the API of `app`; every operation names the problems it may answer with."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        INFO={"description": "一个电话、一张工单、一支队伍、一次到达、一次修复"},
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_SERVERS=False,
        AUTO_OPERATION_ID=True,
    )
    app.spec_processor(cast(Any, _complete))

    @app.get("/docs")
    @app.doc(hide=True)
    def docs() -> Response:
        return send_from_directory(_PAGE, "index.html")

    @app.get("/docs/page.js")
    @app.doc(hide=True)
    def docs_script() -> Response:
        return send_from_directory(_PAGE, "page.js")

    @app.get("/docs/assets/<path:name>")
    @app.doc(hide=True)
    def docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)


def _complete(spec: dict[str, Any]) -> dict[str, Any]:
    """Add to each operation its problems, and say plainly which need no login."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    _describe_files(spec["paths"])
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            for parameter in operation["parameters"]:
                _drop_null(parameter["schema"])
            _require_body(operation, schemas)
            if "security" in operation or path.startswith(_PUBLIC):
                _add_problems(path, method, operation)
            operation.setdefault("security", [])
    spec["paths"] = dict(sorted(spec["paths"].items()))
    first = spec["paths"]["/api/v1/calls"]["post"]["responses"]
    first["200"] = {**first["201"], "description": "重复的请求: 第一次的回答"}
    return spec


def _describe_files(paths: dict[str, Any]) -> None:
    """What comes in or goes out as a picture or a workbook is no JSON."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    for path, operations in paths.items():
        if path.endswith(".jpg"):
            operations["get"]["responses"]["200"] = {"description": "JPEG", "content": {"image/jpeg": binary}}
        if path.endswith(".svg"):
            operations["get"]["responses"]["200"] = {"description": "SVG", "content": {"image/svg+xml": {"schema": {}}}}
        if path.endswith(".html"):
            operations["get"]["responses"]["200"] = {"description": "HTML", "content": {"text/html": {"schema": {}}}}
        if path.endswith(".xlsx"):
            operations["get"]["responses"]["200"] = {"description": "Excel", "content": {XLSX: binary}}
        if path.endswith("/zone-sets/{set_id}/export"):
            content: dict[str, Any] = {media: {"schema": {}} for media in MEDIA.values()}
            operations["get"]["responses"]["200"] = {"description": "the grids", "content": content}
        if path.endswith("/photos"):
            content = {"image/jpeg": binary, "image/png": binary}
            operations["post"]["requestBody"] = {"required": True, "content": content}
        if path.endswith("/zone-drafts"):
            operations["post"]["requestBody"] = {"required": True, "content": _draft_content(binary)}


def _draft_content(binary: dict[str, Any]) -> dict[str, Any]:
    """A draft comes as JSON or as a form with a file."""
    form = FileIn.model_json_schema(ref_template="#/components/schemas/{model}")
    form.pop("$defs", None)
    form["properties"] |= {"datum": {"type": "string", "enum": [*Datum]}, "file": binary["schema"]}
    form["required"] = ["datum", "file"]
    return {"application/json": {"schema": CopyIn.model_json_schema()}, "multipart/form-data": {"schema": form}}


def _drop_null(schema: dict[str, Any]) -> None:
    """A parameter that is not there is left out: in an address or a header nobody can write null."""
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        schema.update(kinds[0] | schema)
        del schema["default"]


def _require_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """No body counts as `{}`, which is enough where no field is required."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = content["application/json"]["schema"]
        told = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        operation["requestBody"]["required"] = bool(told.get("required"))


def _add_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    problems = dict(_ALWAYS if "security" in operation else _WITHOUT_LOGIN)
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if names or "requestBody" in operation:
        problems |= _WITH_INPUT
    if "{" in path or "number" in names:
        problems |= _WITH_PATH
    if "requestBody" in operation:
        problems = _WITH_BODY | problems
    if method != "get":
        problems |= next(({409: words} for pattern, words in _CONFLICTS if re.search(pattern, path)), {})
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in sorted(problems.items()):
        operation["responses"].setdefault(str(status), {"description": description, "content": content})
