"""Road graphs are versions, kept until there is a newer one; areas are found once; another city is refused."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import pytest
import shapely
from sqlalchemy import func, select, update

from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.geocode.roads import InvalidRoads
from dispatch.services import health, roads, travel
from dispatch.services.calibration import Where
from dispatch.services.desk import Desk
from dispatch.services.roads import NoRoads
from dispatch.storage import roads as rows
from dispatch.storage.db import Store
from tests.support.roads import TRAVEL_FILE, elsewhere, helsinki, in_changsha, shipped

HERE, NEAR = Wgs84Point(112.99, 28.21), Wgs84Point(112.994, 28.212)
SEA = Wgs84Point(122.5, 30.0)


def load(desk: Desk, now: datetime) -> roads.Imported:
    return roads.import_graph(desk, SYSTEM, in_changsha(), shipped(), "changsha.osm.pbf", now)


def the_roads(desk: Desk, now: datetime) -> tuple[bool, str]:
    (found,) = (finding for finding in health.examine(desk, now) if finding.what == "roads")
    return found.is_good, found.detail


def test_without_roads_times_are_guessed_along_the_line_and_nothing_is_drawn(desk: Desk, now: datetime) -> None:
    assert desk.roads.current() is None
    assert roads.about(desk) is None
    (eta,) = desk.roads.provider().etas(HERE, [NEAR])
    assert eta is not None
    assert (eta.kind, eta.note.endswith("分, 直线估算") or eta.note.endswith("分内, 直线估算")) == ("line", True)
    with pytest.raises(NoRoads, match="不能画服务圈"):
        roads.isochrone(desk, HERE, 30, now)
    assert the_roads(desk, now) == (True, "未导入, 到场时间按直线估算")


def test_with_roads_times_are_theirs(desk: Desk, now: datetime) -> None:
    found = load(desk, now)
    assert (found.zones, 0 < found.covered < found.zones) == (112, True)
    (eta,) = desk.roads.provider().etas(HERE, [NEAR])
    assert eta is not None
    assert eta.kind == "road"
    assert eta.low_s == pytest.approx(90, abs=2)
    (way,) = travel.travels(desk, HERE, [NEAR], Where(None, None, 10), now)  # what recommendations ask
    assert way is not None
    assert (way.kind, way.low_s, way.high_s) == ("road", eta.low_s, eta.high_s)
    told = roads.about(desk)
    assert told is not None
    assert (told["id"], told["source"], told["nodes"], told["imported_at"]) == (1, "changsha.osm.pbf", 441, now)
    assert the_roads(desk, now) == (True, "v1")


def test_they_are_read_once_until_there_are_newer_ones(desk: Desk, url: str, now: datetime) -> None:
    load(desk, now)
    first = desk.roads.current()
    assert first is not None
    assert desk.roads.current() is first
    other = Desk(desk.store, Settings(database_url=url))
    load(other, now)
    second = desk.roads.current()
    assert second is not None
    assert (first.graph_id, second.graph_id) == (1, 2)
    load(other, now)
    with desk.store.read() as tx:
        kept = select(rows.GRAPHS.c.id).order_by(rows.GRAPHS.c.id)
        assert list(tx.conn.execute(kept).scalars()) == [2, 3]  # many MB each


def test_the_roads_of_another_city_are_refused(desk: Desk, now: datetime) -> None:
    for graph in (helsinki(), elsewhere(in_changsha(), 3.0)):
        with pytest.raises(InvalidRoads, match="像是别的城市的文件: 路网范围 经度 "):
            roads.import_graph(desk, SYSTEM, graph, shipped(), "other.osm.pbf", now)
    assert roads.about(desk) is None


def test_an_area_is_found_once_for_each_version(desk: Desk, now: datetime) -> None:
    load(desk, now)
    area = roads.isochrone(desk, HERE, 5, now)
    assert area is not None
    assert area.covers(shapely.Point(NEAR.lon, NEAR.lat))
    assert roads.isochrone(desk, Wgs84Point(HERE.lon + 1e-7, HERE.lat), 5, now) == area
    count = select(func.count()).select_from(rows.ISOCHRONES)
    with desk.store.read() as tx:
        assert tx.conn.execute(count).scalar() == 1
    wider = roads.isochrone(desk, HERE, 8, now)
    assert wider is not None
    assert wider.covers(area)
    assert roads.isochrone(desk, SEA, 5, now) is None
    assert roads.isochrone(desk, SEA, 5, now) is None  # kept as well
    load(desk, now)
    with desk.store.read() as tx:
        assert tx.conn.execute(count).scalar() == 0


def test_two_may_find_one_area_at_once(store: Store, desk: Desk, now: datetime) -> None:
    load(desk, now)
    key = {"graph_id": 1, "place": "x", "minutes": 5.0, "made_at": now, "wkb": b"1"}
    for wkb in (b"1", b"2"):
        with store.write() as tx:
            rows.keep_isochrone(tx, {**key, "wkb": wkb})
    with store.read() as tx:
        assert rows.isochrone(tx, {name: key[name] for name in ("graph_id", "place", "minutes")}) == (b"1",)


@pytest.mark.parametrize("minutes", [0, -1, 181, float("nan"), float("inf")])
def test_minutes_that_make_no_sense_are_refused(desk: Desk, now: datetime, minutes: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        roads.isochrone(desk, HERE, minutes, now)
    assert caught.value.field == "minutes"


def test_roads_that_cannot_be_used_do_not_stop_anybody(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(desk, now)
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    (eta,) = desk.roads.provider().etas(HERE, [NEAR])
    assert eta is not None
    assert eta.note.endswith("直线估算 (路网不可用)")
    is_good, detail = the_roads(desk, now)
    assert (is_good, "requirements-routing.txt" in detail) == (False, True)


def test_roads_that_are_damaged_are_told(desk: Desk, now: datetime) -> None:
    load(desk, now)
    with desk.store.write() as tx:
        tx.conn.execute(update(rows.GRAPHS).values(npz=b"rubbish"))
    (eta,) = desk.roads.provider().etas(HERE, [NEAR])
    assert eta is not None
    assert eta.kind == "line"
    assert the_roads(desk, now) == (False, "路网数据已损坏, 请重新导入 (import-roads)")


def _desk(desk: Desk, travel: Path = TRAVEL_FILE, barriers: Path | None = None) -> Desk:
    rivers = None if barriers is None else str(barriers)
    return Desk(desk.store, Settings(database_url="sqlite://", travel=str(travel), barriers=rivers))


def test_a_city_brings_its_own_speeds_and_rivers(desk: Desk, tmp_path: Path) -> None:
    speeds, rivers = tmp_path / "travel.toml", tmp_path / "rivers.geojson"
    speeds.write_text(TRAVEL_FILE.read_text(encoding="utf-8").replace("crossing_m = 4000", "crossing_m = 9000"))
    shape = shapely.geometry.mapping(shapely.box(112.991, 28, 112.992, 29))
    river = {"type": "Feature", "properties": {}, "geometry": shape}
    rivers.write_text(json.dumps({"type": "FeatureCollection", "features": [river]}))
    (plain,) = _desk(desk).roads.line().etas(HERE, [NEAR])
    (over,) = _desk(desk, travel=speeds, barriers=rivers).roads.line().etas(HERE, [NEAR])
    assert over.low_s - plain.low_s == pytest.approx(9_000 / 40 * 3.6)
    assert "已计绕过河湖" in over.note


def test_files_that_cannot_be_used_are_refused_at_the_start(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("{}")
    with pytest.raises(InvalidInput, match=r"DISPATCH_TRAVEL 所指的文件 .*file 不可用"):
        _desk(desk, travel=path)
    with pytest.raises(InvalidInput, match=r"DISPATCH_BARRIERS .* 不可用: 网格文件被整体拒绝"):
        _desk(desk, barriers=path)
    with pytest.raises(InvalidInput, match=r"DISPATCH_BARRIERS .*none 不可用: No such file"):
        _desk(desk, barriers=tmp_path / "none")
