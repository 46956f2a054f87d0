"""One-time codes: switched on by a code, asked after the password, and no code is taken twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import update

from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.settings import Settings
from dispatch.domain.signin import Standing, TooManyAttempts, WrongCredentials
from dispatch.services import accounts, factors, sessions
from dispatch.services.desk import Desk
from dispatch.services.factors import MustKeepFactor
from dispatch.storage.accounts import USERS, Session
from tests.services.test_signin import HERE, actions, enter, entered
from tests.support.cast import Cast, password_of
from tests.support.store import in_parallel

STEP = timedelta(seconds=30)


def code_at(secret: str, when: datetime) -> str:
    return pyotp.TOTP(secret).at(when)


def switch_on(desk: Desk, session: Session, now: datetime, secret: str | None = None) -> tuple[str, str | None]:
    """Switch codes on; return the secret and the new token, if any."""
    secret = secret or factors.new_secret()
    told = {"secret": secret, "code": code_at(secret, now), "password": password_of(session.login)}
    return secret, factors.switch_on(desk, session, address=HERE, now=now, **told)


def verify(desk: Desk, session: Session, code: str, now: datetime) -> str:
    return factors.verify(desk, session, code=code, address=HERE, now=now)


def looked(desk: Desk, token: str, now: datetime) -> Session:
    found = sessions.look(desk, token, now)
    assert found
    return found


@pytest.fixture
def secret(desk: Desk, now: datetime) -> str:
    """The agent has codes since a while."""
    return switch_on(desk, entered(desk, "agent", now - timedelta(hours=1)), now - timedelta(hours=1))[0]


@pytest.fixture
def strict_desk(desk: Desk, url: str) -> Desk:
    """A desk where administrators need a second factor."""
    return Desk(desk.store, Settings(database_url=url, admin_second_factor=True))


def test_an_authenticator_is_told_whose_codes_they_are() -> None:
    secret = factors.new_secret()
    told = factors.uri(secret, "agent")
    assert told.startswith("otpauth://totp/96533")
    assert f"secret={secret}" in told


def test_with_codes_the_password_is_half_the_way(desk: Desk, cast: Cast, secret: str, now: datetime) -> None:
    half = enter(desk, "agent", now)
    session = looked(desk, half, now)
    assert not session.is_full
    assert sessions.standing_of(desk, session) is Standing.VERIFY
    token = verify(desk, session, code_at(secret, now), now)
    assert looked(desk, token, now).is_full
    assert sessions.look(desk, half, now) is None  # the token of a half session never becomes one of a full one
    assert actions(desk, cast, "agent")[-4:] == ["sign-in", "totp-on", "sign-in", "second-factor"]


def test_a_session_that_switches_codes_on_stays_as_it_is(desk: Desk, now: datetime) -> None:
    session = entered(desk, "agent", now)
    assert not factors.is_on(desk, session)
    assert switch_on(desk, session, now)[1] is None
    assert factors.is_on(desk, session)


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_a_step(desk: Desk, secret: str, now: datetime, steps: int, is_taken: bool) -> None:
    session, code = entered(desk, "agent", now), code_at(secret, now + steps * STEP)
    if is_taken:
        assert verify(desk, session, f" {code[:3]} {code[3:]} ", now)
    else:
        with pytest.raises(WrongCredentials):
            verify(desk, session, code, now)


def test_no_code_is_taken_twice_nor_an_older_one(desk: Desk, secret: str, now: datetime) -> None:
    assert verify(desk, entered(desk, "agent", now), code_at(secret, now), now)
    for when in (now, now - STEP):
        with pytest.raises(WrongCredentials, match="已使用过"):
            verify(desk, entered(desk, "agent", now), code_at(secret, when), now)
    assert verify(desk, entered(desk, "agent", now), code_at(secret, now + STEP), now + STEP)


def test_the_code_that_switched_it_on_is_used_up(desk: Desk, now: datetime) -> None:
    secret, _ = switch_on(desk, entered(desk, "agent", now), now)
    with pytest.raises(WrongCredentials):
        verify(desk, entered(desk, "agent", now), code_at(secret, now), now)


def test_of_two_at_once_one_code_opens_one_session(desk: Desk, secret: str, now: datetime) -> None:
    waiting = [entered(desk, "agent", now) for _ in range(2)]
    jobs = [lambda session=session: verify(desk, session, code_at(secret, now), now) for session in waiting]
    outcomes = in_parallel(jobs)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["WrongCredentials", "str"]


def test_codes_are_not_guessed(desk: Desk, cast: Cast, secret: str, now: datetime) -> None:
    session = entered(desk, "agent", now)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            verify(desk, session, "x", now)
    with pytest.raises(TooManyAttempts):
        verify(desk, session, code_at(secret, now), now)
    assert actions(desk, cast, "agent").count("second-factor-refused") == 5
    later = now + timedelta(minutes=1)
    assert verify(desk, session, code_at(secret, later), later)


def test_who_has_no_codes_cannot_give_one(desk: Desk, now: datetime) -> None:
    with pytest.raises(WrongCredentials):
        verify(desk, entered(desk, "agent", now), "000000", now)


def test_a_wrong_code_or_password_switches_nothing_on(desk: Desk, now: datetime) -> None:
    session, secret = entered(desk, "agent", now), factors.new_secret()
    for told in (
        {"code": "000000x", "password": password_of("agent")},
        {"code": code_at(secret, now), "password": "falsch"},
    ):
        with pytest.raises(InvalidInput):
            factors.switch_on(desk, session, secret=secret, address=HERE, now=now, **told)
    assert not factors.is_on(desk, session)


def test_a_half_session_cannot_put_another_factor_in_the_place_of_its_own(
    desk: Desk, secret: str, now: datetime
) -> None:
    with pytest.raises(NotPermitted):
        switch_on(desk, entered(desk, "agent", now), now)


def test_switched_off_the_password_is_enough_again(desk: Desk, secret: str, now: datetime) -> None:
    session = looked(desk, verify(desk, entered(desk, "agent", now), code_at(secret, now), now), now)
    with pytest.raises(InvalidInput, match="密码不正确"):
        factors.switch_off(desk, session, password="falsch", address=HERE, now=now)
    factors.switch_off(desk, session, password=password_of("agent"), address=HERE, now=now)
    assert entered(desk, "agent", now).is_full


def test_an_administrator_makes_a_factor_before_anything_else(strict_desk: Desk, now: datetime) -> None:
    session = entered(strict_desk, "admin", now)
    _, token = switch_on(strict_desk, session, now)
    assert token
    full = looked(strict_desk, token, now)
    assert full.is_full
    with pytest.raises(MustKeepFactor):
        factors.switch_off(strict_desk, full, password=password_of("admin"), address=HERE, now=now)
    assert sessions.standing_of(strict_desk, entered(strict_desk, "admin", now)) is Standing.VERIFY


def test_a_lost_telephone_is_dropped_with_the_password(desk: Desk, cast: Cast, secret: str, now: datetime) -> None:
    link = accounts.reset(desk, cast.admin, "agent", now, drop_factors=True)
    token = accounts.choose_password(desk, link, password="岳麓山 爱晚亭 枫叶", address=HERE, now=now)
    assert looked(desk, token, now).is_full


def test_a_reset_alone_keeps_the_factor(desk: Desk, cast: Cast, secret: str, now: datetime) -> None:
    link = accounts.reset(desk, cast.admin, "agent", now)
    token = accounts.choose_password(desk, link, password="岳麓山 爱晚亭 枫叶", address=HERE, now=now)
    assert not looked(desk, token, now).is_full


def test_who_has_left_gives_no_code(desk: Desk, secret: str, now: datetime) -> None:
    session = entered(desk, "agent", now)
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "agent").values(is_active=False))
    with pytest.raises(WrongCredentials, match="停用"):
        verify(desk, session, code_at(secret, now), now)
