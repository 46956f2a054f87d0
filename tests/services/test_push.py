"""Crews subscribe, a notice about their ticket reaches their browsers and nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.settings import Settings
from dispatch.domain.states import Verb
from dispatch.notify import webpush
from dispatch.notify.port import Parcel
from dispatch.notify.webpush import WebPush
from dispatch.services import push
from dispatch.services.delivery import deliver
from dispatch.services.desk import Desk
from dispatch.services.push import Browsers
from dispatch.storage import push as rows
from dispatch.storage.db import Store
from tests.support.cast import TEAM_A, TEAM_B, Cast, act, call, dispatched
from tests.support.push_service import Phone, push_service

ENDPOINT = "https://push.example.net/send/{}"
KEY = webpush.make_key()


@pytest.fixture
def desk(store: Store, url: str) -> Desk:
    """A desk with Web Push switched on."""
    return Desk(store, Settings(database_url=url, push_key=KEY, push_contact="mailto:it@example.cn"))


def known(desk: Desk, *teams: str) -> list[str]:
    with desk.store.read() as tx:
        return [row["endpoint"] for row in rows.of_teams(tx, teams)]


def test_the_key_is_told_where_there_is_one(desk: Desk, store: Store, url: str) -> None:
    assert push.public_key(desk) == webpush.public_key(KEY)
    assert push.public_key(Desk(store, Settings(database_url=url))) is None


def test_a_browser_is_kept_once_and_changes_hands(desk: Desk, cast: Cast, now: datetime) -> None:
    told = Phone().at(ENDPOINT.format("a"))
    for _ in range(2):
        push.subscribe(desk, cast.crew_a, told, now)
    assert known(desk, TEAM_A) == [told.endpoint]
    push.unsubscribe(desk, cast.crew_b, told.endpoint, now)  # not theirs
    assert known(desk, TEAM_A) == [told.endpoint]
    push.subscribe(desk, cast.crew_b, told, now)
    assert (known(desk, TEAM_A), known(desk, TEAM_B)) == ([], [told.endpoint])
    push.unsubscribe(desk, cast.crew_b, told.endpoint, now)
    assert known(desk, TEAM_A, TEAM_B) == []


def test_of_one_person_the_newest_ten_are_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    for n in range(12):
        push.subscribe(desk, cast.crew_a, Phone().at(ENDPOINT.format(n)), now + timedelta(seconds=n))
    push.subscribe(desk, cast.lead_a, Phone().at(ENDPOINT.format("lead")), now)
    assert known(desk, TEAM_A) == [ENDPOINT.format(n) for n in (*range(2, 12), "lead")]


def test_what_is_no_subscription(desk: Desk, cast: Cast, now: datetime) -> None:
    told = Phone().at(ENDPOINT.format("a"))
    for wrong in (
        replace(told, endpoint="https://127.0.0.1/x"),
        replace(told, p256dh="AAAA"),
        replace(told, p256dh="ä"),
        replace(told, auth="AAAA"),
    ):
        with pytest.raises(InvalidInput):
            push.subscribe(desk, cast.crew_a, wrong, now)
    for actor in (cast.agent, cast.dispatcher, cast.auditor):
        with pytest.raises(NotPermitted):
            push.subscribe(desk, actor, told, now)
        with pytest.raises(NotPermitted):
            push.unsubscribe(desk, actor, told.endpoint, now)


@pytest.mark.network
def test_a_new_ticket_rings_the_phones_of_its_team(desk: Desk, cast: Cast, now: datetime) -> None:
    phones = {"a": Phone(), "b": Phone(), "gone": Phone()}
    with push_service() as service:
        service.answers = {"/gone": [410]}
        with desk.store.write() as tx:  # no check lets an address on this machine in
            for name, user in (("a", cast.crew_a), ("b", cast.crew_b), ("gone", cast.lead_a)):
                told = phones[name].at(f"{service.origin}/{name}")
                row = {"endpoint": told.endpoint, "p256dh": told.p256dh, "auth": told.auth}
                rows.put(tx, {"user_id": user.user_id, "created_at": now, **row}, 10)
        number = dispatched(desk, now)
        channels = {"webpush": WebPush(KEY, "mailto:it@example.cn", Browsers(desk))}
        assert deliver(desk, channels, lambda: now).sent == 1
        assert sorted(path for path, *_ in service.got) == ["/a", "/gone"]
        assert known(desk, TEAM_A) == [f"{service.origin}/a"]
        read = json.loads(phones["a"].read(service.got[0][2]))
        assert (read["number"], read["url"], read["title"]) == (number, "/crew", f"紧急 {number}")
        assert service.got[0][1]["urgency"] == "high"
        call(desk, cast.agent, now, attach_to=number, description="回电13000000001")
        act(desk, cast.dispatcher, number, Verb.URGE, now)
        assert deliver(desk, channels, lambda: now).sent == 2
        told_ = [json.loads(phones["a"].read(body))["body"] for _, _, body in service.got[2:]]
        assert any("又有来电: 回电***" in line for line in told_)


def test_a_notice_of_no_ticket_and_one_for_no_crew(desk: Desk, cast: Cast, now: datetime) -> None:
    push.subscribe(desk, cast.crew_a, Phone().at(ENDPOINT.format("a")), now)
    book = Browsers(desk)
    letter = book.open(Parcel(99, (f"backup:{TEAM_A}",), "演练", "k", now))
    assert json.loads(letter.payload) == {"title": "96533", "body": "演练", "number": None, "url": "/crew"}
    assert (len(letter.subscriptions), letter.is_urgent) == (1, False)
    assert book.open(Parcel(99, ("dispatcher", "branch_duty:城南"), "演练", "k", now)).subscriptions == []
