"""Notices on both databases: published once, restored once, heard of by open screens, known to everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotFound, NotPermitted
from dispatch.domain.outage import NewOutage
from dispatch.services import board, outages
from dispatch.services.desk import Desk
from dispatch.storage import live
from tests.support.cast import ZONE_A, ZONE_B, Cast

HOUR = timedelta(hours=1)


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


def signals(desk: Desk) -> list[tuple[str, str]]:
    with desk.store.read() as tx:
        return [(row.topic, row.key) for row in live.behind(tx, live.SIGNALS, 0, 100)]


def test_a_notice_is_published_and_taken_back(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now, zone_ids=[ZONE_A, ZONE_B, ZONE_A])
    assert (told["phase"], told["zone_ids"], told["restored_at"]) == ("current", [ZONE_A, ZONE_B], None)
    assert len(told["zones"]) == 2
    assert outages.known(desk, now) == [told]
    back = outages.restore(desk, cast.supervisor, told["id"], now + HOUR)
    assert (back["phase"], back["restored_at"]) == ("over", (now + HOUR).isoformat())
    assert outages.restore(desk, cast.supervisor, told["id"], now + 2 * HOUR) == back
    assert outages.known(desk, now + HOUR) == []
    assert outages.listed(desk, cast.agent, after=0, limit=5, now=now + HOUR) == {"items": [back], "next": None}
    assert signals(desk) == [("outage", str(told["id"]))] * 2
    audited = board.audited(desk, cast.auditor, subject=f"outage {told['id']}", after=0, limit=9)["items"]
    assert [entry["action"] for entry in audited] == ["restore", "outage"]


def test_what_everybody_knows_is_what_holds_or_comes(desk: Desk, cast: Cast, now: datetime) -> None:
    late = publish(desk, cast, now, ends_at=now + HOUR)
    coming = publish(desk, cast, now, is_planned=True, starts_at=now + 9 * HOUR, ends_at=now + 12 * HOUR)
    assert [item["phase"] for item in outages.known(desk, now + 2 * HOUR)] == ["late", "coming"]
    assert [item["id"] for item in outages.known(desk, now + 26 * HOUR)] == [coming["id"]]
    page = outages.listed(desk, cast.crew_a, after=0, limit=1, now=now)
    assert ([item["id"] for item in page["items"]], page["next"]) == ([coming["id"]], coming["id"])
    rest = outages.listed(desk, cast.crew_a, after=page["next"], limit=1, now=now)
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([late["id"]], None)


def test_a_repeated_key_publishes_once(desk: Desk, cast: Cast, now: datetime) -> None:
    first = publish(desk, cast, now, key="k1")
    assert publish(desk, cast, now, key="k1") == first
    with pytest.raises(IdempotencyMismatch):
        publish(desk, cast, now, key="k1", title="另一条")
    assert len(outages.known(desk, now)) == 1


def test_who_may_not_and_what_is_not(desk: Desk, cast: Cast, now: datetime) -> None:
    for actor in (cast.agent, cast.crew_a, cast.auditor, cast.integration):
        with pytest.raises(NotPermitted):
            outages.publish(desk, actor, notice(now), {}, now)
        with pytest.raises(NotPermitted):
            outages.restore(desk, actor, 1, now)
    with pytest.raises(NotFound):
        outages.restore(desk, cast.dispatcher, 404, now)
    with pytest.raises(InvalidInput):
        publish(desk, cast, now, zone_ids=["月球-01"])
    assert signals(desk) == []
