"""What an address means here: imported names, and what confirmed tickets teach."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.address import Level
from dispatch.domain.errors import InvalidInput, NotFound, NotPermitted
from dispatch.domain.place import Datum, Wgs84Point, to_gcj02
from dispatch.domain.states import Verb
from dispatch.geocode.geodesic import distance_m
from dispatch.services import board, console, gazetteers, learning, place_import, places, setup
from dispatch.services.desk import Desk
from dispatch.services.places import Found
from dispatch.services.routing import UNLOCATED
from dispatch.storage import tickets
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, Cast, act, call, cast_of, received, spot, what_it_needs
from tests.support.store import open_desk

ESTATE = "金领小区"
WAY = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)


def found(desk: Desk, text: str) -> Found:
    with desk.store.read() as tx:
        return places.find(desk, tx, text)


def load(desk: Desk, now: datetime, text: str, datum: Datum = Datum.WGS84) -> place_import.Imported:
    admin = cast_of(desk).admin
    return place_import.import_places(desk, admin, text.encode(), source="places.csv", datum=datum, now=now)


def teach(desk: Desk, now: datetime, address: str, point: Wgs84Point, who: str = "crew_a") -> str:
    """A ticket that an agent pinned and a crew did."""
    number = received(desk, now, address=address, point=point)
    for verb in WAY:
        act(desk, getattr(cast_of(desk), who), number, verb, now, **what_it_needs(desk, verb, now))
    return number


def learned(desk: Desk, *, is_disputed: bool = False) -> list[dict[str, object]]:
    items: list[dict[str, object]] = places.learned(
        desk, cast_of(desk).admin, after=0, limit=50, is_disputed=is_disputed
    )["items"]
    return items


# ---------------------------------------------------------------- imported


def test_an_imported_estate_places_a_call(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    gcj = to_gcj02(point)
    text = f"名称,别名,区县,经度,纬度,半径\n{ESTATE},金领家园;金领,天心区,{gcj.lon},{gcj.lat},120\n"
    assert load(desk, now, text, Datum.GCJ02) == place_import.Imported(1, [])
    ticket = call(desk, cast.agent, now, address="天心区金领小区三栋").body["ticket"]
    assert (ticket["team_id"], ticket["zone_id"]) == (TEAM_A, ZONE_A)
    assert "按地址定位: 金领小区" in ticket["route_reason"]
    assert "置信 0.98" in ticket["route_reason"]
    assert abs(ticket["lon"] - point.lon) < 1e-6
    shown = console.preview(desk, cast.agent, console.Sketch(called_at=now, address=ESTATE), now)
    assert (shown["team_id"], shown["zone_id"]) == (TEAM_A, ZONE_A)
    misheard = call(desk, cast.agent, now, address="天心区金邻小区").body["ticket"]
    assert misheard["team_id"] is None  # it sounds so; somebody should ask
    assert "同音" in misheard["route_reason"]


def test_a_long_table_is_written_in_blocks(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_import, "_BLOCK", 2)
    assert load(desk, now, "name\n甲家小区\n乙家小区\n丙家小区\n甲家小区\n丁家小区\n").count == 5
    assert {item["name"][0] for item in places.imported(desk, cast.admin, after=0, limit=9)["items"]} == set("甲乙丙丁")
    assert found(desk, "丁家小区").located.best is not None
    entries = board.audited(desk, cast.auditor, subject=None, after=0, limit=9)["items"]
    assert [entry["detail"]["taken"] for entry in entries if entry["action"] == "import-places"] == [1, 2, 2]


def test_a_place_in_a_grid_without_a_point(desk: Desk, cast: Cast, now: datetime) -> None:
    load(desk, now, f"name,zone_id\n{ESTATE},{ZONE_A}\n")
    ticket = call(desk, cast.agent, now, address=ESTATE).body["ticket"]
    assert (ticket["team_id"], ticket["zone_id"], ticket["lon"]) == (TEAM_A, ZONE_A, None)
    assert "具体位置待定" in ticket["route_reason"]


def test_a_grid_that_is_no_more_or_has_no_team_waits_for_a_pin(desk: Desk, cast: Cast, now: datetime) -> None:
    load(desk, now, f"name,zone_id\n{ESTATE},{ZONE_A}\n")
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    other = replace(next(zone for zone in zones if zone.zone_id == ZONE_A), zone_id="新网格", team_id=None)
    lone = replace(other, zone_id=ZONE_A)
    for kept, status in ((other, UNLOCATED), (lone, "routed")):
        setup.import_zones(desk, cast.admin, [kept], source="new", data=b"", valid_from=now, now=now)
        ticket = call(desk, cast.agent, now, address=ESTATE).body["ticket"]
        assert (ticket["team_id"], ticket["route_status"]) == (None, status)


def test_an_imported_place_is_listed_and_removed_and_other_processes_hear(desk: Desk, url: str, now: datetime) -> None:
    other = open_desk(url)
    assert found(other, ESTATE).located.best is None
    load(desk, now, f"name,zone_id\n{ESTATE},{ZONE_A}\n")
    best = found(other, ESTATE).located.best
    assert best is not None
    assert best.zone_id == ZONE_A
    admin = cast_of(desk).admin
    page = places.imported(desk, admin, after=0, limit=1)
    assert [item["name"] for item in page["items"]] == [ESTATE]
    assert page["next"] is None
    places.remove(desk, admin, page["items"][0]["id"], now)
    assert found(other, ESTATE).located.best is None
    assert places.imported(desk, admin, after=page["items"][0]["id"], limit=1)["items"] == []
    with pytest.raises(NotFound):
        places.remove(desk, admin, page["items"][0]["id"], now)
    other.store.close()


def test_aliases_and_accounts(desk: Desk, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    text = (
        "类型,名称,对应地址,区县,街道,经度,纬度\n"
        f"小区,{ESTATE},,天心区,,{point.lon},{point.lat}\n"
        f"别名,老机床厂宿舍,{ESTATE},,,,\n别名,机床厂,老机床厂宿舍,,,,\n"
        "别名,没人知道的院子,没人知道的小区,天心区,坡子街街道,,\n别名,无处可寻,没人知道的小区,,,,\n"
        f"户号,0023456789,天心区{ESTATE}3栋,天心区,,{point.lon},{point.lat}\n"
    )
    assert load(desk, now, text).refused == []
    for name in ("老机床厂宿舍", "机床厂"):
        best = found(desk, name).located.best
        assert best is not None
        assert (best.label, best.level, best.can_place) == (name, Level.ESTATE, True)
    own = found(desk, "没人知道的院子").located.best
    assert own is not None
    assert own.street == "坡子街街道"
    assert found(desk, "无处可寻").located.best is None
    account = found(desk, "户号 0023456789").located.best
    assert account is not None
    assert (account.label, account.can_place) == (f"天心区{ESTATE}3栋", True)


def test_aliases_that_lead_round_in_a_circle_harm_nobody(desk: Desk, now: datetime) -> None:
    done = load(desk, now, "kind,name,target\nalias,甲院,乙院\nalias,乙院,丙院\nalias,丙院,甲院\nalias,丁院,丁院\n")
    assert done.count == 0
    assert [row for row, _ in done.refused] == [2, 3, 4, 5]
    assert all("循环" in reason for _, reason in done.refused)
    # Two tables may make a circle together only as far as nobody looks: here the second one is refused.
    assert load(desk, now, "kind,name,target\nalias,甲院,乙院\n").refused == []
    assert "循环" in load(desk, now, "kind,name,target\nalias,乙院,甲院\n").refused[0][1]


def test_a_circle_that_is_there_all_the_same_means_nothing() -> None:
    nothing = dict.fromkeys(("district", "street", "community", "source"), "")
    nowhere = dict.fromkeys(("lon", "lat", "radius_m", "zone_id"))
    pairs = (("甲甲院", "乙乙院"), ("乙乙院", "甲甲院"))
    rows: list[dict[str, Any]] = [
        {"kind": "alias", "name": a, "target": b, "aliases": [], **nothing, **nowhere} for a, b in pairs
    ]
    assert gazetteers.made(rows).find("甲甲院").best is None


ROWS = [
    ("kind,name\n城堡,白宫", "类型“城堡”不认识"),
    ("name\n村", "名称太短"),
    (f"name\n{'长' * 101}", "name 超过 100 字"),
    ("name\n坏\x00名", "控制字符"),
    ("name,lon,lat\n甲小区,abc,28", "不是数字"),
    ("name,lon,lat\n甲小区,112.9,", "不是数字"),
    ("name,lon,lat\n甲小区,112.9,280", "超出"),
    ("name,lon,lat\n甲小区,0,0", ""),
    ("name,radius_m\n甲小区,near", "半径“near”不是数字"),
    ("name,radius_m\n甲小区,-5", "半径应在"),
    ("name,zone_id\n甲小区,月球-01", "没有网格“月球-01”"),
    ("kind,name\nalias,甲小区", "须填写对应地址"),
    ("kind,name\n户号,12345678", "须填写对应地址"),
]


@pytest.mark.parametrize(("text", "said"), ROWS)
def test_a_row_that_is_wrong_is_told_and_the_others_are_taken(desk: Desk, now: datetime, text: str, said: str) -> None:
    done = load(desk, now, text)
    assert done.count == 0
    assert [row for row, _ in done.refused] == [2]
    assert said in done.refused[0][1]


def test_only_who_looks_after_places_may(desk: Desk, cast: Cast, now: datetime) -> None:
    for do in (
        lambda: place_import.import_places(desk, cast.agent, b"", source="", datum=Datum.WGS84, now=now),
        lambda: places.learned(desk, cast.agent, after=0, limit=1, is_disputed=False),
        lambda: places.imported(desk, cast.agent, after=0, limit=1),
        lambda: places.forget(desk, cast.agent, 1, now),
        lambda: places.remove(desk, cast.agent, 1, now),
        lambda: places.search(desk, cast.auditor, "天心区", now),
    ):
        with pytest.raises(NotPermitted):
            do()


def test_no_table_at_all(desk: Desk, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="名称"):
        load(desk, now, "")


# ---------------------------------------------------------------- learned


def test_an_estate_resolves_after_one_confirmed_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    assert call(desk, cast.agent, now, address=ESTATE).body["ticket"]["team_id"] is None
    number = teach(desk, now, f"{ESTATE}3栋2单元502室", point)
    for address in (ESTATE, f"{ESTATE}三幢", f"天心区{ESTATE} 8 栋 101"):
        ticket = call(desk, cast.agent, now, address=address).body["ticket"]
        assert (ticket["team_id"], ticket["zone_id"]) == (TEAM_A, ZONE_A), address
        assert "1 张已确认工单在此" in ticket["route_reason"]
    misheard = found(desk, "金邻小区").located
    assert misheard.best is not None
    assert not misheard.best.can_place
    assert "同音" in misheard.note
    house = found(desk, f"{ESTATE}3栋").located.best
    assert house is not None
    assert (house.level, house.label) == (Level.NUMBER, f"{ESTATE}3栋")
    entry = learned(desk)[0]
    assert (entry["key"], entry["count"], entry["last_ticket"]) == (f"{ESTATE}3栋", 1, number)


def test_it_grows_stronger_and_moves_little(desk: Desk, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    teach(desk, now, f"{ESTATE}3栋", point)
    later = now + timedelta(hours=1)
    number = teach(desk, later, f"{ESTATE}三栋", Wgs84Point(point.lon + 0.001, point.lat))
    (entry,) = learned(desk)
    assert (entry["count"], entry["last_ticket"], entry["last_at"]) == (2, number, later.isoformat())
    best = found(desk, f"{ESTATE}3栋").located.best
    assert best is not None
    assert best.point is not None
    assert distance_m(best.point, Wgs84Point(point.lon + 0.0005, point.lat)) < 1
    assert best.confidence == 0.94


def test_contradictions_are_shown_and_not_used_until_somebody_decides(desk: Desk, cast: Cast, now: datetime) -> None:
    teach(desk, now, ESTATE, spot(desk, ZONE_A, now))
    teach(desk, now, ESTATE, spot(desk, ZONE_B, now), who="crew_b")
    disputed = learned(desk, is_disputed=True)
    assert [entry["key"] for entry in disputed] == [ESTATE, ESTATE]
    located = found(desk, ESTATE).located
    assert located.best is None
    assert "互相矛盾" in located.note
    assert call(desk, cast.agent, now, address=ESTATE).body["ticket"]["team_id"] is None
    places.forget(desk, cast.supervisor, int(str(disputed[0]["id"])), now)
    assert learned(desk, is_disputed=True) == []
    assert call(desk, cast.agent, now, address=ESTATE).body["ticket"]["team_id"] == TEAM_A
    with pytest.raises(NotFound):
        places.forget(desk, cast.supervisor, int(str(disputed[0]["id"])), now)
    assert (
        places.learned(desk, cast.admin, after=int(str(disputed[1]["id"])), limit=1, is_disputed=False)["items"] == []
    )


def test_two_districts_may_have_one_each(desk: Desk, now: datetime) -> None:
    teach(desk, now, f"天心区{ESTATE}", spot(desk, ZONE_A, now))
    teach(desk, now, f"雨花区{ESTATE}", spot(desk, ZONE_B, now), who="crew_b")
    assert "两处同名" in found(desk, ESTATE).located.note
    best = found(desk, f"雨花区{ESTATE}").located.best
    assert best is not None
    assert best.district == "雨花区"


def test_a_correction_wins(desk: Desk, cast: Cast, now: datetime) -> None:
    teach(desk, now, ESTATE, spot(desk, ZONE_A, now))
    number = call(desk, cast.agent, now, address=ESTATE).body["ticket"]["number"]
    act(desk, cast.crew_a, number, Verb.RETURN, now, reason="not_ours", note="在隔壁网格")
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, point=spot(desk, ZONE_B, now))
    for verb in WAY:
        act(desk, cast.crew_b, number, verb, now, **what_it_needs(desk, verb, now))
    (entry,) = learned(desk)
    assert entry["last_ticket"] == number
    assert call(desk, cast.agent, now, address=ESTATE).body["ticket"]["team_id"] == TEAM_B
    corrected = board.audited(desk, cast.admin, subject=ESTATE, after=0, limit=9)["items"]
    assert [entry["action"] for entry in corrected] == ["correct-place"]


def test_a_correction_to_what_others_know_strengthens_it(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    teach(desk, now, ESTATE, point)
    number = call(desk, cast.agent, now, address=ESTATE).body["ticket"]["number"]
    act(desk, cast.crew_a, number, Verb.RETURN, now, reason="not_ours")
    act(desk, cast.dispatcher, number, Verb.DISPATCH, now, point=point)
    for verb in WAY:
        act(desk, cast.crew_a, number, verb, now, **what_it_needs(desk, verb, now))
    (entry,) = learned(desk)
    assert entry["count"] == 2


def test_what_teaches_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)

    def done(number: str, who: str = "crew_a", **arrival: object) -> None:
        for verb in WAY:
            told = arrival if verb is Verb.ARRIVE else {}
            act(desk, getattr(cast_of(desk), who), number, verb, now, **{**what_it_needs(desk, verb, now), **told})

    done(received(desk, now, address=ESTATE, point=point, is_approximate=True))  # the middle of a grid
    done(received(desk, now, address="家里", point=point))  # means nothing to others
    done(received(desk, now, address=f"{ESTATE}对面", point=point))  # beside it
    done(received(desk, now, address=ESTATE, point=point), who="dispatcher")  # no crew was there
    body = call(desk, cast.integration, now, address=ESTATE, point=point).body["ticket"]
    done(body["number"])  # a pin of another system
    away = Wgs84Point(point.lon + 0.01, point.lat)
    done(received(desk, now, address=ESTATE, point=point), point=away, note="定位错误, 实际在东边")
    assert learned(desk) == []


def test_the_same_ticket_counts_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = teach(desk, now, ESTATE, spot(desk, ZONE_A, now))
    with desk.store.write() as tx:
        ticket = tickets.lock(tx, number)
        assert ticket is not None
        learning.learn(tx, desk, cast.crew_a, ticket.id, now)
    assert [entry["count"] for entry in learned(desk)] == [1]


def test_one_house_of_a_road_says_nothing_of_another(desk: Desk, now: datetime) -> None:
    teach(desk, now, "天心区坡子街12号", spot(desk, ZONE_A, now))
    best = found(desk, "坡子街12号").located.best
    assert best is not None
    assert best.can_place
    other = found(desk, "坡子街300号").located
    assert other.best is None or not other.best.can_place


def test_what_is_imported_and_what_is_learned_may_disagree(desk: Desk, now: datetime) -> None:
    teach(desk, now, ESTATE, spot(desk, ZONE_A, now))
    near, far = spot(desk, ZONE_A, now), spot(desk, ZONE_B, now)
    load(desk, now, f"name,lon,lat\n{ESTATE},{near.lon},{near.lat}\n")
    best = found(desk, ESTATE).located.best
    assert best is not None
    assert best.can_place
    load(desk, now, f"name,lon,lat\n{ESTATE},{far.lon},{far.lat}\n")
    located = found(desk, ESTATE).located
    assert located.best is None
    assert "请核对" in located.note


# ---------------------------------------------------------------- as one types


def test_candidates_as_one_types(desk: Desk, cast: Cast, now: datetime) -> None:
    point = spot(desk, ZONE_A, now)
    load(desk, now, f"name,lon,lat\n{ESTATE},{point.lon},{point.lat}\n")
    answer = places.search(desk, cast.agent, ESTATE, now)
    assert answer["best"] == 0
    assert (answer["items"][0]["zone_id"], answer["items"][0]["can_place"]) == (ZONE_A, True)
    unknown = places.search(desk, cast.agent, "朝阳社区", now)
    assert unknown["best"] is None
    assert len(unknown["items"]) > 1
    assert unknown["items"][0]["zone_id"] is None
    assert places.search(desk, cast.agent, "？", now)["items"] == []
