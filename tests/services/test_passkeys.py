"""Passkeys: made, asked after the password, removed; nothing but a fresh answer to our own challenge counts."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput, NotFound, NotPermitted
from dispatch.domain.settings import Settings
from dispatch.domain.signin import Standing
from dispatch.services import factors, passkeys, sessions
from dispatch.services.desk import Desk
from dispatch.services.factors import MustKeepFactor
from dispatch.services.passkeys import PasskeyFailed
from dispatch.storage.accounts import Session
from tests.services.test_factors import looked, switch_on
from tests.services.test_signin import HERE, actions, enter, entered
from tests.support.authenticator import Authenticator
from tests.support.cast import Cast, password_of

ORIGIN = "http://localhost:8653"


@pytest.fixture
def desk(desk: Desk, url: str) -> Desk:
    """A desk at an address that can have passkeys."""
    return Desk(desk.store, Settings(database_url=url, public_url=ORIGIN))


@pytest.fixture
def strict_desk(desk: Desk, url: str) -> Desk:
    """The same, where administrators need a second factor."""
    return Desk(desk.store, Settings(database_url=url, public_url=ORIGIN, admin_second_factor=True))


def options_to_add(desk: Desk, session: Session, now: datetime) -> Any:
    password = password_of(session.login)
    return json.loads(passkeys.options_to_add(desk, session, password=password, address=HERE, now=now))


def made(desk: Desk, session: Session, now: datetime, label: str = "值班电脑") -> tuple[Authenticator, str | None]:
    """An authenticator whose key is known; with the new token, if any."""
    own = Authenticator(ORIGIN)
    answer = own.create(options_to_add(desk, session, now))
    return own, passkeys.add(desk, session, answer, label=label, now=now)


def asked(desk: Desk, session: Session, now: datetime) -> Any:
    return json.loads(passkeys.options_to_verify(desk, session, now))


def verify(desk: Desk, session: Session, answer: dict[str, Any], now: datetime) -> str:
    return passkeys.verify(desk, session, answer, address=HERE, now=now)


def test_a_passkey_is_made_and_then_asked_for(desk: Desk, cast: Cast, now: datetime) -> None:
    own, token = made(desk, entered(desk, "agent", now), now)
    assert token is None
    half = enter(desk, "agent", now)
    session = looked(desk, half, now)
    assert sessions.standing_of(desk, session) is Standing.VERIFY
    options = asked(desk, session, now)
    assert [key["id"] for key in options["allowCredentials"]] == [own.name]
    full = looked(desk, verify(desk, session, own.get(options), now), now)
    assert full.is_full
    assert sessions.look(desk, half, now) is None
    (shown,) = passkeys.own(desk, full)
    assert (shown["label"], shown["created_at"], shown["used_at"]) == ("值班电脑", now, now)
    assert actions(desk, cast, "agent")[-4:] == ["sign-in", "passkey-added", "sign-in", "second-factor"]


def test_an_answer_counts_once(desk: Desk, now: datetime) -> None:
    own, _ = made(desk, entered(desk, "agent", now), now)
    session = entered(desk, "agent", now)
    answer = own.get(asked(desk, session, now))
    verify(desk, session, answer, now)
    with pytest.raises(PasskeyFailed, match="已过期"):
        verify(desk, entered(desk, "agent", now), answer, now)


def test_an_answer_counts_for_five_minutes_in_its_own_session(desk: Desk, now: datetime) -> None:
    own, _ = made(desk, entered(desk, "agent", now), now)
    session, other = entered(desk, "agent", now), entered(desk, "agent", now)
    for who, when in ((other, now), (session, now + timedelta(minutes=5))):
        with pytest.raises(PasskeyFailed, match="已过期"):
            verify(desk, who, own.get(asked(desk, session, now)), when)


@pytest.mark.parametrize("origin", ["http://localhost:1", "https://evil.example"])
def test_an_answer_to_another_site_is_none(desk: Desk, cast: Cast, now: datetime, origin: str) -> None:
    own, _ = made(desk, entered(desk, "agent", now), now)
    session = entered(desk, "agent", now)
    own.origin = origin
    with pytest.raises(PasskeyFailed, match="未能验证"):
        verify(desk, session, own.get(asked(desk, session, now)), now)
    assert actions(desk, cast, "agent")[-1] == "second-factor-refused"
    with pytest.raises(PasskeyFailed, match="未能验证"):
        made_at(desk, looked(desk, enter(desk, "dispatcher", now), now), now, origin)


def made_at(desk: Desk, session: Session, now: datetime, origin: str) -> None:
    answer = Authenticator(origin).create(options_to_add(desk, session, now))
    passkeys.add(desk, session, answer, label="", now=now)


def test_a_copied_passkey_gives_itself_away(desk: Desk, now: datetime) -> None:
    own, _ = made(desk, entered(desk, "agent", now), now)
    copied = Authenticator(ORIGIN, own.credential_id, own.count, own.key)
    session = entered(desk, "agent", now)
    verify(desk, session, own.get(asked(desk, session, now)), now)
    session = entered(desk, "agent", now)
    with pytest.raises(PasskeyFailed):
        verify(desk, session, copied.get(asked(desk, session, now)), now)


def test_the_passkey_of_another_is_none(desk: Desk, now: datetime) -> None:
    made(desk, entered(desk, "agent", now), now)
    other, _ = made(desk, entered(desk, "dispatcher", now), now)
    session = entered(desk, "agent", now)
    with pytest.raises(PasskeyFailed):
        verify(desk, session, other.get(asked(desk, session, now)), now)


def broken(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What a browser would never send."""
    found: list[dict[str, Any]] = [{}, {"response": None}, {"response": {"clientDataJSON": 5}}]
    for name in ("id", "rawId", "type", "response"):
        found.append({key: value for key, value in answer.items() if key != name})
    for name in answer["response"]:
        for value in ("", "!!", "AAAA", 5, None):
            worse = copy.deepcopy(answer)
            worse["response"][name] = value
            found.append(worse)
    return found


