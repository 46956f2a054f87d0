"""Read zones from a GeoJSON file, or refuse the file whole and say everything that is wrong with it.

The JSON is checked before geometry is built from it, because geometry libraries close open rings, read text
as numbers and answer "inside" for polygons of NaN. What zones do to each other is in zone_checks.

Source: RFC 7946 (GeoJSON), except that the datum is declared by whoever hands in the file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_checks
from dispatch.domain.errors import InvalidZoneFile
from dispatch.domain.place import Datum, lonlats_to_wgs84
from dispatch.domain.zone_checks import Geometries, place_text
from dispatch.domain.zones import Zone

MAX_BYTES = 256 * 1024 * 1024
MAX_VERTICES = 2_000_000
# A vertex costs at most three commas and one and a half brackets, so more of them mean more vertices (or
# ballast that would fill the memory just as well). They are counted before the JSON is parsed.
_MAX_TOKENS = 5 * MAX_VERTICES

INDEX_FIELD = "@index"
_NO_VALUE = frozenset(["", "none", "null", "nan"])
_FLAWS = {
    "Self-intersection": "边界自相交",
    "Ring Self-intersection": "边界自己碰到自己",
    "Hole lies outside shell": "洞在外环之外",
    "Nested holes": "洞套着洞",
    "Nested shells": "面套着面",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "不同的点太少",
}


class Problem(TypedDict):
    """One thing wrong, in Chinese; feature (1-based), id and place (`lon,lat` as in the file) if known."""

    feature: int | None
    id: str | None
    place: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a good file holds.

    Attributes:
        zones: In the order of the file, WGS-84.
        warnings: What is odd but does not stand in the way.
    """

    zones: tuple[Zone, ...]
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class _Feature:
    number: int
    properties: dict[str, Any]
    polygons: list[Any]
    fault: str | None
    zone_id: str | None = None

    def problem(self, reason: str, place: str | None = None) -> Problem:
        return Problem(feature=self.number, id=self.zone_id, place=place, reason=reason)


def read_zones(
    data: bytes,
    *,
    datum: Datum,
    id_field: str | None = None,
    name_field: str | None = None,
    team_field: str | None = None,
    reference: Mapping[str, BaseGeometry] | None = None,
    strict_topology: bool = True,
) -> ZoneFile:
    """Read a FeatureCollection of Polygons and MultiPolygons.

    Args:
        data: The file: UTF-8 JSON, at most 256 MiB and 2,000,000 vertices. A third coordinate is ignored.
        datum: What its coordinates are measured against.
        id_field: Property with the zone id; `id`, `zone_id` or `code` if None. `@index` numbers the features.
        name_field: Property with the name; `name` if None, and the id where that is empty. `@index` as above.
        team_field: Property with the team; `team_id` or `team` if None.
        reference: Trusted outlines in WGS-84 by name, to find swapped axes and doubt the datum.
        strict_topology: Refuse overlaps and gaps over 400 m²; False only warns of them.

    Raises:
        InvalidZoneFile: With all problems in `extra["problems"]`, each a `Problem`.
    """
    features = _features(_load(data))
    problems = _set_ids(features, id_field)
    names, faults = _column(features, "--name-field", name_field, ("name",))
    teams, team_faults = _column(features, "--team-field", team_field, ("team_id", "team"))
    branches, _ = _column(features, "", None, ("branch",))
    problems += faults + team_faults + _circle_faults(features)
    geometries = np.array([_geometry(feature, problems) for feature in features], dtype=object)
    grave, warnings = _relations(features, geometries, reference or {}, strict_topology)
    problems += grave
    if problems:
        raise _refusal(problems)
    if doubt := zone_checks.datum_doubt(geometries, datum, reference or {}):
        warnings.append(_of_file(doubt))
    placed = shapely.transform(geometries, lambda lonlats: lonlats_to_wgs84(lonlats, datum))
    rows = zip(features, names, branches, teams, placed, strict=True)
    return ZoneFile(tuple(_zone(*row) for row in rows), tuple(warnings))


