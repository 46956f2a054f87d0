"""A notice that water is off somewhere: its states as data, what must be true of it, how it stands at a moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import IllegalTransition, InvalidInput, NotPermitted
from dispatch.domain.times import shanghai_text, span_text

# Longer is a slip of the year or the month.
LONGEST = timedelta(days=30)
# Nobody told that water is back: so long the notice stays, then it was forgotten.
KEPT_AFTER_END = timedelta(hours=24)
# Past its end somebody is asked so often whether water is back.
_ASK_EVERY = timedelta(hours=1)
# Who had stored water for a day without it is told that there will be none.
CANCELLED_FOR = timedelta(hours=24)
# Who plans to shut water off says so at least this long before.
NOTICE = timedelta(hours=24)
# High floors and secondary pumps (二次供水) fill up later; longer than three days is a slip.
MOST_LATE_H = 72
MOST_ESTATES = 100


class OutageStatus(StrEnum):
    """Where a notice stands in its own life."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class OutageVerb(StrEnum):
    """What can be done to a notice."""

    REVISE = "revise"
    APPROVE = "approve"
    PUBLISH = "publish"
    EXTEND = "extend"
    RESTORE = "restore"
    WITHDRAW = "withdraw"
    CANCEL = "cancel"


S, V = OutageStatus, OutageVerb
OUTAGE_STATUS_LABELS = {
    S.DRAFT: "草稿",
    S.APPROVED: "已批准",
    S.PUBLISHED: "已发布",
    S.RESTORED: "已恢复",
    S.WITHDRAWN: "已撤回",
    S.CANCELLED: "已取消",
}
OUTAGE_VERB_LABELS = {
    V.REVISE: "修改",
    V.APPROVE: "批准",
    V.PUBLISH: "发布",
    V.EXTEND: "延长",
    V.RESTORE: "恢复供水",
    V.WITHDRAW: "撤回",
    V.CANCEL: "取消",
}
# From where a verb leads to where. What was approved is approved as it stood: a change makes it a draft again.
OUTAGE_RULES: dict[OutageVerb, tuple[frozenset[OutageStatus], OutageStatus]] = {
    V.REVISE: (frozenset({S.DRAFT, S.APPROVED}), S.DRAFT),
    V.APPROVE: (frozenset({S.DRAFT}), S.APPROVED),
    V.PUBLISH: (frozenset({S.DRAFT, S.APPROVED}), S.PUBLISHED),
    V.EXTEND: (frozenset({S.PUBLISHED}), S.PUBLISHED),
    V.RESTORE: (frozenset({S.PUBLISHED}), S.RESTORED),
    V.WITHDRAW: (frozenset({S.DRAFT, S.APPROVED}), S.WITHDRAWN),
    V.CANCEL: (frozenset({S.PUBLISHED}), S.CANCELLED),
}


class Phase(StrEnum):
    """How a notice stands for people: `late` is past its end with water not yet told to be back."""

    UNPUBLISHED = "unpublished"
    COMING = "coming"
    CURRENT = "current"
    LATE = "late"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutage:
    """A notice as somebody writes it.

    Attributes:
        title: What happens, such as `坡子街 DN300 抢修`.
        place: Where, in words that people there know.
        is_planned: Whether it was announced, or something broke.
        zone_ids: The grids that are touched whole.
        starts_at: From when, aware.
        ends_at: When water is expected back, aware.
        area: What was drawn, as GeoJSON of one geometry in WGS-84, or None; `outage_area.read_area` checks it.
        estates: Estates and road segments, in words.
        late_return_h: So many hours later water is back on high floors and behind secondary pumps, or None.
    """

    title: str
    place: str
    is_planned: bool
    starts_at: datetime
    ends_at: datetime
    zone_ids: Sequence[str] = ()
    area: Mapping[str, Any] | None = None
    estates: Sequence[str] = ()
    late_return_h: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What `decide` must know of a notice; `short_reason` says why one was approved at less than 24 hours' notice."""

    status: OutageStatus
    is_planned: bool
    starts_at: datetime
    ends_at: datetime
    created_by: int
    short_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageCommand:
    """What somebody wants: `by` is a user's id, `ends_at` the new end where water stays off longer."""

    verb: OutageVerb
    at: datetime
    by: int
    note: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutageStep:
    """What becomes of it: the state, the columns that change, and a line for the history."""

    target: OutageStatus
    text: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def check_outage(told: NewOutage, known: Collection[str], now: datetime) -> None:
    """Check a notice before it is kept.

    Args:
        told: The notice.
        known: Ids of the grids that there are.
        now: The moment.

    Raises:
        InvalidInput: with the field at fault, for a blank text, an unknown grid, or times that cannot be.
    """
    for name in ("title", "place"):
        check_text(getattr(told, name), name)
        if not getattr(told, name).strip():
            raise InvalidInput("请填写, 不能为空", field=name)
    _check_where(told, known)
    if told.ends_at <= told.starts_at:
        raise InvalidInput("结束时间须晚于开始时间", field="ends_at")
    if told.ends_at <= now:
        raise InvalidInput("结束时间已过, 请核对", field="ends_at")
    _check_length(told.starts_at, told.ends_at)
    if told.late_return_h is not None and not 1 <= told.late_return_h <= MOST_LATE_H:
        raise InvalidInput(f"高层和二次供水延后恢复应在 1 到 {MOST_LATE_H} 小时之间", field="late_return_h")


