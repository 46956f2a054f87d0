"""Versions of the policy on both databases: checked, tried on the past, published; tickets keep theirs."""

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, InvalidPolicy, NotFound
from dispatch.domain.states import Status, Verb
from dispatch.services import board, escalation, policies
from dispatch.services.desk import Desk
from tests.domain.test_policy_section_words import CHANGES
from tests.support.cast import Cast, act, call, dispatched, ticket_at

HOUR = timedelta(hours=1)
SHIPPED = "2026-11-01"


def form(desk: Desk, cast: Cast, now: datetime, path: str = "", value: object = None) -> dict[str, Any]:
    """The policy that holds, with one value changed."""
    raw = deepcopy(policies.version(desk, cast.admin, SHIPPED, now)["policy"])
    *way, last = path.split("/")
    there: Any = raw
    for key in way:
        there = there[int(key)] if key.isdecimal() else there[key]
    if path:
        there[int(last) if last.isdecimal() else last] = value
    return dict(raw)


def publish(desk: Desk, cast: Cast, told: dict[str, Any], now: datetime, **more: Any) -> dict[str, Any]:
    return policies.publish(desk, cast.admin, told, **{"reason": "冬季口径", "valid_from": None, "now": now, **more})


def test_the_shipped_version_is_listed_and_read(desk: Desk, cast: Cast, now: datetime) -> None:
    told = policies.versions(desk, cast.admin, now)
    assert told["current"] == SHIPPED
    assert [(one["version"], one["author"], one["is_current"]) for one in told["items"]] == [(SHIPPED, "", True)]
    shown = policies.version(desk, cast.admin, SHIPPED, now)
    assert shown["policy"]["levels"]["P1"]["label"] == "特急"
    assert shown["preview"][0]["zh"].startswith("P1 爆管, 城区: 5 分钟接单, 30 分钟到场")
    with pytest.raises(NotFound):
        policies.version(desk, cast.admin, "nobody", now)


def test_a_form_is_checked_and_nothing_is_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    good = policies.check(desk, cast.admin, form(desk, cast, now, "levels/P2/limits/0/within", "8 min"), now)
    assert good["problems"] == []
    assert any("P2 无水, 城区: 8 分钟接单" in sentence["zh"] for sentence in good["preview"])
    bad = policies.check(desk, cast.admin, form(desk, cast, now, "levels/P2/limits/0/within", "-8 min"), now)
    assert [one["field"] for one in bad["problems"]] == ["levels.P2.limits[0].within"]
    assert bad["preview"] == []
    assert len(policies.versions(desk, cast.admin, now)["items"]) == 1


def test_a_new_version_holds_for_new_tickets_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    old = call(desk, cast.agent, now).body["ticket"]["number"]
    told = form(desk, cast, now, "levels/P2/limits/0/within", "8 min")
    head = publish(desk, cast, told, now, key="p-1")
    assert (head["version"], head["author"], head["reason"]) == ("2026-11-24-1", "管理员 (管理员)", "冬季口径")
    assert head["is_current"]
    new = call(desk, cast.agent, now).body["ticket"]
    assert new["policy_version"] == "2026-11-24-1"
    assert new["clocks"][0]["due_at"] == (now + timedelta(minutes=8)).isoformat()
    kept = board.ticket(desk, cast.agent, old, now)
    assert (kept["policy_version"], kept["clocks"][0]["due_at"]) == (
        SHIPPED,
        (now + timedelta(minutes=10)).isoformat(),
    )
    # The same request again is the same version; another body under its key is refused.
    assert publish(desk, cast, told, now, key="p-1") == head
    with pytest.raises(IdempotencyMismatch):
        publish(desk, cast, told, now, key="p-1", reason="另一个")
    assert publish(desk, cast, told, now)["version"] == "2026-11-24-2"
    (_, entry) = [
        item
        for item in board.audited(desk, cast.auditor, subject=None, after=0, limit=50)["items"]
        if item["action"] == "publish-policy"
    ]
    assert (entry["subject"], entry["detail"]["reason"]) == ("2026-11-24-1", "冬季口径")


@pytest.mark.parametrize(("path", "value", "words"), CHANGES)
def test_each_section_is_changed_and_holds(
    desk: Desk, cast: Cast, now: datetime, path: str, value: object, words: str
) -> None:
    told = form(desk, cast, now, path, value)
    checked = policies.check(desk, cast.admin, told, now)
    assert checked["problems"] == []
    name = publish(desk, cast, told, now)["version"]
    assert policies.versions(desk, cast.admin, now)["current"] == name
    kept = policies.version(desk, cast.admin, name, now)
    assert kept["preview"] == checked["preview"]
    assert any(words in sentence["zh"] for sentence in kept["preview"])
    with desk.store.read() as tx:
        assert desk.rules(tx, now).policy.version == name


