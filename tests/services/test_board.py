"""What people read: pages, details with masked numbers, the audit, the script of questions."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.states import Status, Verb, legal_verbs
from dispatch.services import board, escalation, present
from dispatch.services.desk import Desk
from dispatch.storage.board import Filter
from tests.support.cast import TEAM_A, Cast, act, call, dispatched, received, ticket_at

HOUR = timedelta(hours=1)


def page(desk: Desk, cast: Cast, now: datetime, **told: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {"text": "", "after": 0, "limit": 2} | told
    return board.tickets(desk, cast.agent, Filter(), now=now, **wanted)


def states(desk: Desk, cast: Cast, number: str, at: datetime) -> dict[str, str]:
    clocks = board.ticket(desk, cast.agent, number, at)["clocks"]
    return {f"{clock['kind']}{clock['round']}": clock["state"] for clock in clocks}


def test_pages_lead_to_each_other(desk: Desk, cast: Cast, now: datetime) -> None:
    made = [received(desk, now) for _ in range(5)]
    seen: list[str] = []
    after: Any = 0
    for size in (2, 2, 1):
        answer = page(desk, cast, now, after=after)
        assert len(answer["items"]) == size
        seen += [item["number"] for item in answer["items"]]
        after = answer["next"]
    assert after is None
    assert seen == made[::-1]


def test_a_full_last_page_has_no_next(desk: Desk, cast: Cast, now: datetime) -> None:
    for _ in range(2):
        received(desk, now)
    assert page(desk, cast, now)["next"] is None


def test_an_empty_list(desk: Desk, cast: Cast, now: datetime) -> None:
    assert page(desk, cast, now) == {"items": [], "next": None}


def test_search_needs_a_word(desk: Desk, cast: Cast, now: datetime) -> None:
    number = received(desk, now)
    assert [item["number"] for item in page(desk, cast, now, text="停水")["items"]] == [number]
    with pytest.raises(InvalidInput) as caught:
        page(desk, cast, now, text="!?")
    assert caught.value.field == "q"


def test_a_list_shows_what_a_detail_shows(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers = [ticket_at(desk, status, now) for status in (Status.RECEIVED, Status.ON_HOLD, Status.CLOSED)]
    items = {item["number"]: item for item in page(desk, cast, now, limit=9)["items"]}
    for number in numbers:
        full = board.ticket(desk, cast.agent, number, now)
        assert {name: full[name] for name in items[number]} == items[number]


def test_a_detail_masks_the_caller(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    full = board.ticket(desk, cast.crew_a, number, now)
    assert [told["caller_phone"] for told in full["calls"]] == ["130****0001"]
    assert "13000000001" not in str(full)
    assert "李娭毑" not in str(full)


def test_a_detail_says_what_may_come_next(desk: Desk, cast: Cast, now: datetime) -> None:
    for status in Status:
        full = board.ticket(desk, cast.agent, ticket_at(desk, status, now), now)
        assert full["verbs"] == list(legal_verbs(status))
        assert (full["level_label"], full["category_label"]) == ("紧急", "无水")


def test_there_must_be_a_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotFound):
        board.ticket(desk, cast.agent, "GD20261124-000099", now)
    with desk.store.read() as tx, pytest.raises(NotFound):
        present.load(tx, desk, "GD20261124-000099", now)


def test_fired_steps_come_in_pages(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    escalation.sweep(desk, now + HOUR)
    first = board.fired(desk, cast.agent, is_unanswered=True, after=0, limit=4)
    second = board.fired(desk, cast.agent, is_unanswered=True, after=first["next"], limit=4)
    steps = [*first["items"], *second["items"]]
    assert (len(first["items"]), len(second["items"]), second["next"]) == (4, 2, None)
    assert {step["number"] for step in steps} == {number}
    assert [step["id"] for step in steps] == sorted((step["id"] for step in steps), reverse=True)


def test_the_audit_comes_in_pages(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    seen: list[str] = []
    after: Any = 0
    while after is not None:
        answer = board.audited(desk, cast.auditor, subject=number, after=after, limit=2)
        seen += [item["action"] for item in answer["items"]]
        after = answer["next"]
    assert seen == ["work", "arrive", "depart", "accept", "dispatch", "receive"]
    assert board.audited(desk, cast.auditor, subject="nothing", after=0, limit=2) == {"items": [], "next": None}


def test_the_script_of_questions(desk: Desk, now: datetime) -> None:
    script = board.categories(desk, now)
    items = {item["id"]: item for item in script["items"]}
    assert (script["policy_version"], items["burst"]["level"], items["inquiry"]["level"]) == ("2026-11-01", "P1", None)
    assert [question["id"] for question in items["leak"]["questions"]] == ["traffic_affected", "water_off", "strength"]
    assert items["leak"]["questions"][2]["choices"] == ["drip", "flow", "jet"]
    assert script["reasons"]["hold"]["wait_material"] == "等待材料"
    assert board.categories(desk, now, "2026-11-01") == script
    with pytest.raises(InvalidInput) as caught:
        board.categories(desk, now, "1999")
    assert caught.value.field == "policy_version"


# ---------------------------------------------------------------- clocks as people see them


def test_a_running_clock_is_met_or_breached_by_time_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    assert states(desk, cast, number, now + HOUR / 6 - timedelta(microseconds=1))["ack1"] == "running"
    assert states(desk, cast, number, now + HOUR / 6)["ack1"] == "breached"
    act(desk, cast.crew_a, number, Verb.ACCEPT, now + HOUR / 10)
    assert states(desk, cast, number, now + HOUR / 6)["ack1"] == "met"
    act(desk, cast.crew_a, number, Verb.ARRIVE, now + HOUR)
    assert states(desk, cast, number, now + HOUR) == {"ack1": "met", "arrive1": "breached", "fix1": "running"}
    full = board.ticket(desk, cast.agent, number, now + HOUR)
    arrive = next(clock for clock in full["clocks"] if clock["kind"] == "arrive")
    assert (arrive["met_at"], arrive["breached_at"]) == ((now + HOUR).isoformat(), (now + HOUR / 2).isoformat())


def test_a_hold_pauses_and_an_end_voids(desk: Desk, cast: Cast, now: datetime) -> None:
    held, gone = ticket_at(desk, Status.ON_HOLD, now), ticket_at(desk, Status.CANCELLED, now)
    assert states(desk, cast, held, now + timedelta(days=9)) == {"ack1": "met", "arrive1": "met", "fix1": "paused"}
    assert set(states(desk, cast, gone, now + timedelta(days=9)).values()) == {"void"}


def test_a_breach_outlives_the_end(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    escalation.sweep(desk, now + HOUR)
    act(desk, cast.agent, number, Verb.CANCEL, now + HOUR, reason="by_caller")
    assert states(desk, cast, number, now + HOUR) == {"ack1": "breached", "arrive1": "breached", "fix1": "void"}


def test_answered_calls_are_in_no_list(desk: Desk, cast: Cast, now: datetime) -> None:
    call(desk, cast.agent, now, category="inquiry", answer="九点")
    assert page(desk, cast, now)["items"] == []


def test_a_crew_sees_its_own_list(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    received(desk, now)
    answer = board.tickets(desk, cast.crew_a, Filter(), text="", after=0, limit=9, now=now)
    assert [(item["number"], item["team_id"]) for item in answer["items"]] == [(number, TEAM_A)]
