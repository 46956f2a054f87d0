"""Call-backs: one for every caller of finished work, each settled once, whoever is faster."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.callback import CLAIM, PAUSE, Answer, CallbackSettled, CallbackTaken, CallbackTooSoon
from dispatch.domain.errors import IllegalTransition, InvalidInput, NotFound
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.domain.states import Status, Verb
from dispatch.services import board, callback_links, callback_queue, calling_back, present
from dispatch.services.callback_queue import Wanted
from dispatch.services.calling_back import Told
from dispatch.services.desk import Desk
from dispatch.services.links import sha256_of
from dispatch.storage import callbacks
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, act, call, dispatched, ticket_at
from tests.support.store import in_parallel

NEIGHBOUR, COUSIN = "13000000002", "13000000003"
YES = Answer(is_solved=True, is_satisfied=True)
NO = Answer(is_solved=False, is_satisfied=False, reason="came_back", note="半夜又漏")


def finished(desk: Desk, cast: Cast, now: datetime, *phones: str | None, **changes: Any) -> str:
    """A finished ticket of 李娭毑 and of further callers who joined her."""
    number = ticket_at(desk, Status.WORKING, now, **changes)
    for phone in phones:
        call(desk, cast.agent, now, attach_to=number, caller_phone=phone, caller_name="街坊")
    act(desk, cast.crew_a, number, Verb.DONE, now)
    return number


def queue(desk: Desk, actor: Actor, now: datetime, **wanted: Any) -> list[dict[str, Any]]:
    """The first page of the queue."""
    items: list[dict[str, Any]] = callback_queue.queue(desk, actor, Wanted(**wanted), after=0, limit=50, now=now)[
        "items"
    ]
    return items


def rows(desk: Desk, number: str) -> list[dict[str, Any]]:
    """The call-backs of a ticket as they are kept."""
    with desk.store.read() as tx:
        return callbacks.of_ticket(tx, present.find(tx, number)["id"])


def settle(desk: Desk, actor: Actor, now: datetime, *told: tuple[int, Answer], key: str | None = None) -> list[Any]:
    """One conversation."""
    body = {"told": repr(told)}
    items: list[Any] = calling_back.settle(desk, actor, [Told(*one) for one in told], body, now, key)["items"]
    return items


def ring_out(desk: Desk, actor: Actor, callback_id: int, now: datetime, key: str | None = None) -> list[Any]:
    """A try that nobody answered."""
    items: list[Any] = calling_back.unreached(desk, actor, callback_id, "关机", {}, now, key)["items"]
    return items


def clock_of(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    """The last callback clock."""
    ticket = board.ticket(desk, cast.agent, number, now)
    return next(clock for clock in reversed(ticket["clocks"]) if clock["kind"] == "callback")


def test_every_caller_is_rung_once_and_nobody_is_lost(desk: Desk, cast: Cast, now: datetime) -> None:
    """Who joined, who called twice, who came by a merged ticket, and who left no number."""
    first = dispatched(desk, now, caller_phone=COUSIN)
    second = dispatched(desk, now, caller_phone="13000000004")
    number = ticket_at(desk, Status.WORKING, now)
    for phone in (NEIGHBOUR, NEIGHBOUR, None, None):
        call(desk, cast.agent, now, attach_to=number, caller_phone=phone)
    act(desk, cast.agent, second, Verb.MERGE, now, into=first)
    act(desk, cast.agent, first, Verb.MERGE, now, into=number)
    act(desk, cast.crew_a, number, Verb.DONE, now)
    made = rows(desk, number)
    assert sorted(row["phone"] or "" for row in made) == [
        "", "", "13000000001", NEIGHBOUR, COUSIN, "13000000004",
    ]  # fmt: skip
    nameless = [row for row in made if row["phone"] is None]
    assert {(row["state"], row["reason"], row["settled_at"]) for row in nameless} == {("unreached", "no_number", now)}
    due_at = clock_of(desk, cast, number, now)["due_at"]
    people = queue(desk, cast.agent, now)
    assert [person["due_at"] for person in people] == [due_at] * 4
    assert {person["caller_phone"] for person in people} == {"130****0001", "130****0002", "130****0003", "130****0004"}
    told = board.ticket(desk, cast.agent, number, now)["callbacks"]
    assert [one["reason_label"] for one in told if one["caller_phone"] is None] == ["来电未留号码, 无法回访"] * 2


def test_without_a_number_nobody_waits_and_it_can_be_closed(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, caller_phone=None)
    assert queue(desk, cast.agent, now) == []
    assert [one["number"] for one in callback_queue.closable(desk, cast.agent, now)["items"]] == [number]
    assert "callback" not in {one["kind"] for one in board.ticket(desk, cast.agent, number, now)["clocks"]}
    assert act(desk, cast.agent, number, Verb.CLOSE, now)["status"] == "closed"
    assert callback_queue.closable(desk, cast.agent, now)["items"] == []


def test_the_number_is_shown_to_whoever_takes_the_caller(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    (person,) = queue(desk, cast.agent, now)
    assert (person["caller_phone"], person["caller_name"]) == ("130****0001", None)
    taken = calling_back.claim(desk, cast.agent, person["id"], now)
    assert (taken["caller_phone"], taken["caller_name"], taken["is_mine"]) == ("13000000001", "李娭毑", True)
    entries = board.audited(desk, cast.auditor, subject=number, after=0, limit=9)["items"]
    assert ("callback_claim", "坐席小周 (坐席)") in {(entry["action"], entry["actor"]) for entry in entries}
    (seen,) = queue(desk, cast.dispatcher, now)
    assert (seen["caller_phone"], seen["is_taken"], seen["is_mine"]) == ("130****0001", True, False)
    assert len(queue(desk, cast.agent, now, is_mine=True)) == 1
    assert queue(desk, cast.dispatcher, now, is_mine=True) == []


def test_two_agents_do_not_ring_the_same_person(desk: Desk, cast: Cast, now: datetime) -> None:
    """Not even about two tickets of hers; a claim that is forgotten lapses."""
    finished(desk, cast, now)
    finished(desk, cast, now)
    (person,) = queue(desk, cast.agent, now)
    one, other = (item["id"] for item in person["items"])
    answers = in_parallel(
        [
            lambda: calling_back.claim(desk, cast.agent, one, now),
            lambda: calling_back.claim(desk, cast.dispatcher, other, now),
        ]
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["CallbackTaken", "dict"]
    loser = cast.dispatcher if isinstance(answers[1], CallbackTaken) else cast.agent
    for attempt in (
        lambda at: settle(desk, loser, at, (one, YES)),
        lambda at: ring_out(desk, loser, other, at),
        lambda at: calling_back.claim(desk, loser, one, at),
    ):
        with pytest.raises(CallbackTaken):
            attempt(now + CLAIM - timedelta(seconds=1))
    calling_back.release(desk, loser, one, now)  # what another has is not given back
    assert queue(desk, loser, now)[0]["is_taken"]
    assert calling_back.claim(desk, loser, one, now + CLAIM)["is_mine"]
    calling_back.release(desk, loser, one, now + CLAIM)
    assert queue(desk, loser, now + CLAIM)[0]["claimed_until"] is None


def test_one_conversation_settles_all_tickets_of_a_caller(desk: Desk, cast: Cast, now: datetime) -> None:
    numbers = [finished(desk, cast, now), finished(desk, cast, now, category="repair")]
    (person,) = queue(desk, cast.agent, now)
    assert [item["number"] for item in person["items"]] == numbers
    ids = [item["id"] for item in person["items"]]
    first = settle(desk, cast.agent, now, (ids[0], YES), (ids[1], NO), key="k")
    assert [(one["state"], one["rework"]) for one in first] == [("reached", None), ("reached", numbers[1])]
    assert settle(desk, cast.agent, now, (ids[0], YES), (ids[1], NO), key="k") == first
    states = [board.ticket(desk, cast.agent, number, now) for number in numbers]
    assert [(one["status"], one["round"]) for one in states] == [("done", 1), ("dispatched", 2)]
    assert queue(desk, cast.agent, now) == []
    assert act(desk, cast.agent, numbers[0], Verb.CLOSE, now)["status"] == "closed"


def test_a_conversation_is_with_one_person(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, NEIGHBOUR)
    one, two = (row["id"] for row in rows(desk, number))
    with pytest.raises(InvalidInput) as caught:
        settle(desk, cast.agent, now, (one, YES), (two, NO))
    assert caught.value.field == "items"
    assert {row["state"] for row in rows(desk, number)} == {"waiting"}
    with pytest.raises(NotFound):
        settle(desk, cast.agent, now, (999, YES))


def test_a_single_caller_is_worked_for_again_and_the_first_breach_stays(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    late = now + timedelta(hours=25)
    (row,) = rows(desk, number)
    settle(desk, cast.agent, late, (row["id"], NO))
    after = board.ticket(desk, cast.agent, number, late)
    assert (after["status"], after["round"], after["reworked_by"]) == ("dispatched", 2, [])
    broken = next(clock for clock in after["clocks"] if clock["kind"] == "callback")
    assert (broken["round"], broken["state"]) == (1, "breached")
    assert [event["text"] for event in after["timeline"]][-2:] == [
        "坐席小周 (坐席) 回访: 未解决, 不满意, 已转返工; 修后又出现; 半夜又漏",
        "坐席小周 (坐席) 返工: 第 2 轮; 回访: 修后又出现; 半夜又漏",
    ]
    with desk.store.read() as tx:
        notices = [tuple(one) for one in tx.conn.execute(select(OUTBOX.c.recipients, OUTBOX.c.text))]
    assert (["dispatcher"], f"{number} 回访未解决, 不满意, 已转返工") in notices
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.crew_a, number, verb, late)
    assert [(one["round"], one["state"]) for one in rows(desk, number)] == [(1, "reached"), (2, "waiting")]
    act(desk, cast.agent, number, Verb.CALLBACK, late, is_solved=True)
    assert act(desk, cast.agent, number, Verb.CLOSE, late)["status"] == "closed"


def test_content_or_not_somebody_may_be_sent_again(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    (row,) = rows(desk, number)
    told = Answer(is_solved=True, is_satisfied=False, reason="mess", wants_rework=True)
    settle(desk, cast.agent, now, (row["id"], told))
    assert board.ticket(desk, cast.agent, number, now)["status"] == "dispatched"


def test_one_of_many_gets_a_ticket_of_her_own(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, NEIGHBOUR, COUSIN)
    by_phone = {row["phone"]: row["id"] for row in rows(desk, number)}
    later = now + timedelta(hours=1)
    (told,) = settle(desk, cast.agent, later, (by_phone[NEIGHBOUR], NO))
    own = board.ticket(desk, cast.agent, told["rework"], later)
    assert (own["rework_of"], own["status"], own["round"], own["category"]) == (number, "dispatched", 1, "no_water")
    assert own["received_at"] == later.isoformat()
    assert [one["caller_phone"] for one in own["calls"]] == ["130****0002"]
    assert own["timeline"][-1]["text"] == f"返工自 {number}, 原受理 2026-11-24 10:00"
    first = board.ticket(desk, cast.agent, number, later)
    assert (first["status"], first["round"], first["is_solved"], first["reworked_by"]) == (
        "done", 1, None, [own["number"]],
    )  # fmt: skip
    assert clock_of(desk, cast, number, later)["state"] == "running"
    assert len(queue(desk, cast.agent, later)) == 2
    settle(desk, cast.agent, later, (by_phone[COUSIN], YES))
    with pytest.raises(IllegalTransition, match="还有 1 位"):
        act(desk, cast.agent, number, Verb.CLOSE, later)
    settle(desk, cast.agent, later, (by_phone["13000000001"], YES))
    assert clock_of(desk, cast, number, later)["state"] == "met"
    assert act(desk, cast.agent, number, Verb.CLOSE, later)["is_solved"] is True


@pytest.mark.parametrize("where", ["call", "ticket", "nowhere"])
def test_a_ticket_of_her_own_is_where_she_is(desk: Desk, cast: Cast, now: datetime, where: str) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    point = board.ticket(desk, cast.agent, number, now)
    if where == "nowhere":
        number = ticket_at(desk, Status.RECEIVED, now)
        act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id="tianxin-03")
        for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.WORK):
            act(desk, cast.crew_a, number, verb, now)
    told: dict[str, Any] = {"category": "pressure"} if where == "ticket" else {}
    if where == "call":
        told["point"] = Wgs84Point(point["lon"] + 0.0001, point["lat"])
    call(desk, cast.agent, now, attach_to=number, caller_phone=NEIGHBOUR, **told)
    act(desk, cast.crew_a, number, Verb.DONE, now)
    row = next(one for one in rows(desk, number) if one["phone"] == NEIGHBOUR)
    (done,) = settle(desk, cast.agent, now, (row["id"], NO))
    own = board.ticket(desk, cast.agent, done["rework"], now)
    lon = {"call": point["lon"] + 0.0001, "ticket": point["lon"], "nowhere": None}[where]
    assert own["lon"] == pytest.approx(lon) if lon else own["lon"] is None


def test_three_tries_half_an_hour_apart(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    (row,) = rows(desk, number)
    assert ring_out(desk, cast.agent, row["id"], now, "k") == ring_out(desk, cast.agent, row["id"], now, "k")
    with pytest.raises(CallbackTooSoon):
        ring_out(desk, cast.agent, row["id"], now + PAUSE - timedelta(seconds=1))
    with pytest.raises(CallbackTooSoon):
        calling_back.claim(desk, cast.agent, row["id"], now)
    assert queue(desk, cast.agent, now, is_ready=True) == []
    assert len(queue(desk, cast.agent, now + PAUSE, is_ready=True)) == 1
    with pytest.raises(IllegalTransition, match="请先回访"):
        act(desk, cast.agent, number, Verb.CLOSE, now)
    told = [ring_out(desk, cast.agent, row["id"], now + n * PAUSE)[0] for n in (1, 2)]
    assert [(one["state"], one["tries"]) for one in told] == [("waiting", 2), ("unreached", 3)]
    with pytest.raises(CallbackSettled):
        ring_out(desk, cast.agent, row["id"], now + 3 * PAUSE)
    assert clock_of(desk, cast, number, now)["state"] == "void"
    (kept,) = callback_queue.settled(desk, cast.agent, number=number, after=0, limit=5)["items"]
    assert [(one["state"], one["note"]) for one in kept["history"]] == [("unreached", "关机")] * 3
    assert act(desk, cast.agent, number, Verb.CLOSE, now + 3 * PAUSE)["status"] == "closed"


def test_tries_and_their_pause_are_settings(desk: Desk, cast: Cast, now: datetime) -> None:
    often = Desk(desk.store, replace(desk.settings, callback_tries=2, callback_pause_min=5))
    (row,) = rows(often, finished(often, cast, now))
    (one,) = ring_out(often, cast.agent, row["id"], now)
    assert (one["state"], one["tries"]) == ("waiting", 1)
    with pytest.raises(CallbackTooSoon):
        ring_out(often, cast.agent, row["id"], now + timedelta(minutes=5) - timedelta(seconds=1))
    (two,) = ring_out(often, cast.agent, row["id"], now + timedelta(minutes=5))
    assert (two["state"], two["tries"]) == ("unreached", 2)


def test_whoever_was_heard_meets_the_clock_for_who_was_not(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, NEIGHBOUR)
    one, two = (row["id"] for row in rows(desk, number))
    settle(desk, cast.agent, now, (one, YES))
    for n in range(3):
        assert clock_of(desk, cast, number, now)["state"] == "running"
        ring_out(desk, cast.agent, two, now + n * PAUSE)
    assert clock_of(desk, cast, number, now)["met_at"] == (now + 2 * PAUSE).isoformat()


def test_an_answer_is_kept_once_whoever_is_faster(desk: Desk, cast: Cast, now: datetime) -> None:
    """Six agents and six links at once: one settles it, the others are told who was first."""
    number = finished(desk, cast, now)
    (row,) = rows(desk, number)
    with desk.store.write() as tx:
        callbacks.save(tx, [row["id"]], token_sha256=sha256_of("t"))
    jobs: list[Any] = [lambda: settle(desk, cast.agent, now, (row["id"], NO))] * 6
    jobs += [lambda: callback_links.answer(desk, "t", NO, {}, now)] * 6
    answers = in_parallel(jobs)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} == {CallbackSettled}
    after = board.ticket(desk, cast.agent, number, now)
    assert (after["round"], after["callback_attempts"]) == (2, 0)
    assert [event["kind"] for event in after["timeline"]].count("callback") == 1


def test_nothing_is_left_of_a_conversation_that_failed(desk: Desk, cast: Cast, now: datetime) -> None:
    """Of two tickets one is settled already: neither the other nor a ticket of her own is written."""
    first, second = finished(desk, cast, now), finished(desk, cast, now, NEIGHBOUR)
    mine = [row["id"] for number in (first, second) for row in rows(desk, number) if row["phone"] == "13000000001"]
    settle(desk, cast.agent, now, (mine[0], YES))
    with pytest.raises(CallbackSettled, match="坐席小周"):
        settle(desk, cast.agent, now, (mine[1], NO), (mine[0], YES))
    assert board.ticket(desk, cast.agent, second, now)["reworked_by"] == []
    (told,) = settle(desk, cast.agent, now, (mine[1], NO))
    # The number that was not used is given to the next.
    assert int(told["rework"][-6:]) == int(second[-6:]) + 1


def test_what_goes_on_takes_its_call_backs_back(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, NEIGHBOUR)
    one, _ = (row["id"] for row in rows(desk, number))
    act(desk, cast.agent, number, Verb.REWORK, now, note="又漏了")
    assert {row["state"] for row in rows(desk, number)} == {"void"}
    act(desk, cast.dispatcher, number, Verb.CANCEL, now, reason="by_caller")
    for attempt in (
        lambda: settle(desk, cast.agent, now, (one, YES)),
        lambda: calling_back.claim(desk, cast.agent, one, now),
        lambda: ring_out(desk, cast.agent, one, now),
    ):
        with pytest.raises(CallbackSettled, match="已作废"):
            attempt()
    with pytest.raises(IllegalTransition, match="取消"):
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=True)


def test_a_merged_ticket_is_called_back_under_the_other(desk: Desk, cast: Cast, now: datetime) -> None:
    number, into = dispatched(desk, now), dispatched(desk, now)
    act(desk, cast.agent, number, Verb.MERGE, now, into=into)
    with pytest.raises(IllegalTransition, match=into):
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=True)


def test_the_ticket_itself_settles_a_single_caller(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=False, note="还是没水")
    assert board.ticket(desk, cast.agent, number, now)["status"] == "done"  # the desk decides what comes of it
    with pytest.raises(IllegalTransition, match="请返工"):
        act(desk, cast.agent, number, Verb.CLOSE, now)
    assert callback_queue.closable(desk, cast.agent, now)["items"] == []
    act(desk, cast.agent, number, Verb.CALLBACK, now + PAUSE, is_reached=False)
    assert [row["state"] for row in rows(desk, number)] == ["reached"]
    act(desk, cast.agent, number, Verb.CALLBACK, now + 2 * PAUSE, is_solved=True, is_satisfied=True)
    (kept,) = board.ticket(desk, cast.agent, number, now)["callbacks"]
    assert (kept["is_solved"], kept["tries"], len(kept["history"])) == (True, 2, 3)
    with pytest.raises(InvalidInput):
        act(desk, cast.agent, number, Verb.CALLBACK, now + 3 * PAUSE)
    assert act(desk, cast.agent, number, Verb.CLOSE, now + 3 * PAUSE)["status"] == "closed"


def test_who_could_not_be_reached_may_still_say(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now)
    for n in range(3):
        act(desk, cast.agent, number, Verb.CALLBACK, now + n * PAUSE, is_reached=False)
    with pytest.raises(CallbackSettled):
        act(desk, cast.agent, number, Verb.CALLBACK, now + 3 * PAUSE, is_reached=False)
    assert act(desk, cast.agent, number, Verb.CALLBACK, now + 3 * PAUSE, is_solved=True)["is_solved"] is True


def test_with_several_callers_the_ticket_asks_whose_word_it_is(desk: Desk, cast: Cast, now: datetime) -> None:
    number = finished(desk, cast, now, NEIGHBOUR)
    with pytest.raises(InvalidInput) as caught:
        act(desk, cast.agent, number, Verb.CALLBACK, now, is_solved=True)
    assert caught.value.field == "callback_id"
    assert caught.value.extra["callbacks"] == [row["id"] for row in rows(desk, number)]


def test_pages_and_filters_of_the_queue(desk: Desk, cast: Cast, now: datetime) -> None:
    """Each person once, at the most pressing of theirs, and on one page only."""
    numbers = [
        finished(desk, cast, now + n * timedelta(minutes=1), caller_phone=f"1300000010{n % 3}") for n in range(5)
    ]
    seen, after = [], 0
    while True:
        page = callback_queue.queue(desk, cast.agent, Wanted(), after=after, limit=2, now=now)
        seen += [[item["number"] for item in person["items"]] for person in page["items"]]
        after = page["next"] or 0
        if not after:
            break
    assert seen == [[numbers[0], numbers[3]], [numbers[1], numbers[4]], [numbers[2]]]
    assert [len(person["items"]) for person in queue(desk, cast.agent, now, number=numbers[4])] == [2]
    late = now + timedelta(hours=24, minutes=1)
    assert len(queue(desk, cast.agent, late, is_overdue=True)) == 2
    assert queue(desk, cast.agent, now, branch="城北") == []
    assert len(queue(desk, cast.agent, now, branch="城南")) == 3
    (first, *_) = queue(desk, cast.agent, late)
    assert (first["is_overdue"], first["tries"], first["next_try_at"]) == (True, 0, None)
    for person in queue(desk, cast.agent, now):
        settle(desk, cast.agent, now, *[(item["id"], YES) for item in person["items"]])
    page = callback_queue.settled(desk, cast.agent, number=None, after=0, limit=3)
    rest = callback_queue.settled(desk, cast.agent, number=None, after=page["next"], limit=3)
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert len(callback_queue.closable(desk, cast.agent, now)["items"]) == 5
