"""Reading values out of the raw form of a policy; each that is wrong is named by its dotted place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.policy import Level, Span

T = TypeVar("T")
Raw = Mapping[str, Any]
UNITS = ("min", "h", "wh", "wd")
# Beyond these a number is a slip of the pen, and beyond the calendar sooner or later.
_MAX_DIGITS = 4


def get(raw: Raw, key: str, place: str, kind: type[T]) -> T:
    """Return one value of its type."""
    value = raw.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        where = f"{place}.{key}".lstrip(".")
        raise InvalidPolicy(f"政策文件的 {where} 缺失或类型不对 (应为 {kind.__name__})", field=where)
    return value


def parsed(place: str, make: Callable[[], T]) -> T:
    """Return what `make` makes; its ValueError is one of this place."""
    try:
        return make()
    except ValueError as error:
        raise InvalidPolicy(f"政策文件的 {place} 有误: {error}", field=place) from error


def each(raw: Raw, key: str, place: str, make: Callable[[Raw, str], T]) -> dict[str, T]:
    """Return the tables under a key by id, in the order of the file."""
    order: list[str] = raw.get("order", {}).get(key, [])
    where = f"{place}.{key}".lstrip(".")
    ids = sorted(get(raw, key, place, dict), key=lambda id_: order.index(id_) if id_ in order else len(order))
    return {id_: make(get(raw[key], id_, where, dict), f"{where}.{id_}") for id_ in ids}


def rows(raw: Raw, key: str, place: str) -> dict[str, Any]:
    """Return the items of a list by their place in it."""
    return {f"{key}[{n}]": item for n, item in enumerate(get(raw, key, place, list))}


def tables(raw: Raw, key: str, place: str, make: Callable[[Raw, str], T]) -> tuple[T, ...]:
    """Return the tables of a list."""
    found = rows(raw, key, place)
    return tuple(make(get(found, name, place, dict), f"{place}.{name}") for name in found)


def texts(raw: Raw, key: str, place: str) -> tuple[str, ...]:
    """Return the texts of a list."""
    found = rows(raw, key, place)
    return tuple(get(found, name, place, str) for name in found)


def span(text: str, place: str) -> Span:
    """Return a length of time as people write it."""
    if text == "appointment":
        return Span(0, text)
    amount, _, unit = text.partition(" ")
    if unit not in UNITS or not amount.isdecimal() or len(amount) > _MAX_DIGITS or int(amount) == 0:
        raise InvalidPolicy(f"{place} 应写成 “30 min”、“4 h”、“8 wh”、“1 wd” 或 “appointment”", field=place)
    return Span(int(amount), unit)


def check_level(level: str | None, place: str, levels: Mapping[str, Level]) -> None:
    """Raise InvalidPolicy for a level that the policy does not have."""
    if level is not None and level not in levels:
        raise InvalidPolicy(f"{place} 指向不存在的等级“{level}”", field=place)
