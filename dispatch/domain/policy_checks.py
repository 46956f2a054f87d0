"""What is wrong about a policy although it can be read: promises out of order, and steps that nobody hears of.

Versions of before are read without these, so that a ticket always finds the policy that it was made under.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dispatch.domain import policy_file
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, InvalidPolicy
from dispatch.domain.policy import Area, Level, Limit, Policy
from dispatch.domain.policy_values import Raw
from dispatch.domain.sla import CLOCK_LABELS, ClockKind

# Who can be told, and what they are called.
AUDIENCES = {
    "crew": ("水管家", "crew"),
    "backup": ("B 角", "backup steward"),
    "area_lead": ("片区长", "area lead"),
    "dispatcher": ("调度", "dispatcher"),
    "branch_duty": ("分公司值班", "branch duty manager"),
    "hotline_director": ("热线主任", "hotline director"),
    "company_duty": ("公司值班领导", "company duty leader"),
}
# In this order things happen.
_COURSE = (ClockKind.ACK, ClockKind.ARRIVE, ClockKind.FIX)
_MINUTES = {"min": 1, "h": 60}
# A coded reason, as the API takes it.
_CODE = re.compile(r"[a-z0-9_]{1,60}")
_SECTIONS = (
    "version", "valid_from", "order", "device_time_max_age_h", "device_time_skew_s", "case_note", "workdays", "hours",
    "surge", "levels", "ladders", "categories", "similar", "flags", "outage", "reasons", "temporary",
)  # fmt: skip
_ORDERED = ("levels", "categories", "flags", "temporary")
_MAX_DEPTH = 12
_MAX_TEXT = 2000
_MAX_VALUES = 20_000
_MAX_NUMBER = 10**6


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that must be put right: its dotted place in the policy, and why."""

    field: str
    detail: str


def read(raw: Raw) -> tuple[Policy | None, tuple[Problem, ...]]:
    """Return the policy of a form, or None where it cannot be read, and all that is wrong about it."""
    try:
        policy = policy_file.parse(raw)
    except InvalidPolicy as error:
        return None, (Problem(error.field or "", error.detail),)
    return policy, (*_strangers(raw), *_courses(policy), *_nobody(raw), *_reasons(raw["reasons"]))


def check(raw: Raw) -> Policy:
    """Return the policy of a form.

    Raises:
        InvalidPolicy: with the first thing that is wrong, and all of them as `problems`.
    """
    policy, problems = read(raw)
    if policy is None or problems:
        told = [{"field": problem.field, "detail": problem.detail} for problem in problems]
        raise InvalidPolicy(problems[0].detail, field=problems[0].field, problems=told)
    return policy


def _strangers(raw: Raw) -> Iterator[Problem]:
    """Find sections that mean nothing: a slip of the pen would leave out what it was meant to say."""
    for name in raw:
        if name not in _SECTIONS:
            yield Problem(name, f"没有这一节; 可选: {', '.join(_SECTIONS)}")


def _courses(policy: Policy) -> Iterator[Problem]:
    """Find limits by which something is due before what must come first."""
    seen = set()
    for level in policy.levels.values():
        for area in Area:
            for category in ("", *policy.categories):
                limits = policy.limits_for(level.id, area, None, category)
                for problem in _course(level, limits):
                    if problem not in seen:
                        seen.add(problem)
                        yield problem


def _course(level: Level, limits: Mapping[ClockKind, Limit]) -> Iterator[Problem]:
    timed = [(kind, limits[kind]) for kind in _COURSE if kind in limits and limits[kind].within.unit in _MINUTES]
    for (first, before), (second, after) in pairwise(timed):
        if _minutes(after) < _minutes(before):
            where = f"levels.{level.id}.limits[{level.limits.index(after)}].within"
            told = f"{CLOCK_LABELS[second]} ({after.within}) 早于{CLOCK_LABELS[first]} ({before.within})"
            yield Problem(where, f"{level.id} {told}")


def _minutes(limit: Limit) -> int:
    return limit.within.amount * _MINUTES[limit.within.unit]


def _nobody(raw: Raw) -> Iterator[Problem]:
    """Find steps that name nobody, or somebody whom nothing reaches."""
    for name, ladder in raw["ladders"].items():
        for kind, steps in ladder.items():
            for n, step in enumerate(steps):
                where = f"ladders.{name}.{kind}[{n}].to"
                if not step["to"]:
                    yield Problem(where, "这一级没有通知任何人")
                unknown = [audience for audience in step["to"] if audience not in AUDIENCES]
                if unknown:
                    yield Problem(where, f"没有这样的通知对象: {', '.join(unknown)}; 可选: {', '.join(AUDIENCES)}")


def _reasons(raw: Raw) -> Iterator[Problem]:
    """Find coded reasons of no verb, codes that are none, and labels that are missing or told twice."""
    for kind in raw:
        if kind not in policy_file.REASONS:
            yield Problem(f"reasons.{kind}", f"没有这一类原因; 可选: {', '.join(policy_file.REASONS)}")
    for kind in (kind for kind in policy_file.REASONS if kind in raw):
        counts = Counter(label.strip() for label in raw[kind].values())
        for code, label in raw[kind].items():
            if not _CODE.fullmatch(code):
                yield Problem(f"reasons.{kind}", f"编号“{code}”重复或写法不对: 只用小写字母、数字和下划线")
            if not label.strip():
                yield Problem(f"reasons.{kind}.{code}", "缺少名称")
            elif counts[label.strip()] > 1:
                yield Problem(f"reasons.{kind}.{code}", f"名称“{label.strip()}”重复")


def form(raw: Mapping[str, Any], version: str, valid_from: str) -> dict[str, Any]:
    """Return the raw form of a policy that came over the network, under a version and a time of ours.

    Ratios become floats again (in JSON 1.0 is 1), and the order of its sections is told apart, as from a file.

    Raises:
        InvalidPolicy: where it is larger or deeper than any policy, or has characters that no person types.
    """
    _check_plain(raw)
    told = {name: _floats(value, name) for name, value in raw.items()}
    order = told.get("order")
    kept = order if isinstance(order, dict) else {}
    told["order"] = {key: _ordered(told[key], kept.get(key)) for key in _ORDERED if isinstance(told.get(key), dict)}
    return {**told, "version": version, "valid_from": valid_from}


def _ordered(section: Mapping[str, Any], told: Any) -> list[str]:
    first = [id_ for id_ in told if id_ in section] if isinstance(told, list) else []
    return list(dict.fromkeys([*first, *section]))


_RATIOS = frozenset({"at", "most", "threshold"})


def _floats(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _floats(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item, name) for item in value]
    return float(value) if name in _RATIOS and type(value) is int else value


def _check_plain(raw: Mapping[str, Any]) -> None:
    waiting: list[tuple[Any, int]] = [(raw, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > _MAX_DEPTH or count > _MAX_VALUES:
            raise InvalidPolicy("政策过大或嵌套过深", field="policy")
        if isinstance(value, dict):
            waiting += [(part, depth + 1) for item in value.items() for part in item]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        else:
            _check_value(value)


def _check_value(value: Any) -> None:
    if isinstance(value, str):
        if len(value) > _MAX_TEXT:
            raise InvalidPolicy(f"文字不能超过 {_MAX_TEXT} 个字", field="policy")
        try:
            check_text(value, "policy")
        except InvalidInput as error:
            raise InvalidPolicy(error.detail, field="policy") from error
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _MAX_NUMBER):
        raise InvalidPolicy(f"数值不能超过 {_MAX_NUMBER}", field="policy")
