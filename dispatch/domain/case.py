"""A case (个案): one person or one address over time, with an owner above the crews and a rhythm of its own.

Pure: what may happen to a case and what comes of it. A case is open until its cause is known and its outcome told; then
it is watched, and the next call within that time opens it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dispatch.domain.address_match import place_of
from dispatch.domain.errors import IllegalTransition, InvalidInput, StaleVersion
from dispatch.domain.place import Wgs84Point
from dispatch.domain.times import shanghai_text, span_text

# "The third call in 30 days": how far back is looked, and how far back a new case gathers what was before it.
FREQUENT_WITHIN = timedelta(days=30)
GATHERED_WITHIN = timedelta(days=366)
# A pin this near is the same house.
SAME_SPOT_M = 15.0
DEFAULT_RHYTHM_DAYS = 7
DEFAULT_WATCH_DAYS = 30
MOST_DAYS = 365
_SPOT_DIGITS = 4  # about ten metres
_LATE_S = 60


class CaseKind(StrEnum):
    """Whose case it is."""

    PERSON = "person"
    ADDRESS = "address"


class CaseStatus(StrEnum):
    """Where it stands."""

    OPEN = "open"
    WATCHING = "watching"
    CLOSED = "closed"


class EntryKind(StrEnum):
    """A line of its story: the first four are written by people, the others come by themselves."""

    VISIT = "visit"
    NEIGHBOUR = "neighbour"
    PHONE = "phone"
    MEASURE = "measure"
    OPENED = "opened"
    LINKED = "linked"
    CALL = "call"
    HANDED = "handed"
    PACED = "paced"
    REMINDED = "reminded"
    SOLVED = "solved"
    REOPENED = "reopened"
    CLOSED = "closed"


KIND_LABELS = {CaseKind.PERSON: "用户", CaseKind.ADDRESS: "地址"}
CASE_STATUS_LABELS = {CaseStatus.OPEN: "跟进中", CaseStatus.WATCHING: "观察期", CaseStatus.CLOSED: "已结"}
ENTRY_LABELS = {
    EntryKind.VISIT: "上门",
    EntryKind.NEIGHBOUR: "走访邻居",
    EntryKind.PHONE: "电话跟进",
    EntryKind.MEASURE: "检测或措施",
    EntryKind.OPENED: "立案",
    EntryKind.LINKED: "关联工单",
    EntryKind.CALL: "来电",
    EntryKind.HANDED: "移交",
    EntryKind.PACED: "改跟进周期",
    EntryKind.REMINDED: "提醒",
    EntryKind.SOLVED: "结案",
    EntryKind.REOPENED: "重开",
    EntryKind.CLOSED: "观察期满",
}
BY_HAND = (EntryKind.VISIT, EntryKind.NEIGHBOUR, EntryKind.PHONE, EntryKind.MEASURE)
# Somebody went there.
VISITS = (EntryKind.VISIT, EntryKind.NEIGHBOUR)
ROOT_CAUSES = {
    "pipe": "供水管道或阀门",
    "meter": "水表或表前设施",
    "pump": "泵房或二次供水设备",
    "indoor": "户内管道或用水设备",
    "neighbour": "邻户用水或设备",
    "building": "建筑结构或物业设施",
    "not_water": "非供水原因",
    "service": "服务或沟通",
    "unknown": "查无原因",
}


@dataclass(frozen=True, slots=True)
class Case:
    """What a decision needs to know of a case. `due_at`: the next follow-up, or the end of the watch."""

    id: int
    kind: CaseKind
    status: CaseStatus
    version: int
    owner_id: int
    rhythm_days: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What somebody did for a case.

    Attributes:
        kind: One of BY_HAND.
        at: When.
        whom: Whom or where.
        finding: What was found.
        next_step: What is to be done.
    """

    kind: EntryKind
    at: datetime
    whom: str = ""
    finding: str
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """Why it happened and what came of it: without both no case is closed."""

    root_cause: str
    note: str = ""
    outcome: str
    watch_days: int = DEFAULT_WATCH_DAYS


@dataclass(frozen=True, slots=True)
class Change:
    """The outcome of a decision: columns of the case, a line of its story, and what its owner is told."""

    kind: EntryKind
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    told: str | None = None
    entry: Mapping[str, Any] = field(default_factory=dict)


def number_of(case_id: int) -> str:
    """Return the number as people read it."""
    return f"G-{case_id:06d}"


def spot_of(address: str, point: Wgs84Point | None) -> str | None:
    """Return by what calls about one house are known to be of one: its words up to the house, else its pin.

    Args:
        address: In words; without a house number or a building it names no house.
        point: A pin at the door, or None where it is only near.
    """
    place = place_of(address) if address.strip() else None
    if place is not None and place.key and (place.number or place.building):
        parts = (place.estate or place.road or place.key, place.number, place.phase, place.building)
        return "/".join(part or "" for part in parts)
    return None if point is None else f"@{point.lat:.{_SPOT_DIGITS}f},{point.lon:.{_SPOT_DIGITS}f}"


def check_days(days: int, name: str) -> None:
    """Raise InvalidInput unless a rhythm or a watch is between a day and a year."""
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"天数应在 1 到 {MOST_DAYS} 之间", field=name)


def check_version(case: Case, seen: int | None) -> None:
    """Raise StaleVersion where somebody else was first; None acts on whatever it is now."""
    if seen is not None and seen != case.version:
        raise StaleVersion(f"个案 {number_of(case.id)} 已更新, 请刷新后重试", field="version", version=case.version)


