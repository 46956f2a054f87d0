"""CSV as people send it: UTF-8 with or without BOM, GBK, numbered rows; and files that appear whole or not at all."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections import defaultdict
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
        cells: As many as there are columns, with what could be read of a faulty row.
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
        self._line = ""
        # Strict, so that a stray quote is an error and not text that swallows the rows after it.
        self._reader = csv.reader(self._lines(text), strict=True)
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
        """Yield the rows in order; blank lines are none.

        Raises:
            InvalidInput: where a quote is not closed and other lines are lost in it, or may be: what is a row and what
                is text is anybody's guess from there on.
        """
        number, width = 1, len(self.columns)
        while True:
            number += 1
            first = self._reader.line_num + 1
            fault = None
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, fault = self._salvaged(number, first, error)
            if cells and len(cells) != width:
                fault = fault or f"有 {len(cells)} 格, 应为 {width} 格{self._span(first)}"
            if cells or fault:
                yield Row(number, (cells + [""] * width)[:width], fault)

    def _lines(self, text: TextIO) -> Iterator[str]:
        for line in text:
            self._line = line
            yield line

    def _salvaged(self, number: int, first: int, error: csv.Error) -> tuple[list[str], str]:
        """Read what broke within one line as well as can be, and say what is wrong with it."""
        last = self._reader.line_num
        if last > first:
            raise InvalidInput(
                f"第 {number} 行 (文件第 {first} 行) 的引号没有配对, 后面的行被并入其中 (到文件第 {last} 行: {error})。"
                '请补上或删去这个引号, 格内的引号应写成两个 (""), 然后重试'
            )
        try:
            cells = next(csv.reader([self._line]), [])
        except csv.Error:
            cells = []
        return cells, f"引号或长度有误, 无法读取 (文件第 {last} 行: {error})"

    def _span(self, first: int) -> str:
        """Name the lines of a row that has several: a quote too many may have joined rows."""
        last = self._reader.line_num
        return f" (文件第 {first}–{last} 行, 疑似多了引号)" if last > first else ""


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


class Remarks:
    """Rows of which something is to be said, by what is said; of many different remarks the first are kept."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        self._more = 0

    def add(self, number: int, remark: str) -> None:
        """Say this of a row."""
        if remark in self._rows or len(self._rows) < _LISTED:
            self._rows[remark].append(number)
        else:
            self._more += 1

    def __bool__(self) -> bool:
        return bool(self._rows)

    def lines(self) -> Iterator[str]:
        """Yield a line for each remark, and one for what was not kept."""
        yield from (f"{remark}: {listed(numbers)}" for remark, numbers in self._rows.items())
        if self._more:
            yield f"… 另有 {self._more} 行, 见写出的文件"


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
