"""The people of the tests, made through the real services, and what they do again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from dispatch.domain.call import NewCall
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.states import Status, Verb
from dispatch.notify.port import Parcel
from dispatch.services import accounts, fieldwork, intake, passwords, setup, supervision
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.intake import Receipt
from dispatch.storage import directory

# 李娭毑 calls from home, in the grid of crew A. The number is nobody's.
CALLER = "李娭毑"
CALLER_PHONE = "13000000001"
ZONE_A, TEAM_A = "天心-03", "tianxin-03"
ZONE_B, TEAM_B = "天心-04", "tianxin-04"
BRANCH = "城南"
# Outside the 30-minute circle.
ZONE_FAR, TEAM_FAR = "长沙-01", "changshaxian-01"
UNLOCATED = "手机无定位"
NOWHERE = Wgs84Point(112.3, 28.2)  # west of every grid, and within reach
PLACEHOLDER = Wgs84Point(0.0, 0.0)

_HIRED = (
    ("agent", "坐席小周", Role.AGENT, None),
    ("crew.a", "水管家甲", Role.CREW, TEAM_A),
    ("crew.b", "水管家乙", Role.CREW, TEAM_B),
    ("lead.a", "班组长甲", Role.LEAD, TEAM_A),
    ("dispatcher", "调度员老吴", Role.DISPATCHER, None),
    ("supervisor", "值班长陈工", Role.SUPERVISOR, None),
    ("admin", "管理员", Role.ADMIN, None),
    ("auditor", "审计员", Role.AUDITOR, None),
    ("cti", "呼叫平台", Role.INTEGRATION, None),
)


PASSWORD = "湘江北去 橘子洲头"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Cast:
    """Who plays."""

    agent: Actor
    crew_a: Actor
    crew_b: Actor
    lead_a: Actor
    dispatcher: Actor
    supervisor: Actor
    admin: Actor
    auditor: Actor
    integration: Actor

    def of(self, role: Role) -> Actor:
        """The one who plays a role; of two crews the first."""
        if role is Role.SYSTEM:
            return SYSTEM
        everybody: Iterator[Actor] = (getattr(self, name) for name in self.__dataclass_fields__)
        return next(actor for actor in everybody if actor.role is role)


@dataclass
class Spy:
    """A channel that keeps what it is given, after failing as told."""

    errors: list[Exception] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def send(self, parcel: Parcel, now: datetime) -> None:
        self.meanwhile()
        if self.errors:
            raise self.errors.pop(0)
        self.parcels.append(parcel)


def hire(desk: Desk, now: datetime) -> None:
    """Add the users, and give each person a password, by way of a cheap hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        for login, name, role, team_id in _HIRED:
            setup.create_user(desk, SYSTEM, login=login, name=name, role=role, team_id=team_id, now=now)
            if role is not Role.INTEGRATION:
                accounts.set_password(desk, SYSTEM, login=login, password=password_of(login), now=now)


def password_of(login: str) -> str:
    """The password of one of the cast."""
    return f"{PASSWORD} {login.encode().hex()}"


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords() -> Iterator[None]:
    """Hash with the least of argon2: what a right password opens is tested, not what a guess costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP)
        yield


def cast_of(desk: Desk) -> Cast:
    """The users as the database knows them."""
    with desk.store.read() as tx:
        found = [directory.user_by_login(tx, login) for login, *_ in _HIRED]
    return Cast(*(actor for actor in found if actor is not None))


@pytest.fixture
def cast(desk: Desk) -> Cast:
    """The cast of a furnished desk."""
    return cast_of(desk)


def spot(desk: Desk, zone_id: str, now: datetime) -> Wgs84Point:
    """A place well inside a grid."""
    with desk.store.read() as tx:
        inside = desk.rules(tx, now).zones.zone(zone_id).geometry.representative_point()
    return Wgs84Point(inside.x, inside.y)


def new_call(now: datetime, **changes: Any) -> NewCall:
    """李娭毑 has no water, at an address that is yet to be found on the map."""
    return replace(
        NewCall(
            called_at=now,
            category="no_water",
            description="整栋楼都停水了",
            caller_phone=CALLER_PHONE,
            caller_name=CALLER,
            address="天心区坡子街 12 号",
        ),
        **changes,
    )


def call(desk: Desk, actor: Actor, now: datetime, *, key: str | None = None, **changes: Any) -> Receipt:
    """Let `actor` register a call; equal calls have equal bodies."""
    told = new_call(now, **changes)
    return intake.register(desk, actor, told, {"call": repr(told)}, now, key)


def received(desk: Desk, now: datetime, **changes: Any) -> str:
    """The number of a ticket that no team has yet."""
    receipt = call(desk, cast_of(desk).agent, now, **changes)
    return str(receipt.body["ticket"]["number"])


def dispatched(desk: Desk, now: datetime, zone_id: str = ZONE_A, **changes: Any) -> str:
    """The number of a ticket that its grid's team has got."""
    # The middle of a grid is nobody's address and must teach none.
    return received(desk, now, **{"point": spot(desk, zone_id, now), "is_approximate": True, **changes})


