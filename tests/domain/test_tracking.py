"""What a caller may see: the token, the end of a phone number, an address without its room, five steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.states import Status
from dispatch.domain.tracking import STEPS, hide_room, is_end_of, is_token, number_as_typed, reached, step_of, token

NUMBER = "GD20261124-000123"
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)


def test_a_token_opens_its_own_ticket_alone() -> None:
    made = token("secret", NUMBER)
    assert len(made) == 43  # 256 bits
    assert is_token("secret", NUMBER, made)
    assert not is_token("secret", "GD20261124-000124", made)
    assert not is_token("another", NUMBER, made)
    assert not is_token("secret", NUMBER, made[:-1])
    assert not is_token("secret", NUMBER, "三\ud800")


def test_the_last_four_digits_of_any_caller_will_do() -> None:
    phones = ["13000000001", None, "073184960000", "110"]
    assert is_end_of(phones, "0001")
    assert is_end_of(phones, "0000")
    assert not is_end_of(phones, "0002")
    assert not is_end_of([], "0001")
    assert not is_end_of([None, "110"], "0110")


@pytest.mark.parametrize("typed", ["gd20261124-000123", " ＧＤ20261124－000123\n", NUMBER])
def test_a_number_may_be_typed_as_one_likes(typed: str) -> None:
    assert number_as_typed(typed) == NUMBER


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("天心区坡子街 12 号", "天心区坡子街 12 号"),
        ("天心区坡子街 12 号 3 栋 2 单元 501 室", "天心区坡子街 12 号…"),
        ("阳光小区 3 栋 501", "阳光小区 3 栋…"),
        ("阳光小区三栋五零一", "阳光小区三栋…"),
        ("阳光小区A座1203", "阳光小区A座…"),
        ("阳光小区二单元五零一室", "阳光小区…"),
        ("阳光小区五零一室", "阳光小区…"),
        ("阳光小区 3-2-501", "阳光小区…"),
        ("阳光小区 3－501号", "阳光小区…"),
        ("阳光小区 501", "阳光小区…"),
        ("阳光小区12楼 5号", "阳光小区…"),
        ("五一广场地铁口", "五一广场地铁口"),
        ("五一大道８８号门口", "五一大道88号…"),
        ("501", "…"),
        ("", ""),
    ],
)
def test_an_address_ends_at_the_house(address: str, shown: str) -> None:
    assert hide_room(address) == shown


def test_every_state_has_a_step_or_has_left_the_way() -> None:
    assert [step_of(status) for status in STEPS] == [0, 1, 2, 3, 4]
    assert {status for status in Status if step_of(status) is None} == {Status.MERGED, Status.CANCELLED}


def walk(*statuses: Status) -> list[int | None]:
    """When each step was reached, in minutes, of states that follow each other minute by minute."""
    times = reached((status, NOW + timedelta(minutes=n)) for n, status in enumerate(statuses))
    return [None if at is None else (at - NOW) // timedelta(minutes=1) for at in times]


S = Status


@pytest.mark.parametrize(
    ("statuses", "minutes"),
    [
        ((), [None] * 5),
        ((S.RECEIVED, S.DISPATCHED), [0, 1, None, None, None]),
        ((S.RECEIVED, S.DISPATCHED, S.ACCEPTED, S.EN_ROUTE, S.ON_SITE, S.WORKING, S.DONE, S.CLOSED), [0, 1, 3, 4, 6]),
        ((S.RECEIVED, S.DISPATCHED, S.ACCEPTED, S.ON_SITE), [0, 1, None, 3, None]),
        ((S.RECEIVED, S.DISPATCHED, S.RETURNED), [0, None, None, None, None]),
        ((S.RECEIVED, S.DISPATCHED, S.RETURNED, S.DISPATCHED), [0, 3, None, None, None]),
        ((S.RECEIVED, S.DISPATCHED, S.EN_ROUTE, S.ON_SITE, S.DONE, S.DISPATCHED), [0, 5, None, None, None]),
        ((S.RECEIVED, S.DISPATCHED, S.CANCELLED), [0, 1, None, None, None]),
        ((S.DISPATCHED, S.RETURNED), [1, None, None, None, None]),
    ],
)
def test_when_each_step_was_reached(statuses: tuple[Status, ...], minutes: list[int | None]) -> None:
    assert walk(*statuses) == minutes
