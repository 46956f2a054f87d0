"""A policy in plain language, Chinese and English: `P1 爆管, 城区: 5 分钟接单, 30 分钟到场 …`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from dispatch.domain.ladder import Step
from dispatch.domain.policy import Area, Category, Limit, Policy, Span
from dispatch.domain.policy_section_words import CLOCKS, Sentence, audiences, in_words, section_sentences
from dispatch.domain.sla import CLOCK_LABELS, ClockKind

_AREAS = {Area.IN_CIRCLE: ("城区", "in the circle"), Area.OUTSIDE: ("郊区", "outside")}


def sentences(policy: Policy, now: datetime) -> tuple[Sentence, ...]:
    """Return what the policy promises to whom, who is told when, what else it says, and which holidays are unknown.

    Args:
        policy: Any version.
        now: The server's time: of which years the holidays should be known.
    """
    return (*_promises(policy), *_ladders(policy), *section_sentences(policy, now), *_calendar(policy, now))


def _promises(policy: Policy) -> Iterator[Sentence]:
    for category in policy.categories.values():
        if category.level is None:
            yield Sentence(f"{category.label}: 不生成工单", f"{category.label}: no ticket")
            continue
        inside, outside = (policy.limits_for(category.level, area, None, category.id) for area in Area)
        if inside == outside:
            yield _promise(policy, category, None, inside)
            continue
        yield _promise(policy, category, Area.IN_CIRCLE, inside)
        yield _promise(policy, category, Area.OUTSIDE, outside)


def _promise(policy: Policy, category: Category, area: Area | None, limits: Mapping[ClockKind, Limit]) -> Sentence:
    level = policy.levels[category.level or ""]
    wide = [one for one in level.limits if (one.dn_min or one.dn_max) and (area is None or one.area in (None, area))]
    where = _AREAS[area] if area else ("", "")
    zh = [_zh(kind, limits[kind].within) for kind in ClockKind if kind in limits]
    en = [_en(kind, limits[kind].within) for kind in ClockKind if kind in limits]
    zh += [f"{_pipes(one)} {_zh(one.clock, one.within)}" for one in wide]
    en += [f"{_pipes(one)} {_en(one.clock, one.within)}" for one in wide]
    return Sentence(
        f"{level.id} {category.label}{', ' if area else ''}{where[0]}: {', '.join(zh)}",
        f"{level.id} {category.label}{', ' if area else ''}{where[1]}: {', '.join(en)}",
    )


def _pipes(limit: Limit) -> str:
    if limit.dn_max is None:
        return f"DN≥{limit.dn_min}"
    return f"DN{limit.dn_min}–{limit.dn_max}" if limit.dn_min else f"DN≤{limit.dn_max}"


def _zh(kind: ClockKind, within: Span) -> str:
    label = CLOCK_LABELS[kind]
    return f"按预约{label}" if within.unit == "appointment" else f"{in_words(within)[0]}{label}"


def _en(kind: ClockKind, within: Span) -> str:
    label = CLOCKS[kind]
    return f"{label} by appointment" if within.unit == "appointment" else f"{label} in {in_words(within)[1]}"


def _ladders(policy: Policy) -> Iterator[Sentence]:
    for level in policy.levels.values():
        promised = {limit.clock for limit in level.limits}
        for kind in (kind for kind in ClockKind if kind in promised):
            steps = policy.steps(level.id, kind)
            zh = "; ".join(f"{_told(step, 0, '通知')} ({step.label}{_asked(step, 0)})" for step in steps)
            en = "; ".join(f"{_told(step, 1, 'tells ')}{_asked(step, 1)}" for step in steps)
            yield Sentence(f"{level.id} {CLOCK_LABELS[kind]}时限: {zh}", f"{level.id} {CLOCKS[kind]} clock: {en}")


def _told(step: Step, language: int, verb: str) -> str:
    return f"{step.ratio:.0%} {verb}{audiences(step.to)[language]}"


def _asked(step: Step, language: int) -> str:
    """Say how long who is told has to answer."""
    if step.answer_within is None:
        return ""
    told = (", {:.0f} 分钟内无人应答则通知下一位", ", the next one after {:.0f} min without an answer")[language]
    return told.format(step.answer_within.total_seconds() / 60)


def _calendar(policy: Policy, now: datetime) -> Iterator[Sentence]:
    for year in policy.calendars.unknown_years(now):
        yield Sentence(
            f"注意: {year} 年放假安排未知, 工作日按周一至周五计算, 请补充假日表",
            f"Mind: the holidays of {year} are unknown, weekdays are counted as working days; add them to the table",
        )
