"""A point that its address contradicts as a wrong datum would is told of: before the ticket, on it, and at a pin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import update
from structlog.testing import capture_logs

from dispatch.domain.place import Datum, Wgs84Point, point_of, to_bd09, to_gcj02
from dispatch.domain.states import Verb
from dispatch.domain.zone_checks import metres_outside
from dispatch.services import board, console, place_import, zone_codes
from dispatch.services.desk import Desk
from dispatch.services.routing import BROKEN, UNLOCATED, guarded
from dispatch.services.zone_codes import ZoneCode
from dispatch.storage.db import DATABASE_ERRORS
from dispatch.storage.places import PLACES
from tests.support.cast import TEAM_A, ZONE_A, Cast, act, call, cast_of, received, spot, what_it_needs

ESTATE = "金领小区"
DOUBT = "坐标系可能不对"


@pytest.fixture
def house(desk: Desk, now: datetime) -> Wgs84Point:
    """The middle of an estate that the gazetteer knows."""
    here = spot(desk, ZONE_A, now)
    table = f"名称,区县,经度,纬度,半径\n{ESTATE},天心区,{here.lon},{here.lat},100\n"
    place_import.import_places(
        desk, cast_of(desk).admin, table.encode(), source="places.csv", datum=Datum.WGS84, now=now
    )
    desk.gazetteers.refresh()
    return here


def as_wgs84(point: Any) -> Wgs84Point:
    """The same numbers, wrongly declared."""
    return Wgs84Point(point.lon, point.lat)


def notes(desk: Desk, number: str, now: datetime) -> list[str]:
    timeline = board.ticket(desk, cast_of(desk).dispatcher, number, now)["timeline"]
    return [line["text"] for line in timeline if DOUBT in line["text"]]


def test_before_the_ticket_and_on_it(desk: Desk, cast: Cast, house: Wgs84Point, now: datetime) -> None:
    told: dict[str, Any] = {"address": f"天心区{ESTATE}3栋", "point": as_wgs84(to_gcj02(house))}
    seen = console.preview(desk, cast.agent, console.Sketch(called_at=now, **told), now)
    assert seen["doubt"]["values"]["better"] == "GCJ-02"
    assert DOUBT in seen["reason"]
    number = received(desk, now, **told)
    assert any(line.startswith(DOUBT) for line in notes(desk, number, now))
    assert DOUBT in board.ticket(desk, cast.dispatcher, number, now)["route_reason"]


def test_what_is_declared_right_or_far_away_is_not_doubted(desk: Desk, house: Wgs84Point, now: datetime) -> None:
    for point in (house, to_gcj02(house), to_bd09(house), Wgs84Point(house.lon + 0.03, house.lat + 0.02)):
        assert notes(desk, received(desk, now, address=ESTATE, point=point), now) == []


def test_a_pin_of_the_dispatcher_is_doubted_as_well(desk: Desk, cast: Cast, house: Wgs84Point, now: datetime) -> None:
    for team_id in (TEAM_A, None):
        number = received(desk, now, address="金邻小区")
        wrong = point_of(to_bd09(house).lon, to_bd09(house).lat, Datum.GCJ02)
        act(desk, cast.dispatcher, number, Verb.DISPATCH, now, point=wrong, team_id=team_id)
        assert notes(desk, number, now) == []  # it sounds like the estate, which is no certainty
        number = received(desk, now, address="天心区某处")
        with desk.store.write() as tx:
            tx.conn.exec_driver_sql(f"UPDATE tickets SET address = '{ESTATE}' WHERE number = '{number}'")
        act(desk, cast.dispatcher, number, Verb.DISPATCH, now, point=wrong, team_id=team_id)
        assert len(notes(desk, number, now)) == 1


def test_a_street_of_one_grid_is_held_against_that_grid(desk: Desk, cast: Cast, now: datetime) -> None:
    zone_codes.import_codes(desk, cast.admin, [ZoneCode("天心区", "坡子街街道", "", None, ZONE_A)], now)
    desk.gazetteers.refresh()
    with desk.store.read() as tx:
        grid = desk.rules(tx, now).zones.zone(ZONE_A).geometry
    inside = next(here for here in _inwards(grid) if metres_outside(as_wgs84(to_gcj02(here)), grid) > 200)
    wrong = as_wgs84(to_gcj02(inside))

    def label(address: str, point: Wgs84Point) -> str | None:
        found = console.preview(desk, cast.agent, console.Sketch(called_at=now, address=address, point=point), now)
        return found["doubt"] and str(found["doubt"]["values"]["label"])

    assert label("天心区坡子街街道", wrong) == "坡子街街道"
    assert [label("天心区坡子街街道", inside), label("某处", wrong), label("", wrong)] == [None, None, None]


def _inwards(grid: BaseGeometry) -> Iterator[Wgs84Point]:
    """Places a little inside of each corner."""
    middle = grid.representative_point()
    for lon, lat in shapely.get_coordinates(grid):
        here = shapely.Point(lon + (middle.x - lon) / 20, lat + (middle.y - lat) / 20)
        if grid.contains(here):
            yield Wgs84Point(here.x, here.y)


# ---------------------------------------------------------------- nothing among the names fails a call


def test_a_broken_entry_fails_no_call(desk: Desk, cast: Cast, house: Wgs84Point, now: datetime) -> None:
    with desk.store.write() as tx:
        tx.conn.execute(update(PLACES).where(PLACES.c.name == ESTATE).values(lat=None))
        tx.conn.exec_driver_sql("UPDATE revisions SET revision = revision + 1 WHERE id = 2")
    with capture_logs() as log:
        ticket = call(desk, cast.agent, now, address=ESTATE).body["ticket"]
    assert [line["event"] for line in log] == ["gazetteer"]
    assert ESTATE not in str(log)  # an address is nobody's business in a log
    assert (ticket["team_id"], ticket["route_status"]) == (None, UNLOCATED)
    assert BROKEN in ticket["route_reason"]
    timeline = board.ticket(desk, cast.dispatcher, ticket["number"], now)["timeline"]
    assert BROKEN in [line["text"] for line in timeline]
    with capture_logs() as log:
        number = received(desk, now, address=ESTATE, point=house)
        for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE):
            act(desk, cast.crew_a, number, verb, now, **what_it_needs(desk, verb, now))
    assert "gazetteer" in [line["event"] for line in log]


def test_names_that_cannot_be_read_at_all_fail_no_call(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise TypeError

    monkeypatch.setattr(desk.gazetteers, "refresh", broken)
    monkeypatch.setattr(desk.gazetteers, "current", lambda _: broken())
    assert call(desk, cast.agent, now, address=ESTATE).body["ticket"]["team_id"] is None


def test_an_error_of_the_database_is_none_of_the_names(desk: Desk) -> None:
    with desk.store.read() as tx, pytest.raises(DATABASE_ERRORS):
        guarded(lambda: tx.conn.exec_driver_sql("SELECT nowhere"))
