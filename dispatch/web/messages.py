"""What is wrong with an input, in Chinese: which field, why, and what would be right."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

# Names and numbers of fields come from the sender; an answer repeats no more of them than helps.
_MOST_FIELDS = 20
_MOST_OF_NAME = 40
_KEY = "[key]"
# By pydantic's error type; `{...}` is filled from the error's context.
_MESSAGES = {
    "missing": "必填, 请补上",
    "extra_forbidden": "未知字段, 请删除或核对拼写",
    "string_type": "应为文字",
    "string_too_short": "至少 {min_length} 个字",
    "string_too_long": "最多 {max_length} 个字",
    "string_pattern_mismatch": "含有不可见的控制字符, 请删除后再提交",
    "string_unicode": "含有无效的字符 (孤立的代理项), 请删除后再提交",
    "int_type": "应为整数",
    "int_from_float": "应为整数, 不带小数",
    "int_parsing": "应为整数",
    "int_parsing_size": "整数过大",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "datetime_parsing": "应为带时区的时间, 例如 2026-11-24T14:05:00+08:00",
    "datetime_from_date_parsing": "应为带时区的时间, 例如 2026-11-24T14:05:00+08:00",
    "timezone_aware": "缺少时区, 例如 2026-11-24T14:05:00+08:00",
    "enum": "只能取 {expected}",
    "dict_type": "应为 JSON 对象 {{...}}",
    "model_type": "应为 JSON 对象 {{...}}",
    "too_long": "最多 {max_length} 项",
}


def explain(error: ValidationError) -> list[dict[str, str]]:
    """Return `{field, message}` for each fault, the first ones of many."""
    faults = error.errors(include_url=False, include_input=False)
    return [{"field": _name(fault["loc"]), "message": _message(fault)} for fault in faults[:_MOST_FIELDS]]


def _name(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:_MOST_OF_NAME] for part in loc if part != _KEY)


def _message(fault: Any) -> str:
    context = {name: _value(value) for name, value in fault.get("ctx", {}).items()}
    if fault["type"] not in _MESSAGES:
        # Our own checks speak Chinese already; what pydantic may yet invent is better in English than lost.
        return str(fault["msg"])
    message = _MESSAGES[fault["type"]].format(**context)
    return f"名称{message}" if _KEY in fault["loc"] else message


def _value(value: Any) -> str:
    """Write a limit or pydantic's list of allowed values (`'a', 'b' or 'c'`) plainly."""
    if isinstance(value, float):
        return f"{value:g}"
    return re.sub(r"'([^']*)'", r"\1", str(value)).replace(" or ", ", ")
