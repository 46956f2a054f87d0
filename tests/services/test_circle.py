"""The service circle: ranges without roads, areas with them, and what one more depot changes."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely

from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.place import Datum, Wgs84Point, point_of, to_gcj02
from dispatch.domain.roles import SYSTEM
from dispatch.services import board, circle, depots, roads
from dispatch.services.depots import Depot
from dispatch.services.desk import Desk
from dispatch.storage import depots as stored
from dispatch.storage.db import Tx
from tests.support.cast import ZONE_A, ZONE_FAR, Cast, dispatched, received, spot
from tests.support.roads import CHANGSHA, in_changsha, shipped

MIDDLE = Wgs84Point(112.99, 28.125)


def depot(row: int, lon: float, lat: float, **changes: Any) -> Depot:
    told = {"id": f"D{row}", "name": f"驻点 {row}", "point": Wgs84Point(lon, lat), **changes}
    return Depot(row, **told)


def report(desk: Desk, cast: Cast, now: datetime, extra: Wgs84Point | None = None) -> dict[str, Any]:
    return circle.report(desk, cast.supervisor, extra, now)


@pytest.fixture
def placed(desk: Desk, now: datetime) -> None:
    depots.replace(desk, SYSTEM, [depot(2, 112.99, 28.125), depot(3, 113.03, 28.195)], now, is_sample=True)


@pytest.mark.usefixtures("placed")
def test_without_roads_nothing_is_drawn_and_shares_are_ranges(desk: Desk, cast: Cast, now: datetime) -> None:
    found = report(desk, cast, now)
    assert (found["is_drawn"], found["reached"], found["missed"], found["with_extra"]) == (False, None, None, None)
    assert [(one["id"], one["is_sample"], one["is_extra"]) for one in found["depots"]] == [
        ("D2", True, False),
        ("D3", True, False),
    ]
    for one in (*found["depots"], found["total"]):
        assert 0 < one["area"]["low"] < one["area"]["high"] < 1
        assert one["tickets"] == {"low": None, "high": None}
    assert found["total"]["area"]["high"] >= max(one["area"]["high"] for one in found["depots"])
    missed = [hole["missed"]["low"] for hole in found["holes"]]
    assert missed == sorted(missed, reverse=True)
    assert set(missed) == {0.0, 1.0}
    assert ZONE_A not in [hole["zone_id"] for hole in found["holes"]]


@pytest.mark.usefixtures("placed")
def test_tickets_of_a_year_are_counted_where_they_lie(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now, ZONE_A)
    dispatched(desk, now, ZONE_A)
    dispatched(desk, now, ZONE_FAR)
    received(desk, now, point=Wgs84Point(112.3, 28.2))
    received(desk, now)  # without a place
    found = report(desk, cast, now)
    assert found["tickets"] == 4
    assert found["total"]["tickets"]["low"] >= 0.5
    assert found["total"]["tickets"]["high"] <= 0.75  # what no grid has is reached by nobody
    assert report(desk, cast, now + timedelta(days=366))["tickets"] == 0


@pytest.mark.usefixtures("placed")
def test_one_more_depot_is_tried_and_not_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    there = spot(desk, ZONE_FAR, now)
    found = report(desk, cast, now, there)
    assert found["with_extra"]["area"]["high"] > found["total"]["area"]["high"]
    assert [one["is_extra"] for one in found["depots"]] == [False, False, True]
    assert len(found["holes"]) < len(report(desk, cast, now)["holes"])
    assert len(report(desk, cast, now)["depots"]) == 2


def test_without_depots_everything_is_a_hole(desk: Desk, cast: Cast, now: datetime) -> None:
    found = report(desk, cast, now)
    assert found["total"]["area"] == {"low": 0.0, "high": 0.0}
    assert len(found["holes"]) == 112


def test_by_road_the_areas_are_exact_and_drawn(desk: Desk, cast: Cast, now: datetime) -> None:
    roads.import_graph(desk, SYSTEM, in_changsha(), shipped(), "changsha.osm.pbf", now)
    depots.replace(desk, SYSTEM, [depot(1, *CHANGSHA), depot(2, 113.09, 28.24)], now)
    received(desk, now, point=Wgs84Point(113.005, 28.2))
    dispatched(desk, now, ZONE_FAR)
    found = report(desk, cast, now)
    first, second = found["depots"]
    assert (found["is_drawn"], second["area"]) == (True, {"low": 0.0, "high": 0.0})  # it lies on no road
    assert 0 < first["area"]["low"] == first["area"]["high"] < 0.1
    assert first["tickets"] == {"low": 0.5, "high": 0.5}
    assert found["total"] == {name: first[name] for name in ("area", "tickets")}
    assert ZONE_FAR in {hole["zone_id"] for hole in found["holes"] if hole["missed"] == {"low": 1.0, "high": 1.0}}
    reached, missed = (shapely.from_geojson(json.dumps(found[name])) for name in ("reached", "missed"))
    assert reached.contains(shapely.Point(113.0, 28.21))
    assert not missed.contains(shapely.Point(113.0, 28.21))
    assert missed.contains(shapely.Point(113.09, 28.24))
    tried = report(desk, cast, now, Wgs84Point(113.01, 28.22))
    assert tried["with_extra"]["area"]["low"] >= tried["total"]["area"]["low"]


def test_roads_that_cannot_be_used_draw_nothing(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    roads.import_graph(desk, SYSTEM, in_changsha(), shipped(), "changsha.osm.pbf", now)
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert report(desk, cast, now)["is_drawn"] is False


def test_others_may_not_look(desk: Desk, cast: Cast, now: datetime) -> None:
    for actor in (cast.dispatcher, cast.crew_a, cast.auditor, cast.agent):
        with pytest.raises(NotPermitted):
            circle.report(desk, actor, None, now)
    assert circle.report(desk, cast.admin, None, now)["minutes"] == 30


# ---------------------------------------------------------------- the list of depots


@pytest.mark.usefixtures("placed")
def test_a_new_list_takes_the_place_of_the_old(desk: Desk, cast: Cast, now: datetime) -> None:
    there = to_gcj02(MIDDLE)
    assert depots.replace(desk, SYSTEM, [depot(9, 0, 0, point=there)], now) == 1
    (only,) = report(desk, cast, now)["depots"]
    assert (only["id"], only["is_sample"]) == ("D9", False)
    assert (only["lon"], only["lat"]) == (pytest.approx(MIDDLE.lon, abs=1e-6), pytest.approx(MIDDLE.lat, abs=1e-6))
    entry = board.audited(desk, cast.auditor, subject=None, after=0, limit=1)["items"][0]
    assert (entry["action"], entry["detail"]) == ("import-depots", {"ids": ["D9"]})
    assert depots.replace(desk, SYSTEM, [], now) == 0
    assert report(desk, cast, now)["depots"] == []


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "第 8 行: 驻点应有编号和名称"),
        ({"name": ""}, "第 8 行: 驻点应有编号和名称"),
        ({"id": "D7"}, "第 8 行: 编号“D7”出现不止一次"),
        ({"name": "a\x00b"}, "控制字符"),
        ({"point": Wgs84Point(0.0, 0.0)}, r"第 8 行: 坐标 \(0.000000, 0.000000\) 是占位值"),
        ({"point": point_of(28.2, 88.0, Datum.WGS84)}, "第 8 行: 坐标 .* 远在服务区外"),
        ({"point": Wgs84Point(28.2, 113.0 - 24)}, "第 8 行"),
    ],
)
def test_a_bad_row_refuses_the_whole_list(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        depots.replace(desk, SYSTEM, [depot(7, 113.0, 28.2), depot(8, 113.0, 28.2, **changes)], now)
    assert len(report(desk, cast, now)["depots"]) == 2


@pytest.mark.usefixtures("placed")
def test_tickets_are_counted_anew_after_ten_minutes_or_one_in_a_hundred(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[datetime] = []
    count = stored.cells

    def counted(tx: Tx, since: datetime) -> list[tuple[float, float, int]]:
        counts.append(since)
        return count(tx, since)

    monkeypatch.setattr(stored, "cells", counted)
    assert report(desk, cast, now)["tickets"] == 0
    dispatched(desk, now)
    for minutes, tickets in ((0, 1), (9, 1), (11, 1)):
        assert report(desk, cast, now + timedelta(minutes=minutes))["tickets"] == tickets
    assert len(counts) == 3
