"""The JSON of a zone file, checked before any geometry is built from it.

Source: RFC 7946 (GeoJSON).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from dispatch.domain.errors import InvalidZoneFile

MAX_BYTES = 256 * 1024 * 1024
MAX_VERTICES = 2_000_000
# A vertex costs at most three commas and one and a half brackets, so more of them mean more vertices (or
# ballast that would fill the memory just as well). They are counted before the JSON is parsed.
_MAX_TOKENS = 5 * MAX_VERTICES
_NO_VALUE = frozenset(["", "none", "null", "nan"])


class Problem(TypedDict):
    """One thing wrong, in Chinese; feature (1-based), id and place (`lon,lat` as in the file) if known."""

    feature: int | None
    id: str | None
    place: str | None
    reason: str


@dataclass(slots=True)
class Feature:
    """One feature as it was found.

    Attributes:
        number: From 1.
        properties: As in the file; empty where there are none.
        polygons: Each a list of rings, each a list of whatever.
        fault: Why there are no polygons, in Chinese, or None.
        zone_id: Its id, once that is known.
    """

    number: int
    properties: dict[str, Any]
    polygons: list[Any]
    fault: str | None
    zone_id: str | None = None

    def problem(self, reason: str, place: str | None = None) -> Problem:
        """A problem of this feature."""
        return Problem(feature=self.number, id=self.zone_id, place=place, reason=reason)


def refusal(problems: Sequence[Problem]) -> InvalidZoneFile:
    """The error that tells at least one problem."""
    first = problems[0]
    where = f"第 {first['feature']} 个要素" if first["feature"] else "整个文件"
    detail = f"网格文件被整体拒绝, 共 {len(problems)} 处问题; 第一处: {where}: {first['reason']}"
    return InvalidZoneFile(detail, problems=list(problems))


def of_file(reason: str) -> Problem:
    """A problem of the whole file."""
    return Problem(feature=None, id=None, place=None, reason=reason)


def check_size(size: int) -> None:
    """Refuse a file of that many bytes, or more, where it is too large; so that it need not be read first."""
    if size > MAX_BYTES:
        raise refusal([of_file(f"文件至少有 {size:,} 字节, 上限 {MAX_BYTES:,} 字节, 请简化边界或删去多余属性")])


def load(data: bytes) -> Any:
    """The JSON of the file, or what is wrong with it."""
    check_size(len(data))
    if sum(map(data.count, (b"[", b"{", b","))) > _MAX_TOKENS:
        raise refusal([of_file(f"文件太大: 顶点上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=_whole_number)
    except UnicodeDecodeError as error:
        raise refusal([of_file(f"文件不是 UTF-8 编码 (第 {error.start + 1} 字节)")]) from error
    except json.JSONDecodeError as error:
        raise refusal([of_file(f"文件不是 JSON: 第 {error.lineno} 行第 {error.colno} 列")]) from error
    except RecursionError as error:
        raise refusal([of_file("JSON 嵌套太深")]) from error


def _whole_number(text: str) -> int | float:
    """Numbers that no property needs become floats: Python refuses to read ints of thousands of digits."""
    return int(text) if len(text) < 20 else float(text)


def features_of(document: Any) -> list[Feature]:
    """The features of a FeatureCollection with at most 2,000,000 vertices."""
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise refusal([of_file("文件不是 GeoJSON FeatureCollection")])
    raw = document.get("features")
    if not isinstance(raw, list) or not raw:
        raise refusal([of_file("文件里没有要素 (features 为空)")])
    features = [feature_of(number, item) for number, item in enumerate(raw, 1)]
    vertices = sum(len(ring) for feature in features for polygon in feature.polygons for ring in polygon)
    if vertices > MAX_VERTICES:
        raise refusal([of_file(f"文件有 {vertices:,} 个顶点, 上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    return features


def feature_of(number: int, raw: Any) -> Feature:
    """The feature as it was found, with its fault where it has no polygons."""
    if not isinstance(raw, dict) or raw.get("type") != "Feature":
        return Feature(number, {}, [], "不是 GeoJSON Feature")
    properties, geometry = raw.get("properties"), raw.get("geometry")
    polygons, fault = _polygons(geometry) if isinstance(geometry, dict) else ([], "没有几何")
    return Feature(number, properties if isinstance(properties, dict) else {}, polygons, fault)


def _polygons(geometry: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The polygons, each a list of rings, each a list of whatever; or none and what is wrong."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        return [], f"几何类型是 {text_of(kind) or '空'}, 网格必须是 Polygon 或 MultiPolygon"
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) for polygon in polygons):
        return [], "坐标的嵌套层次不对"
    if not polygons or not all(polygons):
        return [], "几何是空的"
    if not all(isinstance(ring, list) for polygon in polygons for ring in polygon):
        return [], "坐标的嵌套层次不对"
    return polygons, None


def text_of(value: object) -> str | None:
    """The text of a property, a number as text, or None where there is nothing to use."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    # No database takes control characters, no encoder the lone halves that JSON can escape.
    text = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff").strip()
    return None if text.lower() in _NO_VALUE else text
