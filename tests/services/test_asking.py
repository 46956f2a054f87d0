"""A crew asks for a hold or an extension, somebody decides; granted and done are one."""

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
)
from dispatch.domain.roles import Actor, Role
from dispatch.domain.states import Status, Verb
from dispatch.services import asking, board, escalation
from dispatch.services.actions import Action
from dispatch.services.asking import AlreadyAsked, AlreadyDecided
from dispatch.services.desk import Desk
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import TEAM_B, Cast, act, ticket_at
from tests.support.store import in_parallel

HOUR = timedelta(hours=1)


def ask(desk: Desk, actor: Actor, number: str, verb: Verb, now: datetime, **told: Any) -> dict[str, Any]:
    needed: dict[Verb, dict[str, Any]] = {
        Verb.HOLD: {"reason": "wait_material", "until": now + 2 * HOUR, "note": "缺 DN100 管件"},
        Verb.EXTEND: {"reason": "water_window", "until": now + timedelta(days=3), "note": "今夜停水"},
    }
    return asking.ask(desk, actor, number, Action(verb=verb, **{**needed[verb], **told}), now)


def rule(
    desk: Desk, actor: Actor, request_id: int, is_granted: bool, now: datetime, answer: str = ""
) -> dict[str, Any]:
    return asking.rule(desk, actor, request_id, is_granted=is_granted, answer=answer, now=now)


def timeline(desk: Desk, cast: Cast, number: str, now: datetime) -> list[tuple[str, str]]:
    events = board.ticket(desk, cast.dispatcher, number, now)["timeline"]
    return [(event["kind"], event["text"]) for event in events]


def notices(desk: Desk) -> list[tuple[list[str], str]]:
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(OUTBOX.c.recipients, OUTBOX.c.text).order_by(OUTBOX.c.id))
        return [(row.recipients, row.text) for row in rows]


def test_what_is_granted_is_done(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.crew_a, number, Verb.HOLD, now)
    assert (request["asker"], request["verb_label"], request["reason_label"]) == ("水管家甲", "挂起", "等待材料")
    assert (request["decided_at"], request["is_granted"]) == (None, None)
    assert board.ticket(desk, cast.crew_a, number, now)["status"] == "working"
    told = rule(desk, cast.supervisor, request["id"], True, now + HOUR, "同意")
    assert (told["decider"], told["is_granted"], told["answer"]) == ("值班长陈工", True, "同意")
    after = board.ticket(desk, cast.crew_a, number, now + HOUR)
    assert after["status"] == "on_hold"
    assert [clock["resume_at"] for clock in after["clocks"] if clock["kind"] == "fix"] == [(now + 2 * HOUR).isoformat()]
    assert timeline(desk, cast, number, now)[-3:] == [
        ("ask", "水管家甲 (水管家) 申请挂起: 等待材料, 2026-11-24 12:00 恢复; 缺 DN100 管件"),
        ("grant", "值班长陈工 (值班长) 批准挂起申请: 同意 (水管家甲 申请)"),
        ("hold", "值班长陈工 (值班长) 挂起: 等待材料, 2026-11-24 12:00 恢复; 缺 DN100 管件"),
    ]
    assert (["crew:tianxin-03"], f"{number} 批准挂起申请: 同意") in notices(desk)
    asked = asking.requests(desk, cast.dispatcher, is_open=True, number=None, after=0, limit=5)
    assert asked == {"items": [], "next": None}


def test_what_is_refused_is_told_to_the_crew(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.lead_a, number, Verb.EXTEND, now)
    assert (request["reason"], request["reason_label"]) == ("water_window", "等待停水窗口")
    before = board.ticket(desk, cast.crew_a, number, now)
    told = rule(desk, cast.dispatcher, request["id"], False, now, "材料库有货, 请按时完工")
    assert told["is_granted"] is False
    after = board.ticket(desk, cast.crew_a, number, now)
    assert (after["status"], after["clocks"], after["version"]) == ("working", before["clocks"], before["version"])
    assert timeline(desk, cast, number, now)[-1][0] == "refuse"
    assert (["crew:tianxin-03"], f"{number} 驳回延期申请: 材料库有货, 请按时完工") in notices(desk)
    # The crew may ask again, and somebody may look at all that was asked.
    again = ask(desk, cast.crew_a, number, Verb.EXTEND, now)
    pages = asking.requests(desk, cast.auditor, is_open=False, number=number, after=0, limit=1)
    assert ([item["id"] for item in pages["items"]], pages["next"]) == ([again["id"]], again["id"])
    rest = asking.requests(desk, cast.auditor, is_open=False, number=number, after=pages["next"], limit=1)
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([request["id"]], None)


