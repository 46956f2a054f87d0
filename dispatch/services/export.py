"""Figures as a workbook: numbers as numbers, every text as text, and who took it out and when on each sheet."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import xlsxwriter

from dispatch.domain.roles import Actor
from dispatch.domain.sla import CLOCK_LABELS
from dispatch.domain.times import shanghai_text
from dispatch.services import figures, measures
from dispatch.services.desk import Desk
from dispatch.services.figures import KINDS, By

_NUMBERS = {"judged": "应判", "on_time": "按时", "share": "按时率", "median_min": "中位 (分)", "p90_min": "P90 (分)"}
_BY_LABELS = {By.ZONE: "网格", By.HOUR: "时段", By.TEAM: "班组", By.BRANCH: "分公司"}
# Rows before the table: watermark, period, an empty one, two of headings.
_HEAD = 5


def workbook(desk: Desk, actor: Actor, by: By, start: datetime, end: datetime, now: datetime) -> bytes:
    """Return the figures of a period as xlsx; who took them out is in the audit and on the sheet.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
    """
    told = figures.on_time(desk, actor, by, start, end, now)
    measured = measures.compared(desk, actor, by, start, end, None, now)
    with desk.store.write() as tx:
        tx.audit(now, actor, "export", "figures", by=by.value, start=told["from"], end=told["to"])
    out = io.BytesIO()
    # Text stays text: what begins with = + - or @ is never taken for a formula, nor an address for a link.
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        _sheet(book, told, actor, by, start, end, now)
        _measures(book, measured, f"96533 供水调度 · {actor.label} 于 {shanghai_text(now)} 导出 · 仅供内部使用")
    return out.getvalue()


def _sheet(
    book: Any, told: dict[str, Any], actor: Actor, by: By, start: datetime, end: datetime, now: datetime
) -> None:
    sheet = book.add_worksheet(f"按{_BY_LABELS[by]}")
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
    mark = f"96533 供水调度 · {actor.label} 于 {shanghai_text(now)} 导出 · 仅供内部使用"
    last = shanghai_text(end - timedelta(seconds=1))
    for row, text in enumerate((mark, f"受理时间 {shanghai_text(start)} 至 {last}")):
        sheet.write_string(row, 0, text)
    sheet.set_footer("&L" + mark.replace("&", "&&"))
    sheet.write_string(_HEAD - 1, 0, _BY_LABELS[by], bold)
    for n, kind in enumerate(KINDS):
        first = 1 + n * len(_NUMBERS)
        sheet.write_string(_HEAD - 2, first, CLOCK_LABELS[kind], bold)
        for column, label in enumerate(_NUMBERS.values(), first):
            sheet.write_string(_HEAD - 1, column, label, bold)
    total = {"label": "合计", **told["total"]}
    for row, item in enumerate([*told["items"], total], _HEAD):
        sheet.write_string(row, 0, item["label"] or "未定")
        for n, kind in enumerate(KINDS):
            for column, name in enumerate(_NUMBERS, 1 + n * len(_NUMBERS)):
                if item[kind.value][name] is not None:
                    sheet.write_number(row, column, item[kind.value][name], share if name == "share" else None)
    sheet.set_column(0, 0, 28)
    sheet.freeze_panes(_HEAD, 1)


def _measures(book: Any, told: dict[str, Any], mark: str) -> None:
    """Two periods side by side: the one before, and this one, with what each measure counts."""
    sheet = book.add_worksheet("服务指标")
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
    rate = book.add_format({"num_format": "0.00"})
    sheet.write_string(0, 0, mark)
    sheet.set_footer("&L" + mark.replace("&", "&&"))
    heads = ("指标", "含义", _period(told, "versus_from", "versus_to"), _period(told, "from", "to"), "变化")
    for column, head in enumerate(heads):
        sheet.write_string(2, column, head, bold)
    for row, one in enumerate(told["measures"], 3):
        sheet.write_string(row, 0, one["label"])
        sheet.write_string(row, 1, one["words"])
        for column, name in ((2, "before"), (3, "after")):
            if one[name]["value"] is not None:
                sheet.write_number(row, column, one[name]["value"], share if one["is_share"] else rate)
        if one["change"] is not None:
            sheet.write_number(row, 4, one["change"], share)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 48)
    sheet.set_column(2, 3, 36)


def _period(told: dict[str, Any], start: str, end: str) -> str:
    last = datetime.fromisoformat(told[end]) - timedelta(seconds=1)
    return f"{shanghai_text(datetime.fromisoformat(told[start]))} 至 {shanghai_text(last)}"
