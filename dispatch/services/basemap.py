"""The grids as the map draws them: outlines, names and branches; nothing of people."""

from __future__ import annotations

import json
from datetime import datetime

import shapely

from dispatch.services.desk import Desk, NotReady
from dispatch.storage import directory

# Six decimals of a degree are 0.1 m.
_GRID_DEGREES = 1e-6


def grids(desk: Desk, now: datetime) -> str:
    """Return the valid grids as GeoJSON, WGS-84, with `id`, `name` and `branch`.

    Raises:
        NotReady: before the first import.
    """
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
    shown = [
        {
            "type": "Feature",
            "id": zone.zone_id,
            "properties": {"id": zone.zone_id, "name": zone.name, "branch": zone.branch},
            "geometry": json.loads(shapely.to_geojson(shapely.set_precision(zone.geometry, _GRID_DEGREES))),
        }
        for zone in rules.zones.zones
    ]
    return json.dumps(
        {"type": "FeatureCollection", "version": rules.zone_set_id, "features": shown}, ensure_ascii=False
    )


def is_sample(desk: Desk, now: datetime) -> bool:
    """Tell whether the valid grids are a sample, which every screen must say; none at all are none."""
    with desk.store.read() as tx:
        try:
            return directory.is_sample(tx, desk.rules(tx, now).zone_set_id)
        except NotReady:
            return False
