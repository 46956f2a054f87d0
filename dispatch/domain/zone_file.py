"""Read zones from a file, or refuse it whole and say everything that is wrong with it.

Whatever the form of the file (zone_forms), it is checked as GeoJSON (zone_json, zone_rings) before geometry is built
from it. What zones do to each other is in zone_checks and zone_gaps.

Source: RFC 7946 (GeoJSON), except that the datum is declared by whoever hands in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_checks, zone_forms, zone_gaps, zone_rings
from dispatch.domain.place import Bd09Point, Datum, Gcj02Point, Wgs84Point, lonlats_to_wgs84, to_bd09, to_gcj02
from dispatch.domain.progress import Track, untold
from dispatch.domain.zone_checks import Finding, Geometries, place_text
from dispatch.domain.zone_json import Feature, Problem, features_of, of_file, refusal, text_of
from dispatch.domain.zones import Zone

_FROM_WGS84: Mapping[Datum, Callable[[Wgs84Point], Wgs84Point | Gcj02Point | Bd09Point]] = {
    Datum.WGS84: lambda point: point,
    Datum.GCJ02: to_gcj02,
    Datum.BD09: to_bd09,
}
INDEX_FIELD = "@index"


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a good file holds.

    Attributes:
        zones: In the order of the file, WGS-84.
        warnings: What is odd but does not stand in the way.
        is_sample: Whether the file calls itself a sample.
        compared: Names of the outlines that the zones were compared with, for grids missing at the edge.
    """

    zones: tuple[Zone, ...]
    warnings: tuple[Problem, ...]
    is_sample: bool = False
    compared: tuple[str, ...] = ()


def read_zones(
    data: bytes,
    *,
    datum: Datum,
    id_field: str | None = None,
    name_field: str | None = None,
    team_field: str | None = None,
    reference: Mapping[str, BaseGeometry] | None = None,
    outlines: Mapping[str, BaseGeometry] | None = None,
    strict_topology: bool = True,
    track: Track = untold,
) -> ZoneFile:
    """Read areas from GeoJSON, a zipped Shapefile, KML or CSV with WKT; the content tells which.

    Args:
        data: The file, at most 256 MiB and 2,000,000 vertices. A third coordinate is ignored.
        datum: What its coordinates are measured against.
        id_field: Property with the zone id; `id`, `zone_id` or `code` if None. `@index` numbers the features.
        name_field: Property with the name; `name` if None, and the id where that is empty. `@index` as above.
        team_field: Property with the team; `team_id` or `team` if None.
        reference: Trusted outlines in WGS-84 by name, to find swapped axes and doubt the datum.
        outlines: Areas in WGS-84 by name; zones that cover half of one may leave out nothing over 500 m wide.
        strict_topology: Refuse overlaps and gaps over 400 m²; False only warns of overlaps and holes.
        track: Iterates over the features while they are read and checked.

    Raises:
        InvalidZoneFile: With all problems in `extra["problems"]`, each a `Problem`.
    """
    document = zone_forms.document_of(data)
    features = features_of(document)
    problems = _set_ids(features, id_field)
    names, faults = _column(features, "--name-field", name_field, ("name",))
    teams, team_faults = _column(features, "--team-field", team_field, ("team_id", "team"))
    branches, _ = _column(features, "", None, ("branch",))
    problems += faults + team_faults + _circle_faults(features)
    shapes = [zone_rings.build(feature, problems) for feature in track("读取网格", features)]
    found = _Found(problems)
    geometries = np.array(shapes, dtype=object)
    _relate(features, geometries, reference or {}, strict_topology, track, found)
    # Where a zone could not be built or lies elsewhere, the gap that it leaves is no news.
    if None not in shapes and not found.is_swapped:
        union = shapely.union_all(geometries)
        _find_gaps(features, geometries, union, strict_topology, found)
        _compare(union, datum, reference or {}, outlines or {}, found)
    if problems:
        raise refusal(problems)
    found.warnings += _datum_faults(features, datum)
    placed = shapely.transform(geometries, lambda lonlats: lonlats_to_wgs84(lonlats, datum))
    rows = zip(features, names, branches, teams, placed, strict=True)
    is_sample = document.get("is_sample") is True
    return ZoneFile(tuple(_zone(*row) for row in rows), tuple(found.warnings), is_sample, found.compared)


@dataclass(slots=True)
class _Found:
    """What has come to light so far."""

    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)
    is_swapped: bool = False
    compared: tuple[str, ...] = ()


