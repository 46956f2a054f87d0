"""Read a policy from its file form (TOML by people, JSON in the database) and refuse it whole where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from dispatch.domain import policy_calendar
from dispatch.domain import policy_sections as sections
from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.ladder import Step
from dispatch.domain.policy import Area, Category, Level, Limit, Policy, Question, Raise
from dispatch.domain.policy_values import Raw, check_level, each, get, parsed, span, tables, texts
from dispatch.domain.similar import SimilarRules
from dispatch.domain.sla import ClockKind

_ORDERED = ("levels", "categories", "flags", "temporary")
_NEEDED = (ClockKind.ACK, ClockKind.FIX, ClockKind.CALLBACK)
# Beyond this a number is a slip of the pen.
_MAX_RATIO = 100.0


def read_toml(data: bytes) -> dict[str, Any]:
    """Return the raw policy of a TOML file with dates as ISO text, the form that the database keeps.

    What stands in the file first is told apart, as `order`: PostgreSQL's jsonb keeps none.

    Raises:
        InvalidPolicy: where it is no TOML in UTF-8.
    """
    try:
        raw = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPolicy(f"政策文件不是有效的 UTF-8 TOML: {error}") from error
    order = {key: list(raw[key]) for key in _ORDERED if isinstance(raw.get(key), dict)}
    return {**{key: _plain(value) for key, value in raw.items()}, "order": order}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | time) else value


def parse(raw: Raw) -> Policy:
    """Return the policy of its raw form.

    Raises:
        InvalidPolicy: with `field` as the dotted place in the file.
    """
    ladders = each(raw, "ladders", "", _ladder)
    levels = each(raw, "levels", "", lambda item, place: _level(item, place, ladders))
    categories = each(raw, "categories", "", lambda item, place: _category(item, place, levels))
    _check_categories(levels.values(), categories)
    calendars = policy_calendar.calendars(raw)
    valid_from = parsed("valid_from", lambda: datetime.fromisoformat(get(raw, "valid_from", "", str)))
    if valid_from.tzinfo is None:
        raise InvalidPolicy("valid_from 缺少时区", field="valid_from")
    return Policy(
        version=get(raw, "version", "", str),
        valid_from=valid_from,
        levels=levels,
        categories=categories,
        # Versions that were kept before extensions had codes have none: there a note alone suffices.
        reasons={kind: _reasons({"extend": {}, **get(raw, "reasons", "", dict)}, kind) for kind in REASONS},
        calendars=calendars,
        device_time_max_age_s=get(raw, "device_time_max_age_h", "", int) * 3600.0,
        device_time_skew_s=float(get(raw, "device_time_skew_s", "", int)),
        # A version from before there was such a section suggests nothing.
        similar=sections.similar(get(raw, "similar", "", dict), categories) if "similar" in raw else SimilarRules(),
        # Versions that were kept before there were flags have none.
        flags=each(
            {"flags": {}, **raw}, "flags", "", lambda item, place: sections.flag(item, place, levels, categories)
        ),
        outage_categories=sections.outage_categories(raw, categories),
        case_note=get({"case_note": "", **raw}, "case_note", "", str),
        surge=sections.surge(get(raw, "surge", "", dict), levels) if "surge" in raw else None,
        # Versions that were kept before there was such a thing have none.
        temporary=each(
            {"temporary": {}, **raw}, "temporary", "", lambda one, at: sections.temporary(one, at, levels, categories)
        ),
    )


REASONS = ("hold", "extend", "return", "cancel")


def _reasons(raw: Raw, kind: str) -> dict[str, str]:
    codes = get(raw, kind, "reasons", dict)
    return {code: get(codes, code, f"reasons.{kind}", str) for code in codes}


def _ladder(raw: Raw, place: str) -> dict[ClockKind, tuple[Step, ...]]:
    return {
        parsed(f"{place}.{kind}", lambda kind=kind: ClockKind(kind)): _steps(raw, kind, place)  # type: ignore[misc]
        for kind in raw
    }


def _steps(raw: Raw, kind: str, place: str) -> tuple[Step, ...]:
    where = f"{place}.{kind}"
    steps = tables(raw, kind, place, _step)
    ratios = [step.ratio for step in steps]
    if ratios != sorted(set(ratios)) or 1.0 not in ratios or not all(0 < ratio <= _MAX_RATIO for ratio in ratios):
        raise InvalidPolicy(f"{where} 的 at 必须为正、递增、小于等于 {_MAX_RATIO}, 且包含 1.0", field=where)
    return steps


def _step(raw: Raw, place: str) -> Step:
    return Step(
        ratio=get(raw, "at", place, float),
        to=texts(raw, "to", place),
        label=get(raw, "label", place, str),
        opens_supervision="opens_supervision" in raw and get(raw, "opens_supervision", place, bool),
        answer_within=_minutes(raw, "answer", place) if "answer" in raw else None,
    )


def _minutes(raw: Raw, key: str, place: str) -> timedelta:
    """Return a time that people are given, day or night: `5 min`, `1 h`."""
    where = f"{place}.{key}"
    within = span(get(raw, key, place, str), where)
    if within.unit not in ("min", "h"):
        raise InvalidPolicy(f"{where} 应写成 “5 min” 或 “1 h”", field=where)
    return timedelta(minutes=within.amount * {"min": 1, "h": 60}[within.unit])


def _level(raw: Raw, place: str, ladders: Mapping[str, Mapping[ClockKind, tuple[Step, ...]]]) -> Level:
    name = get(raw, "ladder", place, str)
    if name not in ladders:
        raise InvalidPolicy(f"{place}.ladder 指向不存在的升级阶梯“{name}”", field=f"{place}.ladder")
    limits = tables(raw, "limits", place, _limit)
    # Those that every ticket needs hold in both areas, whatever the pipe and the category.
    missing = {kind for kind in _NEEDED for area in Area if not _has_general(limits, kind, area)}
    missing |= {limit.clock for limit in limits if limit.clock not in ladders[name]}
    if missing:
        raise InvalidPolicy(f"{place} 缺少通用时限或升级阶梯: {', '.join(sorted(missing))}", field=place)
    return Level(place.rpartition(".")[2], get(raw, "label", place, str), limits, ladders[name])


def _has_general(limits: Iterable[Limit], kind: ClockKind, area: Area) -> bool:
    return any(limit.clock is kind and limit.fits(area, None, "") for limit in limits)


def _limit(raw: Raw, place: str) -> Limit:
    return Limit(
        clock=parsed(f"{place}.clock", lambda: ClockKind(get(raw, "clock", place, str))),
        within=span(get(raw, "within", place, str), f"{place}.within"),
        basis=get(raw, "basis", place, str),
        area=parsed(f"{place}.area", lambda: Area(raw["area"])) if "area" in raw else None,
        dn_min=get(raw, "dn_min", place, int) if "dn_min" in raw else None,
        dn_max=get(raw, "dn_max", place, int) if "dn_max" in raw else None,
        categories=texts(raw, "categories", place) if "categories" in raw else (),
    )


def _check_categories(levels: Iterable[Level], categories: Mapping[str, Category]) -> None:
    for level in levels:
        for n, limit in enumerate(level.limits):
            unknown = [id_ for id_ in limit.categories if id_ not in categories]
            if unknown:
                where = f"levels.{level.id}.limits[{n}].categories"
                raise InvalidPolicy(f"{where} 指向不存在的类别: {', '.join(unknown)}", field=where)


def _category(raw: Raw, place: str, levels: Mapping[str, Level]) -> Category:
    opens_ticket = "opens_ticket" not in raw or get(raw, "opens_ticket", place, bool)
    level = get(raw, "level", place, str) if opens_ticket else None
    check_level(level, f"{place}.level", levels)
    asked = {"questions": [], **raw}
    questions = tables(asked, "questions", place, lambda item, where: _question(item, where, levels))
    return Category(place.rpartition(".")[2], get(raw, "label", place, str), level, questions)


def _question(raw: Raw, place: str, levels: Mapping[str, Level]) -> Question:
    choices = texts(raw, "choices", place) if "choices" in raw else ()
    question = Question(get(raw, "id", place, str), get(raw, "text", place, str), choices)
    if "raise" not in raw:
        return question
    raises, where = get(raw, "raise", place, dict), f"{place}.raise"
    level = get(raises, "level", where, str)
    check_level(level, f"{where}.level", levels)
    equals: bool | str = get(raises, "equals", where, str) if choices else get(raises, "equals", where, bool)
    if choices and equals not in choices:
        raise InvalidPolicy(f"{where}.equals 不在 choices 之内", field=f"{where}.equals")
    return replace(question, raises=Raise(equals, level))
