"""Without a login: a report becomes one ticket, who knows its number and phone may follow it, guessing is limited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotFound
from dispatch.domain.limits import TooOften
from dispatch.domain.place import Gcj02Point, to_gcj02
from dispatch.domain.states import Status
from dispatch.domain.tracking import token
from dispatch.services import board, photos, public
from dispatch.services.desk import Desk
from dispatch.services.public import Report
from dispatch.storage.board import Filter
from tests.support.cast import CALLER_PHONE, TEAM_A, ZONE_A, Cast, call, spot, ticket_at
from tests.support.pictures import jpeg
from tests.support.store import in_parallel

SECRET = "a key of the tests that nobody else has"
HERE, THERE = "203.0.113.7", "203.0.113.8"
MINUTE = timedelta(minutes=1)


def place(desk: Desk, now: datetime) -> Gcj02Point:
    return to_gcj02(spot(desk, ZONE_A, now))


def report(desk: Desk, now: datetime, key: str = "k1", source: str = HERE, **changes: Any) -> dict[str, Any]:
    told = Report(
        category="leak",
        description="水表漏水",
        phone="13000000002",
        address="坡子街 12 号 3 栋 501",
        point=place(desk, now),
    )
    told = replace(told, **changes)
    return public.report(desk, SECRET, told, {"report": repr(told)}, key=key, address=source, now=now)


def numbers(desk: Desk, cast: Cast, now: datetime) -> list[str]:
    page = board.tickets(desk, cast.dispatcher, Filter(), text="", after=0, limit=50, now=now)
    return [item["number"] for item in page["items"]]


def test_a_report_is_a_call_of_the_page(desk: Desk, cast: Cast, now: datetime) -> None:
    told = report(desk, now)
    assert told == {"number": told["number"], "token": token(SECRET, told["number"]), "outage": None}
    ticket = board.ticket(desk, cast.dispatcher, told["number"], now)
    assert (ticket["team_id"], ticket["status"], ticket["rating"]) == (TEAM_A, "dispatched", None)
    assert ticket["calls"][0]["caller_phone"] == "130****0002"
    assert ticket["timeline"][0]["text"].startswith("公众网页 (接口) 受理来电")


def test_a_double_press_makes_one_ticket_and_counts_once(desk: Desk, cast: Cast, now: datetime) -> None:
    answers = in_parallel([lambda: report(desk, now)] * 4)
    assert [answer for answer in answers if answer == answers[0]] == answers
    for n in range(2, 6):
        report(desk, now, key=f"k{n}")
    with pytest.raises(TooOften):
        report(desk, now, key="k6")
    assert report(desk, now) == answers[0]  # an old key still gets its answer
    assert len(numbers(desk, cast, now)) == 5
    with pytest.raises(IdempotencyMismatch):
        report(desk, now, description="另一件事")


def test_the_sixth_report_of_an_hour_waits(desk: Desk, cast: Cast, now: datetime) -> None:
    for n in range(5):
        report(desk, now + n * MINUTE, key=f"k{n}")
    with pytest.raises(TooOften) as caught:
        report(desk, now + 30 * MINUTE, key="k6")
    assert caught.value.extra["retry_after_s"] == 30 * 60
    report(desk, now + 30 * MINUTE, key="k7", source=THERE)
    report(desk, now + 60 * MINUTE, key="k6")
    assert len(numbers(desk, cast, now)) == 7


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": "billing"}, "category"),  # nobody comes for it
        ({"category": "inquiry"}, "category"),
        ({"category": "moon"}, "category"),
        ({"phone": "110 or so"}, "caller_phone"),
        ({"address": " ", "point": None}, "location"),
        ({"description": "a\0"}, "description"),
    ],
)
def test_what_is_refused_counts_against_nobody(desk: Desk, now: datetime, changes: dict[str, Any], field: str) -> None:
    for n in range(6):
        with pytest.raises(InvalidInput) as caught:
            report(desk, now, key=f"k{n}", **changes)
        assert caught.value.field == field


def test_what_can_be_reported_needs_somebody_to_come(desk: Desk, now: datetime) -> None:
    offered = [item["id"] for item in public.categories(desk, now)]
    assert "leak" in offered
    assert "no_water" in offered
    assert not {"billing", "install", "inquiry"} & set(offered)


def look_up(desk: Desk, now: datetime, number: str, digits: str, address: str = HERE) -> dict[str, Any]:
    return public.look_up(desk, SECRET, number, digits, address=address, now=now)


def test_number_and_last_four_digits_open_a_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    number = report(desk, now)["number"]
    call(desk, cast.agent, now, attach_to=number)  # somebody else calls about it
    for digits in ("0002", CALLER_PHONE[-4:]):
        found = look_up(desk, now, f" {number.lower()}", digits)
        assert found == {"number": number, "token": token(SECRET, number)}
        public.check_token(SECRET, number, found["token"])
    with pytest.raises(NotFound):
        public.check_token(SECRET, number, token(SECRET, "GD20261124-999999"))


def test_a_wrong_pair_says_no_more_than_an_unknown_number(desk: Desk, now: datetime) -> None:
    number = report(desk, now)["number"]
    said = set()
    for wrong in (number, "GD20261124-999999", "x"):
        for _ in range(6):
            with pytest.raises(NotFound) as caught:
                look_up(desk, now, wrong, "9999")
            said.add((caught.value.detail, caught.value.field))
    assert len(said) == 1
    for _ in range(2):
        with pytest.raises(NotFound):
            look_up(desk, now, number, "9999")
    with pytest.raises(TooOften):  # 20 from one address
        look_up(desk, now, number, "0002")
    assert look_up(desk, now, number, "0002", THERE)["number"] == number


def test_a_number_is_guarded_from_everywhere(desk: Desk, now: datetime) -> None:
    number = report(desk, now)["number"]
    for n in range(10):
        assert look_up(desk, now, number, "0002", THERE)  # who is right is not counted
        with pytest.raises(NotFound):
            look_up(desk, now, number, "9999", f"198.51.100.{n}")
    for digits in ("0002", "9999"):
        with pytest.raises(TooOften):
            look_up(desk, now, number, digits, "198.51.100.99")
    assert look_up(desk, now + timedelta(hours=1), number, "0002")["number"] == number


def add_photo(desk: Desk, now: datetime, number: str, uuid: str, data: bytes) -> None:
    public.add_photo(desk, number, uuid, data, address=HERE, now=now)


def test_a_report_brings_three_photos_and_no_more(desk: Desk, cast: Cast, now: datetime) -> None:
    number, data = report(desk, now)["number"], jpeg(60, 40)
    for uuid in ("p1", "p2", "p3", "p1"):
        add_photo(desk, now, number, uuid, data)
    with pytest.raises(InvalidInput, match="最多 3 张"):
        add_photo(desk, now, number, "p4", data)
    kept = photos.of_ticket(desk, cast.crew_a, number)
    assert [(photo["uuid"], photo["stage"]) for photo in kept] == [("p1", "before"), ("p2", "before"), ("p3", "before")]
    with pytest.raises(InvalidInput):
        add_photo(desk, now, report(desk, now, key="k2")["number"], "p5", b"<script>")
    with pytest.raises(NotFound):
        add_photo(desk, now, "GD20261124-999999", "p6", data)
    with pytest.raises(InvalidInput, match="已结束"):
        add_photo(desk, now, ticket_at(desk, Status.CLOSED, now), "p7", data)
    for n in range(12):
        with pytest.raises(InvalidInput):
            add_photo(desk, now, number, f"q{n}", data)
    with pytest.raises(TooOften):
        add_photo(desk, now, number, "p1", data)
