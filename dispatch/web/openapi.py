"""The API's description: OpenAPI 3.1 at /openapi.json, and a page at /docs that works without the internet."""

from __future__ import annotations

from typing import Any, cast

from apiflask import APIFlask
from flask import Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path

from dispatch.web.api.responses import Problem
from dispatch.web.errors import PROBLEM_JSON

_ASSETS = "/docs/assets"
_MIDDLE = {"get": (400, 401, 403, 404, 422, 503), "post": (400, 401, 403, 404, 409, 413, 422, 503)}


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
        SWAGGER_UI_CSS=f"{_ASSETS}/swagger-ui.css",
        SWAGGER_UI_BUNDLE_JS=f"{_ASSETS}/swagger-ui-bundle.js",
        SWAGGER_UI_STANDALONE_PRESET_JS=f"{_ASSETS}/swagger-ui-standalone-preset.js",
        DOCS_FAVICON=f"{_ASSETS}/favicon-32x32.png",
    )
    app.spec_processor(cast(Any, _with_problems))

    @app.get(f"{_ASSETS}/<path:name>")
    @app.doc(hide=True)
    def docs_asset(name: str) -> Response:
        return send_from_directory(swagger_ui_path, name)


def _with_problems(spec: dict[str, Any]) -> dict[str, Any]:
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/api/"):
                continue
            for status in _MIDDLE[method]:
                operation["responses"].setdefault(str(status), {"description": "problem", "content": content})
            if method == "post" and path.endswith("/calls"):
                first = operation["responses"]["201"]
                operation["responses"]["200"] = {**first, "description": "the first answer again"}
    return spec