def act(desk: Desk, actor: Actor, number: str, verb: Verb, now: datetime, **told: Any) -> dict[str, Any]:
    """Do a verb through the service that offers it; an arrival of which nothing is told says why it has no place."""
    if verb is Verb.ARRIVE and not {"point", "note"} & told.keys():
        told["note"] = UNLOCATED
    do = fieldwork.act if verb in fieldwork.VERBS else supervision.act
    body = {name: str(value) for name, value in told.items() if name not in ("key", "version", "body")}
    return do(desk, actor, number, Action(verb=verb, **{"body": body, **told}), now)


# How a dispatched ticket comes to stand where a test wants it: who does what.
_WAY_TO_SITE = (("crew_a", Verb.ACCEPT), ("crew_a", Verb.DEPART), ("crew_a", Verb.ARRIVE))
_WAY_TO_WORK = (*_WAY_TO_SITE, ("crew_a", Verb.WORK))
_WAY_TO_DONE = (*_WAY_TO_WORK, ("crew_a", Verb.DONE))
_WAYS: dict[Status, Sequence[tuple[str, Verb]]] = {
    Status.DISPATCHED: (),
    Status.ACCEPTED: _WAY_TO_SITE[:1],
    Status.EN_ROUTE: _WAY_TO_SITE[:2],
    Status.ON_SITE: _WAY_TO_SITE,
    Status.WORKING: _WAY_TO_WORK,
    Status.ON_HOLD: (*_WAY_TO_WORK, ("lead_a", Verb.HOLD)),
    Status.RETURNED: (("crew_a", Verb.RETURN),),
    Status.DONE: _WAY_TO_DONE,
    Status.CLOSED: (*_WAY_TO_DONE, ("agent", Verb.CALLBACK), ("agent", Verb.CLOSE)),
    Status.MERGED: (("agent", Verb.MERGE),),
    Status.CANCELLED: (("agent", Verb.CANCEL),),
}


_NEEDS: dict[Verb, dict[str, Any]] = {
    Verb.ARRIVE: {"note": UNLOCATED},
    Verb.RETURN: {"reason": "not_ours"},
    Verb.CANCEL: {"reason": "by_caller"},
    Verb.REWORK: {"note": "又漏了"},
    Verb.CALLBACK: {"is_solved": True, "is_satisfied": True},
    Verb.RELEVEL: {"level": "P4", "note": "误判等级"},
}


def what_it_needs(desk: Desk, verb: Verb, now: datetime) -> dict[str, Any]:
    """What a verb cannot do without, so that it succeeds on a ticket of crew A."""
    match verb:
        case Verb.DISPATCH | Verb.REASSIGN | Verb.ASSIST:
            return {"team_id": TEAM_A if verb is Verb.DISPATCH else TEAM_B}
        case Verb.HOLD:
            return {"reason": "wait_material", "until": now + timedelta(hours=2)}
        case Verb.EXTEND:
            return {"reason": "wait_material", "until": now + timedelta(days=3), "note": "缺管件"}
        case Verb.MERGE:
            return {"into": dispatched(desk, now)}
        case _:
            return _NEEDS.get(verb, {})


def ticket_at(desk: Desk, status: Status, now: datetime, **changes: Any) -> str:
    """The number of a ticket that the real services brought to `status`; all at `now`, in the grid of crew A."""
    if status is Status.RECEIVED:
        return received(desk, now, **changes)
    cast = cast_of(desk)
    number = dispatched(desk, now, **changes)
    for who, verb in _WAYS[status]:
        act(desk, getattr(cast, who), number, verb, now, **what_it_needs(desk, verb, now))
    return number
