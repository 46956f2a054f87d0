"""Rosters as workbooks: four sheets that people edit, read with every mistake told by sheet, row and column."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import openpyxl
import xlsxwriter

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.roster_checks import check_plan
from dispatch.domain.roster_file import Finding, InvalidRoster, read_plan
from dispatch.domain.times import shanghai_text
from dispatch.services import rosters as drafts
from dispatch.services.desk import Desk
from dispatch.services.place_file import check_unpacked
from dispatch.storage import rosters

SHEETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "shifts": ("班次", {"id": "编号", "name": "名称", "hours": "时间"}),
    "people": ("人员", {"id": "编号", "name": "姓名"}),
    "units": ("班组岗位", {"id": "编号", "name": "名称", "branch": "分公司", "up": "上级岗位"}),
    "members": ("轮班", {"unit": "班组岗位", "person": "人员", "rank": "角色", "anchor": "起始日", "cycle": "周期"}),
}
_OPTIONAL = ("branch", "up")
_PARTS = re.compile(r"[\s,，、;；]+")
_OFF = ("休", "休息", "-")
_TURN = re.compile(r"(.+?)(?:[×x*](\d{1,3}))?")
MAX_BYTES = 8 * 1024 * 1024
_MOST_ROWS = 10_000


@dataclass(slots=True)
class _Sheets:
    """What was read: the JSON form, where each of its rows stands in the workbook, and what was wrong already."""

    raw: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def wrong(self, section: str, row: int | None, name: str, text: str) -> None:
        self.findings.append(_told(section, row, name, text))

    def placed(self, one: Finding) -> dict[str, Any]:
        """Return a finding about the JSON form with its place in the workbook."""
        rows = self.rows.get(one.section, [])
        row = rows[one.row] if one.row is not None and one.row < len(rows) else None
        return _told(one.section, row, one.field, one.text)


def _told(section: str, row: int | None, name: str, text: str) -> dict[str, Any]:
    sheet, columns = SHEETS.get(section, ("", {}))
    parts = (f"工作表“{sheet}”" if sheet else "", f"第 {row} 行" if row else "", columns.get(name, ""))
    where = " ".join(filter(None, parts))
    said = f"{where}: {text}" if where else text
    return {"section": section, "row": row, "field": name, "text": said, "is_fatal": True}


def add(desk: Desk, actor: Actor, name: str, data: bytes, now: datetime, *, is_sample: bool = False) -> dict[str, Any]:
    """Store a workbook as a draft and return it; nothing of one with a mistake is kept.

    Raises:
        NotPermitted: if the role makes no rosters.
        InvalidInput: for what is no workbook.
        InvalidRoster: with all mistakes by sheet, row and column.
    """
    check_permitted(actor, Permission.ROSTER)
    found = _read(data)
    plan, wrong = read_plan(found.raw)
    if plan is not None:
        wrong = check_plan(plan, now, now + drafts.AHEAD)
    findings = found.findings + [found.placed(one) for one in wrong if one.is_fatal]
    if findings:
        raise InvalidRoster(f"排班表有 {len(findings)} 处错误, 未导入任何内容", findings=findings[:500])
    return drafts.add(desk, actor, name, found.raw, now, is_sample=is_sample)


def _read(data: bytes) -> _Sheets:
    try:
        check_unpacked(data)
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError, OSError) as error:
        raise InvalidInput("文件已损坏或不是 xlsx", field="file") from error
    found = _Sheets()
    for section, (title, columns) in SHEETS.items():
        found.raw[section], found.rows[section] = [], []
        if title in book.sheetnames:
            _sheet(found, section, book[title], columns)
        else:
            found.wrong(section, None, "", "缺少这张工作表")
    _cycles(found)
    return found


def _sheet(found: _Sheets, section: str, sheet: Any, columns: Mapping[str, str]) -> None:
    for merged in sheet.merged_cells.ranges:
        found.wrong(section, merged.min_row, "", f"合并单元格 {merged.coord}: 请取消合并, 每格各填")
    if sheet.max_row > _MOST_ROWS:
        found.wrong(section, None, "", f"最多 {_MOST_ROWS} 行")
        return
    table = sheet.iter_rows(values_only=True)
    header = [str(cell).strip() if cell is not None else "" for cell in next(table, ())]
    missing = [label for label in columns.values() if label not in header]
    if missing:
        found.wrong(section, 1, "", f"缺少列: {', '.join(missing)}")
        return
    at = {name: header.index(label) for name, label in columns.items()}
    for number, cells in enumerate(table, 2):
        if all(cell is None or str(cell).strip() == "" for cell in cells):
            continue
        found.rows[section].append(number)
        item = {name: _cell(found, section, number, name, cells[column]) for name, column in at.items()}
        found.raw[section].append(item)


def _cell(found: _Sheets, section: str, row: int, name: str, value: Any) -> str | None:
    if isinstance(value, datetime | date) and name == "anchor":
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if value is None or (isinstance(value, str) and not value.strip()):
        return None if name in _OPTIONAL else ""
    if not isinstance(value, str):
        found.wrong(section, row, name, f"应为文字, 现为 {value}; 请把单元格格式设为文本")
        return ""
    return value.strip()


def _cycles(found: _Sheets) -> None:
    """Turn `白班×5 休×2` into a list of shifts by id; names are as good as ids."""
    names = {one["name"]: one["id"] for one in found.raw["shifts"]} | dict.fromkeys(_OFF)
    for item in found.raw["members"]:
        turns: list[str | None] = []
        for part in _PARTS.split(item["cycle"] or ""):
            if match := _TURN.fullmatch(part):
                turns += [names.get(match[1], match[1])] * int(match[2] or 1)
        item["cycle"] = turns


def workbook(desk: Desk, actor: Actor, roster_id: int, now: datetime) -> bytes:
    """Return a roster as xlsx, as `add` reads it; who took it out is in the audit and on the last sheet.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where there is none.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        row = rosters.read(tx, roster_id)
        if row is None:
            raise NotFound("没有这份排班表")
        tx.audit(now, actor, "export", f"roster {roster_id}")
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        names = _names(row["body"]["shifts"])
        for section, (title, columns) in SHEETS.items():
            _write(book, title, columns, row["body"][section], names)
        sample = "; 样例, 非真实人员" if row["is_sample"] else ""
        said = f"96533 供水调度 · {row['name']} · {actor.label} 于 {shanghai_text(now)} 导出 · 仅供内部使用{sample}"
        book.add_worksheet("说明").write_string(0, 0, said)
    return out.getvalue()


