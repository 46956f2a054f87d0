"""A fresh installation, brought up by several at once, is brought up once."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from shapely import box

from dispatch.domain.roles import SYSTEM
from dispatch.domain.zones import Zone
from dispatch.services import bootstrap, setup
from dispatch.services.desk import NotReady
from dispatch.storage import directory, schema
from tests.support.store import in_parallel, open_desk

DATA = Path(__file__).parents[2] / "data"


def test_three_at_once_bring_it_up_once(empty_url: str, now: datetime) -> None:
    desks = [open_desk(empty_url) for _ in range(3)]
    done = in_parallel([lambda desk=desk: bootstrap.bring_up(desk, DATA, now) for desk in desks])  # type: ignore[misc]
    assert sorted(map(len, done)) == [0, 0, 2]  # type: ignore[arg-type]
    with desks[0].store.read() as tx:
        assert len(directory.zone_sets(tx)) == 1
    for desk in desks:
        desk.store.close()


def test_who_brings_grids_gets_no_sample_then_or_later(empty_url: str, now: datetime) -> None:
    desk = open_desk(empty_url)
    assert [line[:5] for line in bootstrap.bring_up(desk, DATA, now, with_sample=False)] == ["已载入政策"]
    tomorrow = now + timedelta(days=1)
    zones = [Zone("a", "甲网格", None, None, True, box(112.9, 28.1, 113.0, 28.2))]
    setup.import_zones(desk, SYSTEM, zones, source="own.geojson", data=b"", valid_from=tomorrow, now=now)
    assert bootstrap.bring_up(desk, DATA, now) == []
    with desk.store.read() as tx:
        assert (len(directory.zone_sets(tx)), directory.teams(tx)) == (1, [])
    desk.store.close()


def test_a_database_without_grids_gets_the_sample_when_it_is_served(empty_url: str, now: datetime) -> None:
    desk = open_desk(empty_url)
    bootstrap.bring_up(desk, DATA, now, with_sample=False)
    assert [line[:7] for line in bootstrap.bring_up(desk, DATA, now)] == ["已载入样例网格"]
    desk.store.close()


def test_a_database_of_another_version_is_not_ready(empty_url: str) -> None:
    desk = open_desk(empty_url)
    with pytest.raises(NotReady, match="init"):
        bootstrap.check_ready(desk)
    schema.upgrade(desk.store)
    bootstrap.check_ready(desk)
    desk.store.close()
