"""How a ticket without a crew job of its own follows the one that leads its incident."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from dispatch.domain.states import ENDED, RULES, Status, Verb
from dispatch.domain.ticket import Ticket, Transition

# The way of a ticket that has a team.
_WALK = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE, Verb.HOLD, Verb.RESUME)
_UNASSIGNED = frozenset({Status.RECEIVED, Status.RETURNED})
_NO_TEAM = _UNASSIGNED | ENDED


def steps(member: Ticket, lead: Ticket) -> tuple[Verb, ...]:
    """Return what a carried ticket must do to stand where the one that leads stands.

    A member that is done or ended stays so, and a lead that has no team takes nobody along.
    """
    if lead.status in _NO_TEAM or member.status in ENDED or member.status is Status.DONE:
        return ()
    if member.status in _UNASSIGNED:
        return (Verb.DISPATCH, *_shortest(Status.DISPATCHED, lead.status))
    if member.team_id != lead.team_id:
        return (Verb.REASSIGN, *_shortest(Status.DISPATCHED, lead.status))
    return _shortest(member.status, lead.status)


@cache
def _shortest(source: Status, target: Status) -> tuple[Verb, ...]:
    """Return the shortest way between two states, or nothing where there is none: nobody goes back."""
    ways: dict[Status, tuple[Verb, ...]] = {source: ()}
    waiting = [source]
    while waiting and target not in ways:
        here = waiting.pop(0)
        for verb in _WALK:
            to = RULES[verb].target
            if here in RULES[verb].sources and to is not None and to not in ways:
                ways[to] = (*ways[here], verb)
                waiting.append(to)
    return ways.get(target, ())


def after(ticket: Ticket, transition: Transition, version: int) -> Ticket:
    """Return the ticket as it is once `transition` is written under `version`."""
    told = {name: value for name, value in transition.changes.items() if name in Ticket.__dataclass_fields__}
    told["assisting"] = tuple(told.get("assisting", ticket.assisting))
    clocks = {(clock.kind, clock.round): clock for clock in (*ticket.clocks, *transition.clocks)}
    told |= {"status": transition.target, "version": version, "clocks": tuple(clocks.values())}
    return replace(ticket, **told)
