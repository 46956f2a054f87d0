"""Read a policy from its file form (TOML by people, JSON in the database) and refuse it whole where it is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.flags import GROUP_LABELS, CustomerFlag, FlagRaise
from dispatch.domain.ladder import Step
from dispatch.domain.policy import Area, Category, Level, Limit, Policy, Question, Raise, Span, TemporaryKind
from dispatch.domain.similar import MAX_WITHIN_H, MAX_WITHIN_M, Aspect, Reach, SimilarRule, SimilarRules
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge_policy import WIDENABLE, SurgePolicy
from dispatch.domain.times import Workdays

T = TypeVar("T")
Raw = Mapping[str, Any]
_UNITS = ("min", "h", "wd")
_ORDERED = ("levels", "categories", "flags", "temporary")
_LENGTHS = {"min": "minutes", "h": "hours"}
_NEEDED = (ClockKind.ACK, ClockKind.FIX, ClockKind.CALLBACK)
# Beyond these a number is a slip of the pen, and beyond the calendar sooner or later.
_MAX_RATIO = 100.0
_MAX_DIGITS = 4
_REACHES = {reach.name.lower(): reach for reach in Reach}


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
    ladders = _each(raw, "ladders", "", _ladder)
    levels = _each(raw, "levels", "", lambda item, place: _level(item, place, ladders))
    categories = _each(raw, "categories", "", lambda item, place: _category(item, place, levels))
    _check_categories(levels.values(), categories)
    workdays = _get(raw, "workdays", "", dict)
    valid_from = _at("valid_from", lambda: datetime.fromisoformat(_get(raw, "valid_from", "", str)))
    if valid_from.tzinfo is None:
        raise InvalidPolicy("valid_from 缺少时区", field="valid_from")
    return Policy(
        version=_get(raw, "version", "", str),
        valid_from=valid_from,
        levels=levels,
        categories=categories,
        reasons={kind: _reasons(_get(raw, "reasons", "", dict), kind) for kind in _REASONS},
        workdays=Workdays(_days(workdays, "holidays"), _days(workdays, "extra")),
        device_time_max_age_s=_get(raw, "device_time_max_age_h", "", int) * 3600.0,
        device_time_skew_s=float(_get(raw, "device_time_skew_s", "", int)),
        # A version from before there was such a section suggests nothing.
        similar=_similar(_get(raw, "similar", "", dict), categories) if "similar" in raw else SimilarRules(),
        # Versions that were kept before there were flags have none.
        flags=_each({"flags": {}, **raw}, "flags", "", lambda item, place: _flag(item, place, levels, categories)),
        outage_categories=_outage_categories(raw, categories),
        surge=_surge(_get(raw, "surge", "", dict), levels) if "surge" in raw else None,
        # Versions that were kept before there was such a thing have none.
        temporary=_each(
            {"temporary": {}, **raw}, "temporary", "", lambda one, at: _temporary(one, at, levels, categories)
        ),
    )


_REASONS = ("hold", "return", "cancel")


def _get(raw: Raw, key: str, place: str, kind: type[T]) -> T:
    value = raw.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        where = f"{place}.{key}".lstrip(".")
        raise InvalidPolicy(f"政策文件的 {where} 缺失或类型不对 (应为 {kind.__name__})", field=where)
    return value


def _at(place: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except ValueError as error:
        raise InvalidPolicy(f"政策文件的 {place} 有误: {error}", field=place) from error


def _each(raw: Raw, key: str, place: str, make: Callable[[Raw, str], T]) -> dict[str, T]:
    order: list[str] = raw.get("order", {}).get(key, [])
    where = f"{place}.{key}".lstrip(".")
    ids = sorted(_get(raw, key, place, dict), key=lambda id_: order.index(id_) if id_ in order else len(order))
    return {id_: make(_get(raw[key], id_, where, dict), f"{where}.{id_}") for id_ in ids}


def _rows(raw: Raw, key: str, place: str) -> dict[str, Any]:
    return {f"{key}[{n}]": item for n, item in enumerate(_get(raw, key, place, list))}


def _tables(raw: Raw, key: str, place: str, make: Callable[[Raw, str], T]) -> tuple[T, ...]:
    rows = _rows(raw, key, place)
    return tuple(make(_get(rows, name, place, dict), f"{place}.{name}") for name in rows)


def _texts(raw: Raw, key: str, place: str) -> tuple[str, ...]:
    rows = _rows(raw, key, place)
    return tuple(_get(rows, name, place, str) for name in rows)


def _reasons(raw: Raw, kind: str) -> dict[str, str]:
    codes = _get(raw, kind, "reasons", dict)
    return {code: _get(codes, code, f"reasons.{kind}", str) for code in codes}


def _days(raw: Raw, key: str) -> frozenset[date]:
    return _at(f"workdays.{key}", lambda: frozenset(map(date.fromisoformat, _texts(raw, key, "workdays"))))


def _ladder(raw: Raw, place: str) -> dict[ClockKind, tuple[Step, ...]]:
    return {
        _at(f"{place}.{kind}", lambda kind=kind: ClockKind(kind)): _steps(raw, kind, place)  # type: ignore[misc]
        for kind in raw
    }


def _steps(raw: Raw, kind: str, place: str) -> tuple[Step, ...]:
    where = f"{place}.{kind}"
    steps = _tables(raw, kind, place, _step)
    ratios = [step.ratio for step in steps]
    if ratios != sorted(set(ratios)) or 1.0 not in ratios or not all(0 < ratio <= _MAX_RATIO for ratio in ratios):
        raise InvalidPolicy(f"{where} 的 at 必须为正、递增、小于等于 {_MAX_RATIO}, 且包含 1.0", field=where)
    return steps


def _step(raw: Raw, place: str) -> Step:
    return Step(
        ratio=_get(raw, "at", place, float),
        to=_texts(raw, "to", place),
        label=_get(raw, "label", place, str),
        opens_supervision="opens_supervision" in raw and _get(raw, "opens_supervision", place, bool),
    )


def _level(raw: Raw, place: str, ladders: Mapping[str, Mapping[ClockKind, tuple[Step, ...]]]) -> Level:
    name = _get(raw, "ladder", place, str)
    if name not in ladders:
        raise InvalidPolicy(f"{place}.ladder 指向不存在的升级阶梯“{name}”", field=f"{place}.ladder")
    limits = _tables(raw, "limits", place, _limit)
    # Those that every ticket needs hold in both areas, whatever the pipe and the category.
    missing = {kind for kind in _NEEDED for area in Area if not _has_general(limits, kind, area)}
    missing |= {limit.clock for limit in limits if limit.clock not in ladders[name]}
    if missing:
        raise InvalidPolicy(f"{place} 缺少通用时限或升级阶梯: {', '.join(sorted(missing))}", field=place)
    return Level(place.rpartition(".")[2], _get(raw, "label", place, str), limits, ladders[name])


def _has_general(limits: Iterable[Limit], kind: ClockKind, area: Area) -> bool:
    return any(limit.clock is kind and limit.fits(area, None, "") for limit in limits)


def _limit(raw: Raw, place: str) -> Limit:
    return Limit(
        clock=_at(f"{place}.clock", lambda: ClockKind(_get(raw, "clock", place, str))),
        within=_span(_get(raw, "within", place, str), f"{place}.within"),
        basis=_get(raw, "basis", place, str),
        area=_at(f"{place}.area", lambda: Area(raw["area"])) if "area" in raw else None,
        dn_min=_get(raw, "dn_min", place, int) if "dn_min" in raw else None,
        dn_max=_get(raw, "dn_max", place, int) if "dn_max" in raw else None,
        categories=_texts(raw, "categories", place) if "categories" in raw else (),
    )


def _check_categories(levels: Iterable[Level], categories: Mapping[str, Category]) -> None:
    for level in levels:
        for n, limit in enumerate(level.limits):
            unknown = [id_ for id_ in limit.categories if id_ not in categories]
            if unknown:
                where = f"levels.{level.id}.limits[{n}].categories"
                raise InvalidPolicy(f"{where} 指向不存在的类别: {', '.join(unknown)}", field=where)


def _outage_categories(raw: Raw, categories: Mapping[str, Category]) -> frozenset[str]:
    """What a known outage explains; a version of before has no such section, and every call is dispatched."""
    if "outage" not in raw:
        return frozenset()
    section = _get(raw, "outage", "", dict)
    _get(section, "basis", "outage", str)
    named = _texts(section, "categories", "outage")
    unknown = [id_ for id_ in named if id_ not in categories or categories[id_].level is None]
    if unknown:
        where = "outage.categories"
        raise InvalidPolicy(f"{where} 指向不存在或不派单的类别: {', '.join(unknown)}", field=where)
    return frozenset(named)


def _span(text: str, place: str) -> Span:
    if text == "appointment":
        return Span(0, text)
    amount, _, unit = text.partition(" ")
    if unit not in _UNITS or not amount.isdecimal() or len(amount) > _MAX_DIGITS or int(amount) == 0:
        raise InvalidPolicy(f"{place} 应写成 “30 min”、“4 h”、“1 wd” 或 “appointment”", field=place)
    return Span(int(amount), unit)


def _category(raw: Raw, place: str, levels: Mapping[str, Level]) -> Category:
    opens_ticket = "opens_ticket" not in raw or _get(raw, "opens_ticket", place, bool)
    level = _get(raw, "level", place, str) if opens_ticket else None
    _check_level(level, f"{place}.level", levels)
    asked = {"questions": [], **raw}
    questions = _tables(asked, "questions", place, lambda item, where: _question(item, where, levels))
    return Category(place.rpartition(".")[2], _get(raw, "label", place, str), level, questions)


def _temporary(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> TemporaryKind:
    level, category = _get(raw, "level", place, str), _get(raw, "category", place, str)
    _check_level(level, f"{place}.level", levels)
    if category not in categories or categories[category].level is None:
        raise InvalidPolicy(f"{place}.category 应为生成工单的类别, 现为“{category}”", field=f"{place}.category")
    within = _span(_get(raw, "within", place, str), f"{place}.within")
    if within.unit == "appointment":
        raise InvalidPolicy(f"{place}.within 应为一段时间, 例如 “3 wd”", field=f"{place}.within")
    label, basis = _get(raw, "label", place, str), _get(raw, "basis", place, str)
    return TemporaryKind(place.rpartition(".")[2], label, category, level, within, basis)


def _check_level(level: str | None, place: str, levels: Mapping[str, Level]) -> None:
    if level is not None and level not in levels:
        raise InvalidPolicy(f"{place} 指向不存在的等级“{level}”", field=place)


def _question(raw: Raw, place: str, levels: Mapping[str, Level]) -> Question:
    choices = _texts(raw, "choices", place) if "choices" in raw else ()
    question = Question(_get(raw, "id", place, str), _get(raw, "text", place, str), choices)
    if "raise" not in raw:
        return question
    raises, where = _get(raw, "raise", place, dict), f"{place}.raise"
    level = _get(raises, "level", where, str)
    _check_level(level, f"{where}.level", levels)
    equals: bool | str = _get(raises, "equals", where, str) if choices else _get(raises, "equals", where, bool)
    if choices and equals not in choices:
        raise InvalidPolicy(f"{where}.equals 不在 choices 之内", field=f"{where}.equals")
    return replace(question, raises=Raise(equals, level))


# ---------------------------------------------------------------- duplicates


def _similar(raw: Raw, categories: Mapping[str, Category]) -> SimilarRules:
    rules = _each(raw, "categories", "similar", _similar_rule)
    _check_known(rules, "similar.categories", categories)
    told = _get(raw, "families", "similar", dict)
    families = {name: frozenset(_texts(told, name, "similar.families")) for name in told}
    for name, family in families.items():
        _check_known(family, f"similar.families.{name}", rules)
    aspects = (*_aspects(raw, "aspects", is_local=False), *_aspects(raw, "local_aspects", is_local=True))
    known = {aspect.id for aspect in aspects}
    for id_, rule in rules.items():
        _check_known(rule.implies, f"similar.categories.{id_}.implies", known)
    return SimilarRules(rules, families, aspects, _words(raw, "alone", "similar"))


def _similar_rule(raw: Raw, place: str) -> SimilarRule:
    threshold, within_m = _get(raw, "threshold", place, float), _get(raw, "within_m", place, int)
    if not 0 < threshold <= 1:
        raise InvalidPolicy(f"{place}.threshold 应大于 0 且不超过 1", field=f"{place}.threshold")
    if not 0 < within_m <= MAX_WITHIN_M:
        raise InvalidPolicy(f"{place}.within_m 应在 1 到 {MAX_WITHIN_M} 之间", field=f"{place}.within_m")
    within_h = _get(raw, "within_h", place, int)
    if not 0 < within_h <= MAX_WITHIN_H:
        raise InvalidPolicy(f"{place}.within_h 应在 1 到 {MAX_WITHIN_H} 之间", field=f"{place}.within_h")
    reach = _get(raw, "reach", place, str)
    if reach not in _REACHES:
        raise InvalidPolicy(f"{place}.reach 应为 {', '.join(_REACHES)} 之一", field=f"{place}.reach")
    implies = frozenset(_texts(raw, "implies", place)) if "implies" in raw else frozenset[str]()
    basis = _get(raw, "basis", place, str)
    return SimilarRule(threshold, float(within_m), timedelta(hours=within_h), _REACHES[reach], basis, implies)


def _check_known(ids: Iterable[str], place: str, known: Iterable[str]) -> None:
    unknown = sorted(set(ids).difference(known))
    if unknown:
        raise InvalidPolicy(f"{place} 含有未定义的编号: {', '.join(unknown)}", field=place)


def _aspects(raw: Raw, key: str, *, is_local: bool) -> Iterator[Aspect]:
    groups = _get(raw, key, "similar", dict)
    for name in groups:
        group, place = _get(groups, name, f"similar.{key}", dict), f"similar.{key}.{name}"
        for id_ in group:
            yield Aspect(id_, name, _words(group, id_, place), is_local)


def _words(raw: Raw, key: str, place: str) -> tuple[str, ...]:
    words = _texts(raw, key, place)
    if not all(word.strip() for word in words):
        raise InvalidPolicy(f"{place}.{key} 含有空词", field=f"{place}.{key}")
    return words


# ---------------------------------------------------------------- customer flags


def _flag(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> CustomerFlag:
    group = _get(raw, "group", place, str)
    if group not in GROUP_LABELS:
        raise InvalidPolicy(f"{place}.group 只能取 {', '.join(GROUP_LABELS)}", field=f"{place}.group")
    return CustomerFlag(
        id=place.rpartition(".")[2],
        label=_get(raw, "label", place, str),
        group=group,
        raises=_tables(
            {"raise": [], **raw}, "raise", place, lambda item, at: _flag_raise(item, at, levels, categories)
        ),
        notify=_texts({"notify": [], **raw}, "notify", place),
        basis=_get(raw, "basis", place, str),
    )


def _flag_raise(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> FlagRaise:
    level, lifted = _get(raw, "level", place, str), _texts(raw, "categories", place)
    _check_level(level, f"{place}.level", levels)
    unknown = [id_ for id_ in lifted if id_ not in categories]
    if unknown:
        where = f"{place}.categories"
        raise InvalidPolicy(f"{where} 指向不存在的类别: {', '.join(unknown)}", field=where)
    return FlagRaise(lifted, level)


# ---------------------------------------------------------------- surges


def _surge(raw: Raw, levels: Mapping[str, Level]) -> SurgePolicy:
    enter, leave = _get(raw, "enter_calls", "surge", int), _get(raw, "leave_calls", "surge", int)
    if not 0 < leave < enter:
        raise InvalidPolicy("surge.leave_calls 须大于 0 且小于 enter_calls, 否则会反复进出", field="surge.leave_calls")
    wide = _get(raw, "widen", "surge", dict) if "widen" in raw else {"levels": [], "clocks": [], "most": 1.0}
    at_once, widenable = _texts(raw, "at_once", "surge"), _texts(wide, "levels", "surge.widen")
    for place, ids in {"surge.at_once": at_once, "surge.widen.levels": widenable}.items():
        for id_ in ids:
            _check_level(id_, place, levels)
    clocks = _texts(wide, "clocks", "surge.widen")
    if not set(clocks) <= set(WIDENABLE):
        raise InvalidPolicy(f"surge.widen.clocks 只能取 {', '.join(WIDENABLE)}", field="surge.widen.clocks")
    return SurgePolicy(
        basis=_get(raw, "basis", "surge", str),
        window=_length(raw, "window", "surge"),
        enter_calls=enter,
        leave_calls=leave,
        calm=_length(raw, "calm", "surge"),
        digest_to=_texts(raw, "digest_to", "surge"),
        digest_every=_length(raw, "digest_every", "surge"),
        at_once=at_once,
        broadcast=_get(raw, "broadcast", "surge", str),
        public_text=_get(raw, "public_text", "surge", str),
        levels=widenable,
        clocks=tuple(map(ClockKind, clocks)),
        most=_get(wide, "most", "surge.widen", float),
    )


def _length(raw: Raw, key: str, place: str) -> timedelta:
    """Return a length of time in minutes or hours."""
    where = f"{place}.{key}"
    span = _span(_get(raw, key, place, str), where)
    if span.unit not in _LENGTHS:
        raise InvalidPolicy(f"{where} 应写成 “30 min” 或 “4 h”", field=where)
    return timedelta(**{_LENGTHS[span.unit]: span.amount})