def _names(shifts: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Return what each shift is called in a cycle: its name where that is read as this shift alone, else its id."""
    known = Counter(one["name"] for one in shifts)
    return {
        one["id"]: one["name"] if known[one["name"]] == 1 and not _PARTS.search(one["name"]) else one["id"]
        for one in shifts
    }


def _write(
    book: Any, title: str, columns: Mapping[str, str], items: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> None:
    sheet, bold = book.add_worksheet(title), book.add_format({"bold": True})
    for column, label in enumerate(columns.values()):
        sheet.write_string(0, column, label, bold)
    for number, item in enumerate(items, 1):
        for column, name in enumerate(columns):
            value = _cycle_text(item[name], names) if name == "cycle" else item.get(name)
            sheet.write_string(number, column, value or "")
    sheet.set_column(0, len(columns) - 1, 24)
    sheet.freeze_panes(1, 0)


def _cycle_text(cycle: Sequence[str | None], names: Mapping[str, str]) -> str:
    turns: list[tuple[str, int]] = []
    for shift_id in cycle:
        word = names[shift_id] if shift_id is not None else _OFF[0]
        times = turns.pop()[1] if turns and turns[-1][0] == word else 0
        turns.append((word, times + 1))
    return " ".join(f"{word}×{times}" if times > 1 else word for word, times in turns)
