"""From figures to their tickets, to other days, and to the report of a day."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dispatch.domain.drill import Which
from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.figures import By
from dispatch.domain.roles import SYSTEM
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Status, Verb
from dispatch.services import board, drill, figures, report
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.storage.figures import TICKETS
from tests.support.cast import ZONE_A, ZONE_B, Cast, act, call, dispatched, ticket_at

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def asked(now: datetime) -> Asked:
    return Asked(start=now, end=now + DAY)


def behind(desk: Desk, cast: Cast, asked: Asked, now: datetime, **told: Any) -> list[str]:
    wanted = {"key": None, "clock": None, "which": Which.JUDGED, "after": 0, "limit": 50, **told}
    page = drill.tickets(desk, cast.supervisor, asked, now=now, **wanted)
    assert page["total"] == len(page["items"])
    return [item["number"] for item in page["items"]]


def test_every_number_leads_to_as_many_tickets(desk: Desk, cast: Cast, now: datetime, asked: Asked) -> None:
    late, kept, other = (dispatched(desk, now, zone) for zone in (ZONE_A, ZONE_A, ZONE_B))
    act(desk, cast.dispatcher, late, Verb.ACCEPT, now + 20 * MINUTE)
    act(desk, cast.dispatcher, kept, Verb.ACCEPT, now + MINUTE)
    over = now + 25 * MINUTE
    assert behind(desk, cast, asked, over) == [other, kept, late]
    assert behind(desk, cast, asked, over, key=ZONE_A) == [kept, late]
    assert behind(desk, cast, asked, over, key="nowhere") == []
    for which, numbers in ((Which.JUDGED, [kept, late]), (Which.ON_TIME, [kept]), (Which.LATE, [late])):
        assert behind(desk, cast, asked, over, key=ZONE_A, clock=ClockKind.ACK, which=which) == numbers
    told = figures.on_time(desk, cast.supervisor, asked, over)
    for item in told["items"]:
        for kind in (ClockKind.ACK, ClockKind.FIX):
            found = behind(desk, cast, asked, over, key=item["key"], clock=kind)
            assert len(found) == item[kind.value]["judged"]


def test_a_long_list_is_read_page_by_page(desk: Desk, cast: Cast, now: datetime, asked: Asked) -> None:
    numbers = [dispatched(desk, now) for _ in range(3)]
    read: list[str] = []
    after: int | None = 0
    while after is not None:
        page = drill.tickets(desk, cast.supervisor, asked, None, None, Which.JUDGED, after=after, limit=2, now=now)
        assert page["total"] == 3
        read += [item["number"] for item in page["items"]]
        after = page["next"]
    assert read == numbers[::-1]
    alone = drill.tickets(desk, cast.crew_b, asked, None, None, Which.JUDGED, after=0, limit=2, now=now)
    assert (alone["total"], alone["items"]) == (0, [])
    with pytest.raises(NotPermitted):
        drill.tickets(desk, SYSTEM, asked, None, None, Which.JUDGED, after=0, limit=2, now=now)


def test_days_stand_beside_those_of_last_week_and_last_year(
    desk: Desk, cast: Cast, now: datetime, asked: Asked
) -> None:
    ticket_at(desk, Status.DONE, now)
    call(desk, cast.agent, now)
    told = drill.trend(desk, cast.supervisor, asked, now + 60 * MINUTE)
    assert [period["id"] for period in told["periods"]] == ["now", "week", "year"]
    assert [period["from"] for period in told["periods"]] == [
        (now - back).isoformat() for back in (timedelta(), 7 * DAY, 364 * DAY)
    ]
    (today,) = told["periods"][0]["days"]
    assert (today["day"], today["fix"]) == ("2026-11-24", 1.0)
    assert today["tickets"] == told["periods"][0]["total"]["tickets"]
    assert [period["days"] for period in told["periods"][1:]] == [[], []]
    with pytest.raises(NotPermitted):
        drill.trend(desk, SYSTEM, asked, now)


def test_the_report_of_a_day(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket_at(desk, Status.DONE, now)
    number = dispatched(desk, now, ZONE_B)
    call(desk, cast.agent, now + MINUTE, attach_to=number)
    over = now + 40 * MINUTE
    letter = report.daily_report(desk, date(2026, 11, 24), over)
    assert letter.subject == "96533 供水调度日报 2026-11-24 (示例数据)"
    assert "来电 3 · 受理工单 2" in letter.text
    assert "接单按时率 50.0% (2)" in letter.text
    assert "每单到场次数 1.00 (1)" in letter.text
    assert "升级确认用时 –" in letter.text
    for part in (
        "<!doctype html>",
        "<svg ",
        ZONE_B,
        "城南",
        "口径",
        "上周同日",
        "10 时 2",
        "调度系统 于 2026-11-24 10:40",
    ):
        assert part in letter.html
    assert "style=" not in letter.html
    assert f'<th scope="row">{ZONE_A}' not in letter.html  # it has kept all
    shown = report.shown(desk, cast.supervisor, date(2026, 11, 24), over)
    assert shown.startswith('<article class="report">')
    assert "值班长陈工" in report.taken_away(desk, cast.supervisor, date(2026, 11, 24), over)
    (entry,) = board.audited(desk, cast.auditor, subject="report", after=0, limit=5)["items"]
    assert (entry["action"], entry["detail"]) == ("export", {"day": "2026-11-24"})
    assert ZONE_B not in report.shown(desk, cast.crew_a, date(2026, 11, 24), over)
    assert "没有工单" in report.shown(desk, cast.supervisor, date(2026, 11, 20), over)
    with pytest.raises(InvalidInput):
        report.shown(desk, cast.supervisor, date.max, over)
    for work in (report.shown, report.taken_away):
        with pytest.raises(NotPermitted):
            work(desk, SYSTEM, date(2026, 11, 24), over)


def test_what_people_named_can_only_be_text(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now)
    with desk.store.write() as tx:
        tx.conn.execute(update(TICKETS).values(branch="<script>alert(1)</script>"))
    html = report.daily_report(desk, date(2026, 11, 24), now + DAY).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    told = figures.on_time(desk, cast.supervisor, Asked(start=now, end=now + DAY, by=By.BRANCH), now)
    assert [item["key"] for item in told["items"]] == ["<script>alert(1)</script>"]
