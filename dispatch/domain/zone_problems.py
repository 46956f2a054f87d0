"""What stands in the way of publishing a grid map, each with its area, its place and the grids concerned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_checks, zone_gaps
from dispatch.domain.progress import Track, untold
from dispatch.domain.zone_checks import Finding
from dispatch.domain.zones import Zone


class Kind(StrEnum):
    """What is wrong."""

    OVERLAP = "overlap"
    GAP = "gap"
    SLIVER = "sliver"
    UNKNOWN_TEAM = "unknown_team"
    MISSING_TEAM = "missing_team"


# What comes from digitising, and what a dispatcher can live with, is told and does not stand in the way.
GRAVE = frozenset({Kind.OVERLAP, Kind.GAP, Kind.UNKNOWN_TEAM})
KIND_LABELS = {
    Kind.OVERLAP: "重叠",
    Kind.GAP: "缝隙",
    Kind.SLIVER: "碎片",
    Kind.UNKNOWN_TEAM: "班组不存在",
    Kind.MISSING_TEAM: "没有班组",
}


@dataclass(frozen=True, slots=True)
class ZoneProblem:
    """One thing wrong with a grid map.

    Attributes:
        kind: What.
        reason: Chinese words with the names and the area.
        area_m2: How large it is in m², 0 where it is no area.
        zone_ids: The grids concerned.
        shape: Where, in WGS-84 degrees.
    """

    kind: Kind
    reason: str
    area_m2: float
    zone_ids: tuple[str, ...]
    shape: BaseGeometry

    @property
    def is_grave(self) -> bool:
        """Whether it must be mended before the map is published."""
        return self.kind in GRAVE


def problems_of(zones: Sequence[Zone], teams: Collection[str] | None, track: Track = untold) -> list[ZoneProblem]:
    """Everything that is wrong between valid zones, the grave and the large first.

    Args:
        zones: With unique ids and valid areas, WGS-84.
        teams: The ids of the roster, or None where it is not known.
        track: Iterates over the zones.
    """
    found = [*_of_topology(zones, track), *_of_teams(zones, teams)] if zones else []
    return sorted(found, key=lambda problem: (not problem.is_grave, -problem.area_m2, problem.zone_ids))


def _of_topology(zones: Sequence[Zone], track: Track) -> Iterator[ZoneProblem]:
    geometries = np.array([zone.geometry for zone in zones], dtype=object)
    # Where all neighbours share their vertices, as after an edit here, that alone proves that none overlaps; and what
    # joins them is found a dozen times sooner.
    is_joined = bool(shapely.coverage_is_valid(geometries))
    union = shapely.coverage_union_all(geometries) if is_joined else shapely.union_all(geometries)
    labels = [zone.zone_id if zone.name == zone.zone_id else f"{zone.name} ({zone.zone_id})" for zone in zones]
    for finding in () if is_joined else zone_checks.overlaps(labels, geometries, track):
        yield _problem(zones, labels, finding, Kind.OVERLAP)
    for finding in zone_gaps.holes(labels, geometries, union):
        yield _problem(zones, labels, finding, Kind.GAP)
    for finding in zone_gaps.slits(labels, geometries, union):
        yield _problem(zones, labels, finding, Kind.GAP)


def _problem(zones: Sequence[Zone], labels: Sequence[str], finding: Finding, kind: Kind) -> ZoneProblem:
    ids = tuple(zones[n].zone_id for n in (finding.position, *finding.others))
    is_small = finding.area_m2 <= zone_checks.SLIVER_M2
    # A hole tells of all its neighbours; the others tell of the second one only.
    reason = finding.reason if finding.reason.startswith("网格") else f"{labels[finding.position]} {finding.reason}"
    area_m2 = round(zone_checks.square_metres(finding.shape), 1)
    return ZoneProblem(Kind.SLIVER if is_small else kind, reason, area_m2, ids, finding.shape)


def _of_teams(zones: Sequence[Zone], teams: Collection[str] | None) -> Iterator[ZoneProblem]:
    for zone in zones:
        if zone.team_id is None:
            reason = f"{zone.name} 没有班组, 其工单要等调度员派单"
            yield ZoneProblem(Kind.MISSING_TEAM, reason, 0.0, (zone.zone_id,), zone.geometry)
        elif teams is not None and zone.team_id not in teams:
            reason = f"{zone.name} 的班组“{zone.team_id}”不在班组名册中"
            yield ZoneProblem(Kind.UNKNOWN_TEAM, reason, 0.0, (zone.zone_id,), zone.geometry)
