"""The sections of a policy beside its promises and ladders, in plain language: surges, scripts, flags, reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from dispatch.domain.calendar import DAY, Calendar
from dispatch.domain.flags import KEY_ACCOUNT, VULNERABLE
from dispatch.domain.policy import Policy, Question, Span
from dispatch.domain.policy_checks import AUDIENCES
from dispatch.domain.similar import Aspect, Reach
from dispatch.domain.sla import CLOCK_LABELS, ClockKind
from dispatch.domain.times import SHANGHAI

CLOCKS = {
    ClockKind.ACK: "accept",
    ClockKind.ARRIVE: "arrive",
    ClockKind.ISOLATE: "isolate",
    ClockKind.FIX: "fix",
    ClockKind.CALLBACK: "call back",
}
_UNITS = {
    "min": ("分钟", "min"),
    "h": ("小时", "h"),
    "wh": ("个工作小时", "working hours"),
    "wd": ("个工作日", "working days"),
}
_REASONS = {
    "hold": ("挂起", "a hold"),
    "extend": ("延期", "an extension"),
    "return": ("退单", "a return"),
    "cancel": ("取消", "cancelling"),
}
_GROUPS = {VULNERABLE: ("特殊困难用户", "vulnerable"), KEY_ACCOUNT: ("重点用户", "key account")}
_REACHES = {Reach.SPOT: ("一个点", "one spot"), Reach.STREET: ("沿街", "a street"), Reach.AREA: ("一片区", "an area")}
_MINUTE = DAY // (24 * 60)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in both languages."""

    zh: str
    en: str


def in_words(span: Span) -> tuple[str, str]:
    """Return a length of time in both languages, e.g. `("1 个工作日", "1 working day")`."""
    zh, en = _UNITS[span.unit]
    return f"{span.amount} {zh}", f"{span.amount} {en.removesuffix('s') if span.amount == 1 else en}"


def audiences(ids: Iterable[str]) -> tuple[str, str]:
    """Return in both languages who is told."""
    told = [AUDIENCES.get(id_, (id_, id_)) for id_ in ids]
    return "、".join(zh for zh, _ in told), ", ".join(en for _, en in told)


def section_sentences(policy: Policy, now: datetime) -> Iterator[Sentence]:
    """Return what each section says, in the order of the shipped file; what a version does not have is left out.

    Args:
        policy: Any version.
        now: The server's time: of the years before nobody asks for the holidays.
    """
    yield from _general(policy)
    yield from _calendar(policy, now)
    yield from _surge(policy)
    yield from _scripts(policy)
    yield from _similar(policy)
    yield from _flags(policy)
    yield from _outage(policy)
    yield from _reasons(policy)
    yield from _temporary(policy)


def _general(policy: Policy) -> Iterator[Sentence]:
    if policy.case_note:
        yield Sentence(f"说明: {policy.case_note}", f"Note: {policy.case_note}")
    levels = ", ".join(f"{level.id} {level.label}" for level in policy.levels.values())
    yield Sentence(f"等级, 由急到缓: {levels}", f"Levels, the most urgent first: {levels}")
    hours, skew = policy.device_time_max_age_s / 3600, policy.device_time_skew_s
    yield Sentence(
        f"手机离线时自己记的时间: {hours:g} 小时以内采信, 快过服务器 {skew:g} 秒以上不采信",
        f"A phone's own time without signal is trusted for {hours:g} h, and up to {skew:g} s ahead of the server",
    )


def _calendar(policy: Policy, now: datetime) -> Iterator[Sentence]:
    calendars = policy.calendars
    usual = _hours(calendars.usual)
    yield Sentence(f"工作时间: {usual}", f"Working hours: {usual}")
    for branch, calendar in calendars.hours.items():
        own = _hours(calendar)
        yield Sentence(f"{branch}的工作时间: {own}", f"Working hours of {branch}: {own}")
    for year in sorted(year for year in calendars.known_years if year >= now.astimezone(SHANGHAI).year):
        off, on = (_days(days, year) for days in (calendars.workdays.holidays, calendars.workdays.extra))
        yield Sentence(f"{year} 年放假: {off}; 调休上班: {on}", f"Holidays of {year}: {off}; weekend days worked: {on}")


def _hours(calendar: Calendar) -> str:
    return ", ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in calendar.spans)


