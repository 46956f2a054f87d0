"""The map's outlines tell of grids alone, and a sample calls itself one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import shapely

from dispatch.domain.roles import SYSTEM
from dispatch.services import basemap, setup
from dispatch.services.desk import Desk
from tests.support.cast import ZONE_A


def test_the_outlines_are_the_grids_and_nothing_of_people(desk: Desk, now: datetime) -> None:
    shown = json.loads(basemap.grids(desk, now))
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones
    assert [feature["id"] for feature in shown["features"]] == [zone.zone_id for zone in zones.zones]
    feature = next(feature for feature in shown["features"] if feature["id"] == ZONE_A)
    assert set(feature["properties"]) == {"id", "name", "branch"}
    drawn = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert shapely.hausdorff_distance(drawn, zones.zone(ZONE_A).geometry) < 2e-6


def test_a_sample_is_called_one_until_real_grids_are_published(desk: Desk, now: datetime) -> None:
    assert basemap.is_sample(desk, now)
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    later = now + timedelta(hours=1)
    setup.import_zones(desk, SYSTEM, zones, source="grids", data=b"", valid_from=later, now=now)
    assert basemap.is_sample(desk, now)
    assert not basemap.is_sample(desk, later)


def test_before_the_first_import_nothing_is_a_sample(desk: Desk, now: datetime) -> None:
    assert not basemap.is_sample(desk, now - timedelta(days=3650))
