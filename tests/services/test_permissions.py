"""Every role against every verb and every other thing that can be permitted: the table is what the services do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dispatch.domain.article import NewArticle
from dispatch.domain.case import CaseKind
from dispatch.domain.cti import CtiEvent, CtiEventKind
from dispatch.domain.errors import NotFound, NotPermitted
from dispatch.domain.outage import NewOutage
from dispatch.domain.photo import Stage
from dispatch.domain.roles import PERMISSIONS, Actor, Permission, Role
from dispatch.domain.states import RULES, Status, Verb
from dispatch.services import (
    articles,
    asking,
    board,
    cases,
    casework,
    circle,
    crew,
    cti,
    customers,
    escalation,
    incidents,
    outages,
    photos,
    places,
    policies,
    rosters,
    supervision,
    surge,
    zone_drafts,
)  # fmt: skip
from dispatch.services.actions import Action
from dispatch.services.cases import NewCase
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from dispatch.storage.board import Filter
from dispatch.storage.tickets import TICKETS
from tests.support.cast import TEAM_B, ZONE_A, Cast, act, call, cast_of, dispatched, ticket_at, what_it_needs
from tests.support.pictures import jpeg
from tests.support.rosters import body

# Where a verb is tried: a state from which it succeeds.
START = {verb: next(status for status in Status if status in RULES[verb].sources) for verb in Verb} | {
    Verb.HOLD: Status.WORKING,
    Verb.ISOLATE: Status.ON_SITE,
    Verb.RETURN: Status.ACCEPTED,
}
PEOPLE = [role for role in Role if role is not Role.SYSTEM]


def ready(desk: Desk, verb: Verb, now: datetime) -> str:
    """A ticket of crew A on which the verb succeeds."""
    changes: dict[str, Any] = {"category": "burst"} if verb is Verb.ISOLATE else {}
    number = ticket_at(desk, START[verb], now, **changes)
    if verb is Verb.CLOSE:
        act(desk, Actor(0, "坐席", Role.AGENT), number, Verb.CALLBACK, now, is_solved=True)
    return number


@pytest.mark.parametrize("verb", Verb)
def test_every_role_and_this_verb(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    for role in PEOPLE:
        number = ready(desk, verb, now)
        before = board.ticket(desk, cast.dispatcher, number, now)
        needed = what_it_needs(desk, verb, now)
        if Permission(verb) not in PERMISSIONS[role]:
            with pytest.raises(NotPermitted):
                act(desk, cast.of(role), number, verb, now, **needed)
            assert board.ticket(desk, cast.dispatcher, number, now) == before
            continue
        after = act(desk, cast.of(role), number, verb, now, **needed)
        assert after["version"] == before["version"] + 1
        assert after["status"] == (RULES[verb].target or before["status"])


def ask(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Ask for more time on a ticket of crew A."""
    action = Action(verb=Verb.EXTEND, reason="wait_material", until=now + timedelta(days=3))
    return asking.ask(desk, actor, ticket_at(desk, Status.WORKING, now), action, now)


