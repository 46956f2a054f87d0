"""The 30-minute service circle: what each depot reaches, where the holes are, what one more depot would change.

Areas are drawn by road alone. Without a road graph nothing is drawn: shares are told as ranges along the straight line,
grid by grid, and called a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Floats, Point, Wgs84Point, to_wgs84
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.zone_index import Ints, ZoneIndex
from dispatch.domain.zones import Zone
from dispatch.geocode.geodesic import LineEtas
from dispatch.services import travel
from dispatch.services.desk import Desk
from dispatch.storage import depots

MINUTES = 30
# A grid of which less than this is out of reach is no hole.
_HOLE_FROM = 0.01
# What is drawn is rounded to some metres.
_DRAWN_DEGREES = 5e-5
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class _City:
    """The grids and the tickets of a year.

    Attributes:
        zones: The grids.
        areas: Of each its share of the whole area.
        cells: lon and lat of each cell of tickets, shape (n, 2).
        counts: Tickets of each cell.
        owners: Position of the grid that each cell lies in, -1 for none.
    """

    zones: Sequence[Zone]
    areas: Floats
    cells: Floats
    counts: Floats
    owners: Ints

    def tickets_share(self, is_in: Flags) -> float | None:
        """Return the share of tickets whose cell is in; None where there are none at all."""
        return round(float(self.counts[is_in].sum() / self.counts.sum()), 4) if self.counts.size else None


def report(desk: Desk, actor: Actor, extra: Point | None, now: datetime) -> dict[str, Any]:
    """Return what the depots reach within 30 minutes, and with one more at `extra`.

    Returns:
        `minutes`, `tickets` (of a year, with a place), `is_drawn` (by road; else a guess), `depots`, each with
        `area` and `tickets` as `{low, high}` shares, `total` and `with_extra` of all together, `holes` by grid, and
        `reached` and `missed` as GeoJSON, null where nothing is drawn.

    Raises:
        NotPermitted: for all but supervisors and administrators.
        NotReady: before the first grids.
    """
    check_permitted(actor, Permission.CIRCLE)
    with desk.store.read() as tx:
        index = desk.rules(tx, now).zones
        known = depots.depots(tx)
        cells = desk.cells.current(tx, now)
    told = [{**row, "is_extra": False} for row in known]
    if extra is not None:
        here = to_wgs84(extra)
        told.append({"id": "+", "name": "", "lon": here.lon, "lat": here.lat, "is_sample": False, "is_extra": True})
    city = _city(index, cells)
    places = [Wgs84Point(row["lon"], row["lat"]) for row in told]
    areas = travel.areas(desk, places, MINUTES, now)
    shares = _guessed(desk.roads.line(), city, places) if areas is None else _drawn(city, areas)
    return {
        "minutes": MINUTES,
        "tickets": int(city.counts.sum()),
        "is_drawn": areas is not None,
        "depots": [{**row, **shares.of([n])} for n, row in enumerate(told)],
        "total": shares.of(range(len(known))),
        "with_extra": shares.of(range(len(told))) if extra is not None else None,
        **shares.holes(range(len(told))),
    }


def _city(index: ZoneIndex, cells: Sequence[tuple[float, float, int]]) -> _City:
    sizes = shapely.area(_flat(np.array([zone.geometry for zone in index.zones])))
    table = np.array(cells, dtype=float).reshape(-1, 3)
    owners = index.locate_many(table[:, 0], table[:, 1])
    return _City(index.zones, sizes / sizes.sum(), table[:, :2], table[:, 2], owners)


def _flat(shapes: Any) -> Any:
    """Return shapes in a plane in which areas are true to each other (sinusoidal); no metres, shares alone."""
    return shapely.transform(shapes, lambda xy: np.column_stack((xy[:, 0] * np.cos(np.radians(xy[:, 1])), xy[:, 1])))


# ---------------------------------------------------------------- along the line


@dataclass(frozen=True)
class _Guess:
    """The fastest and the slowest seconds from each depot to the middle of each grid, both of shape (depots, grids)."""

    city: _City
    low: Floats
    high: Floats

    def of(self, which: Sequence[int]) -> dict[str, Any]:
        """Return the shares that these depots reach together: surely, and at best."""
        city = self.city
        sure, may_be = (_within(times, list(which)) for times in (self.high, self.low))
        area = {name: round(float(city.areas[is_in].sum()), 4) for name, is_in in (("low", sure), ("high", may_be))}
        tickets = {
            name: city.tickets_share((city.owners >= 0) & is_in[city.owners])
            for name, is_in in (("low", sure), ("high", may_be))
        }
        return {"area": area, "tickets": tickets}

    def holes(self, which: Sequence[int]) -> dict[str, Any]:
        """Return the grids whose middle is not surely reached; nothing is drawn."""
        is_sure, may_be = (_within(times, list(which)) for times in (self.high, self.low))
        items = [
            _hole(zone, {"low": 0.0 if may else 1.0, "high": 1.0})
            for zone, sure, may in zip(self.city.zones, is_sure, may_be, strict=True)
            if not sure
        ]
        return {"holes": sorted(items, key=_worst), "reached": None, "missed": None}


def _within(times: Floats, which: list[int]) -> Flags:
    """Tell for each place whether one of these depots is there in time; nobody is where there are none."""
    return np.asarray((times[which] <= MINUTES * 60).any(axis=0))


def _guessed(line: LineEtas, city: _City, places: Sequence[Wgs84Point]) -> _Guess:
    inside = shapely.point_on_surface([zone.geometry for zone in city.zones])
    grids = [Wgs84Point(point.x, point.y) for point in inside]
    # Along a line there and back are the same.
    table = np.array([line.ranges(place, grids) for place in places]).reshape(len(places), len(grids), 2)
    return _Guess(city, table[:, :, 0], table[:, :, 1])


def _hole(zone: Zone, missed: Mapping[str, float]) -> dict[str, Any]:
    return {"zone_id": zone.zone_id, "name": zone.name, "branch": zone.branch, "missed": dict(missed)}


def _worst(hole: Mapping[str, Any]) -> tuple[float, str]:
    return -hole["missed"]["low"], hole["zone_id"]


# ---------------------------------------------------------------- by road


@dataclass(frozen=True)
class _Drawn:
    """The area that each depot reaches by road; an empty one where it lies on none."""

    city: _City
    areas: Sequence[BaseGeometry]

    def _joined(self, which: Sequence[int]) -> BaseGeometry:
        return shapely.union_all([self.areas[n] for n in which])

    def _missed(self, joined: BaseGeometry) -> Floats:
        """Return of each grid the share that is not reached, shape (zones,)."""
        shapes = np.array([zone.geometry for zone in self.city.zones])
        left = shapely.area(_flat(shapely.difference(shapes, joined)))
        return np.asarray(left / shapely.area(_flat(shapes)))

    def of(self, which: Sequence[int]) -> dict[str, Any]:
        """Return the shares that these depots reach together; by road there is no range."""
        joined, city = self._joined(which), self.city
        area = round(float((city.areas * (1 - self._missed(joined))).sum()), 4)
        tickets = city.tickets_share(shapely.contains_xy(joined, city.cells[:, 0], city.cells[:, 1]))
        return {"area": {"low": area, "high": area}, "tickets": {"low": tickets, "high": tickets}}

    def holes(self, which: Sequence[int]) -> dict[str, Any]:
        """Return the grids with a part that is not reached, and both areas to draw."""
        joined = self._joined(which)
        shares = self._missed(joined).tolist()
        items = [
            _hole(zone, {"low": round(share, 4), "high": round(share, 4)})
            for zone, share in zip(self.city.zones, shares, strict=True)
            if share >= _HOLE_FROM
        ]
        whole = shapely.union_all([zone.geometry for zone in self.city.zones])
        return {
            "holes": sorted(items, key=_worst),
            "reached": _geojson(shapely.intersection(whole, joined)),
            "missed": _geojson(shapely.difference(whole, joined)),
        }


def _drawn(city: _City, areas: Sequence[BaseGeometry | None]) -> _Drawn:
    return _Drawn(city, [shapely.MultiPolygon() if area is None else area for area in areas])


def _geojson(area: BaseGeometry) -> Any:
    return json.loads(shapely.to_geojson(shapely.simplify(area, _DRAWN_DEGREES)))