def _relate(
    features: Sequence[Feature],
    geometries: Geometries,
    reference: Mapping[str, BaseGeometry],
    strict_topology: bool,
    track: Track,
    found: _Found,
) -> None:
    """Find zones with exchanged axes, and zones that overlap."""
    for position, place in zone_checks.swapped(geometries, reference):
        found.is_swapped = True
        found.problems.append(features[position].problem(zone_checks.SWAPPED, place))
    _tell(features, zone_checks.overlaps(_labels(features), geometries, track), strict_topology, found)


def _find_gaps(
    features: Sequence[Feature], geometries: Geometries, union: BaseGeometry, strict_topology: bool, found: _Found
) -> None:
    labels = _labels(features)
    _tell(features, zone_gaps.holes(labels, geometries, union), strict_topology, found)
    if strict_topology:
        _tell(features, zone_gaps.slits(labels, geometries, union), strict_topology, found)


def _labels(features: Sequence[Feature]) -> list[str]:
    return [f"{feature.zone_id or '(无编号)'} (第 {feature.number} 个要素)" for feature in features]


def _tell(features: Sequence[Feature], findings: Iterable[Finding], strict_topology: bool, found: _Found) -> None:
    for finding in findings:
        is_grave = strict_topology and finding.area_m2 > zone_checks.SLIVER_M2
        problem = features[finding.position].problem(finding.reason, finding.place)
        (found.problems if is_grave else found.warnings).append(problem)


def _compare(
    union: BaseGeometry,
    datum: Datum,
    reference: Mapping[str, BaseGeometry],
    outlines: Mapping[str, BaseGeometry],
    found: _Found,
) -> None:
    """Find what is missing at the edge, and doubt the datum; where it is wrong, both come from that."""
    placed = shapely.transform(union, lambda lonlats: lonlats_to_wgs84(lonlats, datum))
    compared = [covered for covered in zone_gaps.coverage(placed, outlines) if covered.is_compared]
    found.compared = tuple(covered.name for covered in compared)
    missing = [_missing(covered.name, part, datum) for covered in compared for part in covered.missing]
    if doubt := zone_checks.datum_doubt(union, datum, reference):
        (found.problems if missing else found.warnings).append(of_file(doubt))
    found.problems += missing


def _missing(name: str, part: tuple[float, float, float], datum: Datum) -> Problem:
    area_km2, lon, lat = part
    spot = _FROM_WGS84[datum](Wgs84Point(lon, lat))
    reason = (
        f"“{name}”有 {area_km2:,.2f} km² 没有网格覆盖, 请补上缺少的网格; "
        "若有意只覆盖一部分, 请用 --outline 换一个轮廓文件, 或用 --outline none"
    )
    return Problem(feature=None, id=None, place=place_text(spot.lon, spot.lat), reason=reason)


def _zone(
    feature: Feature,
    name: str | None,
    branch: str | None,
    team: str | None,
    geometry: Polygon | MultiPolygon,
) -> Zone:
    zone_id = str(feature.zone_id)
    is_in_circle = feature.properties.get("in_circle") is not False
    return Zone(zone_id, name or zone_id, branch, team, is_in_circle, geometry)


# ---------------------------------------------------------------- properties


def _set_ids(features: Sequence[Feature], field: str | None) -> list[Problem]:
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
    features: Sequence[Feature],
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
    columns = [[text_of(feature.properties.get(name)) for feature in features] for name in names]
    column = max(columns, key=lambda texts: len(texts) - texts.count(None))
    if any(column) or (field is None and not is_needed):
        return column, []
    known = [text_of(key) or "?" for feature in features[:100] for key in list(feature.properties)[:20]]
    reason = (
        f"属性 {', '.join(names)} 不存在或没有可用的值 (空, None, null 不算); "
        f"文件里的属性: {', '.join(dict.fromkeys(known)) or '无'}; "
        f"请用 {option} 指定其中一个"
    )
    if option != "--team-field":
        reason += f", 或用 {option} {INDEX_FIELD} 按要素顺序编号"
    return column, [of_file(reason)]


def _datum_faults(features: Sequence[Feature], declared: Datum) -> list[Problem]:
    """Our own exports say in each feature what they are measured against."""
    told = {text_of(feature.properties.get("datum")) for feature in features}
    others = ", ".join(datum for datum in Datum if datum in told and datum is not declared)
    reason = f"文件写明坐标系是 {others}, 现按声明的 {declared} 读取, 请核对"
    return [of_file(reason)] if others else []


def _circle_faults(features: Sequence[Feature]) -> list[Problem]:
    return [
        feature.problem("in_circle 只能是 true 或 false")
        for feature in features
        if not isinstance(feature.properties.get("in_circle", True), bool | None)
    ]
