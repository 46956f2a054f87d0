"""Grids in a zip archive: an ESRI Shapefile with its companions, or a KMZ.

Source: ESRI Shapefile Technical Description (1998); read by pyshp. What an archive unpacks to is bounded before and
while it is unpacked, because 40 kB can hold 40 GB.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import Any

import shapefile

from dispatch.domain import zone_kml
from dispatch.domain.zone_csv import listed
from dispatch.domain.zone_json import of_file, refusal

# Two million vertices of 16 bytes, and room for their heads; the table beside them may be as large.
_MOST_BYTES = 64 * 1024 * 1024
_MOST_MEMBERS = 1_000
_AREAS = frozenset({shapefile.POLYGON, shapefile.POLYGONZ, shapefile.POLYGONM})
# Degrees on WGS-84, or on CGCS2000, which is the same to less than a metre.
_KNOWN_DATUM = re.compile(r"WGS.?(19)?84|CGCS.?2000|China.?(Geodetic.?Coordinate.?System.?)?2000", re.IGNORECASE)
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
_UNREADABLE = (shapefile.ShapefileException, struct.error, ValueError, IndexError, KeyError, TypeError, OSError)


def document_of(data: bytes) -> Any:
    """The one Shapefile or KML of an archive as a FeatureCollection.

    Raises:
        InvalidZoneFile: if it is broken, too large, holds none or several, or lies in another projection or datum.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except _BROKEN as error:
        raise refusal([of_file(f"压缩包损坏或有密码: {str(error)[:80]}")]) from error


def _read(archive: zipfile.ZipFile) -> Any:
    members = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    if len(members) > _MOST_MEMBERS:
        raise refusal([of_file(f"压缩包里有 {len(members):,} 个文件, 上限 {_MOST_MEMBERS:,} 个")])
    shapes = [info for info in members if info.filename.lower().endswith(".shp")]
    marks = [info for info in members if info.filename.lower().endswith(".kml")]
    if len(shapes) + len(marks) != 1:
        found = ", ".join(info.filename for info in (*shapes, *marks)[:5]) or "一个也没有"
        raise refusal([of_file(f"压缩包里应当正好有一个 .shp 或 .kml 文件, 现有: {found}")])
    if marks:
        return zone_kml.document_of(_unpacked(archive, marks[0]))
    stem = shapes[0].filename[:-4].lower()
    parts = {
        info.filename[-4:].lower(): _unpacked(archive, info)
        for info in members
        if info.filename[:-4].lower() == stem and info.filename[-4:].lower() in (".shp", ".dbf", ".prj", ".cpg")
    }
    if ".dbf" not in parts:
        raise refusal([of_file(f"缺少 {shapes[0].filename[:-4]}.dbf: 属性表 (编号、名称、班组) 在里面")])
    _check_projection(parts.get(".prj", b"").decode("utf-8", "replace"))
    return {"type": "FeatureCollection", "features": _features(parts)}


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The member, read no further than it may be, whatever its header says."""
    with archive.open(info) as member:
        data = member.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise refusal([of_file(f"{info.filename} 解压后超过 {_MOST_BYTES:,} 字节, 请先简化边界或删去多余属性")])
    return data


def _check_projection(prj: str) -> None:
    """Refuse metres and foreign datums; without a .prj the declared datum is believed."""
    named = re.search(r'"([^"]*)"', prj)
    name = named[1] if named else ""
    if prj.lstrip().upper().startswith(("PROJCS", "PROJCRS")):
        raise refusal([of_file(f"Shapefile 是投影坐标 ({name}), 请先转成经纬度 (WGS 84 或 CGCS2000)")])
    if prj.strip() and not _KNOWN_DATUM.search(prj):
        raise refusal([of_file(f"Shapefile 的坐标系是 {name or prj.strip()[:40]}, 须为 WGS 84 或 CGCS2000 经纬度")])


def _features(parts: dict[str, bytes]) -> list[dict[str, Any]]:
    told = parts.get(".cpg", b"").decode("ascii", "ignore").strip().lower()
    encodings = ["utf-8", "gb18030"] if told in ("", "utf-8", "utf8", "65001") else ["gb18030", "utf-8"]
    shp = parts[".shp"]
    if len(shp) < 100 or 2 * int.from_bytes(shp[24:28], "big") != len(shp):
        raise refusal([of_file("Shapefile 损坏: .shp 的长度与它自己写的不符, 请重新导出")])
    for encoding in encodings:
        try:
            return _in_encoding(parts, encoding)
        except shapefile.dbfFileException:
            continue
        except _UNREADABLE as error:
            raise refusal([of_file(f"Shapefile 损坏, 无法读取: {str(error)[:80]}")]) from error
    raise refusal([of_file("属性表 (.dbf) 损坏, 或不是 UTF-8 也不是 GBK 编码")])


def _in_encoding(parts: dict[str, bytes], encoding: str) -> list[dict[str, Any]]:
    with shapefile.Reader(
        shp=io.BytesIO(parts[".shp"]), dbf=io.BytesIO(parts[".dbf"]), encoding=encoding, encodingErrors="strict"
    ) as reader:
        if reader.shapeType not in _AREAS:
            raise refusal([of_file(f"Shapefile 的几何是 {reader.shapeTypeName}, 网格必须是 POLYGON")])
        return [
            {"type": "Feature", "properties": _properties(found.record), "geometry": _geometry(found.shape)}
            for found in reader.iterShapeRecords()
        ]


def _properties(record: Any) -> dict[str, Any]:
    """The row of the table; `in_circle` as other tables tell it, in a letter or a number."""
    row: dict[str, Any] = record.as_dict()
    if isinstance(row.get("in_circle"), int | str) and not isinstance(row["in_circle"], bool):
        row["in_circle"] = str(row["in_circle"]).strip().lower() not in ("0", "f", "n", "false", "否")
    return row


def _geometry(shape: Any) -> dict[str, Any] | None:
    if shape is None or shape.shapeType == shapefile.NULL:
        return None
    told = shape.__geo_interface__
    return {"type": told["type"], "coordinates": listed(told["coordinates"])}
