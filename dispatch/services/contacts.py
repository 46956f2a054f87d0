"""Where people are reached, and by which ways they want to be: told by administrators, chosen by each for himself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.contact import WAY_LABELS, Contact, Quiet, Way, contact_of, floor, quiet_of
from dispatch.domain.errors import DispatchError, InvalidInput, NotFound
from dispatch.domain.limits import Limit
from dispatch.domain.roles import Actor
from dispatch.services import limits
from dispatch.services.desk import Desk
from dispatch.storage import contacts, outbox, sendings
from dispatch.storage.contacts import Person
from dispatch.storage.db import Tx

# A test costs an SMS.
TESTS = Limit(3, timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Choice:
    """A way as its owner sees it.

    Attributes:
        way: Which.
        address: Where it leads, or None where that is not known.
        is_on: Whether ordinary notices take it.
        is_floor: Emergencies take it whatever he chose.
    """

    way: Way
    address: str | None
    is_on: bool
    is_floor: bool


def put(desk: Desk, actor: Actor, login: str, *, phone: str, email: str, wecom_id: str, now: datetime) -> Contact:
    """Write down where a user is reached, in place of what was known.

    Args:
        desk: The process's desk.
        actor: Who tells it: the command line is the administrator's.
        login: Whose.
        phone: In any form; empty for none.
        email: Likewise.
        wecom_id: Likewise.
        now: The server's time.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for what is no number, address or id.
    """
    contact = contact_of(phone, email, wecom_id)
    with desk.store.write() as tx:
        person = _person(tx, login)
        contacts.put(tx, person.user_id, contact, now)
        known = [name for name in ("phone", "email", "wecom_id") if getattr(contact, name)]
        tx.audit(now, actor, "contact", login, known=known)
    return contact


def choices(desk: Desk, login: str) -> list[Choice]:
    """Return the ways that the installation has, as one of its users has them.

    Raises:
        NotFound: if there is no such login.
    """
    with desk.store.read() as tx:
        person = _person(tx, login)
    least = floor(person.contact, desk.settings.ways)
    return [
        Choice(way, person.contact.address(way), person.choices.get(way, True), way is least)
        for way in desk.settings.ways
    ]


def quiet(desk: Desk, login: str) -> Quiet | None:
    """Return a user's quiet hours.

    Raises:
        NotFound: if there is no such login.
    """
    with desk.store.read() as tx:
        return _person(tx, login).quiet


def choose(
    desk: Desk, actor: Actor, login: str, wanted: Collection[str], now: datetime, hours: tuple[str, str] = ("", "")
) -> None:
    """Let a user say by which of the ways ordinary notices reach him, and when none does; emergencies keep theirs.

    Args:
        desk: The process's desk.
        actor: Who chooses, for himself.
        login: His login.
        wanted: The ways that stay on.
        now: The server's time.
        hours: From when to when he hears of emergencies alone, as `22:00`; two empty texts for no such hours.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for hours that are none.
    """
    silence = quiet_of(*hours)
    told: Mapping[str, bool] = {way.value: way in wanted for way in desk.settings.ways}
    with desk.store.write() as tx:
        person = _person(tx, login)
        contacts.choose(tx, person.user_id, told)
        contacts.keep_quiet(tx, person.user_id, silence)
        tx.audit(now, actor, "ways", login, **told, quiet=[*hours] if silence else [])


def test_own(desk: Desk, actor: Actor, login: str, way: str, now: datetime) -> None:
    """Send a test to oneself, a few times in ten minutes; `outcome` tells what became of it.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for what is no way, is off, or leads nowhere.
        TooOften: beyond TESTS.
    """
    if way not in list(Way):
        raise InvalidInput(f"没有通知方式“{way[:20]}”, 可用: {', '.join(Way)}", field="way")
    counted = limits.count(desk, [(f"test:{login}", TESTS)], now)
    try:
        test(desk, actor, login, Way(way), now)
    except DispatchError:
        limits.take_back(desk, counted)
        raise


def outcome(desk: Desk, login: str, way: str, at: str) -> dict[str, Any] | None:
    """Return how a test of a user stands: `way`, `state`, `error` and `receipt`; None where there was none.

    Args:
        desk: The process's desk.
        login: Whose.
        way: By which way.
        at: When it was asked for, ISO 8601, as `test_own` was told.
    """
    with desk.store.read() as tx:
        row = sendings.of_key(tx, _test_key(way, login, at))
    return row and {"way": way, **row}


def _test_key(way: str, login: str, at: str) -> str:
    return f"test:{way}:{login}:{at}"


def test(desk: Desk, actor: Actor, login: str, way: Way, now: datetime) -> str:
    """Queue a test for one person by one way, and return where it goes: it takes the road of every notice.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: if the way is off, or leads nowhere for him.
    """
    with desk.store.write() as tx:
        person = _person(tx, login)
        address = person.contact.address(way)
        if way not in desk.settings.ways:
            raise InvalidInput(f"{WAY_LABELS[way]}没有开启", field="way")
        if address is None:
            raise InvalidInput(f"{person.name}没有登记{WAY_LABELS[way]}可用的联系方式", field="login")
        to, text = [f"{way}:{address}", f"user:{login}"], f"测试通知, 由{actor.name}发出, 无须处理"
        outbox.put(tx, [outbox.row(None, way, to, text, _test_key(way, login, now.isoformat()), now)])
        tx.audit(now, actor, "channel-test", login, way=way)
    return address


def _person(tx: Tx, login: str) -> Person:
    person = contacts.people(tx, (login,)).get(login)
    if person is None:
        raise NotFound(f"没有用户“{login}”", field="login")
    return person
