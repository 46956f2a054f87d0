"""Calls that ring: any order of events leads to one call, and of several agents one gets it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dispatch.domain.cti import LOST_AFTER, CallOver, CallTaken, CtiEvent, CtiEventKind
from dispatch.domain.errors import NotFound, NotPermitted
from dispatch.services import cti
from dispatch.services.desk import Desk
from dispatch.storage import cti as rows
from dispatch.storage.columns import table_of
from dispatch.storage.screen_tables import SignalRow
from tests.support.cast import CALLER_PHONE, Cast, call
from tests.support.store import NOW, in_parallel

RING, ANSWER, HANGUP = CtiEventKind.RING, CtiEventKind.ANSWER, CtiEventKind.HANGUP
_ids = count(1)


def told(kind: CtiEventKind = RING, call_id: str = "7731", at: datetime = NOW, **more: Any) -> CtiEvent:
    return CtiEvent(call_id=call_id, kind=kind, at=at, **{"caller": CALLER_PHONE, "line": "96533", **more})


def ring(desk: Desk, cast: Cast, now: datetime, *kinds: CtiEventKind, call_id: str = "7731") -> None:
    for kind in kinds or (RING,):
        cti.hear(desk, cast.integration, told(kind, call_id), now)


_moments = st.integers(0, 90).map(lambda s: NOW + timedelta(seconds=s))
_events = st.lists(
    st.builds(
        told,
        kind=st.sampled_from(CtiEventKind),
        at=_moments,
        caller=st.sampled_from([None, CALLER_PHONE, "13000000002"]),
        seat=st.sampled_from([None, "011", "012"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=_events, data=st.data())
def test_any_order_and_repetition_of_the_same_events_is_the_same_call(
    desk: Desk, cast: Cast, events: list[CtiEvent], data: st.DataObject
) -> None:
    again = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    now = NOW + timedelta(minutes=2)
    known = []
    for told_so in (events, again):
        call_id = f"call-{next(_ids)}"
        for event in told_so:
            last = cti.hear(desk, cast.integration, CtiEvent(**{**_members(event), "call_id": call_id}), now)
        known.append({**last, "call_id": None})
    assert known[0] == known[1]
    earliest = {kind: min((e.at for e in events if e.kind is kind), default=None) for kind in CtiEventKind}
    assert [known[0][name] for name in ("rung_at", "answered_at", "hung_up_at")] == [
        at.isoformat() if at else None for at in earliest.values()
    ]


def _members(event: CtiEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in CtiEvent.__dataclass_fields__}


def test_events_that_come_at_once_all_arrive(desk: Desk, cast: Cast, now: datetime) -> None:
    jobs = [partial(cti.hear, desk, cast.integration, told(kind), now) for kind in CtiEventKind for _ in range(3)]
    assert not [answer for answer in in_parallel(jobs) if isinstance(answer, Exception)]
    with desk.store.read() as tx:
        row = rows.find(tx, "7731") or {}
    assert [row[name] for name in ("rung_at", "answered_at", "hung_up_at")] == [now] * 3


def test_the_list_has_what_rings_or_is_spoken_on_newest_first(desk: Desk, cast: Cast, now: datetime) -> None:
    for n, kinds in enumerate([(RING,), (RING, ANSWER), (RING, HANGUP), (HANGUP,), (ANSWER,)]):
        ring(desk, cast, now + timedelta(seconds=n), *kinds, call_id=f"c{n}")
    items = cti.waiting(desk, cast.agent, now)["items"]
    assert [(item["call_id"], item["state"]) for item in items] == [
        ("c4", "answered"),
        ("c1", "answered"),
        ("c0", "ringing"),
    ]
    assert {item["caller_phone"] for item in items} == {"130****0001"}
    assert cti.waiting(desk, cast.agent, now + LOST_AFTER + timedelta(minutes=1))["items"] == []


def test_who_claims_a_call_sees_its_number_the_others_see_who(desk: Desk, cast: Cast, now: datetime) -> None:
    ring(desk, cast, now)
    mine = cti.claim(desk, cast.agent, "7731", now)
    assert (mine["caller_phone"], mine["is_mine"], mine["claimed_by"]) == (CALLER_PHONE, True, cast.agent.name)
    assert cti.claim(desk, cast.agent, "7731", now) == mine
    with pytest.raises(CallTaken, match=cast.agent.name) as caught:
        cti.claim(desk, cast.dispatcher, "7731", now)
    assert caught.value.extra == {"claimed_by": cast.agent.name}
    (seen,) = cti.waiting(desk, cast.dispatcher, now)["items"]
    assert (seen["caller_phone"], seen["is_mine"], seen["claimed_by"]) == ("130****0001", False, cast.agent.name)


def test_a_call_is_shown_as_saved_once_it_is_registered(desk: Desk, cast: Cast, now: datetime) -> None:
    ring(desk, cast, now)
    assert cti.claim(desk, cast.agent, "7731", now)["is_saved"] is False
    call(desk, cast.agent, now, cti_call_id="7731")
    (seen,) = cti.waiting(desk, cast.agent, now)["items"]
    assert seen["is_saved"] is True


def test_a_call_that_hung_up_first_is_over_and_one_in_hand_stays_in_hand(desk: Desk, cast: Cast, now: datetime) -> None:
    ring(desk, cast, now, RING, HANGUP)
    with pytest.raises(CallOver):
        cti.claim(desk, cast.agent, "7731", now)
    ring(desk, cast, now, call_id="c2")
    cti.claim(desk, cast.agent, "c2", now)
    ring(desk, cast, now, HANGUP, call_id="c2")
    assert cti.claim(desk, cast.agent, "c2", now)["state"] == "over"


def test_a_call_that_nobody_told_of(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        cti.claim(desk, cast.agent, "none", now)


def test_of_agents_who_race_for_a_call_one_gets_it(desk: Desk, cast: Cast, now: datetime) -> None:
    people = [cast.agent, cast.dispatcher, cast.supervisor, cast.admin]
    for n in range(8):
        ring(desk, cast, now, call_id=f"c{n}")
        answers = in_parallel([partial(cti.claim, desk, who, f"c{n}", now) for who in people * 2])
        winners = {answer["claimed_by"] for answer in answers if not isinstance(answer, Exception)}
        assert len(winners) == 1
        losers = [answer for answer in answers if isinstance(answer, Exception)]
        assert len(losers) == 6
        assert all(isinstance(loser, CallTaken) and winners < {loser.extra["claimed_by"], ""} for loser in losers)


def test_consoles_are_woken_and_the_audit_knows(desk: Desk, cast: Cast, now: datetime) -> None:
    ring(desk, cast, now)
    cti.claim(desk, cast.agent, "7731", now)
    cti.claim(desk, cast.agent, "7731", now)
    with desk.store.read() as tx:
        signals = table_of(SignalRow)
        heard = tx.conn.execute(select(signals.c.topic, signals.c.key)).all()
    assert [tuple(row) for row in heard] == [("cti", "7731")] * 2


def test_who_may(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        cti.hear(desk, cast.agent, told(), now)
    for act in (partial(cti.claim, desk, cast.crew_a, "7731"), partial(cti.waiting, desk, cast.crew_a)):
        with pytest.raises(NotPermitted):
            act(now)
