"""Signing in as a service: sessions, their ends, and failures that are counted for every process."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from dispatch.domain.settings import Settings
from dispatch.domain.signin import Standing, TooManyAttempts, WrongCredentials
from dispatch.services import accounts, attempts, board, passwords, sessions
from dispatch.services.desk import Desk
from dispatch.storage.accounts import ATTEMPTS, USERS, Session
from tests.support.cast import CHEAP, Cast, password_of
from tests.support.store import in_parallel, open_desk

HERE, THERE = "192.0.2.1", "192.0.2.2"


def enter(desk: Desk, login: str, now: datetime, *, address: str = HERE, password: str | None = None) -> str:
    told = password_of(login) if password is None else password
    return sessions.sign_in(desk, login=login, password=told, address=address, now=now)


def entered(desk: Desk, login: str, now: datetime) -> Session:
    found = sessions.look(desk, enter(desk, login, now), now)
    assert found
    return found


def fail(desk: Desk, now: datetime, *, login: str = "agent", address: str = HERE, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            enter(desk, login, now, address=address, password="falsch")


def actions(desk: Desk, cast: Cast, subject: str) -> list[str]:
    found = board.audited(desk, cast.auditor, subject=subject, after=0, limit=50)["items"]
    return [entry["action"] for entry in reversed(found)]


def test_a_session_knows_its_user(desk: Desk, cast: Cast, now: datetime) -> None:
    session = entered(desk, "crew.a", now)
    assert (session.actor, session.login, session.is_full) == (cast.crew_a, "crew.a", True)
    assert sessions.standing_of(desk, session) is Standing.FULL
    assert sessions.look(desk, "another token", now) is None


def test_every_process_knows_it_and_its_end(desk: Desk, url: str, now: datetime) -> None:
    other = open_desk(url)
    token = enter(desk, "agent", now)
    session = sessions.look(other, token, now)
    assert session
    sessions.sign_out(other, session, now)
    assert sessions.look(desk, token, now) is None
    other.store.close()


def test_a_used_session_lives_on_and_an_unused_one_ends(desk: Desk, now: datetime) -> None:
    used, unused = enter(desk, "agent", now), enter(desk, "agent", now)
    for hours in (6, 12, 18):
        session = sessions.look(desk, used, now + timedelta(hours=hours))
        assert session
        assert sessions.use(desk, session, now + timedelta(hours=hours)).seen_at == now + timedelta(hours=hours)
        assert sessions.look(desk, unused, now + timedelta(hours=7))  # being looked at is no use
    assert sessions.look(desk, unused, now + timedelta(hours=8)) is None
    assert sessions.look(desk, used, now + timedelta(hours=24)) is None


def test_who_leaves_is_signed_out(desk: Desk, now: datetime) -> None:
    token = enter(desk, "agent", now)
    session = sessions.look(desk, token, now)
    assert session
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "agent").values(is_active=False))
    assert sessions.look(desk, token, now) is None
    fail(desk, now)
    with pytest.raises(WrongCredentials):
        enter(desk, "agent", now)
    assert accounts.login_of(desk, session.actor) == ""


@pytest.mark.parametrize("login", ["nobody", "cti", "", "x" * 5000, "孤\ud800", "a\x00b"])
def test_who_has_no_password_is_told_the_same_words(desk: Desk, now: datetime, login: str) -> None:
    with pytest.raises(WrongCredentials) as unknown:
        enter(desk, login, now, password="falsch")
    with pytest.raises(WrongCredentials) as wrong:
        enter(desk, "agent", now, password="falsch")
    assert str(unknown.value) == str(wrong.value)


def test_a_login_of_nobody_takes_the_work_of_one(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        verified = 0

        def verify(self, password_hash: str, password: bytes) -> bool:
            Counting.verified += 1
            return CHEAP.verify(password_hash, password)

        hash = staticmethod(CHEAP.hash)

    monkeypatch.setattr(passwords, "HASHER", Counting())
    fail(desk, now)
    fail(desk, now, login="nobody")
    assert Counting.verified == 2
    assert not passwords.matches(None, "nobody's password")
    assert not passwords.matches("", "nobody's password")


def test_after_five_failures_even_the_right_password_waits(desk: Desk, now: datetime) -> None:
    fail(desk, now, times=5)
    with pytest.raises(TooManyAttempts) as caught:
        enter(desk, "agent", now, address=THERE)
    assert caught.value.wait_s == 32
    with pytest.raises(TooManyAttempts):
        enter(desk, "agent", now + timedelta(seconds=31))
    assert enter(desk, "agent", now + timedelta(seconds=32))


def test_success_clears_the_count(desk: Desk, now: datetime) -> None:
    for _ in range(3):
        fail(desk, now, times=4)
        assert enter(desk, "agent", now)


def test_other_accounts_do_not_wait(desk: Desk, now: datetime) -> None:
    fail(desk, now, times=5)
    assert enter(desk, "dispatcher", now)


def test_unknown_logins_wait_as_known_ones_do(desk: Desk, now: datetime) -> None:
    fail(desk, now, login="nobody", times=5)
    with pytest.raises(TooManyAttempts):
        enter(desk, "nobody", now)


def test_an_address_waits_after_fifty_whatever_it_tried(desk: Desk, now: datetime) -> None:
    for n in range(50):
        fail(desk, now, login=f"guess-{n}")
    with pytest.raises(TooManyAttempts):
        enter(desk, "agent", now)
    assert enter(desk, "agent", now, address=THERE)
    assert enter(desk, "agent", now + timedelta(minutes=15))


def test_a_shift_that_signs_in_behind_one_router_does_not_wait(desk: Desk, now: datetime) -> None:
    for _ in range(60):
        enter(desk, "agent", now)


def test_many_guesses_at_once_are_no_more_than_many_in_turn(desk: Desk, now: datetime) -> None:
    outcomes = in_parallel([lambda: enter(desk, "agent", now, password="falsch")] * 20)
    assert sum(isinstance(outcome, WrongCredentials) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 15


def test_old_attempts_are_forgotten(desk: Desk, now: datetime) -> None:
    fail(desk, now, login="nobody", times=3)
    enter(desk, "agent", now + timedelta(days=2))
    with desk.store.read() as tx:
        assert tx.conn.execute(ATTEMPTS.select()).all() == []


def test_what_is_typed_as_a_login_is_not_kept(desk: Desk, cast: Cast, now: datetime) -> None:
    secret = "MyPassword!42"
    fail(desk, now, login=secret)
    with desk.store.read() as tx:
        assert secret not in str(tx.conn.execute(ATTEMPTS.select()).all())
    (entry,) = board.audited(desk, cast.auditor, subject="?", after=0, limit=9)["items"]
    assert secret not in str(entry)
    assert entry["detail"] == {"address": HERE, "mark": attempts.fingerprint(secret)}


def test_the_audit_tells_who_came_and_went(desk: Desk, cast: Cast, now: datetime) -> None:
    fail(desk, now)
    session = entered(desk, "agent", now)
    enter(desk, "agent", now)
    assert sessions.sign_out_others(desk, session, now) == 1
    sessions.sign_out(desk, session, now)
    told = ["sign-in-refused", "sign-in", "sign-in", "sign-out-others", "sign-out"]
    assert actions(desk, cast, "agent")[-5:] == told


def test_own_sessions_are_listed_the_last_used_first(desk: Desk, now: datetime) -> None:
    session, later = entered(desk, "agent", now), now + timedelta(minutes=5)
    enter(desk, "agent", later, address=THERE)
    enter(desk, "dispatcher", later)
    found = sessions.own(desk, session, later)
    assert [(row["address"], row["is_this"]) for row in found] == [(THERE, False), (HERE, True)]
    assert sessions.own(desk, session, now + timedelta(hours=9)) == []


@pytest.fixture
def strict_desk(desk: Desk, url: str) -> Desk:
    """A desk where administrators need a second factor."""
    return Desk(desk.store, Settings(database_url=url, admin_second_factor=True))


def test_an_administrator_who_needs_a_factor_is_not_in_yet(strict_desk: Desk, now: datetime) -> None:
    session = entered(strict_desk, "admin", now)
    assert not session.is_full
    assert sessions.standing_of(strict_desk, session) is Standing.ENROL
    assert entered(strict_desk, "supervisor", now).is_full


def test_who_has_left_can_do_nothing_but_sign_in_again(strict_desk: Desk, now: datetime) -> None:
    session = entered(strict_desk, "admin", now)
    with strict_desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "admin").values(is_active=False))
    assert sessions.standing_of(strict_desk, session) is Standing.VERIFY


def test_a_half_session_stays_half_when_the_rule_is_taken_back(strict_desk: Desk, desk: Desk, now: datetime) -> None:
    session = entered(strict_desk, "admin", now)
    assert sessions.standing_of(desk, session) is Standing.VERIFY
