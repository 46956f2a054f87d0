"""Read a policy from its file form (TOML by people, JSON in the database) and refuse it whole where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.ladder import Step
from dispatch.domain.policy import Area, Category, Level, Limit, Policy, Question, Raise, Span
from dispatch.domain.sla import ClockKind
from dispatch.domain.times import Workdays

T = TypeVar("T")
Raw = Mapping[str, Any]
_UNITS = ("min", "h", "wd")
_NEEDED = (ClockKind.ACK, ClockKind.FIX, ClockKind.CALLBACK)


def read_toml(data: bytes) -> dict[str, Any]:
    """Return the raw policy of a TOML file with dates as ISO text, the form that the database keeps.

    Raises:
        InvalidPolicy: where it is no TOML in UTF-8.
    """
    try:
        raw = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidPolicy(f"政策文件不是有效的 UTF-8 TOML: {error}") from error
    return {key: _plain(value) for key, value in raw.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def parse(raw: Raw) -> Policy:
    """Return the policy of its raw form.

    Raises:
        InvalidPolicy: with `field` as the dotted place in the file.
    """
    ladders = _each(raw, "ladders", "", _ladder)
    levels = _each(raw, "levels", "", lambda item, place: _level(item, place, ladders))
    categories = _each(raw, "categories", "", lambda item, place: _category(item, place, levels))
    workdays = _get(raw, "workdays", "", dict)
    valid_from = _at("valid_from", lambda: datetime.fromisoformat(_get(raw, "valid_from", "", str)))
    if valid_from.tzinfo is None:
        raise InvalidPolicy("valid_from 缺少时区", field="valid_from")
    return Policy(
        version=_get(raw, "version", "", str),
        valid_from=valid_from,
        levels=levels,
        categories=categories,
        reasons={kind: _get(_get(raw, "reasons", "", dict), kind, "reasons", dict) for kind in _REASONS},
        workdays=Workdays(_days(workdays, "holidays"), _days(workdays, "extra")),
        device_time_max_age_s=_get(raw, "device_time_max_age_h", "", int) * 3600.0,
        device_time_skew_s=float(_get(raw, "device_time_skew_s", "", int)),
    )


_REASONS = ("hold", "return", "cancel")


def _get(raw: Raw, key: str, place: str, kind: type[T]) -> T:
    value = raw.get(key)
    if not isinstance(value, kind):
        where = f"{place}.{key}".lstrip(".")
        raise InvalidPolicy(f"政策文件的 {where} 缺失或类型不对 (应为 {kind.__name__})", field=where)
    return value


def _at(place: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except (ValueError, KeyError) as error:
        raise InvalidPolicy(f"政策文件的 {place} 有误: {error}", field=place) from error


def _each(raw: Raw, key: str, place: str, make: Callable[[Raw, str], T]) -> dict[str, T]:
    return {id_: make(_get(raw[key], id_, key, dict), f"{key}.{id_}") for id_ in _get(raw, key, place, dict)}


def _days(raw: Raw, key: str) -> frozenset[date]:
    return _at(f"workdays.{key}", lambda: frozenset(map(date.fromisoformat, _get(raw, key, "workdays", list))))


def _ladder(raw: Raw, place: str) -> dict[ClockKind, tuple[Step, ...]]:
    return {
        _at(f"{place}.{kind}", lambda kind=kind: ClockKind(kind)): _steps(raw, kind, place)  # type: ignore[misc]
        for kind in raw
    }


def _steps(raw: Raw, kind: str, place: str) -> tuple[Step, ...]:
    where = f"{place}.{kind}"
    steps = tuple(
        Step(
            ratio=_get(item, "at", where, float),
            to=tuple(_get(item, "to", where, list)),
            label=_get(item, "label", where, str),
            opens_supervision=bool(item.get("opens_supervision", False)),
        )
        for item in _get(raw, kind, place, list)
    )
    ratios = [step.ratio for step in steps]
    if ratios != sorted(set(ratios)) or 1.0 not in ratios or ratios[0] <= 0:
        raise InvalidPolicy(f"{where} 的 at 必须为正、递增, 且包含 1.0 (超时本身)", field=where)
    return steps


def _level(raw: Raw, place: str, ladders: Mapping[str, Mapping[ClockKind, tuple[Step, ...]]]) -> Level:
    name = _get(raw, "ladder", place, str)
    if name not in ladders:
        raise InvalidPolicy(f"{place}.ladder 指向不存在的升级阶梯“{name}”", field=f"{place}.ladder")
    limits = tuple(_limit(item, f"{place}.limits[{n}]") for n, item in enumerate(_get(raw, "limits", place, list)))
    clocks = {limit.clock for limit in limits}
    missing = [kind for kind in clocks.union(_NEEDED) if kind not in clocks or kind not in ladders[name]]
    if missing:
        raise InvalidPolicy(f"{place} 缺少时限或升级阶梯: {', '.join(sorted(missing))}", field=place)
    return Level(place.rpartition(".")[2], _get(raw, "label", place, str), limits, ladders[name])


def _limit(raw: Raw, place: str) -> Limit:
    return Limit(
        clock=_at(f"{place}.clock", lambda: ClockKind(_get(raw, "clock", place, str))),
        within=_span(_get(raw, "within", place, str), f"{place}.within"),
        basis=_get(raw, "basis", place, str),
        area=_at(f"{place}.area", lambda: Area(raw["area"])) if "area" in raw else None,
        dn_min=_get(raw, "dn_min", place, int) if "dn_min" in raw else None,
        dn_max=_get(raw, "dn_max", place, int) if "dn_max" in raw else None,
        categories=tuple(raw.get("categories", ())),
    )


def _span(text: str, place: str) -> Span:
    if text == "appointment":
        return Span(0, text)
    amount, _, unit = text.partition(" ")
    if unit not in _UNITS or not amount.isdecimal() or int(amount) == 0:
        raise InvalidPolicy(f"{place} 应写成 “30 min”、“4 h”、“1 wd” 或 “appointment”", field=place)
    return Span(int(amount), unit)


def _category(raw: Raw, place: str, levels: Mapping[str, Level]) -> Category:
    level = _get(raw, "level", place, str) if raw.get("opens_ticket", True) else None
    _check_level(level, f"{place}.level", levels)
    questions = tuple(_question(item, f"{place}.questions", levels) for item in raw.get("questions", ()))
    return Category(place.rpartition(".")[2], _get(raw, "label", place, str), level, questions)


def _check_level(level: str | None, place: str, levels: Mapping[str, Level]) -> None:
    if level is not None and level not in levels:
        raise InvalidPolicy(f"{place} 指向不存在的等级“{level}”", field=place)


def _question(raw: Raw, place: str, levels: Mapping[str, Level]) -> Question:
    raises = None
    if "raise" in raw:
        raises = Raise(raw["raise"].get("equals"), _get(raw["raise"], "level", f"{place}.raise", str))
        _check_level(raises.level, f"{place}.raise.level", levels)
    return Question(_get(raw, "id", place, str), _get(raw, "text", place, str), tuple(raw.get("choices", ())), raises)
