"""In a surge each person gets one digest a period in place of a flood, on both databases: each step in exactly one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from dispatch.domain.errors import NotFound
from dispatch.domain.roles import Actor
from dispatch.services import alerts, board, escalation, messages, recipients, surge
from dispatch.services.desk import Desk
from dispatch.services.messages import Sms
from dispatch.storage import health, surges
from dispatch.storage.digests import ITEMS
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.messages import MESSAGES, USERS, actor_of
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, dispatched
from tests.support.night import PHONES, around_the_clock, set_up
from tests.support.rosters import LEAD_POST
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)
ACCEPT, ARRIVE = 30 * MINUTE, 240 * MINUTE  # of a P3 ticket


@pytest.fixture
def crowded(desk: Desk, cast: Cast, now: datetime) -> Desk:
    """A desk that sends SMS, everybody on duty, the leader as B of the area lead; a surge that was begun by hand."""
    reachable = Desk(desk.store, replace(desk.settings, sms_gateway="aliyun", public_url="https://dispatch.example"))
    told = around_the_clock()
    second = next(one for one in told["members"] if one["unit"] == LEAD_POST)
    told["members"].append({**second, "person": "chief", "rank": "B"})
    set_up(reachable, now, told)
    surge.enter(reachable, cast.supervisor, "寒潮", {}, now)
    return reachable


def flood(desk: Desk, now: datetime, count: int = 6) -> list[str]:
    return [dispatched(desk, now, category="pressure") for _ in range(count)]


def notices(desk: Desk) -> list[Any]:
    """What was queued for people: (recipients, text, key, ticket_id), in order."""
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(OUTBOX).where(OUTBOX.c.channel == "people").order_by(OUTBOX.c.id)).all()
    return [row for row in rows if row.recipients[0].startswith("user:")]


def digests_of(desk: Desk, login: str) -> list[Any]:
    mine = [row for row in notices(desk) if row.recipients == [f"user:{login}"]]
    return [row for row in mine if row.idempotency_key.startswith("digest:")]


def steps_told(desk: Desk) -> Counter[str]:
    """How many steps each person has on his page."""
    with desk.store.read() as tx:
        query = select(USERS.c.login).join(MESSAGES, USERS.c.id == MESSAGES.c.user_id)
        return Counter(tx.conn.execute(query.where(MESSAGES.c.step.is_not(None))).scalars())


def person(desk: Desk, login: str) -> Actor:
    with desk.store.read() as tx:
        row = tx.conn.execute(select(USERS, USERS.c.id.label("user_id")).where(USERS.c.login == login)).mappings().one()
    return actor_of(dict(row))


def look(desk: Desk, at: datetime) -> int:
    return surge.watch(desk, lambda: at).digests


def chase(desk: Desk, at: datetime) -> int:
    return alerts.chase(desk, lambda: at)


def assert_sound(desk: Desk) -> None:
    """Each step is in one digest, and each digest is kept and queued once for its person."""
    with desk.store.read() as tx:
        assert set(health.orphans(tx).values()) == {0}
        items = tx.conn.execute(select(ITEMS).where(ITEMS.c.recipient.startswith("user:"))).all()
        kept = tx.conn.execute(select(MESSAGES.c.key).where(MESSAGES.c.step.is_(None))).scalars().all()
    keys = {f"digest:{one.surge_id}:{one.digest}:{one.recipient}" for one in items}
    sent = [row.idempotency_key for row in notices(desk) if row.idempotency_key.startswith("digest:")]
    assert sorted(kept) == sorted(keys)
    assert sorted(sent) == sorted(f"{key}:people" for key in keys)


def test_the_area_lead_gets_one_digest_and_the_crew_each_message(crowded: Desk, cast: Cast, now: datetime) -> None:
    numbers = flood(crowded, now)
    escalation.sweep(crowded, now + ACCEPT)
    assert Counter(row.recipients[0] for row in notices(crowded)) == {"user:a.night": 6}
    escalation.sweep(crowded, now + ARRIVE)
    at = now + ARRIVE
    assert steps_told(crowded) == {"a.night": 6, "crew.a": 6, "area": 6}
    assert "user:area" not in {row.recipients[0] for row in notices(crowded)}
    area = person(crowded, "area")
    waiting = messages.mine(crowded, area, 0, 50)["items"]
    assert [one["gathered"] for one in waiting] == [{"at": None}] * 6
    assert look(crowded, at) == 3  # he, and two audiences
    (digest,) = digests_of(crowded, "area")
    assert "升级 6 步, 工单 6 张: 到场 100% 到场超时 6" in digest.text
    assert digest.text.endswith("/messages")
    assert look(crowded, at + 5 * MINUTE) == 0
    first, *steps = messages.mine(crowded, area, 0, 50)["items"]
    assert (first["text"], first["number"], first["gathered"]) == (digest.text, None, None)
    assert first["why"] == "大流量期间合成一条, 请逐条应答"
    assert {one["number"] for one in steps} == set(numbers)
    assert [one["gathered"] for one in steps] == [{"at": at.isoformat()}] * 6
    recipients.fan_out(crowded, at)
    first, *steps = messages.mine(crowded, area, 0, 50)["items"]
    assert [[way["way"] for way in one["ways"]] for one in (first, *steps)] == [["sms"]] * 7
    told = board.ticket(crowded, cast.supervisor, numbers[0], at)["timeline"][-1]["text"]
    assert "测试片区长 (全天 08:00-次日08:00, A角, 随汇总)" in told
    assert_sound(crowded)


def test_the_next_one_is_gathered_too_and_has_his_time_from_the_digest_on(crowded: Desk, now: datetime) -> None:
    flood(crowded, now, 3)
    escalation.sweep(crowded, now + ARRIVE)
    with crowded.store.read() as tx:
        asked = set(tx.conn.execute(select(ESCALATIONS.c.ask_at).where(ESCALATIONS.c.label == "到场超时")).scalars())
    assert asked == {now + ARRIVE + 35 * MINUTE}
    at = now + ARRIVE + 35 * MINUTE
    chase(crowded, at - MINUTE)
    assert steps_told(crowded)["chief"] == 0
    chase(crowded, at)
    assert steps_told(crowded)["chief"] == 3
    look(crowded, at)
    assert len(digests_of(crowded, "chief")) == 1
    assert_sound(crowded)


def test_emergencies_are_never_gathered(crowded: Desk, now: datetime) -> None:
    number = dispatched(crowded, now, category="burst")
    escalation.sweep(crowded, now + 24 * MINUTE)  # 80 % of the arrival: his audience waits for its digest, he does not
    texts = [row.text for row in notices(crowded) if row.recipients == ["user:area"]]
    assert [text.partition("。")[0] for text in texts] == [f"{number} 到场时限已用 80%: 仍可挽回"]
    look(crowded, now + 24 * MINUTE)
    assert digests_of(crowded, "area") == []
    assert [one["gathered"] for one in messages.mine(crowded, person(crowded, "area"), 0, 9)["items"]] == [None]


def test_a_digest_is_as_urgent_as_the_most_urgent_ticket_in_it(crowded: Desk, now: datetime) -> None:
    flood(crowded, now, 1)
    escalation.sweep(crowded, now + ARRIVE)
    look(crowded, now + ARRIVE)
    urgent = dispatched(crowded, now + ARRIVE, category="no_water")
    flood(crowded, now + 5 * MINUTE, 1)
    escalation.sweep(crowded, now + ARRIVE + 24 * MINUTE)
    look(crowded, now + ARRIVE + 24 * MINUTE)
    calm, pressing = digests_of(crowded, "area")
    assert calm.ticket_id is None  # it may wait for the morning
    assert urgent in pressing.text
    with crowded.store.read() as tx:
        assert recipients.emergencies(tx, crowded, {pressing.ticket_id}) == {pressing.ticket_id}


def test_a_reply_answers_nothing_that_came_in_a_digest(crowded: Desk, cast: Cast, now: datetime) -> None:
    (number,) = flood(crowded, now, 1)
    escalation.sweep(crowded, now + ARRIVE)
    at = now + ARRIVE + MINUTE
    look(crowded, at)
    for text in ("1", f"1 {number[-6:]}"):
        with pytest.raises(NotFound):
            messages.answer_by_sms(crowded, cast.integration, Sms(PHONES["area"], text, at), at)


def test_who_has_left_and_who_has_no_way_are_told_nothing(crowded: Desk, desk: Desk, now: datetime) -> None:
    flood(crowded, now, 1)
    escalation.sweep(crowded, now + ARRIVE)
    with crowded.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "area").values(is_active=False))
    look(crowded, now + ARRIVE)
    assert digests_of(crowded, "area") == []
    # Without a gateway there is his page alone.
    flood(desk, now + 5 * MINUTE, 1)
    with crowded.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "area").values(is_active=True))
    escalation.sweep(desk, now + ARRIVE + 5 * MINUTE)
    look(desk, now + ARRIVE + 5 * MINUTE)
    assert digests_of(desk, "area") == []
    newest = messages.mine(desk, person(desk, "area"), 0, 1)["items"][0]
    assert newest["text"].startswith("大流量汇总")


class PowerCut(BaseException):
    """Nothing of the process is left to handle it."""


def test_a_crash_before_the_commit_loses_and_doubles_nothing(
    crowded: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood(crowded, now, 2)
    escalation.sweep(crowded, now + ARRIVE)

    def crash(*_: object, **__: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched:
        patched.setattr(surges, "note", crash)
        with pytest.raises(PowerCut):
            look(crowded, now + ARRIVE)
    assert digests_of(crowded, "area") == []
    assert messages.mine(crowded, person(crowded, "area"), 0, 9)["items"][0]["gathered"] == {"at": None}
    look(crowded, now + ARRIVE)
    assert len(digests_of(crowded, "area")) == 1
    assert_sound(crowded)


def test_many_schedulers_at_once(crowded: Desk, cast: Cast, url: str, now: datetime) -> None:
    flood(crowded, now, 15)
    others = [crowded, *(Desk(open_desk(url).store, crowded.settings) for _ in range(2))]
    for minute in (30, 200, 240, 275, 310, 480):
        at = now + minute * MINUTE
        jobs: list[Any] = [partial(escalation.sweep, one, at) for one in others]
        jobs += [partial(chase, one, at) for one in others]
        jobs += [partial(look, one, at) for one in others]
        found = in_parallel(jobs)
        assert not [one for one in found if isinstance(one, Exception)], found
        escalation.sweep(crowded, at)  # what the others passed over
        chase(crowded, at)
    surge.leave(crowded, cast.supervisor, "回落", 1, now + 500 * MINUTE)
    told = steps_told(crowded)
    assert (told["area"], told["chief"], told["duty"]) == (15, 15, 15)
    assert 0 < len(digests_of(crowded, "area")) <= 6
    assert_sound(crowded)
    for one in others[1:]:
        one.store.close()


def test_a_surge_that_ends_sends_what_waits_and_then_each_message_comes_alone(
    crowded: Desk, cast: Cast, now: datetime
) -> None:
    flood(crowded, now, 2)
    escalation.sweep(crowded, now + ARRIVE)
    surge.leave(crowded, cast.supervisor, "回落", 1, now + ARRIVE)
    assert len(digests_of(crowded, "area")) == 1
    flood(crowded, now + MINUTE, 1)
    escalation.sweep(crowded, now + ARRIVE + MINUTE)
    assert len([row for row in notices(crowded) if row.recipients == ["user:area"]]) == 2
    assert_sound(crowded)
