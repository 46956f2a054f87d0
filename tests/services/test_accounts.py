"""Passwords of people: links that work once, resets, and changes of one's own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import SYSTEM, Role
from dispatch.domain.signin import TooManyAttempts, WrongCredentials
from dispatch.services import accounts, board, sessions
from dispatch.services.accounts import LINK_LIVES, LinkSpent, Welcome
from dispatch.services.desk import Desk
from dispatch.services.setup import Conflict
from dispatch.storage.accounts import LINKS, USERS
from tests.services.test_signin import HERE, actions, enter, entered
from tests.support.cast import Cast, password_of
from tests.support.store import in_parallel

GOOD = "岳麓山 爱晚亭 枫叶"


@pytest.fixture
def bare(desk: Desk) -> Desk:
    """A desk whose only administrator has left."""
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "admin").values(is_active=False))
    return desk


def first_link(desk: Desk, now: datetime) -> str:
    token = accounts.first_admin_link(desk, now)
    assert token
    return token


def choose(desk: Desk, token: str, now: datetime, password: str = GOOD, **told: str) -> str:
    return accounts.choose_password(desk, token, password=password, address=HERE, now=now, **told)


def test_where_there_is_an_administrator_nobody_is_invited(desk: Desk, now: datetime) -> None:
    assert accounts.first_admin_link(desk, now) is None


def test_the_first_administrator_is_made_by_a_link(bare: Desk, cast: Cast, now: datetime) -> None:
    token = first_link(bare, now)
    assert accounts.welcome(bare, token, now) == Welcome(None, None)
    session = sessions.look(bare, choose(bare, token, now, login="root", name="李主任"), now)
    assert session
    assert (session.login, session.actor.name, session.actor.role) == ("root", "李主任", Role.ADMIN)
    assert enter(bare, "root", now, password=GOOD)
    assert accounts.first_admin_link(bare, now) is None
    assert actions(bare, cast, "root") == ["create-user", "choose-password", "sign-in", "sign-in"]


def test_a_link_works_once(bare: Desk, now: datetime) -> None:
    token = first_link(bare, now)
    choose(bare, token, now, login="root", name="李主任")
    for _ in range(2):
        with pytest.raises(LinkSpent):
            choose(bare, token, now, login="second", name="第二人")


def test_of_two_at_once_one_gets_it(bare: Desk, now: datetime) -> None:
    token = first_link(bare, now)
    outcomes = in_parallel(
        [lambda n=n: choose(bare, token, now, login=f"root{n}", name="李主任") for n in range(4)]  # type: ignore[misc]
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, LinkSpent) for outcome in outcomes) == 3


def test_a_new_start_voids_the_old_link(bare: Desk, now: datetime) -> None:
    old, new = first_link(bare, now), first_link(bare, now)
    with pytest.raises(LinkSpent):
        accounts.welcome(bare, old, now)
    assert accounts.welcome(bare, new, now)


def test_a_link_lives_a_day(bare: Desk, now: datetime) -> None:
    token = first_link(bare, now)
    assert accounts.welcome(bare, token, now + LINK_LIVES - timedelta(seconds=1))
    with pytest.raises(LinkSpent):
        accounts.welcome(bare, token, now + LINK_LIVES)
    first_link(bare, now + LINK_LIVES * 2)
    with bare.store.read() as tx:
        assert len(tx.conn.execute(LINKS.select()).all()) == 1


def test_a_link_for_the_first_is_void_once_there_is_one(bare: Desk, now: datetime) -> None:
    token = first_link(bare, now)
    with bare.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "admin").values(is_active=True))
    with pytest.raises(LinkSpent):
        choose(bare, token, now, login="root", name="李主任")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"login": "Root!", "name": "李主任"}, InvalidInput),
        ({"login": "root", "name": " "}, InvalidInput),
        ({"login": "agent", "name": "李主任"}, Conflict),
        ({"login": "root", "name": "李主任", "password": "short"}, InvalidInput),
    ],
)
def test_what_will_not_do_leaves_the_link_as_it_is(
    bare: Desk, now: datetime, told: dict[str, str], error: type[Exception]
) -> None:
    token = first_link(bare, now)
    with pytest.raises(error):
        choose(bare, token, now, **told)
    assert choose(bare, token, now, login="root", name="李主任")


def test_a_user_chooses_by_a_link(desk: Desk, cast: Cast, now: datetime) -> None:
    token = accounts.password_link(desk, cast.admin, "agent", now)
    assert accounts.welcome(desk, token, now) == Welcome("agent", "坐席小周")
    with pytest.raises(InvalidInput, match="登录名"):
        choose(desk, token, now, "agent agent 42")
    assert sessions.look(desk, choose(desk, token, now), now)
    with pytest.raises(WrongCredentials):
        enter(desk, "agent", now)
    assert enter(desk, "agent", now, password=GOOD)


def test_a_link_of_one_who_left_is_void(desk: Desk, cast: Cast, now: datetime) -> None:
    token = accounts.password_link(desk, cast.admin, "agent", now)
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "agent").values(is_active=False))
    with pytest.raises(LinkSpent):
        accounts.welcome(desk, token, now)


def test_a_link_that_vanishes_while_one_types_is_spent(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = accounts.password_link(desk, cast.admin, "agent", now)
    monkeypatch.setattr("dispatch.storage.accounts.use_link", lambda *_: False)
    with pytest.raises(LinkSpent):
        choose(desk, token, now)
    assert enter(desk, "agent", now)


def test_a_reset_takes_the_password_and_the_sessions(desk: Desk, cast: Cast, now: datetime) -> None:
    token = enter(desk, "agent", now)
    link = accounts.reset(desk, SYSTEM, "agent", now)
    assert sessions.look(desk, token, now) is None
    with pytest.raises(WrongCredentials):
        enter(desk, "agent", now)
    choose(desk, link, now)
    assert enter(desk, "agent", now, password=GOOD)
    assert "reset-password" in actions(desk, cast, "agent")


@pytest.mark.parametrize("ask", [accounts.password_link, accounts.reset])
def test_there_is_no_link_for_nobody_and_for_an_integration(desk: Desk, now: datetime, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(NotFound):
        ask(desk, SYSTEM, "nobody", now)
    with pytest.raises(InvalidInput, match="create-token"):
        ask(desk, SYSTEM, "cti", now)


def test_a_changed_password_ends_all_other_sessions(desk: Desk, cast: Cast, now: datetime) -> None:
    other, mine = enter(desk, "agent", now), enter(desk, "agent", now)
    session = sessions.look(desk, mine, now)
    assert session
    accounts.change_password(desk, session, current=password_of("agent"), new=GOOD, address=HERE, now=now)
    assert sessions.look(desk, other, now) is None
    assert sessions.look(desk, mine, now)
    assert enter(desk, "agent", now, password=GOOD)
    assert "change-password" in actions(desk, cast, "agent")


def test_the_current_password_is_asked_for_and_guesses_are_counted(desk: Desk, now: datetime) -> None:
    session = entered(desk, "agent", now)
    for _ in range(5):
        with pytest.raises(InvalidInput, match="密码不正确"):
            accounts.change_password(desk, session, current="falsch", new=GOOD, address=HERE, now=now)
    with pytest.raises(TooManyAttempts):
        accounts.change_password(desk, session, current=password_of("agent"), new=GOOD, address=HERE, now=now)


def test_no_password_is_in_the_audit(desk: Desk, cast: Cast, now: datetime) -> None:
    accounts.set_password(desk, SYSTEM, login="agent", password=GOOD, now=now)
    enter(desk, "agent", now, password=GOOD)
    told = str(board.audited(desk, cast.auditor, subject=None, after=0, limit=200))
    assert GOOD not in told
    assert "argon2" not in told