def decide(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Grant what crew A has asked for."""
    request = ask(desk, cast_of(desk).crew_a, now)
    return asking.rule(desk, actor, request["id"], is_granted=True, answer="", now=now)


def photograph(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Add a photo under a name that the actor alone uses."""
    upload = photos.Upload(uuid=f"photo-{actor.user_id}", stage=Stage.BEFORE, taken_at=now, data=jpeg())
    return photos.add(desk, actor, number, upload, now)


def publish(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Publish a notice for the grid of crew A."""
    told = NewOutage(
        title="抢修",
        place="坡子街",
        is_planned=False,
        zone_ids=[ZONE_A],
        starts_at=now,
        ends_at=now + timedelta(hours=4),
    )
    return outages.publish(desk, actor, told, {"title": told.title}, now)


def write(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Write an article under a title that the actor alone uses."""
    told = NewArticle(title=f"水费怎么交 {actor.user_id}", body="在网上交", review_at=now + timedelta(days=9))
    return articles.create(desk, actor, told, {"title": told.title}, now)


def ring(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Tell that a call rings."""
    return cti.hear(desk, actor, CtiEvent(call_id="permitted", kind=CtiEventKind.RING, at=now), now)


def work_on_a_case(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Link a ticket to the case of its caller."""
    told = NewCase(kind=CaseKind.PERSON, number=number)
    case = cases.open_(desk, cast_of(desk).agent, told, {"number": number}, now)
    return casework.link(desk, actor, case["id"], number, now)


Deed = Callable[[Desk, Actor, str, datetime], Any]
OTHER: dict[Permission, Deed] = {
    Permission.CALL: lambda desk, actor, _number, now: call(desk, actor, now),
    Permission.READ: lambda desk, actor, number, now: board.ticket(desk, actor, number, now),
    Permission.REVEAL: lambda desk, actor, number, now: supervision.reveal(desk, actor, number, "回电核实", now),
    Permission.ACKNOWLEDGE: lambda desk, actor, _number, now: supervision.acknowledge(desk, actor, 1, now),
    Permission.ASK: lambda desk, actor, _number, now: ask(desk, actor, now),
    Permission.DECIDE: lambda desk, actor, _number, now: decide(desk, actor, now),
    Permission.CREW: lambda desk, actor, _number, now: crew.jobs(desk, actor, now),
    Permission.PHOTO: photograph,
    Permission.CTI: lambda desk, actor, _number, now: ring(desk, actor, now),
    Permission.OUTAGE: lambda desk, actor, _number, now: publish(desk, actor, now),
    Permission.ZONES: lambda desk, actor, _number, now: zone_drafts.copy_live(desk, actor, "秋季", now),
    Permission.INCIDENT: lambda desk, actor, number, now: incidents.open_(
        Wish(desk, actor, {"of": number}, now), ticket_at(desk, Status.DISPATCHED, now), [], ""
    ),
    Permission.CIRCLE: lambda desk, actor, _number, now: circle.report(desk, actor, None, now),
    Permission.PLACES: lambda desk, actor, _number, _now: places.imported(desk, actor, after=0, limit=5),
    Permission.CASE: lambda desk, actor, _number, now: cases.owners(desk, actor),
    Permission.CASEWORK: lambda desk, actor, number, now: work_on_a_case(desk, actor, number, now),
    Permission.CUSTOMER: lambda desk, actor, _number, now: customers.listed(
        desk, actor, flag=None, after=0, limit=5, now=now
    ),
    Permission.SURGE: lambda desk, actor, _number, now: surge.release(desk, actor, now),
    Permission.ARTICLE: lambda desk, actor, _number, now: write(desk, actor, now),
    Permission.ROSTER: lambda desk, actor, _number, now: rosters.add(desk, actor, "测试", body(), now),
    Permission.POLICY: lambda desk, actor, _number, now: policies.versions(desk, actor, now),
    Permission.AUDIT: lambda desk, actor, _number, _now: board.audited(desk, actor, subject=None, after=0, limit=5),
}


def test_all_permissions_are_tried_here() -> None:
    assert set(OTHER) | {Permission(verb) for verb in Verb} == set(Permission)


@pytest.mark.parametrize("permission", OTHER)
def test_every_role_and_what_is_no_verb(desk: Desk, cast: Cast, now: datetime, permission: Permission) -> None:
    number = dispatched(desk, now)
    later = now + timedelta(minutes=10)
    escalation.sweep(desk, later)
    for role in PEOPLE:
        if permission in PERMISSIONS[role]:
            assert OTHER[permission](desk, cast.of(role), number, later)
        else:
            with pytest.raises(NotPermitted):
                OTHER[permission](desk, cast.of(role), number, later)


@pytest.mark.parametrize(
    "read",
    [
        lambda desk, actor, now: board.tickets(desk, actor, Filter(), text="", after=0, limit=5, now=now),
        lambda desk, actor, now: board.fired(desk, actor, is_unanswered=False, after=0, limit=5),
        lambda desk, actor, now: {"items": board.teams(desk, actor)},
    ],
    ids=["tickets", "fired", "teams"],
)
def test_whoever_may_read_may_read_lists(
    desk: Desk, cast: Cast, now: datetime, read: Callable[[Desk, Actor, datetime], dict[str, Any]]
) -> None:
    for role in PEOPLE:
        assert isinstance(read(desk, cast.of(role), now)["items"], list)
    with pytest.raises(NotPermitted):
        read(desk, cast.of(Role.SYSTEM), now)


# ---------------------------------------------------------------- a foreign team's work looks like none


@pytest.mark.parametrize("verb", [verb for verb in Verb if Permission(verb) in PERMISSIONS[Role.CREW]])
def test_crew_b_cannot_touch_the_work_of_crew_a(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    number = ready(desk, verb, now)
    before = board.ticket(desk, cast.dispatcher, number, now)
    with pytest.raises(NotFound):
        act(desk, cast.crew_b, number, verb, now, **what_it_needs(desk, verb, now))
    assert board.ticket(desk, cast.dispatcher, number, now) == before


def test_crew_b_cannot_see_the_work_of_crew_a(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    later = now + timedelta(minutes=10)
    escalation.sweep(desk, later)
    with pytest.raises(NotFound) as foreign:
        board.ticket(desk, cast.crew_b, number, now)
    with pytest.raises(NotFound) as missing:
        board.ticket(desk, cast.crew_b, "GD20261124-000099", now)
    assert foreign.value.detail.replace(number, "") == missing.value.detail.replace("GD20261124-000099", "")
    with pytest.raises(NotFound):
        supervision.reveal(desk, cast.crew_b, number, "好奇", now)
    with pytest.raises(NotFound):
        supervision.acknowledge(desk, cast.crew_b, 1, later)
    assert board.tickets(desk, cast.crew_b, Filter(), text="停水", after=0, limit=5, now=now)["items"] == []
    assert board.fired(desk, cast.crew_b, is_unanswered=True, after=0, limit=5)["items"] == []
    assert len(board.fired(desk, cast.crew_a, is_unanswered=True, after=0, limit=5)["items"]) == 1


def test_who_assists_sees_and_answers(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    act(desk, cast.lead_a, number, Verb.ASSIST, now, team_id=TEAM_B)
    later = now + timedelta(minutes=10)
    escalation.sweep(desk, later)
    assert board.ticket(desk, cast.crew_b, number, now)["assisting"] == [TEAM_B]
    (item,) = board.tickets(desk, cast.crew_b, Filter(), text="", after=0, limit=5, now=now)["items"]
    (step,) = board.fired(desk, cast.crew_b, is_unanswered=True, after=0, limit=5)["items"]
    assert (item["number"], step["number"]) == (number, number)
    assert supervision.acknowledge(desk, cast.crew_b, step["id"], later)["acknowledged_by"] == cast.crew_b.label


@pytest.mark.parametrize("verb", [verb for verb in Verb if Permission(verb) in PERMISSIONS[Role.LEAD]])
def test_who_assists_closes_the_valve_and_no_more(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    number = ready(desk, verb, now)
    with desk.store.write() as tx:  # who was asked while it could be, stays asked
        tx.conn.execute(update(TICKETS).values(assisting=[TEAM_B]))
    before = board.ticket(desk, cast.dispatcher, number, now)
    helper = Actor(cast.crew_b.user_id, "班组长乙", Role.LEAD, TEAM_B)
    if verb is Verb.ISOLATE:
        after = act(desk, helper, number, verb, now)
        assert (after["status"], after["version"]) == (before["status"], before["version"] + 1)
        return
    with pytest.raises(NotPermitted, match="协办"):
        act(desk, helper, number, verb, now, **what_it_needs(desk, verb, now))
    assert board.ticket(desk, cast.dispatcher, number, now) == before


def test_who_assisted_and_got_the_work_owns_it(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    act(desk, cast.lead_a, number, Verb.ASSIST, now, team_id=TEAM_B)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    assert act(desk, cast.crew_b, number, Verb.ACCEPT, now)["status"] == "accepted"


def test_who_lost_the_work_loses_sight_of_it(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    with pytest.raises(NotFound):
        act(desk, cast.crew_a, number, Verb.DEPART, now)
    assert act(desk, cast.crew_b, number, Verb.ACCEPT, now)["status"] == "accepted"


def test_a_crew_without_a_team_sees_nothing(desk: Desk, now: datetime) -> None:
    loner = Actor(0, "无班组", Role.CREW)
    number = ticket_at(desk, Status.RECEIVED, now)
    with pytest.raises(NotFound):
        board.ticket(desk, loner, number, now)
    assert board.tickets(desk, loner, Filter(), text="", after=0, limit=5, now=now)["items"] == []
