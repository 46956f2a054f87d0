"""One burst, many tickets, one crew job, on both databases: who leads, who follows, who is let out, how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.errors import (
    IdempotencyMismatch,
    IllegalTransition,
    InvalidInput,
    NotFound,
    NotPermitted,
    StaleVersion,
)
from dispatch.domain.incident import IncidentChanged, InIncident
from dispatch.domain.roles import Actor
from dispatch.domain.states import Status, Verb
from dispatch.services import asking, board, callback_queue, crew, incident_forms, incident_members, incidents, queue
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from dispatch.storage import callbacks, live
from dispatch.storage.board import Filter
from tests.support.cast import (
    TEAM_A,
    TEAM_B,
    ZONE_A,
    ZONE_B,
    Cast,
    act,
    call,
    dispatched,
    received,
    ticket_at,
    what_it_needs,
)
from tests.support.store import in_parallel

MINUTE = timedelta(minutes=1)


def wish(desk: Desk, actor: Actor, now: datetime, key: str | None = None, **told: Any) -> Wish:
    return Wish(desk, actor, told, now, key)


def opened(desk: Desk, cast: Cast, now: datetime, lead: str, others: Sequence[str] = (), title: str = "") -> str:
    """The number of an incident."""
    return str(incidents.open_(wish(desk, cast.dispatcher, now), lead, others, title)["number"])


def burst(desk: Desk, now: datetime, zone_id: str = ZONE_A, **changes: Any) -> str:
    return dispatched(desk, now, zone_id, category="burst", **changes)


def seen(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    return board.ticket(desk, cast.dispatcher, number, now)


def dues(ticket: dict[str, Any]) -> list[tuple[str, str]]:
    return [(clock["kind"], clock["due_at"]) for clock in ticket["clocks"] if clock["kind"] != "callback"]


def queued(desk: Desk, cast: Cast, now: datetime) -> list[str]:
    told = queue.board(desk, cast.dispatcher, Filter(), after=0, limit=50, now=now)
    return [item["number"] for item in told["items"]]


def test_many_tickets_one_job(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, far = burst(desk, now), burst(desk, now, ZONE_B, caller_phone="13000000002")
    unplaced = received(desk, now, category="pressure", caller_phone=None)
    call(desk, cast.agent, now, attach_to=lead, caller_phone="13000000003")
    before = {number: seen(desk, cast, number, now) for number in (lead, far, unplaced)}
    number = opened(desk, cast, now, lead, [far, unplaced])
    told = incident_forms.get(desk, cast.agent, number, now)
    assert (told["status"], told["lead"], told["ticket_count"], told["callers"]) == ("open", lead, 3, 4)
    assert [one["number"] for one in told["tickets"]] == [lead, far, unplaced]
    assert queued(desk, cast, now) == [lead]
    jobs = {who: crew.jobs(desk, getattr(cast, who), now)["items"] for who in ("crew_a", "crew_b")}
    assert [job["number"] for job in jobs["crew_a"]] == [lead]
    assert (jobs["crew_a"][0]["incident"]["callers"], jobs["crew_b"]) == (4, [])
    later = now + 4 * MINUTE
    act(desk, cast.crew_a, lead, Verb.ACCEPT, later)
    act(desk, cast.crew_a, lead, Verb.ARRIVE, later + MINUTE)
    act(desk, cast.crew_a, lead, Verb.ISOLATE, later + 2 * MINUTE)
    for number_ in (far, unplaced):
        after = seen(desk, cast, number_, later)
        assert (after["status"], after["team_id"], dues(after)) == ("on_site", TEAM_A, dues(before[number_]))
        met = {clock["kind"]: clock["met_at"] for clock in after["clocks"]}
        assert (met["ack"], met["arrive"]) == (later.isoformat(), (later + MINUTE).isoformat())
    assert met.get("isolate") is None
    # 止水 of the lead is that of the incident, and of every burst in it.
    at = (later + 2 * MINUTE).isoformat()
    assert incident_forms.get(desk, cast.crew_a, number, later)["isolated_at"] == at
    assert {c["kind"]: c["met_at"] for c in seen(desk, cast, far, later)["clocks"]}["isolate"] == at
    act(desk, cast.crew_a, lead, Verb.DONE, later + 3 * MINUTE)
    assert {seen(desk, cast, one, later)["status"] for one in (lead, far, unplaced)} == {"done"}
    ended = incidents.close(wish(desk, cast.supervisor, later), number, "阀门已修复", is_done=False)
    assert (ended["status"], ended["timeline"][-1]["kind"]) == ("closed", "close")
    with desk.store.read() as tx:
        assert ("incident", number) in [(row.topic, row.key) for row in live.behind(tx, live.SIGNALS, 0, 100)]
    audited = board.audited(desk, cast.auditor, subject=number, after=0, limit=9)["items"]
    assert [entry["action"] for entry in audited] == ["incident-close", "incident-join", "incident-open"]


def test_who_is_carried_is_not_worked_on_by_itself(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now)
    opened(desk, cast, now, lead, [other])
    assert "accept" not in seen(desk, cast, other, now)["verbs"]
    for who, verb in ((cast.crew_a, Verb.ACCEPT), (cast.dispatcher, Verb.REASSIGN)):
        with pytest.raises(IllegalTransition):
            act(desk, who, other, verb, now, **what_it_needs(desk, verb, now))
    with pytest.raises(IllegalTransition):
        asking.ask(desk, cast.crew_a, other, Action(verb=Verb.HOLD, reason="wait_material", until=now + MINUTE), now)
    act(desk, cast.agent, other, Verb.URGE, now)
    # Whoever leads others stays until another one does.
    for verb in (Verb.MERGE, Verb.CANCEL):
        with pytest.raises(IllegalTransition):
            act(desk, cast.agent, lead, verb, now, **what_it_needs(desk, verb, now))
    # A caller who takes it back, and one whose ticket is the same as another, leave alone.
    act(desk, cast.agent, other, Verb.CANCEL, now, reason="by_caller")
    act(desk, cast.crew_a, lead, Verb.ACCEPT, now)
    assert seen(desk, cast, other, now)["status"] == "cancelled"


def test_holds_returns_and_another_team(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = ticket_at(desk, Status.WORKING, now), dispatched(desk, now)
    number = opened(desk, cast, now, lead, [other])
    assert seen(desk, cast, other, now)["status"] == "working"
    ask = Action(verb=Verb.HOLD, reason="wait_material", until=now + 60 * MINUTE)
    request = asking.ask(desk, cast.crew_a, lead, ask, now)
    asking.rule(desk, cast.dispatcher, request["id"], is_granted=True, answer="", now=now)
    held = seen(desk, cast, other, now)
    assert (held["status"], [c["state"] for c in held["clocks"] if c["kind"] == "fix"]) == ("on_hold", ["paused"])
    late = dispatched(desk, now)
    incidents.join(wish(desk, cast.dispatcher, now), number, [late])
    assert seen(desk, cast, late, now)["status"] == "on_hold"
    # The hold has run out, and no sweep has come round yet: nobody is held by it any more.
    last = dispatched(desk, now)
    incidents.join(wish(desk, cast.dispatcher, now + 61 * MINUTE), number, [last])
    assert seen(desk, cast, last, now)["status"] == "on_site"
    act(desk, cast.crew_a, lead, Verb.RESUME, now + MINUTE)
    act(desk, cast.dispatcher, lead, Verb.REASSIGN, now + 2 * MINUTE, team_id=TEAM_B)
    after = seen(desk, cast, other, now)
    assert (after["status"], after["team_id"]) == ("dispatched", TEAM_B)
    act(desk, cast.crew_b, lead, Verb.RETURN, now + 3 * MINUTE, reason="not_ours")
    assert seen(desk, cast, late, now)["status"] == "dispatched"
    act(desk, cast.dispatcher, lead, Verb.DISPATCH, now + 4 * MINUTE, team_id=TEAM_A)
    assert seen(desk, cast, late, now)["team_id"] == TEAM_A


def test_what_a_phone_did_without_signal_counts_for_all(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now)
    opened(desk, cast, now, lead, [other])
    at = now + 2 * MINUTE
    act(desk, cast.crew_a, lead, Verb.ACCEPT, now + 9 * MINUTE, device_at=at)
    event = seen(desk, cast, other, now)["timeline"][-1]
    assert (event["kind"], event["effective_at"], event["time_source"]) == ("accept", at.isoformat(), "device")


def test_a_ticket_is_let_out_with_its_clocks(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now, ZONE_B)
    unplaced = received(desk, now, category="pressure")
    number = opened(desk, cast, now, lead, [other, unplaced])
    act(desk, cast.crew_a, lead, Verb.ACCEPT, now)
    before = seen(desk, cast, other, now)
    out = incident_members.split
    told = out(wish(desk, cast.dispatcher, now), number, other, None, "另一处漏水")
    assert [one["number"] for one in told["tickets"]] == [lead, unplaced]
    after = seen(desk, cast, other, now)
    assert (after["status"], after["team_id"], after["incident"]) == ("dispatched", TEAM_B, None)
    assert dues(after) == dues(before)
    assert len(after["timeline"]) == len(before["timeline"]) + 1
    assert "另一处漏水" in after["timeline"][-1]["text"]
    assert "另一处漏水" in seen(desk, cast, lead, now)["timeline"][-1]["text"]
    assert sorted(queued(desk, cast, now)) == sorted([lead, other])
    # To the same team too, as a job of its own; and to a team that is named.
    out(wish(desk, cast.dispatcher, now), number, unplaced, TEAM_A, "单独处理")
    assert [job["number"] for job in crew.jobs(desk, cast.crew_a, now)["items"]] == [lead, unplaced]
    for of, team, why, field in (
        (lead, None, "x", "ticket"),
        (other, None, "x", "ticket"),
        ("GD0", None, "x", "ticket"),
        (other, None, " ", "note"),
    ):
        with pytest.raises(InvalidInput) as caught:
            out(wish(desk, cast.dispatcher, now), number, of, team, why)
        assert caught.value.field == field
    incidents.join(wish(desk, cast.dispatcher, now), number, [other])
    with pytest.raises(InvalidInput) as caught:
        out(wish(desk, cast.dispatcher, now), number, other, "nobody", "x")
    assert caught.value.field == "team_id"


def test_callers_of_merged_tickets_count_and_are_called_back_once(desk: Desk, cast: Cast, now: datetime) -> None:
    """Into a member, into what was merged into it, and into the lead; one of them rang about two tickets."""
    phones = [f"1300000000{n}" for n in range(6)]
    lead, member, merged, deep, into_lead, again = (burst(desk, now, caller_phone=phone) for phone in phones)
    call(desk, cast.agent, now, attach_to=deep, caller_phone=phones[0])
    call(desk, cast.agent, now, attach_to=deep, caller_phone=None)
    act(desk, cast.agent, deep, Verb.MERGE, now, into=merged)
    number = opened(desk, cast, now, lead, [member, again])
    for one, into in ((merged, member), (into_lead, lead), (again, lead)):
        act(desk, cast.agent, one, Verb.MERGE, now, into=into)
    told = incident_forms.get(desk, cast.agent, number, now)
    # Those who rang from six numbers, and one who left none.
    assert (told["callers"], told["ticket_count"], told["lead"]) == (7, 3, lead)
    assert seen(desk, cast, member, now)["incident"]["callers"] == 7
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.crew_a, lead, verb, now + MINUTE)
    asked = callback_queue.queue(desk, cast.agent, callback_queue.Wanted(), after=0, limit=50, now=now + MINUTE)
    assert len(asked["items"]) == len(phones)
    with desk.store.read() as tx:
        rung = tx.conn.execute(select(callbacks.CALLBACKS.c.phone, callbacks.CALLBACKS.c.ticket_id)).all()
    assert sorted({phone for phone, _ in rung if phone}) == phones
    # She rang about the lead and about what was merged into the member: two tickets, one conversation.
    assert sorted(phone for phone, _ in rung if phone) == sorted([*phones, phones[0]])


def test_who_has_no_team_waits_for_a_dispatcher(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = received(desk, now), received(desk, now)
    number = opened(desk, cast, now, lead, [other])
    assert queued(desk, cast, now) == [lead]
    incident_members.split(wish(desk, cast.dispatcher, now), number, other, None, "不是一回事")
    assert sorted(queued(desk, cast, now)) == sorted([lead, other])
    assert seen(desk, cast, other, now)["status"] == "received"


def test_done_is_done(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = ticket_at(desk, Status.WORKING, now), dispatched(desk, now)
    number = opened(desk, cast, now, lead, [other])
    with pytest.raises(IncidentChanged):
        incidents.close(wish(desk, cast.dispatcher, now), number, "", is_done=False)
    late = dispatched(desk, now)
    told = incidents.close(wish(desk, cast.dispatcher, now), number, "已修复", is_done=True)
    assert (told["status"], {one["status"] for one in told["tickets"]}) == ("closed", {"done"})
    # Nothing joins what is closed: the late caller keeps a ticket of their own, and a new call gets one.
    again = wish(desk, cast.dispatcher, now)
    with pytest.raises(IncidentChanged):
        incidents.join(again, number, [late])
    with pytest.raises(IncidentChanged):
        incidents.close(again, number, "", is_done=True)
    with pytest.raises(IncidentChanged):
        incident_members.split(again, number, other, None, "x")
    with pytest.raises(InvalidInput) as caught:
        call(desk, cast.agent, now, attach_to=lead)
    assert caught.value.field == "attach_to"
    # One caller is not content: that ticket is a job again, of its own.
    act(desk, cast.agent, other, Verb.REWORK, now, note="还是没水")
    after = seen(desk, cast, other, now)
    assert (after["status"], after["round"], after["is_carried"], after["incident"]) == ("dispatched", 2, False, None)


def test_a_done_ticket_is_not_let_out_and_does_not_join(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = ticket_at(desk, Status.WORKING, now), dispatched(desk, now)
    number = opened(desk, cast, now, lead, [other])
    act(desk, cast.crew_a, lead, Verb.DONE, now)
    with pytest.raises(IllegalTransition):
        incident_members.split(wish(desk, cast.dispatcher, now), number, other, None, "x")
    with pytest.raises(IncidentChanged):
        incidents.join(wish(desk, cast.dispatcher, now), number, [dispatched(desk, now)])
    with pytest.raises(InvalidInput) as caught:
        opened(desk, cast, now, dispatched(desk, now), [ticket_at(desk, Status.CANCELLED, now)])
    assert caught.value.field == "tickets"
    with pytest.raises(InIncident):
        opened(desk, cast, now, other)


def test_another_one_leads(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, [other])
    told = incident_members.lead(wish(desk, cast.supervisor, now), number, other)
    assert (told["lead"], queued(desk, cast, now)) == (other, [other])
    assert incident_members.lead(wish(desk, cast.supervisor, now), number, other)["lead"] == other
    act(desk, cast.agent, lead, Verb.CANCEL, now, reason="by_caller")
    for of in (lead, burst(desk, now)):
        with pytest.raises(InvalidInput):
            incident_members.lead(wish(desk, cast.supervisor, now), number, of)


def test_two_incidents_become_one(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second, third = burst(desk, now), burst(desk, now, ZONE_B), burst(desk, now)
    here, there = opened(desk, cast, now, first), opened(desk, cast, now, second, [third])
    told = incident_members.absorb(wish(desk, cast.supervisor, now), here, there)
    assert [one["number"] for one in told["tickets"]] == [first, second, third]
    gone = incident_forms.get(desk, cast.agent, there, now)
    assert (gone["status"], gone["tickets"], gone["timeline"][-1]["kind"]) == ("dismissed", [], "absorbed")
    with pytest.raises(InvalidInput):
        incident_members.absorb(wish(desk, cast.supervisor, now), here, here)
    with pytest.raises(IncidentChanged):
        incident_members.absorb(wish(desk, cast.supervisor, now), there, here)
    other = opened(desk, cast, now, ticket_at(desk, Status.WORKING, now))
    incidents.close(wish(desk, cast.dispatcher, now), other, "", is_done=True)
    act(desk, cast.crew_a, first, Verb.ACCEPT, now)
    act(desk, cast.crew_a, first, Verb.ARRIVE, now)
    act(desk, cast.crew_a, first, Verb.DONE, now)
    fresh = opened(desk, cast, now, burst(desk, now))
    with pytest.raises(IncidentChanged):
        incident_members.absorb(wish(desk, cast.supervisor, now), here, fresh)


def test_taking_it_back(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, [other])
    with pytest.raises(InvalidInput):
        incidents.dismiss(wish(desk, cast.dispatcher, now), number, "")
    with pytest.raises(IncidentChanged):
        incidents.dismiss(wish(desk, cast.dispatcher, now), number, "误开")
    incident_members.split(wish(desk, cast.dispatcher, now), number, other, None, "x")
    told = incidents.dismiss(wish(desk, cast.dispatcher, now), number, "误开")
    assert (told["status"], told["tickets"], seen(desk, cast, lead, now)["incident"]) == ("dismissed", [], None)
    listed = incident_forms.listed(desk, cast.agent, statuses=("open",), after=0, limit=5, now=now)
    assert listed == {"items": [], "next": None}


def test_who_may_and_what_is_not(desk: Desk, cast: Cast, now: datetime) -> None:
    lead = burst(desk, now)
    for actor in (cast.agent, cast.crew_a, cast.auditor, cast.integration):
        with pytest.raises(NotPermitted):
            incidents.open_(wish(desk, actor, now), lead, [], "")
    for number in ("E000404", "x", "E9"):
        with pytest.raises(NotFound):
            incident_forms.get(desk, cast.agent, number, now)
    with pytest.raises(NotFound):
        incidents.join(wish(desk, cast.dispatcher, now), "E000404", [lead])
    with pytest.raises(InvalidInput) as caught:
        incidents.open_(wish(desk, cast.dispatcher, now), lead, ["GD0"], "")
    assert caught.value.field == "tickets"
    with pytest.raises(InvalidInput):
        incidents.open_(wish(desk, cast.dispatcher, now), lead, ["GD0"] * 501, "")
    number = opened(desk, cast, now, lead)
    with pytest.raises(NotFound):
        incident_forms.get(desk, cast.crew_b, number, now)
    with pytest.raises(InIncident):
        opened(desk, cast, now, burst(desk, now), [lead])


def test_a_repeated_key_opens_once(desk: Desk, cast: Cast, now: datetime) -> None:
    lead = burst(desk, now)
    first = incidents.open_(wish(desk, cast.dispatcher, now, "k", lead=lead), lead, [], "坡子街爆管")
    assert incidents.open_(wish(desk, cast.dispatcher, now, "k", lead=lead), lead, [], "坡子街爆管") == first
    with pytest.raises(IdempotencyMismatch):
        incidents.open_(wish(desk, cast.dispatcher, now, "k", lead="x"), lead, [], "")
    assert first["title"] == "坡子街爆管"
    page = incident_forms.listed(desk, cast.agent, statuses=(), after=0, limit=1, now=now)
    assert [item["number"] for item in page["items"]] == [first["number"]]


# ---------------------------------------------------------------- at once

REFUSED = (IncidentChanged, InIncident, InvalidInput, IllegalTransition, StaleVersion)


def test_joining_and_splitting_at_once_while_the_crew_works(desk: Desk, cast: Cast, now: datetime) -> None:
    """No deadlock, no lost update: whoever is in the incident stands where its lead stands, and clocks are kept."""
    numbers = [burst(desk, now, ZONE_A if n % 2 else ZONE_B) for n in range(8)]
    lead, others = numbers[4], [one for one in numbers if one != numbers[4]]
    before = {one: dues(seen(desk, cast, one, now)) for one in numbers}
    number = opened(desk, cast, now, lead, others[:4])
    again = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)

    def crews() -> None:
        for n, verb in enumerate(again):
            act(desk, cast.crew_a if seen(desk, cast, lead, now)["team_id"] == TEAM_A else cast.crew_b, lead, verb,
                now + n * MINUTE)  # fmt: skip

    def joins(mine: Sequence[str]) -> None:
        for one in mine:
            incidents.join(wish(desk, cast.dispatcher, now), number, [one])

    def splits(mine: Sequence[str]) -> None:
        for one in mine:
            incident_members.split(wish(desk, cast.supervisor, now), number, one, None, "分开")

    def urges() -> None:
        for one in reversed(numbers):
            act(desk, cast.agent, one, Verb.URGE, now)

    jobs = [crews, lambda: joins(others), lambda: joins(others[::-1]), lambda: splits(others[::-1]),
            lambda: splits(others), urges]  # fmt: skip
    results = in_parallel(jobs)
    assert all(result is None or isinstance(result, REFUSED) for result in results), results
    assert results[0] is None
    members = {one["number"]: one for one in incident_forms.get(desk, cast.agent, number, now)["tickets"]}
    assert {one["status"] for one in members.values()} == {"done"}
    for one in numbers:
        after = seen(desk, cast, one, now)
        assert (dues(after), after["is_carried"]) == (before[one], one in members and one != lead)


def test_two_bring_the_same_tickets_into_two_incidents(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers = [burst(desk, now) for _ in range(6)]
    here, there = opened(desk, cast, now, numbers[0]), opened(desk, cast, now, numbers[5])

    def join(into: str, order: Sequence[str]) -> None:
        for one in order:
            try:
                incidents.join(wish(desk, cast.dispatcher, now), into, [one])
            except InIncident:
                continue

    middle = numbers[1:5]
    results = in_parallel([lambda: join(here, middle), lambda: join(there, middle[::-1]),
                           lambda: incident_members.absorb(wish(desk, cast.supervisor, now), here, there),
                           lambda: incident_members.absorb(wish(desk, cast.supervisor, now), there, here)])  # fmt: skip
    assert all(result is None or isinstance(result, (dict, *REFUSED)) for result in results), results
    of = [seen(desk, cast, one, now)["incident"]["number"] for one in numbers]
    assert len(set(of)) == 1  # one of the two took the other over; nobody is in none or in both
