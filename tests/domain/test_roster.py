"""Who is responsible: by rank, shift, leave and swap; against a naive evaluation over random rosters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.domain.on_duty import backup, responsible
from dispatch.domain.roster import (
    Leave,
    Member,
    Person,
    Plan,
    Rank,
    Roster,
    Swap,
    Unit,
    chain,
    duties,
    plan_of,
    roster_of,
)
from dispatch.domain.roster_hours import holes, worked_h
from dispatch.domain.shifts import Shift, parse_hours
from dispatch.domain.times import SHANGHAI

MONDAY = date(2026, 11, 30)
DAY = Shift("day", "白班", parse_hours("08:00-20:00"))
NIGHT = Shift("night", "夜班", parse_hours("20:00-次日08:00"))
FULL = Shift("full", "全天", parse_hours("08:00-次日08:00"))
SPLIT = Shift("split", "分段", parse_hours("06:00-10:00, 16:30-20:00"))
LATE = Shift("late", "两段夜", parse_hours("22:00-23:30, 次日01:00-次日05:00"))
SHIFTS = (DAY, NIGHT, FULL, SPLIT, LATE)
PEOPLE = tuple(Person(one, f"测试{one}") for one in ("甲", "乙", "丙", "丁"))
UNITS = (Unit("t", "测试班组", "城南", "branch_duty:城南"), Unit("branch_duty:城南", "城南值班", "城南"))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def member(person_id: str, rank: Rank, *cycle: str | None, unit_id: str = "t") -> Member:
    return Member(unit_id, person_id, rank, MONDAY, cycle)


def a_plan(*members: Member) -> Plan:
    return plan_of(SHIFTS, PEOPLE, UNITS, members)


TWO = a_plan(member("乙", Rank.B, "night"), member("甲", Rank.A, "day"))


def asked(roster: Roster, at: str) -> tuple[str | None, str, list[tuple[str, str]]]:
    answer = responsible(roster, "t", local(at))
    return (
        answer.person.person_id if answer.person else None,
        answer.reason,
        [(one.person.person_id, one.why) for one in answer.passed_over],
    )


def test_the_first_by_rank_who_is_on_duty_answers() -> None:
    roster = roster_of(TWO, [], [])
    assert asked(roster, "2026-12-04 12:00") == ("甲", "白班 08:00-20:00, A角", [])
    assert asked(roster, "2026-12-04 03:00") == ("乙", "夜班 20:00-次日08:00, B角", [("甲", "此时不当班")])
    assert asked(roster, "2026-12-04 08:00")[0] == "甲"
    assert asked(roster, "2026-12-04 20:00")[0] == "乙"


def test_leave_passes_on_to_who_is_on_duty_or_to_the_cover() -> None:
    both = a_plan(member("甲", Rank.A, "day"), member("乙", Rank.B, "day"))
    away = Leave("甲", local("2026-12-04 09:00"), local("2026-12-05 00:00"), "病假")
    why = "请假至 2026-12-05 00:00"
    assert asked(roster_of(both, [away], []), "2026-12-04 08:59")[0] == "甲"
    assert asked(roster_of(both, [away], []), "2026-12-04 09:00") == ("乙", "白班 08:00-20:00, B角", [("甲", why)])
    covered = Leave("甲", away.start_at, away.end_at, "病假", cover_id="丙")
    words = "白班 08:00-20:00, A角, 代请假的测试甲"
    assert asked(roster_of(both, [covered], []), "2026-12-04 10:00") == ("丙", words, [("甲", why)])
    both_away = [covered, Leave("丙", away.start_at, away.end_at, "外出")]
    found = asked(roster_of(both, both_away, []), "2026-12-04 10:00")
    assert found[0] == "乙"
    assert found[2] == [("甲", why), ("丙", "请假至 2026-12-05 00:00")]


def test_a_swap_gives_one_duty_away_and_another_one_back() -> None:
    swapped = roster_of(TWO, [], [Swap("t", "甲", date(2026, 12, 4), "乙", date(2026, 12, 5))])
    who, reason, passed = asked(swapped, "2026-12-04 12:00")
    assert (who, reason) == ("乙", "白班 08:00-20:00, A角, 顶测试甲的班")
    assert passed == [("甲", "2026-12-04 的白班已换给测试乙")]
    assert asked(swapped, "2026-12-06 03:00")[0] == "甲"  # the night of the 5th
    assert asked(swapped, "2026-12-05 03:00")[0] == "乙"


def test_a_hole_says_why() -> None:
    roster = roster_of(a_plan(member("甲", Rank.A, "day")), [], [])
    assert asked(roster, "2026-12-04 03:00") == (None, "此时无人当班 (排班空缺)", [("甲", "此时不当班")])
    at = local("2026-12-04 03:00")
    assert responsible(roster, "branch_duty:城南", at).reason == "城南值班没有排任何人"
    assert responsible(roster, "x", at).reason == "排班表中没有“x”"


def test_the_backup_is_the_next_on_duty_or_else_who_is_not_away() -> None:
    both = a_plan(member("甲", Rank.A, "full"), member("乙", Rank.B, "day"), member("丙", Rank.LEAD, None))
    noon, night = local("2026-12-04 12:00"), local("2026-12-04 23:00")
    found = backup(roster_of(both, [], []), "t", noon)
    assert found.person == PEOPLE[1]
    assert [(one.person.person_id, one.why) for one in found.passed_over] == [("甲", "已是第一责任人")]
    found = backup(roster_of(both, [], []), "t", night)
    assert (found.person, found.reason) == (PEOPLE[1], "没有第二人当班, 由B角备岗")
    assert [one.person.person_id for one in found.passed_over] == ["甲", "丙"]
    away = Leave("乙", noon, night + timedelta(hours=1), "年假")
    found = backup(roster_of(both, [away], []), "t", night)
    assert (found.person, found.reason) == (PEOPLE[2], "没有第二人当班, 由班组长备岗")
    alone = roster_of(a_plan(member("甲", Rank.A, "full")), [], [])
    assert backup(alone, "t", noon).person is None
    assert backup(alone, "t", noon).reason == "没有第二人可接替"
    off = roster_of(a_plan(member("甲", Rank.A, "day")), [], [])
    assert backup(off, "t", night).person == PEOPLE[0]


def test_the_chain_goes_up_to_its_end() -> None:
    assert chain(TWO, "t") == ["t", "branch_duty:城南"]
    assert chain(TWO, "nobody") == ["nobody"]


def test_holes_that_touch_are_one() -> None:
    away = Leave("甲", local("2026-12-04 10:00"), local("2026-12-04 20:00"), "事假", cover_id="乙")
    also = Leave("乙", local("2026-12-04 15:00"), local("2026-12-04 18:00"), "事假")
    roster = roster_of(a_plan(member("甲", Rank.A, "day")), [away, also], [])
    found = holes(roster, "t", local("2026-12-04 00:00"), local("2026-12-05 00:00"))
    spans = [(hole.start_at, hole.end_at) for hole in found]
    times = [("00:00", "08:00"), ("15:00", "18:00"), ("20:00", "24:00")]
    day = local("2026-12-04 00:00")
    assert spans == [tuple(day + timedelta(hours=int(t[:2])) for t in pair) for pair in times]
    assert [hole.hours for hole in found] == [8, 3, 4]
    both = Leave("甲", local("2026-12-04 18:00"), local("2026-12-04 20:00"), "事假")
    shorter = roster_of(a_plan(member("甲", Rank.A, "day")), [both], [])
    assert [one.hours for one in holes(shorter, "t", day, day + timedelta(days=1))] == [8, 6]


def test_hours_are_of_who_really_works() -> None:
    away = Leave("甲", local("2026-12-04 10:00"), local("2026-12-04 12:00"), "事假", cover_id="丙")
    also = Leave("丙", local("2026-12-04 11:00"), local("2026-12-04 13:00"), "事假")
    second = member("甲", Rank.A, "split", unit_id="branch_duty:城南")
    roster = roster_of(a_plan(member("甲", Rank.A, "day"), second), [away, also], [])
    found = worked_h(roster, local("2026-12-04 00:00"), local("2026-12-05 00:00"))
    # 06:00 to 20:00, less two hours; the hours that he is on both are counted once.
    assert found == {"甲": pytest.approx(12), "丙": pytest.approx(1)}


def test_duties_touch_the_time_that_is_asked_about() -> None:
    roster = roster_of(a_plan(member("甲", Rank.A, "late")), [], [])
    found = duties(roster, "t", local("2026-12-04 02:00"), local("2026-12-04 03:00"))
    assert [(duty.day, duty.start_at, duty.end_at) for duty in found] == [
        (date(2026, 12, 3), local("2026-12-04 01:00"), local("2026-12-04 05:00"))
    ]


# ---------------------------------------------------------------- Must show: equal to a naive evaluation

_HOUR = timedelta(hours=1)
_START = local("2026-11-30 00:00")
_HOURS = {"day": range(8, 20), "night": range(20, 32), "full": range(8, 32)}
_people = st.sampled_from([one.person_id for one in PEOPLE])


@st.composite
def _rosters(draw: st.DrawFn) -> tuple[list[Member], list[Leave], list[Swap]]:
    who = draw(st.lists(_people, min_size=1, max_size=4, unique=True))
    cycle = st.lists(st.sampled_from([None, "day", "night", "full"]), min_size=1, max_size=9)
    members = [
        Member("t", one, draw(st.sampled_from(list(Rank))), MONDAY + timedelta(draw(st.integers(-9, 9))),
               tuple(draw(cycle)))
        for one in who
    ]  # fmt: skip
    leaves = []
    for _ in range(draw(st.integers(0, 4))):
        start = _START + draw(st.integers(-24, 24 * 8)) * _HOUR
        cover = draw(st.none() | _people)
        leaves.append(Leave(draw(_people), start, start + draw(st.integers(1, 60)) * _HOUR, "假", cover))
    days = st.integers(-1, 8).map(lambda n: MONDAY + timedelta(n))
    swaps = []
    for _ in range(draw(st.integers(0, 3))):
        owner, taker = draw(st.lists(_people, min_size=2, max_size=2, unique=True))
        swaps.append(Swap("t", owner, draw(days), taker, draw(st.none() | days)))
    return members, leaves, swaps


@dataclass(frozen=True)
class _Naive:
    """Looks at everything, hour by hour."""

    members: list[Member]
    leaves: list[Leave]
    swaps: list[Swap]

    def answer(self, hour: int) -> str | None:
        """Who is responsible in the n-th hour since Monday."""
        for rank in ("A", "B", "C", "lead"):
            for one in (one for one in self.members if one.rank == rank):
                for n in range(-2, 9):
                    found = self.of_day(one, n, hour)
                    if found is not None:
                        return found
        return None

    def of_day(self, one: Member, n: int, hour: int) -> str | None:
        day = MONDAY + timedelta(n)
        name = one.cycle[(day.toordinal() - one.anchor.toordinal()) % len(one.cycle)]
        if name is None or hour - 24 * n not in _HOURS[name]:
            return None
        does = one.person_id
        for swap in self.swaps:
            if (swap.owner_id, swap.day) == (one.person_id, day):
                does = swap.taker_id
            if (swap.taker_id, swap.back_day) == (one.person_id, day):
                does = swap.owner_id
        leave = self.leave_of(does, hour)
        if leave is None:
            return does
        return leave.cover_id if leave.cover_id and self.leave_of(leave.cover_id, hour) is None else None

    def leave_of(self, person: str, hour: int) -> Leave | None:
        at = _START + hour * _HOUR
        for leave in self.leaves:
            if leave.person_id == person and leave.start_at <= at and at < leave.end_at:
                return leave
        return None


@settings(max_examples=120, deadline=None)
@given(_rosters(), st.lists(st.integers(0, 24 * 7 - 1), min_size=12, max_size=12))
def test_one_person_or_a_reported_hole_as_by_a_naive_evaluation(
    drawn: tuple[list[Member], list[Leave], list[Swap]], hours: list[int]
) -> None:
    members, leaves, swaps = drawn
    roster = roster_of(a_plan(*members), leaves, swaps)
    reported = holes(roster, "t", _START, _START + timedelta(days=7))
    for hour in hours:
        at = _START + hour * _HOUR + timedelta(minutes=7)
        found = responsible(roster, "t", at).person
        assert (found.person_id if found else None) == _Naive(members, leaves, swaps).answer(hour)
        assert (found is None) == any(hole.start_at <= at < hole.end_at for hole in reported)
