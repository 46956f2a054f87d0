"""Grids in a table: CSV with a column of WKT, as spreadsheets and PostGIS write it, in UTF-8 or GBK."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import shapely
from shapely.errors import GEOSException
from shapely.geometry import mapping

from dispatch.domain.zone_json import MAX_BYTES, MAX_VERTICES, of_file, refusal

WKT_COLUMNS = frozenset({"wkt", "geometry", "geom", "the_geom", "几何", "边界"})
_EWKT = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;\s*", re.IGNORECASE)
# Longitude and latitude in degrees: WGS-84, and CGCS2000, which is the same to less than a metre.
DEGREES = frozenset({"4326", "4490"})
_TRUTHS = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}


def text_of(data: bytes) -> str:
    """The text of a table in UTF-8, with a mark or without, or in GBK.

    Raises:
        InvalidZoneFile: if it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refusal([of_file("文件不是 UTF-8 也不是 GBK 编码")])


def has_wkt(data: bytes) -> bool:
    """Whether the first line names a column of WKT."""
    line = data[:65536].splitlines()[:1]
    head = line[0].decode("utf-8-sig", "replace") if line else ""
    return any(name.strip().strip('"').lower() in WKT_COLUMNS for name in head.split(","))


def document_of(data: bytes) -> dict[str, Any]:
    """The table as a FeatureCollection, a row a feature, the other columns its properties.

    Raises:
        InvalidZoneFile: if a row is broken or its WKT cannot be read, with the row as a spreadsheet counts.
    """
    text = text_of(data)
    if text.count(",") > 4 * MAX_VERTICES:
        raise refusal([of_file(f"文件太大: 顶点上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    before = csv.field_size_limit(MAX_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise refusal([of_file(f"表格无法读取: {error}")]) from error
    finally:
        csv.field_size_limit(before)
    columns = [name.strip() for name in rows[0]]
    place = next(n for n, name in enumerate(columns) if name.lower() in WKT_COLUMNS)
    features = [_feature(number, row, columns, place) for number, row in enumerate(rows[1:], 2) if any(row)]
    return {"type": "FeatureCollection", "features": features}


def _feature(number: int, row: list[str], columns: list[str], place: int) -> dict[str, Any]:
    if len(row) != len(columns):
        raise refusal([of_file(f"第 {number} 行有 {len(row)} 格, 列名有 {len(columns)} 个")])
    cells = dict(zip(columns, row, strict=True))
    del cells[columns[place]]
    told = cells.get("in_circle", "").strip().lower()
    properties: dict[str, Any] = {**cells, **({"in_circle": _TRUTHS.get(told, told)} if told else {})}
    if not told:
        properties.pop("in_circle", None)
    return {"type": "Feature", "properties": properties, "geometry": _geometry(number, row[place])}


def _geometry(number: int, wkt: str) -> dict[str, Any] | None:
    """The geometry of a cell as GeoJSON; None where it is empty."""
    srid = _EWKT.match(wkt)
    if srid and srid[1] not in DEGREES:
        raise refusal([of_file(f"第 {number} 行: SRID {srid[1]} 不是经纬度 (须为 4326 或 4490)")])
    if not wkt.strip():
        return None
    try:
        shape = shapely.from_wkt(wkt[srid.end() :] if srid else wkt)
    except GEOSException as error:
        raise refusal([of_file(f"第 {number} 行: WKT 无法读取 ({str(error)[:80]})")]) from error
    if shape.is_empty:
        return None
    told: dict[str, Any] = mapping(shape)
    return {"type": told["type"], "coordinates": listed(told.get("coordinates", ()))}


def listed(coordinates: Any) -> Any:
    """Nested tuples as the lists that JSON has."""
    return [listed(part) for part in coordinates] if isinstance(coordinates, tuple | list) else coordinates