def _check_where(told: NewOutage, known: Collection[str]) -> None:
    if not told.zone_ids and told.area is None and not told.estates:
        raise InvalidInput("请至少选一个网格, 或画出范围, 或写出小区、路段", field="zone_ids")
    unknown = [zone_id for zone_id in told.zone_ids if zone_id not in known]
    if unknown:
        raise InvalidInput(f"没有网格 {', '.join(unknown)[:80]}", field="zone_ids")
    if len(told.estates) > MOST_ESTATES:
        raise InvalidInput(f"小区和路段最多 {MOST_ESTATES} 个", field="estates")
    for words in told.estates:
        check_text(words, "estates")
        if not words.strip():
            raise InvalidInput("小区或路段不能为空", field="estates")


def _check_length(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at - starts_at > LONGEST:
        raise InvalidInput(f"停水不能超过 {LONGEST.days} 天, 请核对年月", field="ends_at")


# ---------------------------------------------------------------- decide


def outage_verbs(outage: Outage) -> tuple[OutageVerb, ...]:
    """Return what its state allows; a planned one is approved before it is published."""
    return tuple(verb for verb in V if outage.status in _sources(verb, outage.is_planned))


def _sources(verb: OutageVerb, is_planned: bool) -> frozenset[OutageStatus]:
    sources = OUTAGE_RULES[verb][0]
    return sources - {S.DRAFT} if verb is V.PUBLISH and is_planned else sources


def decide_outage(outage: Outage, command: OutageCommand) -> OutageStep:
    """Return what becomes of a notice.

    Raises:
        IllegalTransition: if the verb does not fit its state.
        NotPermitted: if somebody approves a planned one that the same person wrote.
        InvalidInput: for a missing reason, too short a notice, or an end that is none.
    """
    verb = command.verb
    if outage.status not in _sources(verb, outage.is_planned):
        detail = f"公告{OUTAGE_STATUS_LABELS[outage.status]}, 不能{OUTAGE_VERB_LABELS[verb]}"
        if verb is V.PUBLISH and outage.status is S.DRAFT:
            detail = "计划停水须先由另一人批准, 再发布"
        raise IllegalTransition(detail, current_status=outage.status.value)
    check_text(command.note, "note")
    return _DECISIONS[verb](outage, command)


def _step(verb: OutageVerb, text: str, **changes: Any) -> OutageStep:
    return OutageStep(OUTAGE_RULES[verb][1], text, changes)


def _revise(_outage: Outage, command: OutageCommand) -> OutageStep:
    text = "修改" + (f": {command.note}" if command.note else "")
    return _step(V.REVISE, text, approved_by=None, approved_at=None, short_reason=None)


def _approve(outage: Outage, command: OutageCommand) -> OutageStep:
    if outage.is_planned and command.by == outage.created_by:
        raise NotPermitted("计划停水须由起草人以外的人批准")
    is_short = outage.is_planned and outage.starts_at - command.at < NOTICE
    if is_short and not command.note.strip():
        raise InvalidInput("距停水开始不足 24 小时, 请批准人说明原因", field="note")
    text = "批准" + (f" (不足 24 小时通知: {command.note})" if is_short else _said(command))
    reason = command.note if is_short else None
    return _step(V.APPROVE, text, approved_by=command.by, approved_at=command.at, short_reason=reason)


def _publish(outage: Outage, command: OutageCommand) -> OutageStep:
    if outage.ends_at <= command.at:
        raise InvalidInput("结束时间已过, 请修改后再发布", field="ends_at")
    is_short = outage.is_planned and outage.starts_at - command.at < NOTICE
    if is_short and outage.short_reason is None:
        raise InvalidInput("距停水开始已不足 24 小时, 批准时未说明原因: 请修改时间, 或重新提交批准", field="starts_at")
    alone = outage.status is S.DRAFT
    text = "紧急公告, 由一人发布" if alone else "发布"
    return _step(V.PUBLISH, text + _said(command), published_by=command.by, published_at=command.at)


def _extend(outage: Outage, command: OutageCommand) -> OutageStep:
    if command.ends_at is None or command.ends_at <= max(outage.ends_at, command.at):
        raise InvalidInput("新的预计恢复时间须晚于原来的, 也须晚于现在", field="ends_at")
    _check_length(outage.starts_at, command.ends_at)
    longer = extension_words(outage.ends_at, command.ends_at)
    return _step(V.EXTEND, longer + _said(command), ends_at=command.ends_at)


def _restore(outage: Outage, command: OutageCommand) -> OutageStep:
    if command.at < outage.starts_at:
        raise InvalidInput("停水还没有开始: 不停了请用“取消”并说明原因", field="starts_at")
    late_s = (command.at - outage.ends_at).total_seconds()
    late = f", 比预计晚 {span_text(late_s)}" if late_s > 0 else ""
    return _step(V.RESTORE, f"恢复供水{late}" + _said(command), restored_at=command.at)


def _end_without(verb: OutageVerb) -> Callable[[Outage, OutageCommand], OutageStep]:
    def step(_outage: Outage, command: OutageCommand) -> OutageStep:
        if not command.note.strip():
            raise InvalidInput(f"请说明{OUTAGE_VERB_LABELS[verb]}的原因", field="note")
        return _step(verb, f"{OUTAGE_VERB_LABELS[verb]}: {command.note}", closed_reason=command.note)

    return step


def _said(command: OutageCommand) -> str:
    return f": {command.note}" if command.note else ""


_DECISIONS: Mapping[OutageVerb, Callable[[Outage, OutageCommand], OutageStep]] = {
    V.REVISE: _revise,
    V.APPROVE: _approve,
    V.PUBLISH: _publish,
    V.EXTEND: _extend,
    V.RESTORE: _restore,
    V.WITHDRAW: _end_without(V.WITHDRAW),
    V.CANCEL: _end_without(V.CANCEL),
}


def extension_words(before: datetime, after: datetime) -> str:
    """Return how an end was moved, e.g. `预计恢复时间由 2026-11-24 18:00 延至 2026-11-24 20:00`."""
    return f"预计恢复时间由 {shanghai_text(before)} 延至 {shanghai_text(after)}"


# ---------------------------------------------------------------- at a moment


def phase(status: OutageStatus, starts_at: datetime, ends_at: datetime, now: datetime) -> Phase:
    """Return how a notice stands at `now`.

    Args:
        status: Its own state.
        starts_at: From when.
        ends_at: When water is expected back.
        now: The moment.
    """
    if status in (S.DRAFT, S.APPROVED):
        return Phase.UNPUBLISHED
    if status is not S.PUBLISHED or now > ends_at + KEPT_AFTER_END:
        return Phase.OVER
    if now < starts_at:
        return Phase.COMING
    return Phase.CURRENT if now < ends_at else Phase.LATE


def next_alarm(ends_at: datetime, before: timedelta, rung: int) -> datetime | None:
    """Return when to ask next whether water will be back: before the end, at it, then hourly until it is forgotten.

    The last one, after KEPT_AFTER_END, says that callers are answered by it no more.

    Args:
        ends_at: When water is expected back.
        before: So long before the end somebody is asked.
        rung: How many alarms of this end have rung.
    """
    if rung == 0:
        return ends_at - before
    at = ends_at + (rung - 1) * _ASK_EVERY
    return at if at <= ends_at + KEPT_AFTER_END else None
