"""Tables of places as people send them."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.services import place_file
from dispatch.services.place_file import read_rows

TEXT = "名称,区县,备注\n金领小区,天心区,一期\n\n,,\n滨洲新村,天心区,\n"
ROWS = [(2, {"name": "金领小区", "district": "天心区"}), (5, {"name": "滨洲新村", "district": "天心区"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_csv_in_the_encodings_of_the_trade(encoding: str) -> None:
    assert [row for _, row in read_rows(TEXT.encode(encoding))] == [row for _, row in ROWS]


def test_rows_have_the_numbers_of_a_spreadsheet() -> None:
    assert [number for number, _ in read_rows("name\n甲小区\n乙小区\n".encode())] == [2, 3]


def excel(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_excel() -> None:
    data = excel(
        ["户号", "类型", "对应地址", "经度"], [23456789.0, "户号", "金领小区3栋", 112.98], [None, None, None, None]
    )
    assert read_rows(data) == [(2, {"name": "23456789", "kind": "户号", "target": "金领小区3栋", "lon": "112.98"})]


def test_a_short_row_lacks_its_last_cells() -> None:
    assert read_rows("name,street\n甲小区\n".encode()) == [(2, {"name": "甲小区", "street": ""})]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "无"),
        ("街道\n南托街道\n".encode(), "缺少“名称”列"),
        (b"name\n\xff\xff\xff\xff", "编码"),
        ('name\n"没有配对\n'.encode(), "引号"),
        (b"PK\x03\x04nonsense", "Excel"),
    ],
)
def test_what_is_no_table(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_rows(data)


def test_too_many_rows_and_too_much_within_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_file, "MAX_ROWS", 2)
    with pytest.raises(InvalidInput, match="超过 2 行"):
        read_rows("name\n甲小区\n乙小区\n丙小区\n".encode())
    monkeypatch.setattr(place_file, "_UNPACKED_MOST", 1000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/worksheets/sheet1.xml", b"0" * 10_000)
    with pytest.raises(InvalidInput, match="解压后过大"):
        read_rows(packed.getvalue())
