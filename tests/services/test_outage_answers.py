"""Calls from inside a notice are answered and linked, not dispatched; alarms ring once; callers hear its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.outage import OutageVerb
from dispatch.domain.place import Wgs84Point
from dispatch.services import board, console, outage_alarms, outage_view, outages, public
from dispatch.services.console import Sketch
from dispatch.services.desk import Desk
from dispatch.services.outages import Deed
from dispatch.storage import outages as rows
from dispatch.storage.calls import CALLS
from dispatch.storage.outbox import OUTBOX
from tests.services.test_outages import do, draft, publish, square
from tests.support.cast import BRANCH, CALLER_PHONE, ZONE_A, ZONE_B, Cast, call, spot
from tests.support.store import in_parallel

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def calls(desk: Desk) -> list[tuple[str, int | None, int | None]]:
    with desk.store.read() as tx:
        found = tx.conn.execute(select(CALLS.c.outcome, CALLS.c.ticket_id, CALLS.c.outage_id).order_by(CALLS.c.id))
        return [(outcome, ticket_id, outage_id) for outcome, ticket_id, outage_id in found]


def notices(desk: Desk) -> Sequence[tuple[list[str], str]]:
    """Recipients and texts of what is about no ticket."""
    query = select(OUTBOX.c.recipients, OUTBOX.c.text).where(OUTBOX.c.ticket_id.is_(None)).order_by(OUTBOX.c.id)
    with desk.store.read() as tx:
        return [(list(recipients), text) for recipients, text in tx.conn.execute(query)]


def test_a_call_inside_is_answered_until_water_is_back(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    here = spot(desk, ZONE_A, now)
    answered = call(desk, cast.agent, now, point=here).body
    assert (answered["outcome"], answered["ticket"]) == ("answered", None)
    assert answered["outage"] == {"id": told["id"], "title": told["title"], "text": told["text"]}
    assert calls(desk) == [("answered", None, told["id"])]
    assert outages.act(desk, cast.dispatcher, told["id"], Deed(verb=OutageVerb.EXTEND, ends_at=now + 9 * HOUR), {}, now)
    assert "已延后" in call(desk, cast.agent, now, point=here).body["outage"]["text"]
    outages.restore(desk, cast.dispatcher, told["id"], now)
    again = call(desk, cast.agent, now, point=here).body
    assert (again["outcome"], again["outage"], again["ticket"]["status"]) == ("ticket", None, "dispatched")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"category": "pressure"}, "answered"),
        ({"category": "leak"}, "ticket"),
        ({"category": "burst"}, "ticket"),
        ({"is_approximate": True}, "answered"),  # the grid is off whole
    ],
)
def test_it_explains_what_the_policy_says(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, Any], outcome: str
) -> None:
    publish(desk, cast, now)
    assert call(desk, cast.agent, now, point=spot(desk, ZONE_A, now), **changes).body["outcome"] == outcome
    assert call(desk, cast.agent, now, point=spot(desk, ZONE_B, now), **changes).body["outcome"] == "ticket"


def test_somebody_is_sent_where_the_agent_says_so(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    body = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now), override_outage=True).body
    assert (body["outcome"], body["outage"]) == ("ticket", None)
    first = board.ticket(desk, cast.agent, body["ticket"]["number"], now)["timeline"][0]["text"]
    assert first.endswith(f"在停水公告 {told['id']}“坡子街 DN300 抢修”内, 仍要派单")
    assert calls(desk) == [("ticket", 1, told["id"])]
    assert outage_view.detail(desk, cast.dispatcher, told["id"], now)["answered"] == 0


def test_what_was_drawn_and_what_was_named(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    publish(desk, cast, now, zone_ids=[], area=square(desk, ZONE_A, now), estates=["岳麓公馆"])
    beside = Wgs84Point(here.lon + 0.002, here.lat)
    outcomes = [
        call(desk, cast.agent, now, **told).body["outcome"]
        for told in (
            {"point": here},
            {"point": here, "is_approximate": True},
            {"point": beside},
            {"point": beside, "address": "岳麓公馆 3 栋 502"},
            {"address": "岳麓公馆 3 栋"},
            {"address": "坡子街 12 号"},
        )
    ]
    assert outcomes == ["answered", "ticket", "ticket", "answered", "answered", "ticket"]


@pytest.mark.parametrize(
    ("words", "address", "outcome"),
    [
        ("坡子街 1-99 号", "天心区坡子街 12 号", "answered"),
        ("坡子街1号至99号", "坡子街 99 号 3 栋", "answered"),
        ("坡子街 1-99 号", "坡子街 100 号", "ticket"),
        ("坡子街 1-99 号 单号", "坡子街 13 号", "answered"),
        ("坡子街 1-99 号单号", "坡子街 12 号", "ticket"),
        ("坡子街 2-98 号双号", "坡子街 12-3 号", "answered"),
        ("天心区坡子街 1-99 号", "雨花区坡子街 12 号", "ticket"),
        ("坡子街 1-99 号", "坡子街", "ticket"),
        ("湘江中路二段 1-99 号", "湘江中路二段36号", "answered"),
        ("湘江中路二段 1-99 号", "湘江中路一段36号", "ticket"),
        ("坡子街", "坡子街 12 号", "ticket"),  # a road is long: words alone
        ("坡子街 (黄兴路至下河街)", "坡子街 12 号", "ticket"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_stretch_of_a_road_is_known_by_its_houses(
    desk: Desk, cast: Cast, now: datetime, words: str, address: str, outcome: str
) -> None:
    told = publish(desk, cast, now, zone_ids=[], area=square(desk, ZONE_B, now), estates=[words])
    assert (told["unmatched"] == []) is ("号" in words)
    assert call(desk, cast.agent, now, address=address).body["outcome"] == outcome


def test_of_two_notices_the_one_that_lasts_longest_answers(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, cast, now, ends_at=now + 2 * HOUR)
    longer = publish(desk, cast, now, ends_at=now + 6 * HOUR)
    publish(desk, cast, now, ends_at=now + 3 * HOUR)
    assert call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body["outage"]["id"] == longer["id"]


def test_what_comes_or_is_a_draft_explains_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    publish(desk, cast, now, starts_at=now + HOUR)
    draft(desk, cast, now, starts_at=now - HOUR, ends_at=now + HOUR)
    assert call(desk, cast.agent, now, point=here).body["outcome"] == "ticket"


def test_the_agent_sees_it_before_saving(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    sketch = Sketch(called_at=now, category="no_water", point=spot(desk, ZONE_A, now))
    assert console.preview(desk, cast.agent, sketch, now)["answered_by"]["text"] == told["text"]
    assert console.preview(desk, cast.agent, replace(sketch, category="leak"), now)["answered_by"] is None
    assert console.preview(desk, cast.agent, replace(sketch, category=None), now)["answered_by"] is None


def test_a_report_on_the_page_is_answered_as_well(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    report = public.Report(
        category="no_water", description="没水", phone=CALLER_PHONE, address="", point=spot(desk, ZONE_A, now)
    )

    def send(what: public.Report, key: str) -> dict[str, Any]:
        return public.report(desk, "secret", what, {"key": key}, key=key, address="10.0.0.1", now=now)

    first = send(report, "r1")
    assert (first["number"], first["token"], first["outage"]["id"]) == (None, None, told["id"])
    assert send(report, "r1") == first
    insisting = send(replace(report, override_outage=True), "r2")
    assert (insisting["number"] is not None, insisting["outage"]) == (True, None)


def test_water_that_comes_back_this_moment_answers_nobody(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(desk, cast, now)
    monkeypatch.setattr(rows, "hold", lambda _tx, _id: False)
    assert call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body["outcome"] == "ticket"


# ---------------------------------------------------------------- alarms, and the good news


def test_alarms_ring_before_the_end_and_at_it_once_each(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    assert outage_alarms.ring(desk, lambda: now + 3 * HOUR) == 0
    before = now + 3 * HOUR + 30 * MINUTE
    rung = in_parallel([lambda: outage_alarms.ring(desk, lambda: before)] * 3)
    assert sorted(map(str, rung)) == ["0", "0", "1"]
    [(recipients, text)] = notices(desk)
    assert recipients == ["dispatcher", f"branch_duty:{BRANCH}"]
    assert text.endswith("预计 2026-11-24 14:00 恢复, 还有 30 分 00 秒: 能否按时恢复? 不能请延长")
    assert outage_alarms.ring(desk, lambda: now + 4 * HOUR + MINUTE) == 1
    assert notices(desk)[1][1].endswith("已过 1 分 00 秒仍未恢复: 请恢复供水或延长")
    do(desk, cast.dispatcher, told, OutageVerb.EXTEND, now + 4 * HOUR, ends_at=now + 6 * HOUR)
    assert outage_alarms.ring(desk, lambda: now + 5 * HOUR) == 0
    assert outage_alarms.ring(desk, lambda: now + 7 * HOUR) == 1  # one is enough after a while without a scheduler
    assert outage_alarms.ring(desk, lambda: now + 7 * HOUR, lambda: True) == 0
    assert len(notices(desk)) == 3


def test_one_that_is_forgotten_asks_hourly_reaches_the_director_and_says_when_it_answers_no_more(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    publish(desk, cast, now)
    end, here = now + 4 * HOUR, spot(desk, ZONE_A, now)
    for hours in range(25):
        assert outage_alarms.ring(desk, lambda hours=hours: end + hours * HOUR) == 1  # type: ignore[misc]
        assert outage_alarms.ring(desk, lambda hours=hours: end + hours * HOUR + 59 * MINUTE) == 0  # type: ignore[misc]
    told = notices(desk)
    assert ["hotline_director" in recipients for recipients, _ in told] == [False] * 2 + [True] * 23
    assert [text for _, text in told if "不再以它答复来电" in text] == [told[-1][1]]
    assert outage_alarms.ring(desk, lambda: end + 48 * HOUR) == 0
    last = end + 24 * HOUR
    assert call(desk, cast.agent, last + MINUTE, called_at=last, point=here).body["outcome"] == "answered"
    assert call(desk, cast.agent, last + 2 * MINUTE, called_at=last + MINUTE, point=here).body["outcome"] == "ticket"


def test_water_in_time_rings_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    outages.restore(desk, cast.dispatcher, told["id"], now + HOUR)
    assert outage_alarms.ring(desk, lambda: now + 9 * HOUR) == 0


def test_who_is_held_by_another_is_left_alone(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(desk, cast, now)
    monkeypatch.setattr(rows, "lock_due", lambda _tx, _now: None)
    assert outage_alarms.ring(desk, lambda: now + 9 * HOUR) == 0


def test_callers_are_told_that_water_is_back(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now, late_return_h=2)
    here = spot(desk, ZONE_A, now)
    for phone in (CALLER_PHONE, CALLER_PHONE, "13000000002", None):
        call(desk, cast.agent, now, point=here, caller_phone=phone)
    # Who has a ticket of his own hears of that one.
    call(desk, cast.agent, now, point=here, caller_phone="13000000003", override_outage=True)
    desk.channels = ("console", "webhook")
    outages.restore(desk, cast.dispatcher, told["id"], now + HOUR)
    assert [recipients for recipients, _text in notices(desk)] == [[f"sms:{CALLER_PHONE}"], ["sms:13000000002"]]
    assert "已恢复供水。高层住户" in notices(desk)[0][1]


def test_callers_are_told_that_a_notice_they_were_answered_with_was_cancelled(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    told = publish(desk, cast, now)
    call(desk, cast.agent, now, point=spot(desk, ZONE_A, now), caller_phone=CALLER_PHONE)
    desk.channels = ("console", "webhook")
    do(desk, cast.dispatcher, told, OutageVerb.CANCEL, now + HOUR, note="没有停成")
    [(recipients, text)] = notices(desk)
    assert recipients == [f"sms:{CALLER_PHONE}"]
    assert "已取消。如仍无水请拨 96533" in text


def test_a_notice_cancelled_before_it_begins_tells_nobody(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now, starts_at=now + HOUR)
    desk.channels = ("console", "webhook")
    do(desk, cast.dispatcher, told, OutageVerb.CANCEL, now, note="改期")
    assert notices(desk) == []


def test_without_a_gateway_no_number_is_printed(desk: Desk, cast: Cast, now: datetime) -> None:
    told = publish(desk, cast, now)
    call(desk, cast.agent, now, point=spot(desk, ZONE_A, now))
    assert outages.restore(desk, cast.dispatcher, told["id"], now)["answered"] == 1
    assert notices(desk) == []
