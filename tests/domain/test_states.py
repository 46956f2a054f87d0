"""The life of a ticket as data: complete, labelled, reachable, and drawn as it is."""

from pathlib import Path

import pytest

from dispatch.domain import states
from dispatch.domain.roles import PERMISSIONS, Permission, Role
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import (
    ACTIVE,
    ENDED,
    OPEN,
    OWNERS,
    RULES,
    STATUS_LABELS,
    VERB_LABELS,
    Status,
    Verb,
    legal_verbs,
    next_step,
)

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_label_an_owner_and_an_edge(status: Status) -> None:
    assert STATUS_LABELS[status]
    assert status in OWNERS
    lines = states.diagram().splitlines()
    assert f"    {status}: {STATUS_LABELS[status]} {status}" in lines
    arriving = [line for line in lines if f"--> {status}" in line and not line.startswith(f"    {status} -->")]
    leaving = [line for line in lines if line.startswith(f"    {status} -->")]
    assert arriving, "nobody ever gets there"
    assert leaving, "nobody ever gets away"


@pytest.mark.parametrize("verb", Verb)
def test_every_verb_has_a_label_a_rule_and_somebody_who_may(verb: Verb) -> None:
    assert VERB_LABELS[verb]
    assert RULES[verb].sources
    assert any(Permission(verb.value) in PERMISSIONS[role] for role in Role if role is not Role.ADMIN)
    assert f": {VERB_LABELS[verb]} {verb}\n" in states.diagram()


def test_labels_are_told_apart() -> None:
    assert set(STATUS_LABELS) == set(OWNERS) == set(Status)
    assert set(VERB_LABELS) == set(RULES) == set(Verb)
    assert len(set(STATUS_LABELS.values())) == len(Status)
    assert len(set(VERB_LABELS.values())) == len(Verb)


def test_the_states_fall_into_open_and_ended() -> None:
    assert {Status.CLOSED, Status.MERGED, Status.CANCELLED} == ENDED
    assert set(Status) == OPEN | ENDED
    assert not OPEN & ENDED
    assert {Status.DONE} == OPEN - ACTIVE


def test_owners_are_roles_and_nobody_owns_an_end() -> None:
    assert {status for status, owner in OWNERS.items() if owner is None} == ENDED
    assert {owner for owner in OWNERS.values() if owner} <= set(Role)


def test_an_ended_ticket_knows_no_verb() -> None:
    for status in ENDED:
        assert legal_verbs(status) == ()


def test_verbs_of_a_state_in_their_order() -> None:
    assert legal_verbs(Status.DONE) == (Verb.CALLBACK, Verb.CLOSE, Verb.SUPERVISE, Verb.REWORK)
    assert legal_verbs(Status.ON_HOLD) == (
        Verb.REASSIGN,
        Verb.RESUME,
        Verb.URGE,
        Verb.SUPERVISE,
        Verb.ASSIST,
        Verb.MERGE,
        Verb.RELEVEL,
    )


def test_every_state_is_reached_from_received() -> None:
    reached, seen = {Status.RECEIVED}, set[Status]()
    while reached - seen:
        status = (reached - seen).pop()
        seen.add(status)
        reached |= {RULES[verb].target or status for verb in legal_verbs(status)}
    assert reached == set(Status)


def test_every_open_state_can_come_to_an_end() -> None:
    for start in OPEN:
        reached = {start}
        for _ in Status:
            reached |= {RULES[verb].target or status for status in reached for verb in legal_verbs(status)}
        assert reached & ENDED, start


def test_each_clock_is_met_by_one_verb() -> None:
    met = {rule.meets: verb for verb, rule in RULES.items() if rule.meets}
    assert met == {
        ClockKind.ACK: Verb.ACCEPT,
        ClockKind.ARRIVE: Verb.ARRIVE,
        ClockKind.ISOLATE: Verb.ISOLATE,
        ClockKind.FIX: Verb.DONE,
        ClockKind.CALLBACK: Verb.CALLBACK,
    }


def test_the_main_road() -> None:
    road = [
        (Verb.DISPATCH, Status.RECEIVED, Status.DISPATCHED),
        (Verb.ACCEPT, Status.DISPATCHED, Status.ACCEPTED),
        (Verb.DEPART, Status.ACCEPTED, Status.EN_ROUTE),
        (Verb.ARRIVE, Status.EN_ROUTE, Status.ON_SITE),
        (Verb.WORK, Status.ON_SITE, Status.WORKING),
        (Verb.DONE, Status.WORKING, Status.DONE),
        (Verb.CLOSE, Status.DONE, Status.CLOSED),
        (Verb.RETURN, Status.DISPATCHED, Status.RETURNED),
        (Verb.DISPATCH, Status.RETURNED, Status.DISPATCHED),
        (Verb.RESUME, Status.ON_HOLD, Status.WORKING),
        (Verb.REWORK, Status.DONE, Status.DISPATCHED),
    ]
    for verb, source, target in road:
        assert source in RULES[verb].sources
        assert RULES[verb].target is target


def test_the_page_is_the_one_that_the_rules_make() -> None:
    head, _, drawn = PAGE.read_text(encoding="utf-8").partition("```mermaid\n")
    assert head.startswith("# Ticket states\n")
    assert drawn == f"{states.diagram()}```\n", "run: python run.py state-diagram --write"


def test_a_crew_has_one_next_step_where_it_has_to_move() -> None:
    steps = {status: next_step(status) for status in Status}
    assert steps == {
        Status.RECEIVED: None,
        Status.DISPATCHED: Verb.ACCEPT,
        Status.ACCEPTED: Verb.DEPART,
        Status.EN_ROUTE: Verb.ARRIVE,
        Status.ON_SITE: Verb.WORK,
        Status.WORKING: Verb.DONE,
        Status.ON_HOLD: Verb.RESUME,
        Status.RETURNED: None,
        Status.DONE: None,
        Status.CLOSED: None,
        Status.MERGED: None,
        Status.CANCELLED: None,
    }
