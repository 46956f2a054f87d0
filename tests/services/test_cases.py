"""Cases on both databases: opened once, fed by calls, reminded once, closed with a cause, opened by the next call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from dispatch.domain.case import CaseKind, CaseStatus, EntryKind, Solved, Visit
from dispatch.domain.cti import CtiEvent, CtiEventKind
from dispatch.domain.errors import IdempotencyMismatch, IllegalTransition, InvalidInput, NotFound, StaleVersion
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.domain.states import Status, Verb
from dispatch.services import board, cases, casework, cti, follow_up
from dispatch.services.cases import NewCase
from dispatch.services.desk import Desk
from dispatch.services.watching import Known
from dispatch.storage import directory
from dispatch.storage.case_tables import WatchedRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tables import UserRow
from tests.services.test_outages import signals
from tests.support.cast import CALLER_PHONE, ZONE_A, Cast, act, call, cast_of, dispatched, received, spot, ticket_at
from tests.support.store import in_parallel, open_desk

DAY = timedelta(days=1)
HOUSE = "坡子街 12 号"
NEIGHBOUR_PHONE = "13000000002"


def opened(desk: Desk, actor: Actor, now: datetime, **told: Any) -> dict[str, Any]:
    new = NewCase(**{"kind": CaseKind.PERSON, "key": CALLER_PHONE, "category": "noise", **told})
    return cases.open_(desk, actor, new, {"case": repr(new)}, now)


def noted(desk: Desk, actor: Actor, case_id: int, now: datetime, **told: Any) -> dict[str, Any]:
    visit = Visit(**{"kind": EntryKind.VISIT, "at": now, "finding": "夜间仍有水流声", **told})
    return casework.note_visit(desk, actor, case_id, visit, {"visit": repr(visit)}, now)


def solve(desk: Desk, actor: Actor, case_id: int, now: datetime, **told: Any) -> dict[str, Any]:
    told = {"root_cause": "pump", "outcome": "更换泵房减振垫", **told}
    return casework.solve(desk, actor, case_id, Solved(**told), None, now)


def read(desk: Desk, case_id: int, now: datetime) -> dict[str, Any]:
    return cases.read(desk, cast_of(desk).supervisor, case_id, now)


def told_to(desk: Desk, login: str) -> list[str]:
    query = select(OUTBOX.c.recipients, OUTBOX.c.text).where(OUTBOX.c.ticket_id.is_(None)).order_by(OUTBOX.c.id)
    with desk.store.read() as tx:
        return [row.text for row in tx.conn.execute(query) if row.recipients == [f"user:{login}"]]


# ---------------------------------------------------------------- the noise complaint with fifteen visits


def test_a_year_of_noise_fifteen_visits_and_a_cause(desk: Desk, cast: Cast, now: datetime) -> None:
    """李娭毑 hears water at night: a year of tickets, a case at the third call in a month, and in the end a pump."""
    start = now - 300 * DAY
    with desk.store.write() as tx:  # the sample policy and map have held all year
        _have_held_since(tx, start - DAY)
    for days_ago in (300, 240, 180, 150, 120):
        _noise(desk, cast, now - days_ago * DAY)
    _again(desk, cast, _noise(desk, cast, now - 90 * DAY), now - 89 * DAY)
    third = [_noise(desk, cast, now - days_ago * DAY) for days_ago in (41, 25, 12)]
    assert [board.ticket(desk, cast.agent, one, now)["nth_call"] for one in third] == [None, None, 3]
    case = opened(desk, cast.agent, now - 12 * DAY, number=third[-1], key=None)
    assert (case["tickets"], case["visits"], case["owner_login"]) == (9, 10, "supervisor")
    case_id = case["id"]
    for n, whom in enumerate(("3 楼 302", "5 楼 502", "1 楼物业")):
        noted(
            desk, cast.supervisor, case_id, now - (9 - n) * DAY, kind=EntryKind.NEIGHBOUR, whom=whom, finding="也听到"
        )
    noted(desk, cast.supervisor, case_id, now - 5 * DAY, kind=EntryKind.MEASURE, whom="泵房", finding="夜间 48 dB")
    # The next call finds the case at once, with its story, and its ticket joins by itself.
    told = cases.known(desk, cast.agent, Known(phone=None, category="noise"), CALLER_PHONE, now - 4 * DAY)
    (known,) = told["cases"]
    assert (known["number"], known["owner"], known["neighbours"]) == (case["number"], cast.supervisor.name, 3)
    assert known["last"][0]["text"] == "夜间 48 dB"
    number = _noise(desk, cast, now - 4 * DAY)
    noted(desk, cast.dispatcher, case_id, now - 3 * DAY, whom="泵房", finding="减振垫老化", next_step="更换")
    case = read(desk, case_id, now)
    assert (case["tickets"], case["visits"], case["neighbours"]) == (10, 15, 3)
    assert [one["whom"] for one in case["neighbours_visited"]] == ["3 楼 302", "5 楼 502", "1 楼物业"]
    assert next(one for one in case["linked"] if one["number"] == number)["is_auto"]
    assert sum(item["is_visit"] for item in case["timeline"]) == 15
    with pytest.raises(InvalidInput) as missing:
        solve(desk, cast.supervisor, case_id, now - 2 * DAY, root_cause="ghost")
    assert missing.value.field == "root_cause"
    case = solve(desk, cast.supervisor, case_id, now - 2 * DAY, note="二次供水泵共振")
    assert (case["status"], case["root_cause_label"]) == ("watching", "泵房或二次供水设备")
    assert case["watched_until"] == (now + 28 * DAY).isoformat()
    # Watched, and nothing more is heard: it ends by itself.
    assert follow_up.remind(desk, lambda: now + 27 * DAY) == 0
    assert follow_up.remind(desk, lambda: now + 29 * DAY) == 1
    assert read(desk, case_id, now + 29 * DAY)["status"] == "closed"
    with desk.store.read() as tx:
        assert tx.conn.execute(select(table_of(WatchedRow))).all() == []


def _have_held_since(tx: Tx, since: datetime) -> None:
    tx.conn.execute(update(directory.POLICIES).values(valid_from=since))
    tx.conn.execute(update(directory.ZONE_SETS).values(valid_from=since))
    directory.turn_page(tx)


def _noise(desk: Desk, cast: Cast, at: datetime) -> str:
    number = dispatched(desk, at, category="noise", description="墙里有水流声")
    _visit(desk, cast, number, at + timedelta(hours=1))
    return number


def _visit(desk: Desk, cast: Cast, number: str, at: datetime) -> None:
    for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.crew_a, number, verb, at)


def _again(desk: Desk, cast: Cast, number: str, at: datetime) -> None:
    act(desk, cast.agent, number, Verb.CALLBACK, at, is_solved=False)
    act(desk, cast.agent, number, Verb.REWORK, at, note="又响了")
    _visit(desk, cast, number, at)


# ---------------------------------------------------------------- opening


def test_a_case_is_opened_once_for_a_person_and_joined_by_what_she_calls_about(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    before = received(desk, now - 9 * DAY)
    case = opened(desk, cast.agent, now)
    assert (case["number"], case["kind"], case["phone"], case["status"]) == (
        "G-000001",
        "person",
        "130****0001",
        "open",
    )
    assert CALLER_PHONE not in repr(case)
    assert [one["number"] for one in case["linked"]] == [before]
    assert case["next_follow_up_at"] == (now + 7 * DAY).isoformat()
    again = opened(desk, cast.dispatcher, now, number=before, key=None)
    assert (again["id"], len(again["linked"])) == (case["id"], 1)
    fresh = call(desk, cast.agent, now).body["ticket"]["number"]
    answered = call(desk, cast.agent, now, category="inquiry", description="", answer="夜间为错峰加压").body
    other = received(desk, now, caller_phone=NEIGHBOUR_PHONE)
    call(desk, cast.agent, now, attach_to=other)
    shown = read(desk, case["id"], now)
    assert {one["number"] for one in shown["linked"]} == {before, fresh, other}
    kinds = [item["kind"] for item in shown["timeline"] if item["kind"] != "arrive"]
    assert answered["outcome"] == "answered"
    assert kinds.count("opened") == 1
    assert [item["text"] for item in shown["timeline"] if item["text"].startswith("已答复")] == [
        "已答复: 夜间为错峰加压"
    ]
    (line,) = [one for one in board.ticket(desk, cast.agent, fresh, now)["timeline"] if one["kind"] == "case"]
    assert "自动关联个案 G-000001" in line["text"]
    assert len(told_to(desk, "supervisor")) == 4
    assert ("case", str(case["id"])) in signals(desk)
    assert (
        cases.listed(desk, cast.agent, status=None, is_mine=False, number=fresh, after=0, limit=5, now=now)["items"][0][
            "id"
        ]
        == case["id"]
    )


def test_a_case_of_a_house_takes_its_calls_whoever_rings(desk: Desk, cast: Cast, now: datetime) -> None:
    received(desk, now, category="noise", address=f"天心区{HOUSE}", caller_phone=NEIGHBOUR_PHONE)
    received(desk, now, category="billing", address=HOUSE)
    case = opened(desk, cast.supervisor, now, kind=CaseKind.ADDRESS, key=None, address=f"{HOUSE}3楼302室")
    assert (len(case["linked"]), case["owner_login"], case["phone"]) == (1, "supervisor", None)
    assert "302" not in case["address"] + case["title"]
    for changes, count in (
        ({"category": "noise", "address": f"长沙市天心区{HOUSE}", "caller_phone": None}, 2),
        ({"category": "billing", "address": HOUSE}, 2),
        ({"category": "noise", "address": f"雨花区{HOUSE}"}, 3),
        ({"category": "noise", "address": "坡子街 14 号"}, 3),
    ):
        received(desk, now, **changes)
        # The address of the case names no district, so 雨花区 may be it.
        assert len(read(desk, case["id"], now)["linked"]) == count


def test_a_house_without_words_is_known_by_its_pin(desk: Desk, cast: Cast, now: datetime) -> None:
    here = spot(desk, ZONE_A, now)
    near = Wgs84Point(here.lon + 0.00009, here.lat)
    number = received(desk, now, category="noise", address="", point=here, caller_phone=None)
    case = opened(desk, cast.agent, now, kind=CaseKind.ADDRESS, number=number, key=None, category=None)
    assert case["title"] == "噪音: 地图定位点"
    told = cases.known(desk, cast.agent, Known(phone=None, point=near, category="noise"), None, now)
    assert [one["id"] for one in told["cases"]] == [case["id"]]
    far = Wgs84Point(here.lon + 0.001, here.lat)
    assert cases.known(desk, cast.agent, Known(phone=None, point=far), None, now)["cases"] == []
    assert cases.known(desk, cast.agent, Known(phone=None), None, now)["nth_of_spot"] == 0


def test_a_call_on_the_line_is_known_before_its_number_is(desk: Desk, cast: Cast, now: datetime) -> None:
    case = opened(desk, cast.agent, now)
    ring = CtiEvent(call_id="c-7", kind=CtiEventKind.RING, at=now, caller=CALLER_PHONE)
    cti.hear(desk, cast.integration, ring, now)
    told = cases.known(desk, cast.agent, Known(phone=None), "c-7", now)
    assert [one["id"] for one in told["cases"]] == [case["id"]]


def test_the_third_ticket_of_a_house_is_pointed_out(desk: Desk, cast: Cast, now: datetime) -> None:
    phones = ("13000000011", "13000000012", None)
    numbers = [received(desk, now, category="noise", caller_phone=phone) for phone in phones]
    assert [board.ticket(desk, cast.agent, one, now)["nth_call"] for one in numbers] == [None, None, 3]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"key": None}, "key"),
        ({"kind": CaseKind.ADDRESS}, "address"),
        ({"kind": CaseKind.ADDRESS, "address": "坡子街"}, "address"),
        ({"category": None}, "category"),
        ({"category": "ghosts"}, "category"),
        ({"rhythm_days": 0}, "rhythm_days"),
        ({"title": "a\0"}, "title"),
        ({"owner": "crew.a"}, "owner"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_no_case_can_be_opened_of(desk: Desk, cast: Cast, now: datetime, told: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        opened(desk, cast.agent, now, **told)
    assert wrong.value.field == field


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_is_not_there(desk: Desk, cast: Cast, now: datetime) -> None:
    for told in ({"number": "GD20261124-009999"}, {"key": "kein Anruf"}):
        with pytest.raises(NotFound):
            opened(desk, cast.agent, now, **told)
    with pytest.raises(NotFound):
        read(desk, 404, now)
    with pytest.raises(NotFound):
        noted(desk, cast.supervisor, 404, now)
    case = opened(desk, cast.agent, now)
    with pytest.raises(NotFound):
        casework.link(desk, cast.supervisor, case["id"], "GD20261124-009999", now)
    with desk.store.write() as tx:
        tx.conn.execute(update(table_of(UserRow)).values(is_active=False))
    with pytest.raises(InvalidInput) as nobody:
        opened(desk, cast.agent, now, key=NEIGHBOUR_PHONE)
    assert nobody.value.field == "owner"


def test_two_agents_open_one_case_and_a_repeated_key_one(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    desks = [desk, open_desk(url)]
    done = in_parallel([lambda one=one: opened(one, cast.agent, now)["id"] for one in desks])  # type: ignore[misc]
    assert done[0] == done[1]
    new = NewCase(kind=CaseKind.PERSON, key=NEIGHBOUR_PHONE, category="noise")
    first = cases.open_(desk, cast.agent, new, {"a": 1}, now, "k")
    assert cases.open_(desk, cast.agent, new, {"a": 1}, now, "k") == first
    with pytest.raises(IdempotencyMismatch):
        cases.open_(desk, cast.agent, new, {"a": 2}, now, "k")
    visit = Visit(kind=EntryKind.PHONE, at=now, finding="已回电")
    for _ in range(2):
        casework.note_visit(desk, cast.supervisor, first["id"], visit, {"b": 1}, now, "v")
    assert [item["kind"] for item in read(desk, first["id"], now)["timeline"]] == ["opened", "phone"]
    desks[1].store.close()


# ---------------------------------------------------------------- rhythm, owner, closing and opening again


def test_the_owner_is_reminded_once_for_each_due_time_by_however_many(
    desk: Desk, cast: Cast, now: datetime, url: str
) -> None:
    case = opened(desk, cast.agent, now, rhythm_days=3)
    desks = [desk, open_desk(url)]
    assert follow_up.remind(desk, lambda: now + 3 * DAY - timedelta(seconds=1)) == 0
    for days in (3, 6):
        at = now + days * DAY
        done = in_parallel([lambda one=one, at=at: follow_up.remind(one, lambda: at) for one in desks])  # type: ignore[misc]
        assert sorted(map(str, done)) in (["0", "1"],)
    late = now + 30 * DAY
    assert follow_up.remind(desk, lambda: late) == 1
    assert follow_up.remind(desk, lambda: late) == 0
    told = told_to(desk, "supervisor")
    assert ["该跟进了" in text for text in told] == [False, True, True, True]
    assert "系统晚发" in told[-1]
    assert read(desk, case["id"], late)["next_follow_up_at"] == (late + 3 * DAY).isoformat()
    assert follow_up.remind(desk, lambda: late + 9 * DAY, lambda: True) == 0
    desks[1].store.close()


def test_a_call_within_the_watch_opens_it_again_and_one_after_it_does_not(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    case_id = opened(desk, cast.agent, now)["id"]
    solve(desk, cast.supervisor, case_id, now, watch_days=10)
    received(desk, now + 9 * DAY)
    case = read(desk, case_id, now)
    assert (case["status"], case["closed_at"], case["root_cause"]) == ("open", None, "pump")
    assert "观察期内再次来电" in told_to(desk, "supervisor")[-1]
    solve(desk, cast.supervisor, case_id, now + 9 * DAY, watch_days=1)
    late = now + 11 * DAY
    number = received(desk, late)  # nobody has noticed yet that the watch is over
    assert number not in [one["number"] for one in read(desk, case_id, late)["linked"]]
    follow_up.remind(desk, lambda: late)
    again = casework.reopen(desk, cast.dispatcher, case_id, "用户要求复查", None, late)
    assert again["status"] == "open"
    assert received(desk, late) in [one["number"] for one in read(desk, case_id, late)["linked"]]


def test_a_closed_case_stays_closed_where_another_was_opened(desk: Desk, cast: Cast, now: datetime) -> None:
    first = opened(desk, cast.agent, now)["id"]
    solve(desk, cast.supervisor, first, now, watch_days=1)
    follow_up.remind(desk, lambda: now + 2 * DAY)
    second = opened(desk, cast.agent, now + 2 * DAY)["id"]
    with pytest.raises(InvalidInput, match=f"G-{second:06d}"):
        casework.reopen(desk, cast.supervisor, first, "再看", None, now + 2 * DAY)
    refused: Sequence[Callable[[], object]] = (
        lambda: noted(desk, cast.supervisor, first, now),
        lambda: solve(desk, cast.supervisor, first, now),
        lambda: casework.hand_over(desk, cast.supervisor, first, "dispatcher", None, now),
        lambda: casework.pace(desk, cast.supervisor, first, 3, None, now),
        lambda: casework.reopen(desk, cast.supervisor, second, "再看", None, now),
    )
    for deed in refused:
        with pytest.raises(IllegalTransition):
            deed()
    listed = cases.listed(desk, cast.agent, status=None, is_mine=False, number=None, after=0, limit=1, now=now)
    assert ([one["id"] for one in listed["items"]], listed["next"]) == ([second], 1)
    rest = cases.listed(desk, cast.agent, status=None, is_mine=False, number=None, after=1, limit=1, now=now)
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([first], None)
    closed = cases.listed(
        desk, cast.supervisor, status=CaseStatus.CLOSED, is_mine=True, number=None, after=0, limit=9, now=now
    )
    assert [one["id"] for one in closed["items"]] == [first]


def test_owner_rhythm_and_tickets_are_changed_by_hand(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_SITE, now, caller_phone=NEIGHBOUR_PHONE)
    case = opened(desk, cast.agent, now, owner="supervisor")
    with pytest.raises(StaleVersion):
        casework.pace(desk, cast.supervisor, case["id"], 3, 7, now)
    case = casework.pace(desk, cast.supervisor, case["id"], 3, case["version"], now)
    assert case["next_follow_up_at"] == (now + 3 * DAY).isoformat()
    case = casework.hand_over(desk, cast.supervisor, case["id"], "dispatcher", case["version"], now)
    assert (case["owner"], told_to(desk, "dispatcher")) == (cast.dispatcher.name, ["G-000001 移交给您"])
    with pytest.raises(InvalidInput, match="已是负责人"):
        casework.hand_over(desk, cast.supervisor, case["id"], "dispatcher", None, now)
    for _ in range(2):
        case = casework.link(desk, cast.dispatcher, case["id"], number, now)
    assert (case["visits"], [one["is_auto"] for one in case["linked"]]) == (1, [False])
    assert cases.owners(desk, cast.agent)["items"][-1] == {"login": "dispatcher", "name": "调度员老吴", "cases": 1}
    follow = noted(desk, cast.dispatcher, case["id"], now + DAY, next_step="周三再去")
    assert follow["next_follow_up_at"] == (now + 4 * DAY).isoformat()
    solve(desk, cast.dispatcher, case["id"], now + DAY)
    watched = noted(desk, cast.dispatcher, case["id"], now + 2 * DAY, kind=EntryKind.PHONE)
    assert watched["watched_until"] == (now + 31 * DAY).isoformat()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_cannot_be_noted_or_closed(desk: Desk, cast: Cast, now: datetime) -> None:
    case_id = opened(desk, cast.agent, now)["id"]
    told: dict[str, Any]
    for told, field in (
        ({"kind": EntryKind.REMINDED}, "kind"),
        ({"at": now + DAY}, "at"),
        ({"finding": " "}, "finding"),
        ({"kind": EntryKind.NEIGHBOUR}, "whom"),
        ({"next_step": "\0"}, "next_step"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            noted(desk, cast.supervisor, case_id, now, **told)
        assert wrong.value.field == field
    for told, field in (({"outcome": ""}, "outcome"), ({"watch_days": 999}, "watch_days")):
        with pytest.raises(InvalidInput) as wrong:
            solve(desk, cast.supervisor, case_id, now, **told)
        assert wrong.value.field == field
    with pytest.raises(InvalidInput) as wrong:
        casework.reopen(desk, cast.supervisor, case_id, " ", None, now)
    assert wrong.value.field == "note"
