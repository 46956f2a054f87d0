"""Where people are reached, what they choose, and what became of what was sent to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from dispatch.domain.contact import Contact, Way
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import SYSTEM
from dispatch.notify.port import DeliveryError, Parcel, Taken
from dispatch.notify.sms import Report, State
from dispatch.services import contacts, delivery, receipts, recipients
from dispatch.services.contacts import Choice
from dispatch.services.desk import Desk
from dispatch.services.receipts import PAUSES, UNHEARD
from dispatch.storage import outbox
from dispatch.storage.sendings import FIRST_ASK, SENDINGS
from tests.support.cast import Cast, Spy
from tests.support.store import in_parallel

PHONE = "13000000002"


@pytest.fixture
def reachable(desk: Desk, now: datetime) -> Desk:
    """A desk with SMS and e-mail, and crew A with a telephone."""
    with_ways = Desk(desk.store, replace(desk.settings, sms_gateway="aliyun", smtp_host="127.0.0.1"))
    contacts.put(with_ways, SYSTEM, "crew.a", phone=" 130-0000-0002", email="", wecom_id="", now=now)
    return with_ways


def test_an_address_replaces_what_was_known(reachable: Desk, now: datetime) -> None:
    told = contacts.put(reachable, SYSTEM, "crew.a", phone="", email="jia@example.cn", wecom_id="jia", now=now)
    assert told == Contact(None, "jia@example.cn", "jia")
    assert contacts.choices(reachable, "crew.a") == [
        Choice(Way.SMS, None, True, False),
        Choice(Way.EMAIL, "jia@example.cn", True, True),
    ]


def test_what_is_wrong_changes_nothing(reachable: Desk, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        contacts.put(reachable, SYSTEM, "crew.a", phone="88665533", email="", wecom_id="", now=now)
    with pytest.raises(NotFound):
        contacts.put(reachable, SYSTEM, "nobody", phone=PHONE, email="", wecom_id="", now=now)
    with pytest.raises(NotFound):
        contacts.choices(reachable, "nobody")
    assert contacts.choices(reachable, "crew.a")[0].address == PHONE


def test_a_choice_is_kept_and_can_be_taken_back(reachable: Desk, cast: Cast, now: datetime) -> None:
    contacts.choose(reachable, cast.crew_a, "crew.a", ["email"], now)
    assert [(one.way, one.is_on, one.is_floor) for one in contacts.choices(reachable, "crew.a")] == [
        (Way.SMS, False, True),
        (Way.EMAIL, True, False),
    ]
    contacts.choose(reachable, cast.crew_a, "crew.a", ["sms", "pigeon"], now)
    assert [one.is_on for one in contacts.choices(reachable, "crew.a")] == [True, False]


def test_a_test_takes_the_road_of_every_notice(reachable: Desk, cast: Cast, now: datetime) -> None:
    assert contacts.test(reachable, cast.admin, "crew.a", Way.SMS, now) == PHONE
    spy = Spy()
    assert delivery.deliver(reachable, {"sms": spy}, lambda: now).sent == 1
    assert spy.parcels[0].recipients == (f"sms:{PHONE}", "user:crew.a")
    for way, at_fault in ((Way.EMAIL, "login"), (Way.WECOM, "way")):
        with pytest.raises(InvalidInput) as caught:
            contacts.test(reachable, cast.admin, "crew.a", way, now)
        assert caught.value.field == at_fault


# ---------------------------------------------------------------- receipts


@dataclass
class Teller:
    """A gateway that tells what it is told to tell."""

    answers: list[list[Report] | Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, parcel: Parcel, now: datetime) -> Taken:
        return Taken(parcel.to("sms") or "", f"biz-{parcel.id}", 2)

    def receipts(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        self.asked.append(phone)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer


def send(desk: Desk, teller: Teller, now: datetime, key: str = "k") -> int:
    """Send one message to crew A; return its number in the outbox."""
    with desk.store.write() as tx:
        outbox.put(tx, outbox.rows_to(["user:crew.a"], "通知", key, now, ("people",)))
    recipients.fan_out(desk, now)
    assert delivery.deliver(desk, {"sms": teller}, lambda: now).sent == 1
    with desk.store.read() as tx:
        return int(tx.conn.execute(select(func.max(SENDINGS.c.outbox_id))).scalar_one())


def sending(desk: Desk, number: int) -> tuple[str, str, datetime | None]:
    with desk.store.read() as tx:
        row = tx.conn.execute(select(SENDINGS).where(SENDINGS.c.outbox_id == number)).one()
    return row.state, row.detail, row.ask_at


def test_a_receipt_is_asked_for_and_kept(reachable: Desk, cast: Cast, now: datetime) -> None:
    teller = Teller()
    number = send(reachable, teller, now)
    assert receipts.ask(reachable, "sms", teller, lambda: now) == 0
    due = now + FIRST_ASK
    key = f"k:sms:{cast.crew_a.user_id}"
    other = Report("else", "", State.DELIVERED, "")
    teller.answers = [[other, Report(key, "", State.UNDELIVERED, "MK:0001")]]
    assert receipts.ask(reachable, "sms", teller, lambda: due) == 1
    assert sending(reachable, number) == ("undelivered", "MK:0001", None)
    assert receipts.ask(reachable, "sms", teller, lambda: due + timedelta(days=9)) == 0
    assert teller.asked == [PHONE]


def test_a_receipt_without_our_key_is_known_by_the_gateways_number(reachable: Desk, now: datetime) -> None:
    teller = Teller()
    number = send(reachable, teller, now)
    teller.answers = [[Report("", f"biz-{number}", State.DELIVERED, "DELIVRD")]]
    assert receipts.ask(reachable, "sms", teller, lambda: now + FIRST_ASK) == 1
    assert sending(reachable, number) == ("delivered", "DELIVRD", None)


def test_without_a_receipt_it_is_asked_ever_more_seldom_and_then_no_more(reachable: Desk, now: datetime) -> None:
    teller = Teller(answers=[DeliveryError("away", is_permanent=False)])
    number = send(reachable, teller, now)
    at = now + FIRST_ASK
    for pause in PAUSES:
        assert receipts.ask(reachable, "sms", teller, lambda at=at: at) == 0  # type: ignore[misc]
        assert sending(reachable, number) == ("accepted", "", at + pause)
        at += pause
    waits = Report("", f"biz-{number}", State.ACCEPTED, "")
    teller.answers = [[waits]]
    assert receipts.ask(reachable, "sms", teller, lambda: at) == 0
    assert sending(reachable, number) == (UNHEARD, "", None)


def test_two_schedulers_ask_once(reachable: Desk, now: datetime) -> None:
    teller = Teller()
    send(reachable, teller, now)
    due = now + FIRST_ASK
    in_parallel([lambda: receipts.ask(reachable, "sms", teller, lambda: due)] * 3)
    assert teller.asked == [PHONE]


def test_the_month_is_counted_as_it_is_billed(reachable: Desk, now: datetime) -> None:
    teller = Teller()
    send(reachable, teller, now, "a")
    send(reachable, teller, now, "b")
    teller.answers = [[Report("", "biz-0", State.DELIVERED, "")]]
    told = [{"channel": "sms", "state": "accepted", "messages": 2, "parts": 4}]
    assert receipts.month(reachable, now) == told
    assert receipts.month(reachable, now + timedelta(days=30)) == []
