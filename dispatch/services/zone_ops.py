"""An edit of a draft as it comes in, and what it does to the grids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import shapely
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain import zone_edit
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum, point_of
from dispatch.domain.zone_edit import Names, Zones
from dispatch.domain.zone_problems import Kind, problems_of
from dispatch.domain.zone_rings import area_of
from dispatch.domain.zones import Zone


class Op(StrEnum):
    """What can be done to a draft."""

    DRAW = "draw"
    RESHAPE = "reshape"
    MOVE_VERTEX = "move_vertex"
    SPLIT = "split"
    MERGE = "merge"
    GIVE_OVERLAP = "give_overlap"
    FILL_GAP = "fill_gap"
    REMOVE = "remove"
    PROPERTIES = "properties"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class NewZone:
    """A grid that is to be made."""

    zone_id: str
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit; each op needs some of these and leaves the others None.

    Attributes:
        op: What is to be done.
        version: The version of the draft that was seen.
        zone: The grid to be drawn, or the one that a split makes.
        zone_id: The grid concerned.
        zone_ids: The grids concerned.
        geometry: GeoJSON of a border or a gap, WGS-84.
        line: Positions [lon, lat] along which to cut.
        start: Position of a vertex.
        end: Where it goes.
        to: The grid that wins an overlap or a gap, or keeps its name in a merge.
        index: Which of the draft's problems is the gap.
        names: What people say about the grid.
        cleared: Fields of the names that become empty.
    """

    op: Op
    version: int
    zone: NewZone | None = None
    zone_id: str | None = None
    zone_ids: Sequence[str] = ()
    geometry: Mapping[str, Any] | None = None
    line: Sequence[Sequence[float]] = ()
    start: Sequence[float] | None = None
    end: Sequence[float] | None = None
    to: str | None = None
    index: int | None = None
    names: Names = field(default_factory=Names)
    cleared: frozenset[str] = frozenset()


def apply(zones: Zones, edit: Edit, teams: Collection[str]) -> Zones:
    """Return the grids after an edit other than undo.

    Args:
        zones: The grids before it.
        edit: What is wanted.
        teams: The roster, which the numbers of the problems depend on.

    Raises:
        InvalidInput: if it cannot be done, with the field at fault.
    """
    return _OPS[edit.op](zones, edit, teams)


def _draw(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    fresh = _given(edit.zone, "zone")
    area = area_of(_given(edit.geometry, "geometry"), "geometry")
    return zone_edit.draw(zones, _zone(fresh, Zone(fresh.zone_id, fresh.zone_id, None, None, True, area)))


def _zone(fresh: NewZone, like: Zone) -> Zone:
    """The new grid with its names; what is not told is as in another one."""
    names = fresh.names
    is_in = like.is_in_circle if names.is_in_circle is None else names.is_in_circle
    return Zone(
        fresh.zone_id, names.name or fresh.zone_id, names.branch or like.branch, names.team_id, is_in, like.geometry
    )


def _reshape(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    area = area_of(_given(edit.geometry, "geometry"), "geometry")
    return zone_edit.reshape(zones, _given(edit.zone_id, "zone_id"), area)


def _move_vertex(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    return zone_edit.move_vertex(zones, _spot(edit.start, "from"), _spot(edit.end, "to"))


def _split(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    zone = zone_edit.find(zones, _given(edit.zone_id, "zone_id"))
    spots = [_spot(position, "line") for position in edit.line]
    spots = [spot for n, spot in enumerate(spots) if n == 0 or spot != spots[n - 1]]
    if len(spots) < 2:
        raise InvalidInput("分割线至少要两个不同的点", field="line")
    fresh = _zone(_given(edit.zone, "new_zone"), zone)
    return zone_edit.split(zones, zone.zone_id, LineString(spots), fresh)


def _merge(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    return zone_edit.merge(zones, edit.zone_ids, _given(edit.to, "into"))


def _give_overlap(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    return zone_edit.give_overlap(zones, edit.zone_ids, _given(edit.to, "to"))


def _fill_gap(zones: Zones, edit: Edit, teams: Collection[str]) -> Zones:
    to = _given(edit.to, "to")
    if edit.geometry is not None:
        return zone_edit.fill_gap(zones, area_of(edit.geometry, "geometry"), to)
    return zone_edit.fill_gap(zones, _gap(zones, _given(edit.index, "index"), teams), to)


def _gap(zones: Zones, index: int, teams: Collection[str]) -> BaseGeometry:
    problems = problems_of(zones, teams)
    found = problems[index] if index < len(problems) else None
    if found is None or found.kind not in (Kind.GAP, Kind.SLIVER) or not isinstance(found.shape, Polygon):
        raise InvalidInput(f"第 {index} 个问题不是缝隙", field="index")
    return found.shape


def _remove(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    return zone_edit.remove(zones, _given(edit.zone_id, "zone_id"))


def _properties(zones: Zones, edit: Edit, _teams: Collection[str]) -> Zones:
    return zone_edit.rename(zones, _given(edit.zone_id, "zone_id"), edit.names, edit.cleared)


def _given(value: Any, name: str) -> Any:
    if value is None:
        raise InvalidInput(f"缺少 {name}", field=name)
    return value


def _spot(position: Sequence[float] | None, name: str) -> Point:
    lon, lat = _given(position, name)[:2]
    spot = point_of(lon, lat, Datum.WGS84)
    return shapely.Point(spot.lon, spot.lat)


_OPS: dict[Op, Callable[[Zones, Edit, Collection[str]], Zones]] = {
    Op.DRAW: _draw,
    Op.RESHAPE: _reshape,
    Op.MOVE_VERTEX: _move_vertex,
    Op.SPLIT: _split,
    Op.MERGE: _merge,
    Op.GIVE_OVERLAP: _give_overlap,
    Op.FILL_GAP: _fill_gap,
    Op.REMOVE: _remove,
    Op.PROPERTIES: _properties,
}