def next_due(at: datetime, rhythm_days: int) -> datetime:
    """Return when a case is to be followed up next."""
    return at + timedelta(days=rhythm_days)


def visited(case: Case, visit: Visit, now: datetime) -> Change:
    """Note what somebody did; while the case is open its rhythm begins anew."""
    if visit.kind not in BY_HAND:
        raise InvalidInput("请选择上门、走访邻居、电话跟进或检测措施", field="kind")
    if visit.at > now + timedelta(minutes=1):
        raise InvalidInput("时间在未来, 请核对", field="at")
    if not visit.finding.strip():
        raise InvalidInput("请写明发现了什么", field="finding")
    if visit.kind is EntryKind.NEIGHBOUR and not visit.whom.strip():
        raise InvalidInput("请写明走访了哪一户", field="whom")
    if case.status is CaseStatus.CLOSED:
        raise _illegal(case, "不能再记录, 请先重开")
    entry = {"at": visit.at, "whom": visit.whom, "next_step": visit.next_step}
    is_open = case.status is CaseStatus.OPEN
    values = {"due_at": next_due(now, case.rhythm_days)} if is_open else {}
    return Change(visit.kind, visit.finding, values, entry=entry)


def solved(case: Case, told: Solved, actor_id: int, now: datetime) -> Change:
    """Close an open case: its cause and outcome are told, and it is watched for a time."""
    if case.status is not CaseStatus.OPEN:
        raise _illegal(case, "不能再结案")
    if told.root_cause not in ROOT_CAUSES:
        known = ", ".join(f"{code} ({label})" for code, label in ROOT_CAUSES.items())
        raise InvalidInput(f"请选择根本原因: {known}", field="root_cause")
    if not told.outcome.strip():
        raise InvalidInput("请写明处理结果", field="outcome")
    check_days(told.watch_days, "watch_days")
    until = next_due(now, told.watch_days)
    values = {
        "status": CaseStatus.WATCHING, "root_cause": told.root_cause, "root_note": told.note, "outcome": told.outcome,
        "closed_at": now, "closed_by": actor_id, "due_at": until,
    }  # fmt: skip
    cause = "; ".join(filter(None, (ROOT_CAUSES[told.root_cause], told.note)))
    return Change(EntryKind.SOLVED, f"{cause}. 结果: {told.outcome}. 观察到 {shanghai_text(until)}", values)


def reopened(case: Case, why: str, now: datetime) -> Change:
    """Open a watched or closed case again; what was found stays in its story."""
    if case.status is CaseStatus.OPEN:
        raise _illegal(case, "无须重开")
    values = {
        "status": CaseStatus.OPEN, "closed_at": None, "closed_by": None, "due_at": next_due(now, case.rhythm_days)
    }  # fmt: skip
    return Change(EntryKind.REOPENED, why, values, told=f"个案 {number_of(case.id)} 重开: {why}")


def called(case: Case, text: str, now: datetime) -> Change | None:
    """Return what a call about the case does to it: within the watch it is open again; None after the watch."""
    if case.status is CaseStatus.OPEN:
        return Change(EntryKind.CALL, text, told=f"个案 {number_of(case.id)} 又有来电: {text}")
    is_watched = case.status is CaseStatus.WATCHING and case.due_at is not None and now <= case.due_at
    return reopened(case, f"观察期内再次来电: {text}", now) if is_watched else None


def handed(case: Case, owner_id: int, owner: str) -> Change:
    """Give the case to another owner."""
    if case.status is CaseStatus.CLOSED:
        raise _illegal(case, "不能移交")
    if owner_id == case.owner_id:
        raise InvalidInput(f"{owner} 已是负责人", field="owner")
    return Change(
        EntryKind.HANDED, f"负责人改为 {owner}", {"owner_id": owner_id}, told=f"{number_of(case.id)} 移交给您"
    )


def paced(case: Case, rhythm_days: int, now: datetime) -> Change:
    """Change how often the case is followed up, from now on."""
    check_days(rhythm_days, "rhythm_days")
    if case.status is not CaseStatus.OPEN:
        raise _illegal(case, "没有跟进周期")
    values = {"rhythm_days": rhythm_days, "due_at": next_due(now, rhythm_days)}
    return Change(EntryKind.PACED, f"每 {rhythm_days} 天跟进一次", values)


def due(case: Case, now: datetime) -> Change:
    """Return what happens to a case whose time has come: its owner is reminded, or its watch ends.

    However long nobody looked, it is one reminder, which says how late it is; the next one is a rhythm from now.
    """
    number, was_due = number_of(case.id), case.due_at or now
    if case.status is CaseStatus.WATCHING:
        text = f"观察期满, 没有再来电 (至 {shanghai_text(was_due)})"
        return Change(EntryKind.CLOSED, text, {"status": CaseStatus.CLOSED, "due_at": None}, told=f"{number} {text}")
    late_s = (now - was_due).total_seconds()
    late = f", 系统晚发 {span_text(late_s)}" if late_s >= _LATE_S else ""
    text = f"该跟进了 (原定 {shanghai_text(was_due)}{late})"
    values = {"due_at": next_due(now, case.rhythm_days)}
    return Change(EntryKind.REMINDED, text, values, told=f"个案 {number} {text}")


def _illegal(case: Case, why: str) -> IllegalTransition:
    return IllegalTransition(
        f"个案 {number_of(case.id)} 现在是“{CASE_STATUS_LABELS[case.status]}”, {why}", current_status=case.status.value
    )