def _clock(time: int) -> str:
    return "{:02}:{:02}".format(*divmod(time // _MINUTE, 60))


def _days(days: Iterable[date], year: int) -> str:
    """Return the days of a year, those in a row as one: `01-01–01-03, 02-14`."""
    own = sorted(day for day in days if day.year == year)
    first = [day for n, day in enumerate(own) if n == 0 or day - own[n - 1] > timedelta(days=1)]
    last = [day for day, after in pairwise([*own, date.max]) if after - day > timedelta(days=1)]
    runs = (f"{a:%m-%d}" if a == b else f"{a:%m-%d}–{b:%m-%d}" for a, b in zip(first, last, strict=True))
    return ", ".join(runs) or "–"


def _surge(policy: Policy) -> Iterator[Sentence]:
    surge = policy.surge
    if surge is None:
        yield Sentence("大流量: 只由人工开启和结束, 不合并通知", "Surge: begun and ended by hand alone, no digests")
        return
    window, calm, every = (
        f"{length / timedelta(minutes=1):g}" for length in (surge.window, surge.calm, surge.digest_every)
    )
    yield Sentence(
        f"大流量: {window} 分钟内 {surge.enter_calls} 个来电进入, 少于 {surge.leave_calls} 个满 {calm} 分钟退出",
        f"Surge: begins at {surge.enter_calls} calls in {window} min, ends after {calm} min below {surge.leave_calls}",
    )
    (zh, en), at_once = audiences(surge.digest_to), ", ".join(surge.at_once)
    yield Sentence(
        f"大流量时通知{zh}的升级每 {every} 分钟合成一条" + (f", {at_once} 超时立即单发" if at_once else ""),
        f"In a surge steps to {en} come as a digest each {every} min"
        + (f", breaches of {at_once} at once" if at_once else ""),
    )
    yield Sentence(f"大流量时广播: {surge.broadcast}", f"Broadcast in a surge: {surge.broadcast}")
    yield Sentence(f"大流量时公众页: {surge.public_text}", f"Public page in a surge: {surge.public_text}")
    if surge.levels and surge.clocks:
        levels = ", ".join(surge.levels)
        zh, en = (
            "、".join(CLOCK_LABELS[kind] for kind in surge.clocks),
            ", ".join(CLOCKS[kind] for kind in surge.clocks),
        )
        yield Sentence(
            f"大流量时可放宽: {levels} 的{zh}, 至多 {surge.most:g} 倍, 一人提议, 另一人批准",
            f"May be widened in a surge: {en} of {levels}, up to {surge.most:g} times, by two people",
        )


def _scripts(policy: Policy) -> Iterator[Sentence]:
    for category in policy.categories.values():
        if category.questions:
            asked = [_question(question) for question in category.questions]
            yield Sentence(
                f"{category.label}, 依次问: {' '.join(zh for zh, _ in asked)}",
                f"{category.label}, asked in turn: {' '.join(en for _, en in asked)}",
            )


def _question(question: Question) -> tuple[str, str]:
    choices = f" [{'/'.join(question.choices)}]" if question.choices else ""
    if question.raises is None:
        return (f"{question.text}{choices}",) * 2
    equals, level = question.raises.equals, question.raises.level
    zh, en = {True: ("是", "yes"), False: ("否", "no")}[equals] if isinstance(equals, bool) else (equals, equals)
    return f"{question.text}{choices} (答“{zh}”升为 {level})", f"{question.text}{choices} ({en} raises to {level})"


def _labels(policy: Policy, ids: Iterable[str]) -> str:
    """Return the labels of categories in the order of the policy."""
    wanted = set(ids)
    return "、".join(category.label for category in policy.categories.values() if category.id in wanted)


def _similar(policy: Policy) -> Iterator[Sentence]:
    rules = policy.similar
    for id_, rule in rules.categories.items():
        label, within = policy.categories[id_].label, f"{rule.within / timedelta(hours=1):g}"
        (zh, en), implied = _REACHES[rule.reach], ", ".join(sorted(rule.implies))
        yield Sentence(
            f"{label}疑似重复: 相似度 {rule.threshold:.0%} 起, {rule.within_m:g} 米内, {within} 小时内, 影响{zh}"
            + (f", 默认特征 {implied}" if implied else ""),
            f"{label} may be a duplicate: alike by {rule.threshold:.0%}, within {rule.within_m:g} m and {within} h, "
            f"felt over {en}" + (f", implies {implied}" if implied else ""),
        )
    for name, family in rules.families.items():
        told = _labels(policy, family)
        yield Sentence(f"可能是同一问题 ({name}): {told}", f"May be one problem ({name}): {told}")
    yield from map(_aspect, rules.aspects)
    if rules.alone:
        words = "、".join(rules.alone)
        yield Sentence(f"表示只有自己受影响的话: {words}", f"Words that say nobody else has it: {words}")


def _aspect(aspect: Aspect) -> Sentence:
    words = "、".join(aspect.words)
    where = (", 片区性问题不看", ", not where it is felt over an area") if aspect.is_local else ("", "")
    return Sentence(
        f"区分问题的用语 {aspect.group}/{aspect.id}{where[0]}: {words}",
        f"Words that tell problems apart, {aspect.group}/{aspect.id}{where[1]}: {words}",
    )


def _flags(policy: Policy) -> Iterator[Sentence]:
    for flag in policy.flags.values():
        group = _GROUPS[flag.group]
        lifted = [(_labels(policy, one.categories), one.level) for one in flag.raises]
        zh = [f"{labels}至少 {level}" for labels, level in lifted]
        en = [f"{labels} at least {level}" for labels, level in lifted]
        if flag.notify:
            told = audiences(flag.notify)
            zh.append(f"另通知{told[0]}")
            en.append(f"tells {told[1]} as well")
        yield Sentence(f"{flag.label} ({group[0]}): {'; '.join(zh)}", f"{flag.label} ({group[1]}): {'; '.join(en)}")


def _outage(policy: Policy) -> Iterator[Sentence]:
    if policy.outage_categories:
        told = _labels(policy, policy.outage_categories)
        yield Sentence(f"停水公告范围内不派单: {told}", f"Explained by a published outage: {told}")


def _reasons(policy: Policy) -> Iterator[Sentence]:
    for kind, codes in policy.reasons.items():
        zh, en = _REASONS[kind]
        if codes:
            told = "; ".join(f"{label} ({code})" for code, label in codes.items())
            yield Sentence(f"{zh}原因: {'; '.join(codes.values())}", f"Reasons of {en}: {told}")
        elif kind == "extend":
            yield Sentence("延期没有原因编号, 写明理由即可", "An extension has no coded reasons: a note suffices")


def _temporary(policy: Policy) -> Iterator[Sentence]:
    for kind in policy.temporary.values():
        category = policy.categories[kind.category]
        zh, en = in_words(kind.within)
        yield Sentence(
            f"临时处理“{kind.label}”: 后续工单 {category.label} {kind.level}, {zh}内完成",
            f"For now “{kind.label}”: a follow-up {category.label} {kind.level} within {en}",
        )
