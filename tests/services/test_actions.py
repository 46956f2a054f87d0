"""A verb is done on the state that was seen, and once: a repeated key changes nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    InvalidInput,
    NotFound,
    StaleVersion,
)
from dispatch.domain.place import Gcj02Point, Wgs84Point, to_gcj02
from dispatch.domain.states import RULES, Status, Verb
from dispatch.services import board, fieldwork, supervision
from dispatch.services.desk import Desk
from dispatch.storage.columns import table_of
from dispatch.storage.tables import AuditRow, EventRow
from tests.support.cast import (
    TEAM_A,
    TEAM_B,
    Cast,
    act,
    dispatched,
    received,
    ticket_at,
    what_it_needs,
)
from tests.support.store import in_parallel

BY_WHOM = {verb: "crew_a" for verb in fieldwork.VERBS} | {verb: "dispatcher" for verb in supervision.VERBS}


def written(desk: Desk) -> tuple[int, int]:
    """How many events and audit entries there are."""
    with desk.store.read() as tx:
        tables = (table_of(EventRow), table_of(AuditRow))
        events, entries = (tx.conn.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
    return events, entries


def clock(ticket: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(c for c in reversed(ticket["clocks"]) if c["kind"] == kind)


def start(verb: Verb) -> Status:
    """A state from which the verb leads to another one."""
    return next(s for s in Status if s in RULES[verb].sources and s is not RULES[verb].target)


def test_every_verb_has_its_service() -> None:
    assert sorted(fieldwork.VERBS + supervision.VERBS) == sorted(Verb)
    assert not set(fieldwork.VERBS) & set(supervision.VERBS)


# ---------------------------------------------------------------- twice


@pytest.mark.parametrize("verb", Verb)
def test_a_repeated_key_gets_the_first_answer(desk: Desk, cast: Cast, now: datetime, verb: Verb) -> None:
    category = "burst" if verb is Verb.ISOLATE else "no_water"
    number = ticket_at(desk, Status.WORKING if verb is Verb.HOLD else start(verb), now, category=category)
    if verb is Verb.CLOSE:
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=True)
    actor = getattr(cast, BY_WHOM[verb])
    told = what_it_needs(desk, verb, now) | {"key": "k"}
    first = act(desk, actor, number, verb, now, **told)
    before = written(desk)
    assert act(desk, actor, number, verb, now + timedelta(minutes=3), **told) == first
    assert written(desk) == before


def test_a_key_with_another_action_is_refused(desk: Desk, cast: Cast, now: datetime) -> None:
    one, two = dispatched(desk, now), dispatched(desk, now)
    act(desk, cast.crew_a, one, Verb.ACCEPT, now, key="k")
    for number, verb, told in (
        (two, Verb.ACCEPT, {}),
        (one, Verb.DEPART, {}),
        (one, Verb.ACCEPT, {"note": "马上到"}),
    ):
        with pytest.raises(IdempotencyMismatch):
            act(desk, cast.crew_a, number, verb, now, key="k", **told)
    assert act(desk, cast.lead_a, two, Verb.ACCEPT, now, key="k")["status"] == "accepted"


def test_a_refused_action_keeps_no_key(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    with pytest.raises(IllegalTransition):
        act(desk, cast.crew_a, number, Verb.DEPART, now, key="k")
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    assert act(desk, cast.crew_a, number, Verb.DEPART, now, key="k")["status"] == "en_route"


# ---------------------------------------------------------------- on what was seen


def test_a_stale_version_is_refused_with_the_ticket_as_it_is(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    seen = board.ticket(desk, cast.crew_a, number, now)["version"]
    current = act(desk, cast.agent, number, Verb.URGE, now, version=seen)
    with pytest.raises(StaleVersion) as caught:
        act(desk, cast.crew_a, number, Verb.ACCEPT, now, version=seen)
    assert caught.value.field == "version"
    assert caught.value.extra["ticket"] == current
    assert current["urge_count"] == 1
    assert act(desk, cast.crew_a, number, Verb.ACCEPT, now, version=current["version"])["status"] == "accepted"


def test_of_two_who_saw_the_same_version_one_wins(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    seen = board.ticket(desk, cast.dispatcher, number, now)["version"]
    results = in_parallel(
        [
            lambda: act(desk, cast.crew_a, number, Verb.DEPART, now, version=seen),
            lambda: act(desk, cast.dispatcher, number, Verb.REASSIGN, now, version=seen, team_id=TEAM_B),
        ]
    )
    won = [result for result in results if isinstance(result, dict)]
    lost = [result for result in results if isinstance(result, StaleVersion | NotFound)]
    assert (len(won), len(lost)) == (1, 1)
    assert board.ticket(desk, cast.dispatcher, number, now)["status"] == won[0]["status"]


@pytest.mark.parametrize("status", Status)
def test_what_does_not_fit_is_refused(desk: Desk, cast: Cast, now: datetime, status: Status) -> None:
    number = ticket_at(desk, status, now)
    before = board.ticket(desk, cast.dispatcher, number, now)
    for verb in Verb:
        if status in RULES[verb].sources or status is RULES[verb].target:
            continue
        needed = what_it_needs(desk, verb, now)
        with pytest.raises(IllegalTransition) as caught:
            act(desk, cast.dispatcher, number, verb, now, **needed)
        assert caught.value.extra == {"current_status": status, "current_version": before["version"]}
    assert board.ticket(desk, cast.dispatcher, number, now) == before


def test_there_must_be_a_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        act(desk, cast.dispatcher, "GD20261124-000001", Verb.URGE, now)


def test_control_characters_have_no_place_in_a_note(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    with pytest.raises(InvalidInput) as caught:
        act(desk, cast.agent, number, Verb.URGE, now, note="\x07")
    assert caught.value.field == "note"


# ---------------------------------------------------------------- fieldwork


def test_arriving_tells_how_far_the_phone_was(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, now)
    ticket = board.ticket(desk, cast.crew_a, number, now)
    off = Wgs84Point(ticket["lon"], ticket["lat"] + 0.001)
    act(desk, cast.crew_a, number, Verb.ARRIVE, now, point=to_gcj02(off), accuracy_m=12.4, note="门口有狗")
    text = board.ticket(desk, cast.crew_a, number, now)["timeline"][-1]["text"]
    assert text == "水管家甲 (水管家) 到场: 距报修点 111 m (精度 12 m); 门口有狗"


def test_arriving_far_away_needs_a_word_why(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, now)
    ticket = board.ticket(desk, cast.crew_a, number, now)
    far = Wgs84Point(ticket["lon"], ticket["lat"] + 0.01)
    with pytest.raises(InvalidInput, match="距报修点 1108 m, 超过 300 m") as caught:
        act(desk, cast.crew_a, number, Verb.ARRIVE, now, point=far, note=" ")
    assert caught.value.field == "note"
    act(desk, cast.crew_a, number, Verb.ARRIVE, now, point=far, note="阀门在路口")
    text = board.ticket(desk, cast.crew_a, number, now)["timeline"][-1]["text"]
    assert text.endswith("距报修点 1108 m; 阀门在路口")


def test_arriving_without_a_place_needs_a_word_why(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, now)
    with pytest.raises(InvalidInput, match="手机没有报出位置") as caught:
        act(desk, cast.crew_a, number, Verb.ARRIVE, now, note=" ")
    assert caught.value.field == "note"
    act(desk, cast.crew_a, number, Verb.ARRIVE, now, note="地下室没有信号")
    text = board.ticket(desk, cast.crew_a, number, now)["timeline"][-1]["text"]
    assert text == "水管家甲 (水管家) 到场: 未定位; 地下室没有信号"


def test_arriving_where_the_ticket_has_no_pin(desk: Desk, cast: Cast, now: datetime) -> None:
    unlocated = received(desk, now)
    act(desk, cast.dispatcher, unlocated, Verb.DISPATCH, now, team_id=TEAM_A)
    act(desk, cast.crew_a, unlocated, Verb.ACCEPT, now)
    act(desk, cast.crew_a, unlocated, Verb.ARRIVE, now, point=Gcj02Point(112.95, 28.1))
    assert board.ticket(desk, cast.crew_a, unlocated, now)["timeline"][-1]["text"] == "水管家甲 (水管家) 到场"


def test_arriving_with_a_pin_of_unknown_accuracy(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ACCEPTED, now)
    ticket = board.ticket(desk, cast.crew_a, number, now)
    act(desk, cast.crew_a, number, Verb.ARRIVE, now, point=Wgs84Point(ticket["lon"], ticket["lat"]))
    assert board.ticket(desk, cast.crew_a, number, now)["timeline"][-1]["text"].endswith("距报修点 0 m")


def test_the_phone_without_signal_is_believed(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, now)
    really, later = now + timedelta(minutes=20), now + timedelta(minutes=45)
    after = act(desk, cast.crew_a, number, Verb.ARRIVE, later, device_at=really)
    assert (clock(after, "arrive")["met_at"], clock(after, "arrive")["state"]) == (really.isoformat(), "met")
    event = board.ticket(desk, cast.crew_a, number, later)["timeline"][-1]
    assert (event["at"], event["effective_at"], event["time_source"]) == (
        later.isoformat(),
        really.isoformat(),
        "device",
    )


def test_a_burst_is_isolated_then_repaired(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now, category="burst")
    stopped = act(desk, cast.crew_a, number, Verb.ISOLATE, now + timedelta(hours=1))
    assert clock(stopped, "isolate")["met_at"] == (now + timedelta(hours=1)).isoformat()
    with pytest.raises(IllegalTransition):
        act(desk, cast.lead_a, number, Verb.ISOLATE, now + timedelta(hours=1))
    repaired = act(desk, cast.crew_a, number, Verb.DONE, now + timedelta(hours=2))
    assert clock(repaired, "callback")["due_at"] == (now + timedelta(hours=4)).isoformat()
