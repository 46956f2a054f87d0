"""The sections of a policy beside its levels: duplicates, flags, surges, outages, temporary fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.flags import GROUP_LABELS, CustomerFlag, FlagRaise
from dispatch.domain.policy import Category, Level, TemporaryKind
from dispatch.domain.policy_values import Raw, check_level, each, get, span, tables, texts
from dispatch.domain.similar import MAX_WITHIN_H, MAX_WITHIN_M, Aspect, Reach, SimilarRule, SimilarRules
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge_policy import WIDENABLE, SurgePolicy

_LENGTHS = {"min": "minutes", "h": "hours"}
_REACHES = {reach.name.lower(): reach for reach in Reach}


def similar(raw: Raw, categories: Mapping[str, Category]) -> SimilarRules:
    """Return the rules of duplicates."""
    rules = each(raw, "categories", "similar", _similar_rule)
    _check_known(rules, "similar.categories", categories)
    told = get(raw, "families", "similar", dict)
    families = {name: frozenset(texts(told, name, "similar.families")) for name in told}
    for name, family in families.items():
        _check_known(family, f"similar.families.{name}", rules)
    aspects = (*_aspects(raw, "aspects", is_local=False), *_aspects(raw, "local_aspects", is_local=True))
    known = {aspect.id for aspect in aspects}
    for id_, rule in rules.items():
        _check_known(rule.implies, f"similar.categories.{id_}.implies", known)
    return SimilarRules(rules, families, aspects, _words(raw, "alone", "similar"))


def _similar_rule(raw: Raw, place: str) -> SimilarRule:
    threshold, within_m = get(raw, "threshold", place, float), get(raw, "within_m", place, int)
    if not 0 < threshold <= 1:
        raise InvalidPolicy(f"{place}.threshold 应大于 0 且不超过 1", field=f"{place}.threshold")
    if not 0 < within_m <= MAX_WITHIN_M:
        raise InvalidPolicy(f"{place}.within_m 应在 1 到 {MAX_WITHIN_M} 之间", field=f"{place}.within_m")
    within_h = get(raw, "within_h", place, int)
    if not 0 < within_h <= MAX_WITHIN_H:
        raise InvalidPolicy(f"{place}.within_h 应在 1 到 {MAX_WITHIN_H} 之间", field=f"{place}.within_h")
    reach = get(raw, "reach", place, str)
    if reach not in _REACHES:
        raise InvalidPolicy(f"{place}.reach 应为 {', '.join(_REACHES)} 之一", field=f"{place}.reach")
    implies = frozenset(texts(raw, "implies", place)) if "implies" in raw else frozenset[str]()
    basis = get(raw, "basis", place, str)
    return SimilarRule(threshold, float(within_m), timedelta(hours=within_h), _REACHES[reach], basis, implies)


def _check_known(ids: Iterable[str], place: str, known: Iterable[str]) -> None:
    unknown = sorted(set(ids).difference(known))
    if unknown:
        raise InvalidPolicy(f"{place} 含有未定义的编号: {', '.join(unknown)}", field=place)


def _aspects(raw: Raw, key: str, *, is_local: bool) -> Iterator[Aspect]:
    groups = get(raw, key, "similar", dict)
    for name in groups:
        group, place = get(groups, name, f"similar.{key}", dict), f"similar.{key}.{name}"
        for id_ in group:
            yield Aspect(id_, name, _words(group, id_, place), is_local)


def _words(raw: Raw, key: str, place: str) -> tuple[str, ...]:
    words = texts(raw, key, place)
    if not all(word.strip() for word in words):
        raise InvalidPolicy(f"{place}.{key} 含有空词", field=f"{place}.{key}")
    return words


# ---------------------------------------------------------------- customer flags


def flag(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> CustomerFlag:
    """Return one customer flag."""
    group = get(raw, "group", place, str)
    if group not in GROUP_LABELS:
        raise InvalidPolicy(f"{place}.group 只能取 {', '.join(GROUP_LABELS)}", field=f"{place}.group")
    return CustomerFlag(
        id=place.rpartition(".")[2],
        label=get(raw, "label", place, str),
        group=group,
        raises=tables({"raise": [], **raw}, "raise", place, lambda item, at: _flag_raise(item, at, levels, categories)),
        notify=texts({"notify": [], **raw}, "notify", place),
        basis=get(raw, "basis", place, str),
    )


def _flag_raise(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> FlagRaise:
    level, lifted = get(raw, "level", place, str), texts(raw, "categories", place)
    check_level(level, f"{place}.level", levels)
    unknown = [id_ for id_ in lifted if id_ not in categories]
    if unknown:
        where = f"{place}.categories"
        raise InvalidPolicy(f"{where} 指向不存在的类别: {', '.join(unknown)}", field=where)
    return FlagRaise(lifted, level)


# ---------------------------------------------------------------- surges


def surge(raw: Raw, levels: Mapping[str, Level]) -> SurgePolicy:
    """Return the section of surges."""
    enter, leave = get(raw, "enter_calls", "surge", int), get(raw, "leave_calls", "surge", int)
    if not 0 < leave < enter:
        raise InvalidPolicy("surge.leave_calls 须大于 0 且小于 enter_calls, 否则会反复进出", field="surge.leave_calls")
    wide = get(raw, "widen", "surge", dict) if "widen" in raw else {"levels": [], "clocks": [], "most": 1.0}
    at_once, widenable = texts(raw, "at_once", "surge"), texts(wide, "levels", "surge.widen")
    for place, ids in {"surge.at_once": at_once, "surge.widen.levels": widenable}.items():
        for id_ in ids:
            check_level(id_, place, levels)
    clocks = texts(wide, "clocks", "surge.widen")
    if not set(clocks) <= set(WIDENABLE):
        raise InvalidPolicy(f"surge.widen.clocks 只能取 {', '.join(WIDENABLE)}", field="surge.widen.clocks")
    return SurgePolicy(
        basis=get(raw, "basis", "surge", str),
        window=_length(raw, "window", "surge"),
        enter_calls=enter,
        leave_calls=leave,
        calm=_length(raw, "calm", "surge"),
        digest_to=texts(raw, "digest_to", "surge"),
        digest_every=_length(raw, "digest_every", "surge"),
        at_once=at_once,
        broadcast=get(raw, "broadcast", "surge", str),
        public_text=get(raw, "public_text", "surge", str),
        levels=widenable,
        clocks=tuple(map(ClockKind, clocks)),
        most=get(wide, "most", "surge.widen", float),
    )


def _length(raw: Raw, key: str, place: str) -> timedelta:
    """Return a length of time in minutes or hours."""
    where = f"{place}.{key}"
    told = span(get(raw, key, place, str), where)
    if told.unit not in _LENGTHS:
        raise InvalidPolicy(f"{where} 应写成 “30 min” 或 “4 h”", field=where)
    return timedelta(**{_LENGTHS[told.unit]: told.amount})


def outage_categories(raw: Raw, categories: Mapping[str, Category]) -> frozenset[str]:
    """What a known outage explains; a version of before has no such section, and every call is dispatched."""
    if "outage" not in raw:
        return frozenset()
    section = get(raw, "outage", "", dict)
    get(section, "basis", "outage", str)
    named = texts(section, "categories", "outage")
    unknown = [id_ for id_ in named if id_ not in categories or categories[id_].level is None]
    if unknown:
        where = "outage.categories"
        raise InvalidPolicy(f"{where} 指向不存在或不派单的类别: {', '.join(unknown)}", field=where)
    return frozenset(named)


def temporary(raw: Raw, place: str, levels: Mapping[str, Level], categories: Mapping[str, Category]) -> TemporaryKind:
    """Return one kind of temporary fix."""
    level, category = get(raw, "level", place, str), get(raw, "category", place, str)
    check_level(level, f"{place}.level", levels)
    if category not in categories or categories[category].level is None:
        raise InvalidPolicy(f"{place}.category 应为生成工单的类别, 现为“{category}”", field=f"{place}.category")
    within = span(get(raw, "within", place, str), f"{place}.within")
    if within.unit == "appointment":
        raise InvalidPolicy(f"{place}.within 应为一段时间, 例如 “3 wd”", field=f"{place}.within")
    label, basis = get(raw, "label", place, str), get(raw, "basis", place, str)
    return TemporaryKind(place.rpartition(".")[2], label, category, level, within, basis)
