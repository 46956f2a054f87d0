"""From the rows of a table to calls: which column is what, and what a row lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from dispatch.cli import tables
from dispatch.cli.category_words import CategoryWords
from dispatch.domain.call import NewCall
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum, Point
from dispatch.services.replay import Entry, Fault

# Field of a call, and the columns that are taken for it where nothing else is said.
FIELDS: Mapping[str, Sequence[str]] = {
    "cti_call_id": ("cti_call_id", "call_id", "external_id", "unique_key", "来电编号"),
    "called_at": ("called_at", "call_time", "created_at", "created_date", "来电时间"),
    "closed_at": ("closed_at", "closed_date", "完工时间"),
    "category": ("category", "complaint_type", "诉求类别", "类别"),
    "description": ("description", "text", "descriptor", "描述", "诉求内容"),
    "address": ("address", "incident_address", "地址"),
    "lon": tables.LON,
    "lat": tables.LAT,
    "caller_phone": ("caller_phone", "phone", "电话", "来电号码"),
    "caller_name": ("caller_name", "姓名", "来电人"),
    "answer": ("answer", "答复"),
}
_FORMS = (
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
)  # fmt: skip
# Telephone exchanges that write their calls into files are not older.
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


class Columns:
    """Which column of a table holds which field.

    Args:
        table: The table.
        asked: Columns by field, as asked for; the others are found by their usual names.

    Raises:
        InvalidInput: where a column that was asked for is missing, or there is none for the time of the call.
    """

    def __init__(self, table: tables.Table, asked: Mapping[str, str]) -> None:
        self._names = table.columns
        known = {name.lower() for name in table.columns}
        self._positions = {
            field: table.find(f"--map 列名={field}", asked.get(field), usual)
            for field, usual in FIELDS.items()
            if field in asked or field == "called_at" or known.intersection(usual)
        }

    def cells(self, row: tables.Row) -> dict[str, str]:
        """Return the texts of a row by field; a field without a column is empty."""
        found = {field: row.cells[position].strip() for field, position in self._positions.items()}
        return dict.fromkeys(FIELDS, "") | found

    def name_of(self, field: str | None) -> str | None:
        """Return the column of a field as errors name it, or None."""
        if field == "location":
            return self.name_of("address") or self.name_of("lon")
        position = self._positions.get((field or "").removeprefix("location."))
        return None if position is None else self._names[position]


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """Return columns by field from texts like `created_date=called_at`.

    Raises:
        InvalidInput: for a text of another form, or a field that calls do not have.
    """
    asked = {}
    for pair in pairs:
        column, _, field = pair.rpartition("=")
        if not column or field not in FIELDS:
            raise InvalidInput(f"--map 应写成 列名=字段, 现为“{pair}”; 字段: {', '.join(FIELDS)}")
        asked[field] = column
    return asked


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows.

    Attributes:
        columns: Which column is what.
        words: What the words for a category mean.
        datum: What coordinates are measured against.
        zone: Where the clock hung whose times name no zone.
        now: The present; calls of the future are an error of the file.
    """

    columns: Columns
    words: CategoryWords
    datum: Datum
    zone: tzinfo
    now: datetime

    def read(self, row: tables.Row) -> tuple[Entry, str] | Fault:
        """Return the call of a row and how its category was found, or what is wrong with the row."""
        if row.fault:
            return Fault(row.number, None, row.fault)
        cells = self.columns.cells(row)
        category, found_by = self.words.pick(cells["category"], cells["description"])
        try:
            call = NewCall(
                called_at=self._time(cells, "called_at"),
                category=category,
                description=cells["description"] or cells["category"],
                cti_call_id=cells["cti_call_id"] or None,
                caller_phone=re.sub(r"[\s()-]", "", cells["caller_phone"]) or None,
                caller_name=cells["caller_name"] or None,
                point=self._point(cells),
                address=cells["address"],
                answer=cells["answer"] or None if self.words.is_answered(category) else None,
            )
        except InvalidInput as error:
            return Fault(row.number, error.field, error.detail)
        return Entry(row.number, call, cells, *self._closed_at(cells)), found_by

    def _point(self, cells: Mapping[str, str]) -> Point | None:
        lon, lat = cells["lon"], cells["lat"]
        return tables.point(lon, lat, self.datum) if lon or lat else None

    def _closed_at(self, cells: Mapping[str, str]) -> tuple[datetime | None, str | None]:
        """When the call was closed; where that cannot be read, the call itself is still good."""
        if not cells["closed_at"]:
            return None, None
        try:
            return self._time(cells, "closed_at"), None
        except InvalidInput as error:
            return None, error.detail

    def _time(self, cells: Mapping[str, str], field: str) -> datetime:
        found = parse_time(cells[field], self.zone, field)
        if not _EARLIEST <= found <= self.now:
            raise InvalidInput(f"时间 {cells[field]} 不在 {_EARLIEST.year} 年至今之间", field=field)
        return found


def parse_time(text: str, zone: tzinfo, field: str) -> datetime:
    """Return the UTC time of a text: ISO 8601, `2018/6/26 10:58` or `06/26/2018 10:58:54 AM`.

    Args:
        text: Date and time of day.
        zone: Where its clock hung, unless the text says so itself.
        field: Where it came from.

    Raises:
        InvalidInput: for anything else.
    """
    found = _iso(text) if ":" in text or "T" in text else None
    for form in _FORMS if found is None else ():
        try:
            found = datetime.strptime(text, form).replace(tzinfo=zone)
            break
        except ValueError:
            continue
    if found is None:
        example = "2018-06-26 10:58 或 06/26/2018 10:58:54 AM"
        raise InvalidInput(f"时间“{text[:40]}”无法识别, 应如 {example}" if text else "没有时间", field=field)
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise InvalidInput(f"时间“{text[:40]}”超出范围", field=field) from error


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