def test_what_is_no_answer_is_refused_in_words(desk: Desk, now: datetime) -> None:
    session = entered(desk, "agent", now)
    for n in range(len(broken(Authenticator(ORIGIN).create(options_to_add(desk, session, now))))):
        answer = broken(Authenticator(ORIGIN).create(options_to_add(desk, session, now)))[n]
        if "rawId" in answer and answer.get("type") and "id" in answer:
            with pytest.raises(PasskeyFailed):
                passkeys.add(desk, session, answer, label="", now=now)
    own, _ = made(desk, session, now)
    half = entered(desk, "agent", now)
    for n in range(len(broken(own.get(asked(desk, half, now))))):
        when = now + timedelta(hours=2 * n)  # guesses are counted: let each have its own time
        half = entered(desk, "agent", when)
        with pytest.raises(PasskeyFailed):
            verify(desk, half, broken(own.get(asked(desk, half, when)))[n], when)


def test_a_label_is_text_and_none_is_a_word(desk: Desk, now: datetime) -> None:
    session = entered(desk, "agent", now)
    made(desk, session, now, label="  ")
    made(desk, session, now, label="很" * 99)
    assert [key["label"] for key in passkeys.own(desk, session)] == ["通行密钥", "很" * 40]
    with pytest.raises(InvalidInput):
        made(desk, session, now, label="\x00")


def test_the_same_passkey_is_not_kept_twice(desk: Desk, now: datetime) -> None:
    session = entered(desk, "agent", now)
    own, _ = made(desk, session, now)
    options = options_to_add(desk, session, now)
    assert len(options["excludeCredentials"]) == 1
    with pytest.raises(InvalidInput, match="已登记"):
        passkeys.add(desk, session, own.create(options), label="", now=now)


def test_a_half_session_cannot_make_one(desk: Desk, now: datetime) -> None:
    made(desk, entered(desk, "agent", now), now)
    half = entered(desk, "agent", now)
    with pytest.raises(NotPermitted):
        options_to_add(desk, half, now)
    with pytest.raises(NotPermitted):
        passkeys.add(desk, half, {}, label="", now=now)


def test_an_administrator_makes_one_before_anything_else(strict_desk: Desk, now: datetime) -> None:
    _, token = made(strict_desk, entered(strict_desk, "admin", now), now)
    assert token
    session = looked(strict_desk, token, now)
    assert session.is_full
    (key,) = passkeys.own(strict_desk, session)
    password = password_of("admin")
    with pytest.raises(MustKeepFactor):
        passkeys.remove(strict_desk, session, key["id"], password=password, address=HERE, now=now)
    switch_on(strict_desk, session, now)
    passkeys.remove(strict_desk, session, key["id"], password=password, address=HERE, now=now)
    with pytest.raises(MustKeepFactor):
        factors.switch_off(strict_desk, session, password=password, address=HERE, now=now)


def test_one_removes_ones_own(desk: Desk, now: datetime) -> None:
    session, other = entered(desk, "agent", now), entered(desk, "dispatcher", now)
    made(desk, session, now)
    (key,) = passkeys.own(desk, session)
    with pytest.raises(NotFound):
        passkeys.remove(desk, other, key["id"], password=password_of("dispatcher"), address=HERE, now=now)
    with pytest.raises(InvalidInput, match="密码不正确"):
        passkeys.remove(desk, session, key["id"], password="falsch", address=HERE, now=now)
    passkeys.remove(desk, session, key["id"], password=password_of("agent"), address=HERE, now=now)
    assert passkeys.own(desk, session) == []
    assert entered(desk, "agent", now).is_full


@pytest.mark.parametrize(
    ("address", "is_possible"),
    [
        ("https://96533.example", True),
        ("http://localhost:8653", True),
        ("http://96533.example", False),
        ("http://127.0.0.1:8653", False),
        ("https://[::1]", False),
    ],
)
def test_where_browsers_make_passkeys(address: str, is_possible: bool) -> None:
    assert passkeys.is_possible(Settings(database_url="sqlite://", public_url=address)) == is_possible
