"""What comes in and goes out as JSON: bounded, as RFC 8259 has it, and always an object."""

from __future__ import annotations

import json
from typing import Any

import flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from dispatch.domain.errors import DispatchError, InvalidInput

_KINDS = {list: "列表", str: "文字", bool: "true/false", int: "数字", float: "数字", type(None): "null"}


class BadJson(DispatchError):
    """A body that is no JSON."""

    code = "bad-json"
    status = 400


class Json(DefaultJSONProvider):
    """Answers in the order in which they are written, Chinese as it is."""

    ensure_ascii = False
    sort_keys = False


class Request(flask.Request):
    """A request whose body ends at the limit, however it is sent, and whose JSON is strict."""

    def get_data(self, cache: bool = True, as_text: Any = False, parse_form_data: bool = False) -> Any:
        """Return the body, or raise RequestEntityTooLarge.

        A body without a length (chunked) is cut at the limit by werkzeug without a word: look whether more follows.
        """
        data = super().get_data(cache, as_text, parse_form_data)
        if len(data) == self.max_content_length and self.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
        return data

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> dict[str, Any]:
        """Return the JSON object of the body, whatever its Content-Type says; no body counts as `{}`.

        Raises:
            BadJson: for all that is no JSON, NaN, endless nesting and a name given twice included.
            InvalidInput: for JSON that is no object.
        """
        data = self.get_data()
        if not data:
            return {}
        try:
            told = json.loads(data, parse_constant=_refuse, object_pairs_hook=_object)
        except RecursionError:
            raise BadJson('请求体嵌套过深; 请发送一个 JSON 对象, 例如 {"note": "..."}') from None
        except ValueError as error:
            raise BadJson(f"请求体不是有效的 JSON ({_place(error)}); 请发送 UTF-8 编码的 JSON 对象") from None
        if not isinstance(told, dict):
            raise InvalidInput(f"请求体应为 JSON 对象 {{...}}, 现为{_KINDS[type(told)]}")
        return told


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} 不是 JSON 的数值")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values of one name contradict each other, and which of them was meant nobody knows."""
    told: dict[str, Any] = {}
    for name, value in pairs:
        if name in told:
            raise BadJson(f"请求体中“{name[:40]}”出现多次; 每个字段只能写一次")
        told[name] = value
    return told


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"第 {error.lineno} 行第 {error.colno} 列"
    if isinstance(error, UnicodeDecodeError):
        return f"第 {error.start + 1} 字节不是 UTF-8"
    return str(error) if not str(error).isascii() else "数字过长"


def install(app: flask.Flask) -> None:
    """Let `app` read and write JSON this way."""
    app.request_class = Request
    app.json = Json(app)
