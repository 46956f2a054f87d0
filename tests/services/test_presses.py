"""The same person, the same verb, the same wish, and a ticket that has not changed since: one press."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.callback import PAUSE
from dispatch.domain.errors import IllegalTransition, InvalidInput, StaleVersion
from dispatch.domain.place import Wgs84Point
from dispatch.domain.states import RULES, Status, Verb
from dispatch.domain.times import SHANGHAI
from dispatch.services import board, escalation, fieldwork, supervision
from dispatch.services.actions import ONE_PRESS
from dispatch.services.desk import Desk
from dispatch.storage.columns import table_of
from dispatch.storage.tables import AuditRow, EventRow, OutboxRow, ReplyRow
from tests.support.cast import TEAM_A, TEAM_B, ZONE_B, Cast, act, call, dispatched, spot, ticket_at, what_it_needs
from tests.support.store import in_parallel

BY_WHOM = {verb: "crew_a" for verb in fieldwork.VERBS} | {verb: "dispatcher" for verb in supervision.VERBS}
TABLES = [table_of(row) for row in (EventRow, AuditRow, OutboxRow, ReplyRow)]
SECOND = timedelta(seconds=1)


def written(desk: Desk) -> list[int]:
    """How many events, audit entries, notices and replies there are."""
    with desk.store.read() as tx:
        return [tx.conn.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES]


def kinds(desk: Desk, cast: Cast, number: str, now: datetime) -> list[str]:
    return [event["kind"] for event in board.ticket(desk, cast.dispatcher, number, now)["timeline"]]


def ready(desk: Desk, cast: Cast, verb: Verb, now: datetime) -> str:
    """A ticket on which the verb succeeds, and that it leads to another state if it does to any."""
    status = next(s for s in Status if s in RULES[verb].sources and s is not RULES[verb].target)
    number = ticket_at(desk, status, now, category="burst" if verb is Verb.ISOLATE else "no_water")
    if verb is Verb.CLOSE:
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=True)
    return number


@pytest.mark.parametrize("verb", Verb)
def test_a_second_press_changes_nothing(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    number = ready(desk, cast, verb, now)
    actor, told = getattr(cast, BY_WHOM[verb]), what_it_needs(desk, verb, now)
    first = act(desk, actor, number, verb, now, **told)
    before = written(desk)
    assert act(desk, actor, number, verb, now + SECOND, **told) == first
    # A phone that does not yet know of its own success sends the version it saw.
    assert act(desk, actor, number, verb, now + SECOND, version=first["version"] - 1, **told) == first
    assert written(desk) == before


@pytest.mark.parametrize("verb", [Verb.ACCEPT, Verb.REASSIGN, Verb.URGE, Verb.CALLBACK, Verb.ASSIST])
def test_many_presses_at_once_are_one(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    number = ready(desk, cast, verb, now)
    actor, told = getattr(cast, BY_WHOM[verb]), what_it_needs(desk, verb, now)
    answers = in_parallel([lambda: act(desk, actor, number, verb, now, **told)] * 12)
    assert answers == [board_form(desk, cast, number, now)] * 12
    assert kinds(desk, cast, number, now).count(verb) == 1


def board_form(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    """The ticket as an action answers it: without what the detail adds."""
    ticket = board.ticket(desk, cast.dispatcher, number, now)
    added = {"calls", "timeline", "escalations", "rating", "suggestion", "recommendation"}
    added |= {"callbacks", "reworked_by", "follow_ups"}
    return {name: ticket[name] for name in ticket if name not in added}


# ---------------------------------------------------------------- the same wish, in other circumstances


def test_where_and_when_the_phone_was_is_no_other_wish(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, now)
    ticket = board.ticket(desk, cast.crew_a, number, now)
    lon, lat = ticket["lon"], ticket["lat"]
    there = {"point": Wgs84Point(lon, lat), "accuracy_m": 12.0, "device_at": now}
    first = act(desk, cast.crew_a, number, Verb.ARRIVE, now, **there)
    drifted = {"point": Wgs84Point(lon + 0.0001, lat), "accuracy_m": 30.0, "device_at": now + SECOND}
    assert act(desk, cast.crew_a, number, Verb.ARRIVE, now + SECOND, **drifted) == first


def test_a_time_is_the_same_in_every_zone(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    until = now + timedelta(days=3)
    first = act(desk, cast.dispatcher, number, Verb.EXTEND, now, until=until.astimezone(UTC), reason="wait_material")
    again = act(
        desk, cast.dispatcher, number, Verb.EXTEND, now, until=until.astimezone(SHANGHAI), reason="wait_material"
    )
    assert again == first


def test_a_second_press_is_answered_with_the_ticket_as_it_is_now(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    late = now + timedelta(minutes=31)
    again = act(desk, cast.crew_a, number, Verb.ACCEPT, late)
    assert {clock["kind"] for clock in again["clocks"] if clock["state"] == "breached"} == {"arrive"}


# ---------------------------------------------------------------- what is no change, and what is one


def test_neither_a_fired_step_nor_a_further_call_makes_it_a_new_action(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    later = now + timedelta(minutes=70)
    assert escalation.sweep(desk, later).fired
    call(desk, cast.agent, later, attach_to=number)
    before = written(desk)
    assert act(desk, cast.dispatcher, number, Verb.REASSIGN, later, team_id=TEAM_B)["is_supervised"]
    assert written(desk) == before


def test_the_same_verb_of_somebody_else_is_no_second_press(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    with pytest.raises(IllegalTransition) as caught:
        act(desk, cast.lead_a, number, Verb.ACCEPT, now)
    assert caught.value.extra["current_status"] == "accepted"
    for person in (cast.agent, cast.dispatcher):
        last = act(desk, person, number, Verb.URGE, now)
    assert last["urge_count"] == 2


def test_after_another_verb_it_is_a_new_action(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    seen = board.ticket(desk, cast.crew_a, number, now)["version"]
    act(desk, cast.crew_a, number, Verb.ACCEPT, now, version=seen)
    act(desk, cast.agent, number, Verb.URGE, now)
    with pytest.raises(StaleVersion):
        act(desk, cast.crew_a, number, Verb.ACCEPT, now, version=seen)
    with pytest.raises(IllegalTransition):
        act(desk, cast.crew_a, number, Verb.ACCEPT, now)


def test_there_and_back_and_there_again_is_three(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    for team in (TEAM_B, TEAM_A, TEAM_B):
        assert act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=team)["team_id"] == team
    assert kinds(desk, cast, number, now).count("reassign") == 3


@pytest.mark.parametrize(
    ("verb", "first", "second"),
    [
        (Verb.DISPATCH, {"team_id": TEAM_A}, {"team_id": TEAM_B}),
        (Verb.HOLD, {"hours": 2}, {"hours": 3}),
        (Verb.MERGE, {"into": 1}, {"into": 2}),
        (Verb.SUPERVISE, {"note": "盯紧"}, {"note": "请分公司经理到场"}),
    ],
)
def test_another_wish_is_no_second_press(
    desk: Desk, cast: Cast, now: datetime, verb: Verb, first: dict[str, Any], second: dict[str, Any]
) -> None:
    number = ready(desk, cast, verb, now)
    targets = {1: dispatched(desk, now), 2: dispatched(desk, now)}

    def told(wish: dict[str, Any]) -> dict[str, Any]:
        if "hours" in wish:
            return {"reason": "wait_user", "until": now + timedelta(hours=wish["hours"])}
        return {"into": targets[wish["into"]]} if "into" in wish else wish

    after = act(desk, cast.dispatcher, number, verb, now, **told(first))
    with pytest.raises((IllegalTransition, InvalidInput)):
        act(desk, cast.dispatcher, number, verb, now, **told(second))
    assert act(desk, cast.dispatcher, number, verb, now, **told(first)) == after


def test_another_pin_is_another_wish(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    pin = spot(desk, ZONE_B, now)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, point=pin)
    with pytest.raises(InvalidInput):
        act(desk, cast.dispatcher, number, Verb.REASSIGN, now, point=Wgs84Point(pin.lon + 1e-5, pin.lat))


# ---------------------------------------------------------------- what is counted


@pytest.mark.parametrize(("verb", "count"), [(Verb.URGE, "urge_count"), (Verb.CALLBACK, "callback_attempts")])
def test_what_is_counted_is_one_within_a_minute(desk: Desk, cast: Cast, now: datetime, verb: Verb, count: str) -> None:
    number = ready(desk, cast, verb, now)
    told = {"is_reached": False} if verb is Verb.CALLBACK else {}
    again = PAUSE if verb is Verb.CALLBACK else ONE_PRESS  # a caller who did not answer is left in peace for a while
    counted = [
        act(desk, cast.agent, number, verb, at, **told)[count]
        for at in (now, now + ONE_PRESS - SECOND, now + again, now + again + ONE_PRESS - SECOND, now + 2 * again)
    ]
    assert counted == [1, 1, 2, 2, 3]


def test_two_keys_are_two_wishes(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    counted = [act(desk, cast.agent, number, Verb.URGE, now, key=key)["urge_count"] for key in ("a", "b", "a")]
    assert counted == [1, 2, 1]
    # What is not counted stays one thing, whatever the key.
    first = act(desk, cast.crew_a, number, Verb.ACCEPT, now, key="a")
    assert act(desk, cast.crew_a, number, Verb.ACCEPT, now, key="b") == first


def test_a_ticket_keeps_its_last_press_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    before = written(desk)
    ticket_at(desk, Status.CLOSED, now)
    assert written(desk)[-1] == before[-1] + 1
