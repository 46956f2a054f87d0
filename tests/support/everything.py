"""Something of everything: tickets in every state, late ones, photos, requests, notices, crews on the map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from dispatch.domain.outage import NewOutage
from dispatch.domain.photo import Stage
from dispatch.domain.states import Status, Verb
from dispatch.services import asking, escalation, photos, positions
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from tests.support.cast import ZONE_A, ZONE_B, act, call, cast_of, dispatched, received, spot, ticket_at
from tests.support.outages import announce
from tests.support.pictures import jpeg
from tests.support.processes import utc_now

LONG = "负一楼水表井漏水, 水已漫到电梯口; 物业说阀门锈死关不动 (LongUnbrokenWordThatMustNotPushThePageWiderThanItIs)"


@dataclass(frozen=True)
class Filled:
    """What a test wants to find again.

    Attributes:
        on_site: A ticket of crew A with two photos, urged, supervised, and a request that waits.
        late: One whose time to accept is over, and which nobody has answered for.
        fresh: One that crew A has just got.
        done: One that can be rated.
    """

    on_site: str
    late: str
    fresh: str
    done: str


def fill(desk: Desk) -> Filled:
    """Let an hour pass with something of everything, through the services; returns what is to be found again."""
    cast, now = cast_of(desk), utc_now()
    for status in Status:
        ticket_at(desk, status, now - timedelta(minutes=8), address="天心区坡子街 12 号 3 栋", description=LONG)
    on_site = ticket_at(desk, Status.ON_SITE, now - timedelta(minutes=9), category="burst", description=LONG)
    late = dispatched(desk, now - timedelta(minutes=12), ZONE_B)
    done = ticket_at(desk, Status.DONE, now - timedelta(minutes=50))
    received(desk, now - timedelta(minutes=2), category="leak")
    escalation.sweep(desk, now)
    act(desk, cast.agent, on_site, Verb.URGE, now, note="用户再次来电")
    act(desk, cast.supervisor, on_site, Verb.SUPERVISE, now, note="请分公司经理到场")
    for stage in (Stage.BEFORE, Stage.AFTER):
        told = Upload(uuid=str(uuid4()), stage=stage, taken_at=now, data=jpeg(640, 480))
        photos.add(desk, cast.crew_a, on_site, told, now)
    asked = Action(verb=Verb.EXTEND, reason="wait_material", until=now + timedelta(days=2), note="缺管件, 明早到货")
    asking.ask(desk, cast.crew_a, on_site, asked, now)
    positions.put(desk, cast.crew_a, spot(desk, ZONE_A, now), 8.0, now, now)
    call(desk, cast.agent, now, category="inquiry", answer="每月 5 日前缴费")
    _notices(desk)  # last: who calls about it from now on is answered
    return Filled(on_site, late, dispatched(desk, now, category="burst", description=LONG), done)


def _notices(desk: Desk) -> None:
    for title, in_h, is_planned in (("坡子街 DN300 抢修", -1, False), ("水厂检修, 预计减压供水", 30, True)):
        starts_at = utc_now() + timedelta(hours=in_h)
        told = NewOutage(
            title=title,
            place="坡子街, 黄兴路到下河街",
            is_planned=is_planned,
            zone_ids=[ZONE_A],
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=5),
        )
        announce(desk, told, utc_now())