def _relations(
    features: Sequence[_Feature],
    geometries: Geometries,
    reference: Mapping[str, BaseGeometry],
    strict_topology: bool,
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what is odd, with the zones among themselves and against the reference."""
    problems = [
        features[position].problem(zone_checks.SWAPPED, place)
        for position, place in zone_checks.swapped(geometries, reference)
    ]
    warnings: list[Problem] = []
    labels = [f"{feature.zone_id or '(无编号)'} (第 {feature.number} 个要素)" for feature in features]
    findings = list(zone_checks.overlaps(labels, geometries))
    # Where a zone could not be built, the hole that it leaves is no news.
    if None not in geometries:
        findings += zone_checks.gaps(labels, geometries)
    for finding in findings:
        is_grave = strict_topology and finding.area_m2 > zone_checks.SLIVER_M2
        problem = features[finding.position].problem(finding.reason, finding.place)
        (problems if is_grave else warnings).append(problem)
    return problems, warnings


def _zone(
    feature: _Feature,
    name: str | None,
    branch: str | None,
    team: str | None,
    geometry: Polygon | MultiPolygon,
) -> Zone:
    zone_id = str(feature.zone_id)
    is_in_circle = feature.properties.get("in_circle") is not False
    return Zone(zone_id, name or zone_id, branch, team, is_in_circle, geometry)


def _refusal(problems: Sequence[Problem]) -> InvalidZoneFile:
    first = problems[0]
    where = f"第 {first['feature']} 个要素" if first["feature"] else "整个文件"
    detail = f"网格文件被整体拒绝, 共 {len(problems)} 处问题; 第一处: {where}: {first['reason']}"
    return InvalidZoneFile(detail, problems=list(problems))


def _of_file(reason: str) -> Problem:
    return Problem(feature=None, id=None, place=None, reason=reason)


# ---------------------------------------------------------------- JSON


def _load(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise _refusal([_of_file(f"文件有 {len(data):,} 字节, 上限 {MAX_BYTES:,} 字节")])
    if sum(map(data.count, (b"[", b"{", b","))) > _MAX_TOKENS:
        raise _refusal([_of_file(f"文件太大: 顶点上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=_whole_number)
    except UnicodeDecodeError as error:
        raise _refusal([_of_file(f"文件不是 UTF-8 编码 (第 {error.start + 1} 字节)")]) from error
    except json.JSONDecodeError as error:
        raise _refusal([_of_file(f"文件不是 JSON: 第 {error.lineno} 行第 {error.colno} 列")]) from error
    except RecursionError as error:
        raise _refusal([_of_file("JSON 嵌套太深")]) from error


def _whole_number(text: str) -> int | float:
    """Numbers that no property needs become floats: Python refuses to read ints of thousands of digits."""
    return int(text) if len(text) < 20 else float(text)


def _features(document: Any) -> list[_Feature]:
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise _refusal([_of_file("文件不是 GeoJSON FeatureCollection")])
    raw = document.get("features")
    if not isinstance(raw, list) or not raw:
        raise _refusal([_of_file("文件里没有要素 (features 为空)")])
    features = [_feature(number, item) for number, item in enumerate(raw, 1)]
    vertices = sum(len(ring) for feature in features for polygon in feature.polygons for ring in polygon)
    if vertices > MAX_VERTICES:
        raise _refusal([_of_file(f"文件有 {vertices:,} 个顶点, 上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    return features


def _feature(number: int, raw: Any) -> _Feature:
    if not isinstance(raw, dict) or raw.get("type") != "Feature":
        return _Feature(number, {}, [], "不是 GeoJSON Feature")
    properties, geometry = raw.get("properties"), raw.get("geometry")
    polygons, fault = _polygons(geometry) if isinstance(geometry, dict) else ([], "没有几何")
    return _Feature(number, properties if isinstance(properties, dict) else {}, polygons, fault)


def _polygons(geometry: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The polygons, each a list of rings, each a list of whatever; or none and what is wrong."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        return [], f"几何类型是 {_text(kind) or '空'}, 网格必须是 Polygon 或 MultiPolygon"
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list) or not all(isinstance(polygon, list) for polygon in polygons):
        return [], "坐标的嵌套层次不对"
    if not polygons or not all(polygons):
        return [], "几何是空的"
    if not all(isinstance(ring, list) for polygon in polygons for ring in polygon):
        return [], "坐标的嵌套层次不对"
    return polygons, None


# ---------------------------------------------------------------- properties


def _set_ids(features: Sequence[_Feature], field: str | None) -> list[Problem]:
    ids, problems = _column(features, "--id-field", field, ("id", "zone_id", "code"), is_needed=True)
    if problems:
        return problems
    seen: dict[str, int] = {}
    for feature, zone_id in zip(features, ids, strict=True):
        feature.zone_id = zone_id
        if zone_id is None:
            problems.append(feature.problem("没有编号"))
        elif seen.setdefault(zone_id, feature.number) != feature.number:
            problems.append(feature.problem(f"编号 {zone_id} 与第 {seen[zone_id]} 个要素重复"))
    return problems


def _column(
    features: Sequence[_Feature],
    option: str,
    field: str | None,
    usual: tuple[str, ...],
    *,
    is_needed: bool = False,
) -> tuple[list[str | None], list[Problem]]:
    """The texts of one property: the one asked for, or the usual one that is filled in most often."""
    if field == INDEX_FIELD:
        return [str(feature.number) for feature in features], []
    names = usual if field is None else (field,)
    columns = [[_text(feature.properties.get(name)) for feature in features] for name in names]
    column = max(columns, key=lambda texts: len(texts) - texts.count(None))
    if any(column) or (field is None and not is_needed):
        return column, []
    known = [_text(key) or "?" for feature in features[:100] for key in list(feature.properties)[:20]]
    reason = (
        f"属性 {', '.join(names)} 不存在或没有可用的值 (空, None, null 不算); "
        f"文件里的属性: {', '.join(dict.fromkeys(known)) or '无'}; "
        f"请用 {option} 指定其中一个"
    )
    if option != "--team-field":
        reason += f", 或用 {option} {INDEX_FIELD} 按要素顺序编号"
    return column, [_of_file(reason)]


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    # No database takes control characters, no encoder the lone halves that JSON can escape.
    text = "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff").strip()
    return None if text.lower() in _NO_VALUE else text


def _circle_faults(features: Sequence[_Feature]) -> list[Problem]:
    return [
        feature.problem("in_circle 只能是 true 或 false")
        for feature in features
        if not isinstance(feature.properties.get("in_circle", True), bool | None)
    ]


# ---------------------------------------------------------------- geometry


def _geometry(feature: _Feature, problems: list[Problem]) -> Polygon | MultiPolygon | None:
    """Build the geometry, or add to the problems and return None."""
    faults: list[tuple[str, str | None]] = [(feature.fault, None)] if feature.fault else []
    faults += [fault for polygon in feature.polygons for ring in polygon for fault in _ring_faults(ring)]
    if not faults:
        rings = [[[position[:2] for position in ring] for ring in polygon] for polygon in feature.polygons]
        parts = [Polygon(polygon[0], polygon[1:]) for polygon in rings]
        geometry = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        if shapely.is_valid(geometry):
            return geometry
        faults = [_flaw(shapely.is_valid_reason(geometry))]
    problems += [feature.problem(reason, place) for reason, place in faults]
    return None


def _ring_faults(ring: list[Any]) -> Iterator[tuple[str, str | None]]:
    bad = [n for n, position in enumerate(ring, 1) if not _is_position(position)]
    if bad:
        yield f"环的第 {bad[0]} 个点不是两个有限的数字 (共 {len(bad)} 处)", None
        return
    far = [(x, y) for x, y, *_ in ring if abs(x) > 180 or abs(y) > 90]
    if far:
        yield f"坐标超出 ±180, ±90 度{_range_hint(far)} (共 {len(far)} 处)", place_text(*far[0])
    if len(ring) < 4:
        yield f"环只有 {len(ring)} 个点, 至少要 4 个", place_text(*ring[0][:2]) if ring else None
    elif ring[0][:2] != ring[-1][:2]:
        yield f"环没有闭合: 末点是 {place_text(*ring[-1][:2])}, 应与首点相同", place_text(*ring[0][:2])


def _is_position(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(type(number) in (int, float) and math.isfinite(number) for number in value[:2])
    )


def _range_hint(far: Sequence[tuple[float, float]]) -> str:
    if all(abs(x) <= 90 and abs(y) <= 180 for x, y in far):
        return f", {zone_checks.SWAPPED}"
    return ", 疑似投影坐标 (需要经纬度)" if all(abs(x) > 180 and abs(y) > 90 for x, y in far) else ""


def _flaw(reason: str) -> tuple[str, str | None]:
    """What GEOS says, e.g. `Self-intersection[112.9 28.1]`, in Chinese, and the place."""
    found = re.fullmatch(r"(.*)\[(\S+) (\S+)\]", reason)
    words, place = (found[1], place_text(float(found[2]), float(found[3]))) if found else (reason, None)
    return f"几何无效: {_FLAWS.get(words, words)}", place
