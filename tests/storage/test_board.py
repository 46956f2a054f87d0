"""Lists: every filter, keyset pages, and a search that knows Chinese words of two characters."""

from datetime import datetime, timedelta

import pytest

from dispatch.domain.place import Wgs84Point
from dispatch.domain.search import query_terms
from dispatch.domain.states import Status, Verb
from dispatch.services import escalation
from dispatch.services.desk import Desk
from dispatch.storage import board, directory, escalations
from dispatch.storage.board import Filter
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, ZONE_FAR, Cast, act, call, dispatched, received
from tests.support.cast import ticket_at as at


def numbers(desk: Desk, now: datetime, *, after: int = 0, limit: int = 100, **wanted: object) -> list[str]:
    with desk.store.read() as tx:
        return [row["number"] for row in board.page(tx, Filter(**wanted), after, limit, now)]  # type: ignore[arg-type]


def test_filters(desk: Desk, cast: Cast, now: datetime) -> None:
    here = dispatched(desk, now, ZONE_A)
    there = dispatched(desk, now, ZONE_FAR, category="burst")
    lost = received(desk, now, category="billing")
    over = at(desk, Status.CANCELLED, now)
    everything = [over, lost, there, here]
    assert numbers(desk, now) == everything
    assert numbers(desk, now, statuses=["received", "cancelled"]) == [over, lost]
    assert numbers(desk, now, levels=["P1", "P4"]) == [lost, there]
    assert numbers(desk, now, categories=["burst"]) == [there]
    assert numbers(desk, now, zone_id=ZONE_A) == [over, here]
    assert numbers(desk, now, branch="星沙") == [there]
    assert numbers(desk, now, route_status="unlocated") == [lost]
    assert numbers(desk, now, team_id=TEAM_A) == [over, here]
    assert numbers(desk, now, is_open=True) == [lost, there, here]
    assert numbers(desk, now, is_open=False) == [over]
    assert numbers(desk, now, team_id=TEAM_A, is_open=True, levels=["P2"]) == [here]
    assert numbers(desk, now, team_id="nobody") == []


def test_a_breach_is_seen_before_the_sweep_sees_it(desk: Desk, now: datetime) -> None:
    urgent, slow = dispatched(desk, now), received(desk, now, category="billing")
    just_before = now + timedelta(minutes=10) - timedelta(microseconds=1)
    assert numbers(desk, just_before, is_breached=True) == []
    late = now + timedelta(minutes=10)
    assert numbers(desk, late, is_breached=True) == [urgent]
    assert numbers(desk, late, is_breached=False) == [slow]
    escalation.sweep(desk, late)
    assert numbers(desk, late, is_breached=True) == [urgent]


def test_assisting_teams_are_counted_in(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now, ZONE_A)
    assert numbers(desk, now, visible_to_team=TEAM_B) == []
    act(desk, cast.dispatcher, number, Verb.ASSIST, now, team_id=TEAM_B)
    assert numbers(desk, now, visible_to_team=TEAM_B) == [number]
    assert numbers(desk, now, team_id=TEAM_B) == [number]


@pytest.mark.parametrize(("helper", "stranger"), [("天心-03", "天心-04"), ("a_b", "axb"), ("a_b", "a%b")])
def test_a_team_of_any_name_sees_what_it_assists_with_and_no_more(
    desk: Desk, cast: Cast, now: datetime, helper: str, stranger: str
) -> None:
    team: dict[str, object] = {"name": "甲", "branch": None, "stewards": []}
    with desk.store.write() as tx:
        directory.put_teams(tx, [{"id": helper, **team}, {"id": stranger, **team}])
    number = dispatched(desk, now)
    act(desk, cast.dispatcher, number, Verb.ASSIST, now, team_id=helper)
    assert numbers(desk, now, visible_to_team=helper) == [number]
    assert numbers(desk, now, visible_to_team=stranger) == []
    assert numbers(desk, now, visible_to_team="a%") == []


def test_pages_are_stable_while_tickets_come_in(desk: Desk, now: datetime) -> None:
    made = [received(desk, now) for _ in range(5)]
    with desk.store.read() as tx:
        first = board.page(tx, Filter(), 0, 2, now)
    received(desk, now)
    rest = numbers(desk, now, after=first[-1]["id"], limit=10)
    assert [row["number"] for row in first] + rest == made[::-1]


SEARCHES = [
    ("停水", True),
    ("井盖", False),
    ("漏", True),
    ("水漏", False),
    ("坡子街", True),
    ("坡街", False),
    ("李娭毑", True),
    ("xiangjiang", True),
    ("XiangJiang", True),
    ("12", True),
    ("1", False),
    ("停水 漏水", True),
    ("停水 井盖", False),
    ("𠮷", True),
    ('停水" OR "井盖', False),
]


def test_search(desk: Desk, now: datetime, subtests: pytest.Subtests) -> None:
    found = received(desk, now, description="停水了, 还漏水. Xiangjiang 花园 𠮷", address="坡子街 12 号")
    received(desk, now, description="噪音", address="五一路", caller_name=None)
    for text, is_found in SEARCHES:
        with subtests.test(text):
            assert numbers(desk, now, terms=query_terms(text)) == ([found] if is_found else [])


def test_search_finds_a_ticket_by_number_and_by_a_later_call(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second = received(desk, now), received(desk, now)
    call(desk, cast.agent, now, attach_to=first, description="水池进了青蛙")
    assert numbers(desk, now, terms=query_terms("青蛙")) == [first]
    assert numbers(desk, now, terms=query_terms(second)) == [second]


def test_where_a_ticket_lies(desk: Desk, now: datetime) -> None:
    with desk.store.read() as tx:
        assert board.find(tx, "GD19000101-000001") is None
    lost, located = received(desk, now), received(desk, now, point=Wgs84Point(112.95, 28.1))
    with desk.store.read() as tx:
        rows = [board.find(tx, number) or {} for number in (lost, located)]
        assert [board.point_of(tx, row["id"]) for row in rows] == [None, Wgs84Point(112.95, 28.1)]


def test_fired_steps_come_newest_first_by_page_and_team(desk: Desk, cast: Cast, now: datetime) -> None:
    ours, theirs = dispatched(desk, now, ZONE_A), dispatched(desk, now, ZONE_B)
    escalation.sweep(desk, now + timedelta(minutes=15))
    with desk.store.read() as tx:
        everything = escalations.page(tx, 0, 10, is_unanswered=False, team_id=None)
        assert {row["number"] for row in everything} == {ours, theirs}
        assert [row["id"] for row in everything] == sorted((row["id"] for row in everything), reverse=True)
        second = escalations.page(tx, everything[0]["id"], 10, is_unanswered=True, team_id=None)
        assert second == everything[1:]
        of_a = escalations.page(tx, 0, 10, is_unanswered=True, team_id=TEAM_A)
        assert {row["number"] for row in of_a} == {ours}
        assert escalations.find(tx, 999_999) is None
    act(desk, cast.dispatcher, ours, Verb.ASSIST, now, team_id=TEAM_B)
    with desk.store.read() as tx:
        of_b = escalations.page(tx, 0, 10, is_unanswered=True, team_id=TEAM_B)
    assert {row["number"] for row in of_b} == {ours, theirs}
