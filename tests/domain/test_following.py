"""A carried ticket goes where the one that leads stands, by legal steps alone, and never back."""

from datetime import UTC, datetime

import pytest

from dispatch.domain.following import steps
from dispatch.domain.policy import Area
from dispatch.domain.states import ENDED, RULES, Status, Verb
from dispatch.domain.ticket import Ticket

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)


def ticket(status: Status, team_id: str | None = "a") -> Ticket:
    return Ticket(1, "GD1", status, 1, 1, "P2", "no_water", Area.IN_CIRCLE, "p", NOW, team_id)


@pytest.mark.parametrize("lead", Status)
@pytest.mark.parametrize("member", Status)
def test_the_way_is_legal_and_ends_where_the_lead_stands(member: Status, lead: Status) -> None:
    here = member
    way = steps(ticket(member), ticket(lead))
    for verb in way:
        assert here in RULES[verb].sources
        here = RULES[verb].target or here
    if way:
        assert here is lead
    if lead in ENDED or member in ENDED or member is Status.DONE:
        assert way == ()


def test_some_ways() -> None:
    def way(member: Status, lead: Status, team: str = "a") -> tuple[Verb, ...]:
        return steps(ticket(member, team), ticket(lead))

    assert way(Status.RECEIVED, Status.ON_SITE) == (Verb.DISPATCH, Verb.ACCEPT, Verb.ARRIVE)
    assert way(Status.WORKING, Status.ACCEPTED, "b") == (Verb.REASSIGN, Verb.ACCEPT)
    assert way(Status.WORKING, Status.DISPATCHED) == ()
    assert way(Status.DISPATCHED, Status.ON_HOLD) == (Verb.ACCEPT, Verb.ARRIVE, Verb.HOLD)
    assert way(Status.ON_HOLD, Status.DONE) == (Verb.RESUME, Verb.DONE)
    assert way(Status.DISPATCHED, Status.RETURNED) == way(Status.RETURNED, Status.RECEIVED) == ()
