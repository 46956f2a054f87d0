"""From an audience to people: each of them once by each of his ways; in doubt, a gateway is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.contact import Contact, Way
from dispatch.notify.port import Channel, DeliveryError, Parcel, Taken, Unanswered
from dispatch.notify.sms import Sms, Wording
from dispatch.notify.sms_aliyun import Aliyun
from dispatch.services import contacts as contact_service
from dispatch.services import delivery, recipients
from dispatch.services.delivery import LEASE_S, MAX_ATTEMPTS, Delivered, deliver
from dispatch.services.desk import Desk
from dispatch.services.recipients import Mentions, fan_out
from dispatch.storage import contacts, outbox, sendings
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.sendings import SENDINGS
from tests.support import sms_gateways
from tests.support.cast import Cast, Spy, dispatched
from tests.support.sms_gateways import KEY_ID, LOST, LOST_UNTAKEN, SECRET, SIGN, Gateway
from tests.support.store import in_parallel

PHONE_A, PHONE_B = "13000000002", "13000000003"


@pytest.fixture
def reachable(desk: Desk, cast: Cast, now: datetime) -> Desk:
    """A desk with all ways, crew A with all addresses, crew B with a telephone."""
    settings = replace(desk.settings, sms_gateway="aliyun", wecom_secret="x", smtp_host="127.0.0.1")
    with desk.store.write() as tx:
        contacts.put(tx, cast.crew_a.user_id, Contact(PHONE_A, "jia@example.cn", "jia"), now)
        contacts.put(tx, cast.crew_b.user_id, Contact(PHONE_B), now)
    return Desk(desk.store, settings)


def queue(desk: Desk, now: datetime, *to: str, key: str = "k", ticket_id: int | None = None) -> None:
    with desk.store.write() as tx:
        outbox.put(tx, outbox.rows_to(to, f"通知 {key}", key, now, desk.channels, ticket_id))


def rows(desk: Desk, channel: str | None = None) -> list[dict[str, Any]]:
    with desk.store.read() as tx:
        query = select(OUTBOX).order_by(OUTBOX.c.id)
        found = [dict(row) for row in tx.conn.execute(query).mappings()]
    return [row for row in found if channel in (None, row["channel"])]


def test_each_person_is_told_by_each_of_his_ways(reachable: Desk, now: datetime) -> None:
    queue(reachable, now, "user:crew.a", "user:crew.b", "user:nobody", "dispatcher")
    later = now + timedelta(seconds=1)
    assert fan_out(reachable, later) == 4
    made = [row for row in rows(reachable) if row["channel"] not in ("console", "people")]
    assert [(row["channel"], row["recipients"], row["text"]) for row in made] == [
        ("sms", [f"sms:{PHONE_A}", "user:crew.a"], "通知 k"),
        ("wecom", ["wecom:jia", "user:crew.a"], "通知 k"),
        ("email", ["email:jia@example.cn", "user:crew.a"], "通知 k"),
        ("sms", [f"sms:{PHONE_B}", "user:crew.b"], "通知 k"),
    ]
    assert {(row["state"], row["created_at"], row["next_try_at"]) for row in made} == {("queued", now, later)}
    assert [row["state"] for row in rows(reachable, "people")] == ["sent"]
    assert fan_out(reachable, later) == 0


def test_roles_alone_are_no_people(reachable: Desk, now: datetime) -> None:
    queue(reachable, now, "dispatcher", "crew:tianxin-03")
    assert [row["channel"] for row in rows(reachable)] == ["console"]


def test_where_no_way_is_on_all_is_as_before(desk: Desk, now: datetime) -> None:
    queue(desk, now, "user:crew.a")
    assert [row["channel"] for row in rows(desk)] == ["console"]
    assert fan_out(desk, now) == 0


def test_two_schedulers_queue_each_row_once(reachable: Desk, now: datetime) -> None:
    for n in range(30):
        queue(reachable, now, "user:crew.b", key=f"k{n}")
    done = in_parallel([lambda: fan_out(reachable, now)] * 3)
    assert sum(one for one in done if isinstance(one, int)) == 30
    assert len(rows(reachable, "sms")) == 30


def test_another_scheduler_may_be_faster(reachable: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(reachable, now, "user:crew.b")
    due = [now, None]
    monkeypatch.setattr(outbox, "next_try", lambda *_: due.pop(0))
    monkeypatch.setattr(outbox, "lease", lambda *_: [])
    assert fan_out(reachable, now) == 0


def test_a_choice_closes_a_way_but_not_the_floor_of_an_emergency(reachable: Desk, cast: Cast, now: datetime) -> None:
    off = {way.value: False for way in Way}
    with reachable.store.write() as tx:
        contacts.choose(tx, cast.crew_a.user_id, off)
        contacts.choose(tx, cast.crew_a.user_id, off | {"email": True})
    for category in ("burst", "billing"):
        number = dispatched(reachable, now, category=category, address=f"坡子街 {category}")
        with reachable.store.read() as tx:
            ticket_id = tx.conn.execute(
                select(contacts.TICKETS.c.id).where(contacts.TICKETS.c.number == number)
            ).scalar()
        queue(reachable, now, "user:crew.a", key=category, ticket_id=ticket_id)
    fan_out(reachable, now)
    keys = sorted(row["idempotency_key"] for row in rows(reachable) if row["channel"] in tuple(Way))
    person = cast.crew_a.user_id
    assert keys == [f"billing:email:{person}", f"burst:email:{person}", f"burst:sms:{person}"]


def test_quiet_hours_put_off_all_but_emergencies(reachable: Desk, cast: Cast, now: datetime) -> None:
    """It is 10:00 in Changsha."""
    contact_service.choose(reachable, cast.crew_b, "crew.b", ["sms"], now, ("09:00", "10:30"))
    for category in ("burst", "billing"):
        number = dispatched(reachable, now, category=category, address=f"坡子街 {category}")
        with reachable.store.read() as tx:
            row = tx.conn.execute(select(contacts.TICKETS.c.id).where(contacts.TICKETS.c.number == number))
            ticket_id = row.scalar()
        queue(reachable, now, "user:crew.b", key=category, ticket_id=ticket_id)
    fan_out(reachable, now)
    due = {row["text"]: row["next_try_at"] for row in rows(reachable, "sms")}
    assert due == {"通知 burst": now, "通知 billing": now + timedelta(minutes=30)}


def test_callers_are_told_where_there_is_a_template_for_them(reachable: Desk, now: datetime) -> None:
    queue(reachable, now, f"sms:{PHONE_B}", key="without")
    fan_out(reachable, now)
    assert rows(reachable, "sms") == []
    with_callers = Desk(reachable.store, replace(reachable.settings, sms_caller_template="SMS_2"))
    queue(with_callers, now, f"sms:+86{PHONE_B}", key="with")
    queue(with_callers, now, "sms:073188665533", key="fixed")
    fan_out(with_callers, now)
    (row,) = rows(reachable, "sms")
    assert (row["recipients"], row["idempotency_key"]) == ([f"sms:{PHONE_B}"], "with:sms")


def test_a_group_robot_mentions_who_is_named_and_has_a_telephone(reachable: Desk, now: datetime) -> None:
    book = Mentions(reachable)
    assert book.phones(("dispatcher", "crew:tianxin-03")) == []
    assert book.phones(("user:crew.b", "user:agent", "user:nobody", "user:crew.a")) == [PHONE_B, PHONE_A]


# ---------------------------------------------------------------- in doubt


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with sms_gateways.gateway("aliyun") as server:
        yield server


def sms_of(server: Gateway) -> dict[str, Channel]:
    return {"sms": Sms(Aliyun(KEY_ID, SECRET, SIGN, server.url), Wording(SIGN, "SMS_1", None, 35))}


@pytest.mark.network
def test_a_gateway_that_times_out_after_accepting_makes_one_message(
    reachable: Desk, now: datetime, gateway: Gateway
) -> None:
    queue(reachable, now, "user:crew.b")
    fan_out(reachable, now)
    gateway.answers = [LOST]
    assert deliver(reachable, sms_of(gateway), lambda: now) == Delivered(unknown=1)
    (row,) = rows(reachable, "sms")
    assert (row["state"], row["tried_at"], row["error"]) == ("unknown", now, "ProtocolError")
    # A second scheduler, a moment later: it asks, and finds it.
    later = now + timedelta(seconds=5)
    assert deliver(reachable, sms_of(gateway), lambda: later) == Delivered(sent=1)
    assert len(gateway.carried) == 1
    assert gateway.asked == ["SendSms", "QuerySendDetails"]
    (row,) = rows(reachable, "sms")
    assert (row["state"], row["tried_at"], row["sent_at"]) == ("sent", None, later)
    with reachable.store.read() as tx:
        (kept,) = tx.conn.execute(select(SENDINGS)).mappings()
    assert (kept["address"], kept["parts"], kept["state"]) == (PHONE_B, 1, "accepted")


@pytest.mark.network
def test_a_sender_killed_between_send_and_mark_leaves_one_message(
    reachable: Desk, now: datetime, gateway: Gateway
) -> None:
    queue(reachable, now, "user:crew.b")
    fan_out(reachable, now)
    honest = sms_of(gateway)["sms"]

    class Killed:
        def send(self, parcel: Parcel, now: datetime) -> Taken | None:
            honest.send(parcel, now)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(reachable, {"sms": Killed()}, lambda: now)
    later = now + timedelta(seconds=LEASE_S)
    assert deliver(reachable, {"sms": honest}, lambda: later) == Delivered(sent=1)
    assert len(gateway.carried) == 1


@pytest.mark.network
def test_what_was_surely_not_taken_is_sent_after_all(reachable: Desk, now: datetime, gateway: Gateway) -> None:
    queue(reachable, now, "user:crew.b")
    fan_out(reachable, now)
    gateway.answers = [LOST_UNTAKEN]
    clock = [now]
    done = Delivered()
    for seconds in (0, 10, 150, 200):
        clock[0] = now + timedelta(seconds=seconds)
        more = deliver(reachable, sms_of(gateway), lambda: clock[0])
        done.sent, done.unknown, done.retried = (
            done.sent + more.sent,
            done.unknown + more.unknown,
            done.retried + more.retried,
        )
    assert (done.unknown, done.retried, done.sent) == (2, 1, 1)
    assert len(gateway.carried) == 1
    with reachable.store.read() as tx:
        assert tx.conn.execute(select(SENDINGS.c.reference)).scalar() == "900001^0"


def test_a_throttled_message_waits_as_long_as_it_is_told(reachable: Desk, now: datetime) -> None:
    queue(reachable, now, "user:crew.b")
    fan_out(reachable, now)
    throttled = Spy([DeliveryError("isv.BUSINESS_LIMIT_CONTROL", is_permanent=False, after_s=60)])
    assert deliver(reachable, {"sms": throttled}, lambda: now) == Delivered(retried=1)
    assert rows(reachable, "sms")[0]["next_try_at"] == now + timedelta(seconds=60)


def test_doubt_ends_some_time(reachable: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(reachable, now, "user:crew.b")
    fan_out(reachable, now)
    monkeypatch.setattr(delivery, "MAX_ATTEMPTS", 1)
    assert MAX_ATTEMPTS > 1
    assert deliver(reachable, {"sms": Spy([Unanswered("no answer")])}, lambda: now) == Delivered(failed=1)
    (row,) = rows(reachable, "sms")
    assert (row["state"], row["tried_at"], row["error"]) == ("failed", None, "no answer")


def test_what_was_not_begun_keeps_its_doubt(reachable: Desk, now: datetime) -> None:
    for key in ("a", "b"):
        queue(reachable, now, "user:crew.b", key=key)
    fan_out(reachable, now)
    assert deliver(reachable, {"sms": Spy([Unanswered("?"), Unanswered("?")])}, lambda: now) == Delivered(unknown=2)
    later = now + timedelta(seconds=10)
    with reachable.store.write() as tx:
        leased = outbox.lease(tx, ("sms",), later, LEASE_S, 1)
        outbox.release(tx, leased, later)
    assert [one.in_doubt_since for one in leased] == [now]
    assert [(row["state"], row["tried_at"]) for row in rows(reachable, "sms")] == [("unknown", now)] * 2
    with reachable.store.write() as tx:
        assert sendings.lease(tx, "sms", later, LEASE_S, 10) == []
    assert recipients.BATCH == 200