def test_one_open_request_for_each_verb(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    results = in_parallel([lambda: ask(desk, cast.crew_a, number, Verb.HOLD, now) for _ in range(4)])
    assert [type(result) for result in results if isinstance(result, Exception)] == [AlreadyAsked] * 3
    ask(desk, cast.crew_a, number, Verb.EXTEND, now)
    open_ = asking.requests(desk, cast.crew_a, is_open=True, number=number, after=0, limit=9)["items"]
    assert {item["verb"] for item in open_} == {"hold", "extend"}
    assert asking.requests(desk, cast.crew_b, is_open=True, number=None, after=0, limit=9)["items"] == []


def test_a_repeated_key_asks_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    first = ask(desk, cast.crew_a, number, Verb.HOLD, now, key="k", body={"a": 1})
    assert ask(desk, cast.crew_a, number, Verb.HOLD, now, key="k", body={"a": 1}) == first
    with pytest.raises(IdempotencyMismatch):
        ask(desk, cast.crew_a, number, Verb.HOLD, now, key="k", body={"a": 2})


def test_what_could_not_be_done_is_not_taken(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    for told, error in (
        ({"reason": "no_such"}, InvalidInput),
        ({"until": now}, InvalidInput),
        ({"note": "\x00"}, InvalidInput),
    ):
        with pytest.raises(error):
            ask(desk, cast.crew_a, number, Verb.HOLD, now, **told)
    with pytest.raises(InvalidInput):
        ask(desk, cast.crew_a, number, Verb.EXTEND, now, reason=None)
    with pytest.raises(NotFound):
        ask(desk, cast.crew_b, number, Verb.HOLD, now)
    with pytest.raises(NotPermitted):
        ask(desk, cast.agent, number, Verb.HOLD, now)
    with pytest.raises(IllegalTransition):
        ask(desk, cast.crew_a, ticket_at(desk, Status.DONE, now), Verb.HOLD, now)
    assert asking.requests(desk, cast.dispatcher, is_open=False, number=None, after=0, limit=9)["items"] == []


def test_who_only_assists_asks_for_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    act(desk, cast.dispatcher, number, Verb.ASSIST, now, team_id=TEAM_B)
    with pytest.raises(NotPermitted):
        ask(desk, cast.crew_b, number, Verb.HOLD, now)


def test_asked_in_time_is_in_time(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    due = now + timedelta(hours=24)
    # Written down without signal a minute before the due time, sent an hour after it.
    sent = due + HOUR
    request = ask(desk, cast.crew_a, number, Verb.EXTEND, sent, device_at=due - timedelta(minutes=1))
    assert request["asked_at"] == (due - timedelta(minutes=1)).isoformat()
    escalation.sweep(desk, sent)
    rule(desk, cast.supervisor, request["id"], True, sent)
    (fix,) = [c for c in board.ticket(desk, cast.crew_a, number, sent)["clocks"] if c["kind"] == "fix"]
    assert (fix["due_at"], fix["original_due_at"]) == ((sent + timedelta(days=3)).isoformat(), due.isoformat())
    assert fix["breached_at"] == due.isoformat()  # the first breach stays
    late = ticket_at(desk, Status.WORKING, now)
    with pytest.raises(IllegalTransition):
        ask(desk, cast.crew_a, late, Verb.EXTEND, due)


def test_granting_what_cannot_be_done_any_more_writes_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.crew_a, number, Verb.HOLD, now)
    with pytest.raises(InvalidInput):  # the time asked for has passed
        rule(desk, cast.supervisor, request["id"], True, now + 3 * HOUR)
    act(desk, cast.crew_a, number, Verb.DONE, now)
    before = timeline(desk, cast, number, now), notices(desk)
    with pytest.raises(IllegalTransition):
        rule(desk, cast.supervisor, request["id"], True, now)
    assert (timeline(desk, cast, number, now), notices(desk)) == before
    assert rule(desk, cast.supervisor, request["id"], False, now)["is_granted"] is False


def test_the_first_word_holds(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.crew_a, number, Verb.HOLD, now)
    first = rule(desk, cast.supervisor, request["id"], True, now)
    assert rule(desk, cast.supervisor, request["id"], True, now + HOUR) == first
    for who, word in ((cast.dispatcher, True), (cast.supervisor, False)):
        with pytest.raises(AlreadyDecided, match="值班长陈工 已于 2026-11-24 10:00 批准"):
            rule(desk, who, request["id"], word, now)
    other = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.crew_a, other, Verb.HOLD, now)
    rule(desk, cast.supervisor, request["id"], False, now)
    with pytest.raises(AlreadyDecided, match="驳回"):
        rule(desk, cast.dispatcher, request["id"], True, now)


def test_two_decide_at_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    request = ask(desk, cast.crew_a, number, Verb.HOLD, now)
    grant = lambda: rule(desk, cast.supervisor, request["id"], True, now)  # noqa: E731
    refuse = lambda: rule(desk, cast.dispatcher, request["id"], False, now)  # noqa: E731
    results = in_parallel([grant, refuse])
    assert [type(result) for result in results if isinstance(result, Exception)] == [AlreadyDecided]
    (told,) = [result for result in results if not isinstance(result, Exception)]
    status = board.ticket(desk, cast.dispatcher, number, now)["status"]
    assert (status == "on_hold") == told["is_granted"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_who_decides(desk: Desk, cast: Cast, now: datetime) -> None:
    for role in (Role.AGENT, Role.CREW, Role.LEAD, Role.AUDITOR, Role.INTEGRATION):
        with pytest.raises(NotPermitted):
            rule(desk, cast.of(role), 1, True, now)
    with pytest.raises(NotFound):
        rule(desk, cast.supervisor, 4711, True, now)
    with pytest.raises(InvalidInput):
        rule(desk, cast.supervisor, 1, True, now, "\x07")
