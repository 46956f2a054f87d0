"""Figures as a workbook or as CSV: numbers as numbers, every text as text, and who took it out and when on each."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import xlsxwriter

from dispatch.domain.facts import KINDS
from dispatch.domain.figures import By
from dispatch.domain.roles import Actor
from dispatch.domain.sla import CLOCK_LABELS
from dispatch.domain.times import shanghai_text
from dispatch.services import figures, measures, present
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked

_NUMBERS = {
    "judged": "应判", "on_time": "按时", "share": "按时率", "median_min": "中位 (分)", "p90_min": "P90 (分)",
    "late_median_min": "超时中位 (分)", "late_p90_min": "超时 P90 (分)",
}  # fmt: skip
BY_LABELS = {
    By.ZONE: "网格", By.HOUR: "时段", By.TEAM: "班组", By.BRANCH: "分公司", By.LEVEL: "级别", By.CATEGORY: "类别",
    By.STEWARD: "水管家", By.DAY: "日期",
}  # fmt: skip
# Rows before the table: watermark, period, an empty one, two of headings.
_HEAD = 5


def workbook(desk: Desk, actor: Actor, asked: Asked, now: datetime) -> bytes:
    """Return the figures of a period as xlsx; who took them out is in the audit and on each sheet.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
        FiguresBehind: if the days are not summed up yet.
    """
    told = figures.on_time(desk, actor, asked, now)
    measured = measures.compared(desk, actor, asked, None, now)
    mark = watermark(desk, actor, asked, now)
    out = io.BytesIO()
    # Text stays text: what begins with = + - or @ is never taken for a formula, nor an address for a link.
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        _sheet(book, told, asked, mark)
        _measures(book, measured, mark)
        _definitions(book, [*told["definitions"], *measured["measures"]], mark)
    return out.getvalue()


def table(desk: Desk, actor: Actor, asked: Asked, now: datetime) -> str:
    """Return how promises were kept as CSV, a line for each group and clock; its first line says who took it out.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
        FiguresBehind: if the days are not summed up yet.
    """
    told = figures.on_time(desk, actor, asked, now)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow([watermark(desk, actor, asked, now)])
    rows.writerow([BY_LABELS[asked.by], "工单", "时限", *_NUMBERS.values()])
    for item in [*told["items"], {"label": "合计", **told["total"]}]:
        for kind in KINDS:
            numbers = [item[kind.value][name] for name in _NUMBERS]
            rows.writerow([_harmless(item["label"] or "未定"), item["tickets"], CLOCK_LABELS[kind], *numbers])
    return out.getvalue()


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def watermark(desk: Desk, actor: Actor, asked: Asked, now: datetime) -> str:
    """Write down who takes figures out, and return it in words."""
    told = {"by": asked.by.value, "start": present.time(asked.start), "end": present.time(asked.end), **asked.only}
    with desk.store.write() as tx:
        tx.audit(now, actor, "export", "figures", **told)
    return f"96533 供水调度 · {actor.label} 于 {shanghai_text(now)} 导出 · 仅供内部使用"


def _sheet(book: Any, told: dict[str, Any], asked: Asked, mark: str) -> None:
    sheet = book.add_worksheet(f"按{BY_LABELS[asked.by]}")
    bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
    last = shanghai_text(asked.end - timedelta(seconds=1))
    for row, text in enumerate((mark, f"受理时间 {shanghai_text(asked.start)} 至 {last}{_narrowed(asked)}")):
        sheet.write_string(row, 0, text)
    sheet.set_footer("&L" + mark.replace("&", "&&"))
    sheet.write_string(_HEAD - 1, 0, BY_LABELS[asked.by], bold)
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
        sheet.write_string(row, 0, one["zh"]["label"])
        sheet.write_string(row, 1, one["zh"]["words"])
        for column, name in ((2, "before"), (3, "after")):
            if one[name]["value"] is not None:
                sheet.write_number(row, column, one[name]["value"], share if one["unit"] == "share" else rate)
        if one["change"] is not None:
            sheet.write_number(row, 4, one["change"], share)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 48)
    sheet.set_column(2, 3, 36)


def _definitions(book: Any, told: list[dict[str, Any]], mark: str) -> None:
    """What each figure counts, how, and from what."""
    sheet = book.add_worksheet("口径")
    bold = book.add_format({"bold": True})
    sheet.write_string(0, 0, mark)
    sheet.set_footer("&L" + mark.replace("&", "&&"))
    for column, head in enumerate(("指标", "含义", "算法", "来源")):
        sheet.write_string(2, column, head, bold)
    for row, one in enumerate(told, 3):
        for column, text in enumerate(one["zh"].values()):
            sheet.write_string(row, column, text)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 3, 48)


def _narrowed(asked: Asked) -> str:
    """Return in words what the figures are narrowed to."""
    return "".join(f" · {BY_LABELS[By(name)]} {value or '未定'}" for name, value in asked.only.items())


def _period(told: dict[str, Any], start: str, end: str) -> str:
    last = datetime.fromisoformat(told[end]) - timedelta(seconds=1)
    return f"{shanghai_text(datetime.fromisoformat(told[start]))} 至 {shanghai_text(last)}"
