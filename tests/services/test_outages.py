"""Notices on both databases: drafted, approved, published, extended, restored; every version kept, all screens told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely

from dispatch.domain.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleVersion,
)
from dispatch.domain.outage import CANCELLED_FOR, NewOutage, OutageVerb
from dispatch.domain.roles import Actor
from dispatch.services import board, outage_view, outages
from dispatch.services.desk import Desk
from dispatch.services.outages import Deed
from dispatch.storage import live
from tests.support.cast import ZONE_A, ZONE_B, Cast, spot

HOUR = timedelta(hours=1)
V = OutageVerb


def notice(now: datetime, **changes: Any) -> NewOutage:
    told = NewOutage(
        title="坡子街 DN300 抢修",
        place="坡子街, 黄兴路到下河街",
        is_planned=False,
        zone_ids=[ZONE_A],
        starts_at=now - HOUR,
        ends_at=now + 4 * HOUR,
    )
    return replace(told, **changes)


def publish(desk: Desk, cast: Cast, now: datetime, key: str | None = None, **changes: Any) -> dict[str, Any]:
    told = notice(now, **changes)
    return outages.publish(desk, cast.dispatcher, told, {"notice": repr(told)}, now, key)


def draft(desk: Desk, cast: Cast, now: datetime, **changes: Any) -> dict[str, Any]:
    """Planned for the day after tomorrow, written by the dispatcher."""
    planned = {"is_planned": True, "starts_at": now + 30 * HOUR, "ends_at": now + 36 * HOUR}
    return outages.draft(desk, cast.dispatcher, notice(now, **{**planned, **changes}), {}, now)


def do(desk: Desk, actor: Actor, told: dict[str, Any], verb: OutageVerb, now: datetime, **deed: Any) -> dict[str, Any]:
    return outages.act(desk, actor, told["id"], Deed(verb=verb, **deed), {}, now)


def square(desk: Desk, zone_id: str, now: datetime, reach: float = 0.0005) -> dict[str, Any]:
    """A square around a place well inside a grid, as a map draws it."""
    here = spot(desk, zone_id, now)
    box = shapely.box(here.lon - reach, here.lat - reach, here.lon + reach, here.lat + reach)
    told: dict[str, Any] = json.loads(shapely.to_geojson(box))
    return told


def signals(desk: Desk) -> list[tuple[str, str]]:
    with desk.store.read() as tx:
        return [(row.topic, row.key) for row in live.behind(tx, live.SIGNALS, 0, 100)]


def test_an_emergency_is_published_at_once_and_taken_back(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now, zone_ids=[ZONE_A, ZONE_B, ZONE_A])
    assert (told["phase"], told["zone_ids"], told["restored_at"]) == ("current", [ZONE_A, ZONE_B], None)
    assert len(told["zones"]) == 2
    assert [one["text"] for one in told["history"]] == ["起草", "紧急公告, 由一人发布"]
    assert [one["id"] for one in outage_view.known(desk, now)] == [told["id"]]
    back = outages.restore(desk, cast.supervisor, told["id"], now + HOUR)
    assert (back["phase"], back["restored_at"]) == ("over", (now + HOUR).isoformat())
    assert outages.restore(desk, cast.supervisor, told["id"], now + 2 * HOUR) == back
    assert outage_view.known(desk, now + HOUR) == []
    page = outage_view.listed(desk, cast.agent, after=0, limit=5, now=now + HOUR)
    assert ([item["status"] for item in page["items"]], page["next"]) == (["restored"], None)
    assert signals(desk) == [("outage", str(told["id"]))] * 3
    audited = board.audited(desk, cast.auditor, subject=f"outage {told['id']}", after=0, limit=9)["items"]
    assert [entry["action"] for entry in audited] == ["outage-restore", "outage-publish", "outage-draft"]


def test_a_planned_one_needs_a_second_person(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(InvalidInput) as caught:
        publish(desk, cast, now, is_planned=True)
    assert caught.value.field == "is_planned"
    told = draft(desk, cast, now)
    assert (told["status"], told["phase"], told["verbs"]) == ("draft", "unpublished", ["revise", "approve", "withdraw"])
    with pytest.raises(NotPermitted):
        do(desk, cast.dispatcher, told, V.APPROVE, now)
    with pytest.raises(IllegalTransition):
        do(desk, cast.supervisor, told, V.PUBLISH, now)
    approved = do(desk, cast.supervisor, told, V.APPROVE, now)
    assert (approved["status"], approved["version"]) == ("approved", 2)
    assert outage_view.known(desk, now) == []
    published = do(desk, cast.dispatcher, told, V.PUBLISH, now, version=2)
    assert published["phase"] == "coming"
    later = do(desk, cast.dispatcher, told, V.EXTEND, now, ends_at=now + 40 * HOUR, note="管材未到")
    assert [one["text"] for one in later["extensions"]] == ["预计恢复时间由 2026-11-25 22:00 延至 2026-11-26 02:00"]
    gone = do(desk, cast.dispatcher, told, V.CANCEL, now, note="雨天改期")
    assert (gone["status"], gone["closed_reason"]) == ("cancelled", "雨天改期")
    (told,) = outage_view.known(desk, now + CANCELLED_FOR)
    assert (told["status"], told["phase"], "取消, 供水正常" in told["text"]) == ("cancelled", "over", True)
    assert outage_view.known(desk, now + CANCELLED_FOR + timedelta(seconds=1)) == []
    assert [one["verb"] for one in gone["history"]] == ["draft", "approve", "publish", "extend", "cancel"]
    assert gone["history"][2]["by"] == cast.dispatcher.label
    assert gone["history"][2]["shown"]["ends_at"] == (now + 36 * HOUR).isoformat()


def test_a_change_loses_the_approval_and_makes_its_writer(desk: Desk, cast: Cast, now: datetime) -> None:
    told = do(desk, cast.supervisor, draft(desk, cast, now), V.APPROVE, now)
    changed = notice(now, is_planned=True, starts_at=now + 3 * HOUR, title="改期")
    with pytest.raises(StaleVersion) as caught:
        outages.revise(desk, cast.supervisor, told["id"], changed, Deed(verb=V.REVISE, version=1), now)
    assert caught.value.extra == {"current_version": 2}
    after = outages.revise(desk, cast.supervisor, told["id"], changed, Deed(verb=V.REVISE, note="改期"), now)
    assert (after["status"], after["title"], after["created_by"]) == ("draft", "改期", cast.supervisor.user_id)
    with pytest.raises(NotPermitted):
        do(desk, cast.supervisor, told, V.APPROVE, now, note="急")
    with pytest.raises(InvalidInput):  # three hours' notice
        do(desk, cast.dispatcher, told, V.APPROVE, now)
    assert do(desk, cast.dispatcher, told, V.APPROVE, now, note="阀门已裂")["short_reason"] == "阀门已裂"
    left = do(desk, cast.admin, told, V.WITHDRAW, now, note="不停了")
    assert (left["status"], left["verbs"]) == ("withdrawn", [])
    with pytest.raises(StaleVersion):
        do(desk, cast.admin, told, V.WITHDRAW, now, note="不停了", version=1)


def test_drafts_are_for_those_who_write_them(desk: Desk, cast: Cast, now: datetime) -> None:
    told = draft(desk, cast, now)
    assert outage_view.listed(desk, cast.agent, after=0, limit=5, now=now)["items"] == []
    assert len(outage_view.listed(desk, cast.supervisor, after=0, limit=5, now=now)["items"]) == 1
    for look in (outage_view.detail, outage_view.picture):
        with pytest.raises(NotFound):
            look(desk, cast.agent, told["id"], now)
    assert outage_view.detail(desk, cast.supervisor, told["id"], now) == told
    public = publish(desk, cast, now)
    assert outage_view.detail(desk, cast.agent, public["id"], now)["id"] == public["id"]
    assert "紧急停水公告" in outage_view.picture(desk, cast.agent, public["id"], now)


def test_where_it_holds_is_drawn_or_told_in_words(desk: Desk, cast: Cast, now: datetime) -> None:
    places = ["岳麓公馆", "坡子街"]
    told = publish(desk, cast, now, zone_ids=[], area=square(desk, ZONE_A, now), estates=places, late_return_h=2)
    assert (told["zone_ids"], told["estates"], told["unmatched"]) == ([], places, ["坡子街"])
    assert told["area"]["type"] == "Polygon"
    assert told["late_note"] == "高层住户和二次供水小区恢复时间还将延后约 2 小时。"
    assert "涉及小区、路段: 岳麓公馆、坡子街" in told["announcement"]
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        known = {zone_id: len(outage_view.known_in(tx, rules, now, zone_id)) for zone_id in (ZONE_A, ZONE_B)}
    assert known == {ZONE_A: 1, ZONE_B: 0}
    away = {"type": "Polygon", "coordinates": [[[116.3, 39.9], [116.4, 39.9], [116.4, 40.0], [116.3, 39.9]]]}
    with pytest.raises(InvalidInput) as caught:
        publish(desk, cast, now, area=away)
    assert caught.value.field == "area"


def test_an_overlap_is_named(desk: Desk, cast: Cast, now: datetime) -> None:
    first = publish(desk, cast, now)
    other = publish(desk, cast, now, zone_ids=[], area=square(desk, ZONE_A, now), title="另一处")
    assert other["warnings"] == [
        f"与公告 {first['id']}“坡子街 DN300 抢修”的时间和范围重叠 (2026-11-24 09:00 至 2026-11-24 14:00)"
    ]
    assert publish(desk, cast, now, zone_ids=[ZONE_B])["warnings"] == []


@pytest.mark.parametrize("write", [publish, draft])
def test_an_end_before_the_start_is_refused(desk: Desk, cast: Cast, now: datetime, write: Callable[..., Any]) -> None:
    told = write(desk, cast, now)
    for end in (now - 2 * HOUR, now - HOUR):
        with pytest.raises(InvalidInput) as caught:
            write(desk, cast, now, starts_at=now - HOUR, ends_at=end)
        assert caught.value.field == "ends_at"
    listed = outage_view.listed(desk, cast.supervisor, after=0, limit=5, now=now)["items"]
    assert [one["id"] for one in listed] == [told["id"]]


def test_what_everybody_knows_is_what_holds_or_comes(desk: Desk, cast: Cast, now: datetime) -> None:
    late = publish(desk, cast, now, ends_at=now + HOUR)
    coming = publish(desk, cast, now, starts_at=now + 9 * HOUR, ends_at=now + 12 * HOUR)
    assert [item["phase"] for item in outage_view.known(desk, now + 2 * HOUR)] == ["late", "coming"]
    assert [item["id"] for item in outage_view.known(desk, now + 26 * HOUR)] == [coming["id"]]
    page = outage_view.listed(desk, cast.crew_a, after=0, limit=1, now=now)
    assert ([item["id"] for item in page["items"]], page["next"]) == ([coming["id"]], coming["id"])
    rest = outage_view.listed(desk, cast.crew_a, after=page["next"], limit=1, now=now)
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([late["id"]], None)


def test_a_repeated_key_publishes_once(desk: Desk, cast: Cast, now: datetime) -> None:
    first = publish(desk, cast, now, key="k1")
    assert publish(desk, cast, now, key="k1") == first
    with pytest.raises(IdempotencyMismatch):
        publish(desk, cast, now, key="k1", title="另一条")
    assert len(outage_view.known(desk, now)) == 1


def test_who_may_not_and_what_is_not(desk: Desk, cast: Cast, now: datetime) -> None:
    told = notice(now)
    for actor in (cast.agent, cast.crew_a, cast.auditor, cast.integration):
        for deed in (outages.publish, outages.draft):
            with pytest.raises(NotPermitted):
                deed(desk, actor, told, {}, now)
        with pytest.raises(NotPermitted):
            outages.restore(desk, actor, 1, now)
        with pytest.raises(NotPermitted):
            outages.revise(desk, actor, 1, told, Deed(verb=V.REVISE), now)
    with pytest.raises(NotFound):
        outages.restore(desk, cast.dispatcher, 404, now)
    with pytest.raises(InvalidInput):
        publish(desk, cast, now, zone_ids=["月球-01"])
    assert signals(desk) == []
