"""Who is told of a step, one after the other; and what answers it."""

from datetime import UTC, datetime

import pytest

from dispatch.domain import alerting
from dispatch.domain.alerting import Reply
from dispatch.domain.on_duty import everybody
from dispatch.domain.roster import Leave, Roster, roster_of
from dispatch.domain.roster_file import read_plan
from tests.support.cast import TEAM_A, TEAM_B
from tests.support.night import DIRECTOR, plan
from tests.support.rosters import DUTY_POST, LEAD_POST

DAY = datetime(2026, 11, 24, 2, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 18, 10, tzinfo=UTC)


def roster(*leaves: Leave) -> Roster:
    found, _ = read_plan(plan())
    assert found is not None
    return roster_of(found, leaves, ())


def names(recipients: list[str], *later: str, at: datetime = NIGHT, of: Roster | None = None) -> list[str]:
    found = alerting.line(of or roster(), recipients, later, at)
    return [one.person.person_id for one in found if one.person]


def test_first_the_one_on_duty_then_the_others_of_the_unit_then_up() -> None:
    assert names([f"crew:{TEAM_A}"]) == ["a.night", "crew.a", "lead.a", "area", "duty", "director", "chief"]
    assert names([f"crew:{TEAM_A}"], at=DAY)[:3] == ["crew.a", "a.night", "lead.a"]
    assert names([f"backup:{TEAM_A}"])[:3] == ["crew.a", "a.night", "lead.a"]


def test_nobody_whom_a_later_step_tells() -> None:
    assert names([f"crew:{TEAM_A}", LEAD_POST], "branch_duty") == ["a.night", "area", "crew.a", "lead.a"]
    assert names([f"crew:{TEAM_A}"], "area_lead") == ["a.night", "crew.a", "lead.a"]
    assert names([DUTY_POST], DIRECTOR) == ["duty"]


def test_what_is_no_unit_is_nobody() -> None:
    assert names(["dispatcher", "crew:nowhere"]) == []
    assert alerting.named(roster(), ["dispatcher", LEAD_POST], NIGHT)[0].unit_id == LEAD_POST


def test_a_team_without_anybody_at_night_is_a_hole_and_its_people_are_asked_all_the_same() -> None:
    (hole,) = alerting.named(roster(), [f"crew:{TEAM_B}"], NIGHT)
    assert hole.person is None
    assert alerting.why(roster(), hole) == "天心-04 班组: 此时无人当班 (排班空缺)"
    assert names([f"crew:{TEAM_B}"], "area_lead") == ["crew.b"]
    away = roster(Leave("crew.b", DAY, datetime(2026, 11, 30, tzinfo=UTC), "病假"))
    assert names([f"crew:{TEAM_B}"], "area_lead", of=away) == []
    assert everybody(away, TEAM_B, NIGHT) == []


@pytest.mark.parametrize(
    ("text", "ending"),
    [("1", ""), (" 1 ", ""), ("收到", ""), ("知悉。", ""), ("1 000123", "000123"), ("1，GD20261124-000123", "000123")],
)
def test_a_reply_answers(text: str, ending: str) -> None:
    assert alerting.reply(text) == Reply(ending)


@pytest.mark.parametrize("text", ["", "2", "11", "TD", "1 号线", "收到吗", "1 12"])
def test_what_is_no_reply(text: str) -> None:
    assert alerting.reply(text) is None
