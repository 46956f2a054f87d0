"""What comes at the same moment, on both databases: calls, merges, a ticket let out, the end of an incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from sqlalchemy import func, select

from dispatch.domain.errors import IllegalTransition, InvalidInput
from dispatch.domain.incident import IncidentChanged
from dispatch.domain.states import Verb
from dispatch.services import incident_forms, incident_members, incident_watch, incidents, similar
from dispatch.services.desk import Desk
from dispatch.services.intake import Receipt
from dispatch.storage.callbacks import CALLBACKS
from dispatch.storage.similar import CALLS
from dispatch.storage.tickets import TICKETS
from tests.services.test_incidents import burst, dues, opened, seen, wish
from tests.support.cast import TEAM_A, ZONE_A, Cast, act, call, dispatched, spot
from tests.support.store import in_parallel

MINUTE = timedelta(minutes=1)


def merged_into(desk: Desk) -> dict[str, str | None]:
    with desk.store.read() as tx:
        return dict(tx.conn.execute(select(TICKETS.c.number, TICKETS.c.merged_into)).all())


def test_a_ring_of_merges_leaves_one_ticket_to_work_on(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers = [dispatched(desk, now) for _ in range(5)]
    ring = [*pairwise(numbers), (numbers[-1], numbers[0])]
    jobs = [partial(act, desk, cast.agent, one, Verb.MERGE, now, into=into) for one, into in [*ring, *ring[::-1]]]
    refused = [answer for answer in in_parallel(jobs) if isinstance(answer, Exception)]
    assert all(isinstance(answer, InvalidInput | IllegalTransition) for answer in refused), refused
    into = merged_into(desk)
    left = [number for number in numbers if into[number] is None]
    assert left, "somebody's work is left"
    for number in numbers:
        path = [number]
        while (further := into[path[-1]]) is not None:
            assert further not in path, "a circle"
            path.append(further)
        assert path[-1] in left


def test_calls_join_a_ticket_that_is_let_out_at_the_same_moment(desk: Desk, cast: Cast, now: datetime) -> None:
    """Two agents attach, two split, one lets it in again: calls are kept, clocks too, and it is in or out."""
    lead, one = burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, [one])
    before = dues(seen(desk, cast, one, now))
    attach = [partial(call, desk, cast.agent, now, attach_to=one, caller_phone=f"1310000000{n}") for n in range(4)]
    split = partial(incident_members.split, wish(desk, cast.supervisor, now), number, one, TEAM_A, "分开")
    join = partial(incidents.join, wish(desk, cast.dispatcher, now), number, [one])
    jobs: list[Callable[[], object]] = [*attach, split, split, join]
    results = in_parallel(jobs)
    assert not [result for result in results[:4] if isinstance(result, Exception)]
    # Whoever splits what is out already is told so.
    assert all(isinstance(result, dict | InvalidInput) for result in results[4:]), results
    after = seen(desk, cast, one, now)
    members = {member["number"] for member in incident_forms.get(desk, cast.agent, number, now)["tickets"]}
    assert after["is_carried"] == (one in members)
    assert (dues(after), len(after["calls"])) == (before, 5)


def test_no_caller_is_lost_where_an_incident_is_closed_while_calls_arrive(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    """A call joins before the end and is called back, or is refused after it: the agent makes a ticket of it."""
    lead, one, free = (burst(desk, now, caller_phone=f"1300000000{n}") for n in range(3))
    number = opened(desk, cast, now, lead, [one])
    for verb in (Verb.ACCEPT, Verb.ARRIVE):
        act(desk, cast.crew_a, lead, verb, now)
    attach = [
        partial(call, desk, cast.agent, now, attach_to=into, caller_phone=f"1310000000{n}")
        for n, into in enumerate((lead, one) * 4)
    ]
    close = partial(incidents.close, wish(desk, cast.supervisor, now + MINUTE), number, "已修复", is_done=True)
    join = partial(incidents.join, wish(desk, cast.dispatcher, now), number, [free])
    jobs: list[Callable[[], object]] = [*attach[:4], close, join, *attach[4:]]
    results = in_parallel(jobs)
    closed, joined = results.pop(4), results.pop(4)
    assert isinstance(closed, dict), closed
    assert isinstance(joined, dict | IncidentChanged), joined
    refused = [result for result in results if not isinstance(result, Receipt)]
    assert all(isinstance(result, InvalidInput) and result.field == "attach_to" for result in refused), refused
    with desk.store.read() as tx:
        of_done = select(CALLS.c.caller_phone).join(TICKETS, TICKETS.c.id == CALLS.c.ticket_id)
        rang = sorted(tx.conn.execute(of_done.where(TICKETS.c.status == "done")).scalars())
        rung = sorted(tx.conn.execute(select(CALLBACKS.c.phone)).scalars())
    assert len(rang) == 2 + isinstance(joined, dict) + len(results) - len(refused)
    assert rung == rang


def test_two_hundred_calls_in_a_minute_on_one_address(desk: Desk, cast: Cast, now: datetime) -> None:
    """Each is a ticket, each agent is told of a few others, nothing is joined; they are proposed as one incident."""
    here = spot(desk, ZONE_A, now)

    def take(first: int) -> list[int]:
        return [
            len(
                call(
                    desk, cast.agent, now + n * timedelta(seconds=0.3), category="burst", point=here,
                    address="天心区坡子街 8 号", caller_phone=f"1300000{n:04d}",
                ).body["suggestions"]
            )
            for n in range(first, 200, 8)
        ]  # fmt: skip

    told = in_parallel([partial(take, first) for first in range(8)])
    counts = [count for of_agent in told if isinstance(of_agent, list) for count in of_agent]
    assert (len(counts), max(counts)) == (200, similar.SHOWN), told
    with desk.store.read() as tx:
        size = tx.conn.execute(select(func.count(), func.count(TICKETS.c.incident_id))).one()
    assert tuple(size) == (200, 0)
    assert (incident_watch.propose(desk, now + MINUTE), incident_watch.propose(desk, now + MINUTE)) == (1, 0)
    listed = incident_forms.listed(desk, cast.agent, statuses=("proposed",), after=0, limit=9, now=now)
    assert [one["suggested_count"] for one in listed["items"]] == [200]
