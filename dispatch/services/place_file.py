"""Tables of places as people send them: CSV in UTF-8 or GBK, or Excel; rows are numbered as a spreadsheet does."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import openpyxl

from dispatch.domain.errors import InvalidInput

MAX_ROWS = 200_000
_BOM16 = (b"\xff\xfe", b"\xfe\xff")
_UNPACKED_MOST = 500 * 1024 * 1024
# What people call the columns.
COLUMNS: Mapping[str, Sequence[str]] = {
    "kind": ("kind", "类型", "种类"),
    "name": ("name", "名称", "小区", "地址", "户号"),
    "aliases": ("aliases", "别名", "又名"),
    "district": ("district", "区县", "行政区"),
    "street": ("street", "街道"),
    "community": ("community", "社区"),
    "lon": ("lon", "lng", "经度"),
    "lat": ("lat", "纬度"),
    "radius_m": ("radius_m", "半径"),
    "zone_id": ("zone_id", "网格", "网格编号"),
    "target": ("target", "对应地址", "指向"),
    "source": ("source", "来源"),
}


def read_rows(data: bytes, columns: Mapping[str, Sequence[str]] = COLUMNS) -> list[tuple[int, dict[str, str]]]:
    """Return (row number, cells by column) of a table; blank rows are none.

    Args:
        data: The file.
        columns: What people call the columns; `name` is one of them.

    Raises:
        InvalidInput: if it is no table, has no column `name`, or too many rows.
    """
    table = _excel(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    positions = _positions([cell.strip() for cell in next(table, [])], columns)
    rows: list[tuple[int, dict[str, str]]] = []
    for number, cells in enumerate(table, 2):
        if len(rows) >= MAX_ROWS:
            raise InvalidInput(f"超过 {MAX_ROWS:,} 行, 请分成几个文件", field="file")
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in positions.items()}
        if any(row.values()):
            rows.append((number, row))
    return rows


def _positions(header: Sequence[str], columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Where each known column is; the first of several names counts, what is unknown is left alone."""
    known = [name.lower() for name in header]
    found = {}
    for column, names in columns.items():
        at = next((known.index(name) for name in names if name in known), None)
        if at is not None:
            found[column] = at
    if "name" not in found:
        english, chinese = columns["name"][:2]
        told = ", ".join(header)[:200] or "无"
        raise InvalidInput(f"缺少“{chinese}”列 ({english}); 文件里的列: {told}", field="file")
    return found


def _csv(data: bytes) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    except csv.Error as error:
        raise InvalidInput(f"CSV 引号没有配对或格内有误: {error}", field="file") from error


def _decoded(data: bytes) -> str:
    for encoding in ["utf-16"] if data[:2] in _BOM16 else ["utf-8-sig", "gb18030"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput("编码无法识别: 请另存为 UTF-8 或 GB18030 (GBK) 的 CSV, 或 xlsx", field="file")


def _excel(data: bytes) -> Iterator[list[str]]:
    """The first sheet, read a row at a time; a small file that unpacks to a huge one is refused."""
    try:
        check_unpacked(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for row in islice(book.worksheets[0].iter_rows(values_only=True), MAX_ROWS + 2):
            yield [_cell(value) for value in row]
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, SyntaxError) as error:
        raise InvalidInput("Excel 文件已损坏或不是 xlsx, 请另存为 CSV", field="file") from error


def check_unpacked(data: bytes) -> None:
    """Raise InvalidInput for a workbook that is small as it comes and huge once it is unpacked.

    Raises:
        BadZipFile: for what is none.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        size = sum(entry.file_size for entry in packed.infolist())
    if size > _UNPACKED_MOST:
        raise InvalidInput("Excel 文件解压后过大, 请另存为 CSV", field="file")


def _cell(value: Any) -> str:
    """A number that is whole is an account number or a radius, not 12345.0."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
