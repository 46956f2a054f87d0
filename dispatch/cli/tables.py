"""CSV as people send it: UTF-8 with or without BOM, GBK, numbered rows; and files that appear whole or not at all."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum, Point, point_of

LON = ("lon", "lng", "longitude", "x", "经度")
LAT = ("lat", "latitude", "y", "纬度")
_CHUNK = 1 << 16
# So many row numbers of one kind are printed; the file that was written has them all.
_LISTED = 200
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: As a spreadsheet counts: the header is row 1.
        cells: As many as there are columns; empty texts where the row cannot be read.
        fault: Why it cannot be used, or None.
    """

    number: int
    cells: list[str]
    fault: str | None = None


class Table:
    """A CSV file that is open for reading, a row at a time.

    Attributes:
        encoding: What it turned out to be written in.
        columns: The header.
    """

    def __init__(self, raw: BinaryIO, text: TextIO, encoding: str) -> None:
        self.encoding = encoding
        self._raw = raw
        # Strict, so that a stray quote is an error of its row and not text that swallows the rows after it.
        self._reader = csv.reader(text, strict=True)
        try:
            self.columns = [name.strip() for name in next(self._reader, [])]
        except csv.Error as error:
            raise InvalidInput(f"第 1 行 (列名) 无法读取: {error}") from error
        if not any(self.columns):
            raise InvalidInput("文件是空的: 第 1 行应为列名")

    @property
    def bytes_read(self) -> int:
        """How far into the file, for progress."""
        return self._raw.tell()

    def find(self, option: str, asked: str | None, usual: Sequence[str]) -> int:
        """Return the position of the column that was asked for, or of the first usual one.

        Args:
            option: How people ask for it, e.g. `--lon-col`.
            asked: Its name, or None.
            usual: Names to look for otherwise.

        Raises:
            InvalidInput: where there is none, or two of the same name.
        """
        names = usual if asked is None else (asked,)
        known = [column.lower() for column in self.columns]
        for name in names:
            if known.count(name.strip().lower()) > 1:
                raise InvalidInput(f"列“{name}”出现不止一次, 请改名")
            if name.strip().lower() in known:
                return known.index(name.strip().lower())
        available = ", ".join(self.columns)
        raise InvalidInput(f"找不到列 {' / '.join(names)}; 文件里的列: {available}; 请用 {option} 指定")

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order; blank lines are none."""
        number, width = 1, len(self.columns)
        while True:
            number += 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                where = f"文件第 {self._reader.line_num} 行: {error}"
                yield Row(number, [""] * width, f"引号或长度有误, 无法读取 ({where})")
                continue
            if len(cells) == width:
                yield Row(number, cells)
            elif cells:
                fault = f"有 {len(cells)} 格, 应为 {width} 格"
                yield Row(number, (cells + [""] * width)[:width], fault)


@contextmanager
def reading(path: Path) -> Iterator[Table]:
    """Open a CSV file.

    Raises:
        InvalidInput: if it is empty, or in no encoding of the trade.
    """
    encoding = _encoding(path)
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        yield Table(raw, text, encoding)


def _encoding(path: Path) -> str:
    with path.open("rb") as raw:
        start = raw.read(4)
    named = next((name for bom, name in _BOMS.items() if start.startswith(bom)), None)
    for name in [named] if named else ["utf-8", "gb18030"]:
        if _decodes(path, name):
            return name
    raise InvalidInput(f"{path.name} 的编码无法识别: 请另存为 UTF-8 或 GB18030 (GBK)")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as raw:
            while chunk := raw.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def replacing(path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Write a file that takes its place at the end of the body; until then, and after an error, nothing has changed.

    Raises:
        InvalidInput: if it cannot be written there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding=encoding, newline="") as text:
            yield text
            text.flush()
            os.fsync(text.fileno())
        part.replace(path)
    except OSError as error:
        raise InvalidInput(f"不能写入 {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def listed(numbers: Sequence[int]) -> str:
    """Return row numbers for people: how many, and which, up to a limit."""
    more = " …" if len(numbers) > _LISTED else ""
    return f"{len(numbers)} 行: 第 {', '.join(map(str, numbers[:_LISTED]))} 行{more}"


def point(lon: str, lat: str, datum: Datum) -> Point:
    """Return the point of two cells.

    Raises:
        InvalidCoordinate: with what is wrong, `没有坐标` where both are empty.
    """
    if not lon.strip() and not lat.strip():
        raise InvalidCoordinate("没有坐标", field="location.lon")
    return point_of(_degrees(lon, "经度", "location.lon"), _degrees(lat, "纬度", "location.lat"), datum)


def _degrees(cell: str, word: str, field: str) -> float:
    if not cell.strip():
        raise InvalidCoordinate(f"缺少{word}", field=field)
    try:
        # Python reads 1_0 as ten; nobody who writes it into a table means that.
        return float(cell.replace("_", "?"))
    except ValueError as error:
        raise InvalidCoordinate(f"{word}“{cell[:40]}”不是数字", field=field) from error
