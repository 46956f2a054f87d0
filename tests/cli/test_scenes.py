"""The scenes of the demo, played through the real services: each leaves behind what its page is to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from dispatch.cli import scenes
from dispatch.domain.roles import SYSTEM
from dispatch.services import (
    answering,
    article_file,
    board,
    callback_queue,
    cases,
    customers,
    incident_forms,
    outage_view,
    simulation,
)
from dispatch.services.callback_queue import Wanted
from dispatch.services.desk import Desk
from dispatch.services.simulation import Hour
from dispatch.storage import health
from dispatch.storage.board import Filter
from tests.support.cast import ZONE_A, Cast, Spy
from tests.support.store import DATA

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_every_page_has_something_to_show(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "MIX", {})
    monkeypatch.setattr(simulation, "INQUIRIES", 0)
    monkeypatch.setattr(simulation, "BURST_CALLERS", 3)
    monkeypatch.setattr(simulation, "_ONE_SILENT_OF", 1)  # nobody works on the burst before it is an incident
    articles = (DATA / "articles.json").read_bytes()
    article_file.import_articles(desk, SYSTEM, articles, now, is_published=True, owner="supervisor")
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones.zones
    hour = Hour(desk, cast.agent, zones, now, Random(1), {"console": Spy()}, lambda _at, _text: None)
    zone = next(zone for zone in zones if zone.zone_id == ZONE_A)
    scenes.plan(hour, scenes.Stage(desk, cast.agent, cast.dispatcher, cast.supervisor, zone), now)
    hour.run()
    end = now + HOUR
    assert answering.figures(desk, cast.agent, now, end)["by_article"] == 2
    known = customers.listed(desk, cast.supervisor, flag=None, after=0, limit=9, now=end)["items"]
    assert {one["flag"] for one in known} == {"hospital", "dialysis", "school"}
    (incident,) = incident_forms.listed(desk, cast.supervisor, statuses=(), after=0, limit=9, now=end)["items"]
    assert (incident["title"], incident["affected_users"]) == ("【演示】爆管抢修", 120)
    assert [(one["title"], one["phase"], one["status"]) for one in outage_view.known(desk, end)] == [
        ("【演示】阀门更换", "coming", "published"),
        ("【演示】管网清洗", "over", "cancelled"),
    ]
    waiting = callback_queue.queue(desk, cast.agent, Wanted(), after=0, limit=9, now=end)["items"]
    assert sorted(person["tries"] for person in waiting) == [0, 0, 1]
    (case,) = cases.listed(desk, cast.supervisor, status=None, is_mine=False, number=None, after=0, limit=9, now=end)[
        "items"
    ]
    assert (case["tickets"], case["visits"]) == (3, 1)
    found = board.tickets(desk, cast.supervisor, Filter(), text="", after=0, limit=99, now=end)["items"]
    assert [one["temporary_kind"] for one in found if one["outcome"] == "temporary"] == ["frozen_meter_bypass"]
    assert [one["level"] for one in found if one["flags"]] == ["P1"]
    assert all(one["address"].startswith("模拟") for one in found)
    with desk.store.read() as tx:
        assert {name: count for name, count in health.orphans(tx).items() if count} == {}
