"""How long to wait, which passwords will do, how long a session lives, what is asked after the password."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Role
from dispatch.domain.signin import (
    LONGEST,
    Standing,
    TooManyAttempts,
    account_wait_s,
    address_wait_s,
    check_password,
    is_alive,
    normal,
    standing,
    wait_text,
)

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)


def failures(count: int, every_s: float = 0) -> list[datetime]:
    return [NOW - timedelta(seconds=every_s * n) for n in reversed(range(count))]


@pytest.mark.parametrize(
    ("count", "wait_s"), [(0, 0), (1, 0), (4, 0), (5, 32), (6, 64), (7, 128), (8, 256), (9, 512), (10, 900), (99, 900)]
)
def test_each_failure_from_the_fifth_on_doubles_the_wait(count: int, wait_s: int) -> None:
    assert account_wait_s(failures(count), NOW) == wait_s


def test_a_wait_runs_out_and_is_rounded_up() -> None:
    five = failures(5)
    assert account_wait_s(five, NOW + timedelta(seconds=31.2)) == 1
    assert account_wait_s(five, NOW + timedelta(seconds=32)) == 0
    assert account_wait_s(five, NOW + timedelta(days=1)) == 0


def test_after_an_hour_of_quiet_failures_are_forgotten() -> None:
    assert account_wait_s([NOW - timedelta(minutes=61)] * 9 + [NOW], NOW) == 0


@given(st.integers(0, 200), st.floats(0, 600))
def test_no_wait_is_longer_than_a_quarter_of_an_hour(count: int, every_s: float) -> None:
    assert 0 <= account_wait_s(failures(count, every_s), NOW) <= 900
    assert 0 <= address_wait_s(failures(count, every_s), NOW) <= 900


def test_an_address_has_fifty_in_a_quarter() -> None:
    assert address_wait_s(failures(49, 1), NOW) == 0
    assert address_wait_s(failures(50, 1), NOW) == 15 * 60 - 49
    assert address_wait_s(failures(50, 30), NOW) == 0


def test_the_error_says_how_long() -> None:
    error = TooManyAttempts(32)
    assert (error.status, error.extra) == (429, {"retry_after_s": 32})
    assert "32 秒" in error.detail
    told = {1: "1 秒", 119: "119 秒", 120: "2 分钟", 121: "3 分钟", 900: "15 分钟"}
    assert {wait_s: wait_text(wait_s) for wait_s in told} == told


@pytest.mark.parametrize(
    "password", ["湘江北去橘子洲头看万山红遍", "correct horse battery", "Aa1!Aa1!b2", "x" * 124 + "abcd"]
)
def test_these_passwords_will_do(password: str) -> None:
    check_password(password, login="agent")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "至少 10 个字符"),
        ("", "至少 10 个字符"),
        ("x" * 125 + "abcd", "最多 128 个字符"),
        ("my name is AGENT", "不能包含登录名"),
        ("Password123", "太常见"),
        ("aaaaabbbbb", "5 个不同的字符"),
        ("abc\x00defghijk", "控制字符"),
    ],
)
def test_these_will_not(password: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        check_password(password, login="agent")
    assert caught.value.field == "password"


def test_before_a_login_is_chosen_none_is_contained() -> None:
    check_password("correct horse battery", login="")


def test_the_same_password_however_it_is_composed() -> None:
    assert normal("cafe\u0301 Ａ") == normal("caf\u00e9 A")


def test_a_session_ends_unused_or_a_day_old() -> None:
    idle_s, begun = 3600, NOW - timedelta(hours=20)
    assert is_alive(begun, NOW - timedelta(seconds=3599), idle_s, NOW)
    assert not is_alive(begun, NOW - timedelta(seconds=3600), idle_s, NOW)
    assert not is_alive(NOW - LONGEST, NOW, idle_s, NOW)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("admin_needs_one", [False, True])
def test_what_is_asked_after_the_password(role: Role, admin_needs_one: bool) -> None:
    assert standing(role, has_factor=True, admin_needs_one=admin_needs_one) is Standing.VERIFY
    without = standing(role, has_factor=False, admin_needs_one=admin_needs_one)
    assert without is (Standing.ENROL if role is Role.ADMIN and admin_needs_one else Standing.FULL)