def test_more_time_goes_by_the_codes_of_the_version_that_a_ticket_keeps(desk: Desk, cast: Cast, now: datetime) -> None:
    coded = ticket_at(desk, Status.WORKING, now)
    told = form(desk, cast, now)
    del told["reasons"]["extend"]
    version = publish(desk, cast, told, now)["version"]
    plain = ticket_at(desk, Status.WORKING, now)
    assert board.categories(desk, now, version)["reasons"]["extend"] == {}
    until = now + 72 * HOUR
    for number, more in ((coded, {"note": "管材未到"}), (plain, {"reason": "wait_material"})):
        with pytest.raises(InvalidInput) as caught:
            act(desk, cast.dispatcher, number, Verb.EXTEND, now, until=until, **more)
        assert caught.value.field == "reason"
    act(desk, cast.dispatcher, plain, Verb.EXTEND, now, until=until, note="管材未到")
    act(desk, cast.dispatcher, coded, Verb.EXTEND, now, until=until, reason="wait_material")
    said = [board.ticket(desk, cast.agent, one, now)["timeline"][-1]["text"] for one in (coded, plain)]
    end = "完工时限改为 2026-11-27 10:00"
    assert said[0].endswith(f"延期: 等待材料, {end}")
    assert said[1].endswith(f"延期: {end}; 管材未到")


def test_a_version_may_wait_for_its_time(desk: Desk, cast: Cast, now: datetime) -> None:
    head = publish(desk, cast, form(desk, cast, now), now, valid_from=now + HOUR)
    assert not head["is_current"]
    assert policies.versions(desk, cast.admin, now)["current"] == SHIPPED
    assert policies.versions(desk, cast.admin, now + HOUR)["current"] == head["version"]
    with pytest.raises(InvalidInput) as caught:
        publish(desk, cast, form(desk, cast, now), now, valid_from=now - HOUR)
    assert caught.value.field == "valid_from"


def test_what_is_wrong_is_not_published(desk: Desk, cast: Cast, now: datetime) -> None:
    for told, more, field in (
        (form(desk, cast, now), {"reason": " "}, "reason"),
        (form(desk, cast, now), {"reason": "\x00"}, "reason"),
        (form(desk, cast, now, "levels/P3/limits/2/within", "3 h"), {}, "levels.P3.limits[2].within"),
        ({}, {}, "ladders"),
    ):
        with pytest.raises((InvalidInput, InvalidPolicy)) as caught:
            publish(desk, cast, told, now, **more)
        assert caught.value.field == field
    assert len(policies.versions(desk, cast.admin, now)["items"]) == 1


# ---------------------------------------------------------------- the last 90 days


def test_a_dry_run_says_what_would_have_been_broken_and_writes_nothing(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "STEP", 2)
    for minutes in (9, 11, 13):
        act(desk, cast.crew_a, dispatched(desk, now), Verb.ACCEPT, now + timedelta(minutes=minutes))
    later = now + timedelta(minutes=20)
    escalation.sweep(desk, later)
    told = form(desk, cast, now, "levels/P2/limits/0/within", "12 min")
    before = _everything(desk)
    first = policies.try_on_the_past(desk, cast.admin, told, 0, later)
    assert (first["total"], first["tickets"]) == (3, 2)
    second = policies.try_on_the_past(desk, cast.admin, told, first["next"], later)
    assert (second["total"], second["tickets"], second["next"]) == (None, 1, None)
    assert (first["before"] + second["before"], first["after"] + second["after"]) == (2, 1)
    (row,) = [row for row in second["rows"] if row["clock"] == "ack"]
    assert row == {"level": "P2", "clock": "ack", "label": "接单", "before": 1, "after": 1}
    assert _everything(desk) == before
    # What is older than 90 days is not asked.
    assert policies.try_on_the_past(desk, cast.admin, told, 0, later + policies.PAST)["tickets"] == 0
    with pytest.raises(InvalidPolicy):
        policies.try_on_the_past(desk, cast.admin, {}, 0, later)


def _everything(desk: Desk) -> list[int]:
    with desk.store.read() as tx:
        tables = ("policies", "tickets", "clocks", "events", "outbox", "audit")
        return [int(tx.conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in tables]


def test_a_level_is_changed_on_the_database_and_its_steps_still_fire_once(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    minute = timedelta(minutes=1)
    number = dispatched(desk, now, category="pressure")
    act(desk, cast.crew_a, number, Verb.ACCEPT, now + minute)
    escalation.sweep(desk, now + 195 * minute)  # 80 % of four hours
    shown = act(desk, cast.dispatcher, number, Verb.RELEVEL, now + 200 * minute, level="P1", note="路面塌陷")
    arrive = next(clock for clock in shown["clocks"] if clock["kind"] == "arrive")
    assert (shown["level"], arrive["due_at"]) == ("P1", (now + 230 * minute).isoformat())
    told = board.ticket(desk, cast.dispatcher, number, now)["timeline"][-1]["text"]
    assert "P3 一般 → P1 特急" in told
    escalation.sweep(desk, now + 231 * minute)
    escalation.sweep(desk, now + 231 * minute)
    with desk.store.read() as tx:
        steps = tx.conn.execute(text("SELECT step, ratio FROM escalations WHERE clock = 'arrive' ORDER BY step")).all()
    assert [tuple(step) for step in steps] == [(0, 0.8), (1, 0.5), (2, 0.8), (3, 1.0)]
