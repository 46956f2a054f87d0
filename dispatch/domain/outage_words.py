"""A notice in words: for the caller on the line, and for the newspaper and WeChat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dispatch.domain.outage import OutageStatus, Phase
from dispatch.domain.times import SHANGHAI, shanghai_text

_HOTLINE = "供水服务热线: 96533 (24 小时)"


def known_text(row: Mapping[str, Any], phase: Phase) -> str:
    """Return what a caller inside is told."""
    if row["status"] == OutageStatus.CANCELLED:
        return _cancelled(row)
    ends = shanghai_text(row["ends_at"])
    kind = "计划停水" if row["is_planned"] else "紧急抢修停水"
    if phase is Phase.LATE:
        when = f"原预计 {ends} 恢复供水, 目前尚未恢复, 正在抓紧处理"
    else:
        when = f"{shanghai_text(row['starts_at'])} 起停水, 预计 {ends} 恢复供水"
    told = f"您所在区域{kind}: {row['title']} ({row['place']})。{when}。"
    if row["ends_at"] != row["first_ends_at"]:
        told += f"恢复时间原定 {shanghai_text(row['first_ends_at'])}, 已延后。"
    return told + late_return(row["late_return_h"])


def late_return(hours: int | None) -> str:
    """Return the note for those whose water comes back later, empty where nobody's does."""
    return f"高层住户和二次供水小区恢复时间还将延后约 {hours} 小时。" if hours else ""


def cancelled_text(row: Mapping[str, Any]) -> str:
    """Return what those are told who were answered by a notice that holds no more, although water was to be off."""
    return f"停水公告“{row['title']}”({row['place']}) 已取消。如仍无水请拨 96533, 我们即派人处理。"


def back_text(row: Mapping[str, Any]) -> str:
    """Return what those are told who called while water was off."""
    later = late_return(row["late_return_h"])
    return f"您反映的停水 ({row['title']}, {row['place']}) 已恢复供水。{later}如仍无水请拨 96533。"


def announcement(row: Mapping[str, Any], zones: Sequence[str]) -> str:
    """Return the notice as a newspaper prints it.

    Args:
        row: The notice as it is kept.
        zones: Names of its grids.
    """
    return "\n".join(
        line for line in (heading(row), "", *lines(row, zones), _HOTLINE, *_dated(row)) if line is not None
    )


def heading(row: Mapping[str, Any]) -> str:
    """Return the heading that its state calls for."""
    status = OutageStatus(row["status"])
    if status is OutageStatus.RESTORED:
        return "恢复供水公告"
    if status is OutageStatus.CANCELLED:
        return "停水取消公告"
    if row["ends_at"] != row["first_ends_at"]:
        return "延长停水公告"
    return "计划停水公告" if row["is_planned"] else "紧急停水公告"


def lines(row: Mapping[str, Any], zones: Sequence[str]) -> list[str]:
    """Return the body, a paragraph a line."""
    status = OutageStatus(row["status"])
    where = [
        f"停水区域: {row['place']}",
        *([f"涉及小区、路段: {'、'.join(estate['text'] for estate in row['estates'])}"] if row["estates"] else []),
        *([f"涉及网格: {'、'.join(zones)}"] if zones else []),
    ]
    if status is OutageStatus.RESTORED:
        restored = _long(row["restored_at"])
        return [f"因{row['title']}造成的停水已于 {restored} 恢复供水。", *where, *_late(row), "初用水时请先放水片刻。"]
    if status is OutageStatus.CANCELLED:
        return [_cancelled(row), *where]
    return [
        f"因{row['title']}, 以下区域停水, 敬请谅解。",
        *where,
        f"停水时间: {_long(row['starts_at'])} 至 {_long(row['ends_at'])} (预计)",
        *([f"原预计恢复时间: {_long(row['first_ends_at'])}"] if row["ends_at"] != row["first_ends_at"] else []),
        *_late(row),
        "请相关用户提前储水, 并关好水龙头。"
        if row["is_planned"]
        else "请相关用户关好水龙头, 恢复时间如有变化将另行公告。",
    ]


def _cancelled(row: Mapping[str, Any]) -> str:
    return f"原定 {_long(row['starts_at'])} 至 {_long(row['ends_at'])} 的停水 ({row['title']}) 取消, 供水正常。"


def _late(row: Mapping[str, Any]) -> list[str]:
    return [late_return(row["late_return_h"])] if row["late_return_h"] else []


def _dated(row: Mapping[str, Any]) -> list[str]:
    at = row["restored_at"] or row["published_at"] or row["created_at"]
    return [f"{at.astimezone(SHANGHAI):%Y年%m月%d日}"]


def _long(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y年%m月%d日 %H:%M}"
