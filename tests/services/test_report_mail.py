"""The daily report goes out each morning, once to each reader."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services import figures as counted
from dispatch.services import report_mail
from dispatch.services.desk import Desk
from dispatch.services.figures import FiguresBehind
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, call

READERS = "boss@example.cn, duty@example.cn,boss@example.cn"


@pytest.fixture
def posting(desk: Desk, now: datetime, cast: Cast) -> Desk:
    """A desk with readers, on the day after one call."""
    call(desk, cast.agent, now)
    settings = replace(desk.settings, smtp_host="127.0.0.1", mail_from="96533@example.cn", report_to=READERS)
    return Desk(desk.store, settings)


@pytest.fixture
def morning(now: datetime) -> datetime:
    """07:30 in Shanghai on the next day."""
    return shanghai_midnight(shanghai_day(now)) + timedelta(days=1, hours=7, minutes=30)


def letters(desk: Desk) -> list[tuple[str, str, str, str]]:
    columns = (OUTBOX.c.recipients, OUTBOX.c.text, OUTBOX.c.html, OUTBOX.c.idempotency_key)
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(*columns).where(OUTBOX.c.channel == "email").order_by(OUTBOX.c.id)).all()
    return [(row.recipients[0], row.text, row.html, row.idempotency_key) for row in rows]


def test_each_reader_gets_it_once(posting: Desk, morning: datetime, now: datetime) -> None:
    assert report_mail.send(posting, morning - timedelta(seconds=1)) == 0
    assert report_mail.send(posting, morning) == 2
    assert report_mail.send(posting, morning + timedelta(minutes=1)) == 0
    first, second = letters(posting)
    assert (first[0], second[0]) == ("email:boss@example.cn", "email:duty@example.cn")
    assert first[3] == f"report:{shanghai_day(now)}:boss@example.cn"
    assert first[1].startswith(f"96533 供水调度日报 {shanghai_day(now)} (示例数据)\n\n来电 1 · 受理工单 1\n")
    assert first[2].startswith("<!doctype html>")
    assert "系统 于" in first[2]


def test_a_scheduler_that_was_down_sends_it_the_same_day_and_never_an_older_one(
    posting: Desk, morning: datetime, now: datetime
) -> None:
    evening = morning + timedelta(hours=16)
    assert report_mail.send(posting, evening) == 2
    assert report_mail.send(posting, morning + timedelta(days=3)) == 2
    days = {key.split(":")[1] for *_, key in letters(posting)}
    assert days == {str(shanghai_day(now)), str(shanghai_day(now) + timedelta(days=3))}


def test_a_reader_who_comes_later_gets_it_and_the_others_no_second_one(posting: Desk, morning: datetime) -> None:
    report_mail.send(posting, morning)
    more = Desk(posting.store, replace(posting.settings, report_to=f"{READERS},new@example.cn"))
    assert report_mail.send(more, morning + timedelta(hours=1)) == 1
    assert letters(posting)[-1][0] == "email:new@example.cn"


def test_without_readers_nothing_goes_out(desk: Desk, morning: datetime) -> None:
    assert report_mail.send(desk, morning) == 0


def test_figures_that_are_behind_are_waited_for(
    posting: Desk, morning: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(counted, "_MOST_MOVED", 0)
        with pytest.raises(FiguresBehind):
            report_mail.send(posting, morning)
    assert letters(posting) == []
    assert report_mail.send(posting, morning + timedelta(minutes=1)) == 2


def test_many_schedulers_at_once_send_it_once(posting: Desk, morning: datetime) -> None:
    start, queued = threading.Barrier(4), []

    def look() -> None:
        start.wait()
        queued.append(report_mail.send(posting, morning))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(queued) == [0, 0, 0, 2]
    assert len(letters(posting)) == 2
