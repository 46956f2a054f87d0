"""Who is on duty: at dispatch, for each audience of the ladder, up the chain, on both databases."""

from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import InvalidInput, NotFound, NotPermitted
from dispatch.domain.roster_file import InvalidRoster
from dispatch.domain.states import Verb
from dispatch.services import board, duty, rosters
from dispatch.services.desk import Desk
from dispatch.services.roster_book import plan_from
from dispatch.services.rosters import RosterHoles
from dispatch.storage import directory
from tests.support.cast import BRANCH, TEAM_A, TEAM_B, ZONE_B, Cast, act, dispatched, received
from tests.support.rosters import DUTY_POST, LEAD_POST, body, publish
from tests.support.store import open_desk

HOUR = timedelta(hours=1)
NIGHT = 12 * HOUR  # from 10:00 on


def person(desk: Desk, audience: str, at: datetime, team_id: str | None = TEAM_A) -> tuple[str | None, str]:
    with desk.store.read() as tx:
        found = duty.person_for(desk, tx, audience, team_id, BRANCH if team_id else None, at)
    return found.person.person_id if found.person else None, found.reason


def test_without_a_roster_the_order_of_the_teams_answers_and_says_so(desk: Desk, cast: Cast, now: datetime) -> None:
    assert person(desk, "crew", now) == ("tianxin-03-a", "未发布排班表, 按班组名册次序 (A)")
    assert person(desk, "backup", now) == ("tianxin-03-b", "未发布排班表, 按班组名册次序 (B)")
    assert person(desk, "branch_duty", now) == (None, "未发布排班表")
    assert person(desk, "crew", now, None) == (None, "工单没有班组或分公司")
    assert person(desk, "crew", now, "no-such-team") == (None, "未发布排班表")
    with desk.store.write() as tx:
        directory.put_teams(tx, [{"id": TEAM_A, "name": "空班组", "branch": BRANCH, "stewards": []}])
    assert person(desk, "crew", now) == (None, "未发布排班表, 班组名册中没有此人")
    with desk.store.read() as tx:
        assert len(duty.people_up(desk, tx, "crew", TEAM_A, BRANCH, now)) == 1
    shown = board.ticket(desk, cast.supervisor, dispatched(desk, now), now)
    assert (shown["team_id"], shown["steward"]) == (TEAM_A, None)
    assert "排班" not in shown["route_reason"]


def test_each_audience_is_one_person_of_the_moment(desk: Desk, now: datetime) -> None:
    publish(desk, now)
    assert person(desk, "crew", now) == ("crew.a", "白班 08:00-20:00, A角")
    assert person(desk, "crew", now + NIGHT)[0] == "a.night"
    assert person(desk, "backup", now) == ("a.night", "没有第二人当班, 由B角备岗")
    assert person(desk, "area_lead", now)[0] == "area"
    assert person(desk, "area_lead", now + NIGHT) == (None, "此时无人当班 (排班空缺)")
    assert person(desk, "company_duty", now)[0] == "chief"
    assert person(desk, "hotline_director", now) == (None, "排班表中没有“hotline_director”")
    # Before the roster holds, the order of the teams does.
    assert person(desk, "crew", now - HOUR)[0] == "tianxin-03-a"


def test_the_chain_goes_up_to_the_company(desk: Desk, now: datetime) -> None:
    publish(desk, now)
    with desk.store.read() as tx:
        found = duty.people_up(desk, tx, "crew", TEAM_B, BRANCH, now + NIGHT)
    assert [(one.unit_id, one.person.person_id if one.person else None) for one in found] == [
        (TEAM_B, None),
        (LEAD_POST, None),
        (DUTY_POST, "duty"),
        ("company_duty", "chief"),
    ]


def test_a_ticket_gets_who_is_on_shift(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    shown = board.ticket(desk, cast.supervisor, dispatched(desk, now), now)
    assert shown["steward"] == "水管家甲"
    assert shown["route_reason"].endswith("; 水管家甲当班 (白班 08:00-20:00, A角)")
    shown = board.ticket(desk, cast.supervisor, dispatched(desk, now + NIGHT), now + NIGHT)
    assert shown["steward"] == "测试夜班"
    # 天心-04 has nobody at night: the ticket goes to its team all the same, and says so.
    shown = board.ticket(desk, cast.supervisor, dispatched(desk, now + NIGHT, ZONE_B), now + NIGHT)
    assert (shown["team_id"], shown["steward"]) == (TEAM_B, None)
    assert shown["route_reason"].endswith("; 此时无人当班 (排班空缺)")


def test_a_dispatch_by_hand_names_who_is_on_shift(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    number = received(desk, now)
    shown = act(desk, cast.dispatcher, number, Verb.DISPATCH, now + NIGHT, team_id=TEAM_A)
    assert shown["steward"] == "测试夜班"


def test_another_process_hears_of_a_roster(desk: Desk, url: str, now: datetime) -> None:
    other = open_desk(url)
    assert person(other, "crew", now)[0] == "tianxin-03-a"
    publish(desk, now)
    assert person(other, "crew", now)[0] == "crew.a"
    other.store.close()


# ---------------------------------------------------------------- drafts and publishing


def test_a_draft_tells_its_holes_and_oddities(desk: Desk, cast: Cast, now: datetime) -> None:
    told = body(units=[*body()["units"], {"id": "x", "name": "空岗"}])
    draft = rosters.add(desk, cast.supervisor, "十二月", told, now)
    assert draft["valid_from"] is None
    texts = [one["text"] for one in draft["findings"]]
    assert "空岗没有排任何人" in texts
    assert any("不在排班表中" in text for text in texts)
    of_b = [one for one in draft["holes"] if one["unit_id"] == TEAM_B]
    # Two grids' worth of hours would be told twice as many: this team has one.
    assert of_b[0]["zone_ids"] == [ZONE_B]
    # 12 h of each of 20 working nights, 8 nights and days of the weekends in one with the nights around them.
    assert sum(one["zone_hours"] for one in of_b) == pytest.approx(20 * 12 + 8 * 24)
    assert [one["id"] for one in rosters.listed(desk, cast.admin, now)] == [draft["id"]]
    assert rosters.drop(desk, cast.admin, draft["id"], now)["name"] == "十二月"
    with pytest.raises(NotFound):
        rosters.get(desk, cast.admin, draft["id"], now)


def test_holes_must_be_accepted(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = rosters.add(desk, cast.admin, "测试", body(), now)
    with pytest.raises(RosterHoles) as refused:
        rosters.publish(desk, cast.admin, draft["id"], now, "", now)
    assert refused.value.extra["holes"]
    assert person(desk, "crew", now)[0] == "tianxin-03-a"
    shown = rosters.publish(desk, cast.admin, draft["id"], now, "按计划", now, accepts_holes=True)
    assert (shown["is_live"], shown["published_by"], shown["note"]) == (True, "管理员", "按计划")
    assert shown["uncovered_h"] == shown["zone_hours"] > 0
    with pytest.raises(InvalidInput, match="已经发布"):
        rosters.publish(desk, cast.admin, draft["id"], now, "", now, accepts_holes=True)
    with pytest.raises(InvalidInput, match="不能删除"):
        rosters.drop(desk, cast.admin, draft["id"], now)
    with pytest.raises(InvalidInput, match="不能早于现在"):
        rosters.publish(desk, cast.admin, draft["id"], now - HOUR, "", now)


def test_a_later_roster_holds_from_its_time_on(desk: Desk, cast: Cast, now: datetime) -> None:
    publish(desk, now)
    told = body()
    told["members"][0]["person"] = "lead.a"
    told["members"][2]["person"] = "crew.a"
    draft = rosters.add(desk, cast.admin, "下周", told, now)
    rosters.publish(desk, cast.admin, draft["id"], now + 24 * HOUR, "", now, accepts_holes=True)
    assert person(desk, "crew", now + 23 * HOUR)[0] == "crew.a"
    assert person(desk, "crew", now + 24 * HOUR)[0] == "lead.a"
    assert [one["is_live"] for one in rosters.listed(desk, cast.admin, now + 25 * HOUR)] == [True, False]


def test_a_roster_with_mistakes_is_not_kept_at_all(desk: Desk, cast: Cast, now: datetime) -> None:
    told = body()
    told["shifts"][0]["hours"] = "20:00-08:00"
    told["members"][0]["person"] = "nobody"
    with pytest.raises(InvalidRoster) as refused:
        rosters.add(desk, cast.admin, "测试", told, now)
    found = [(one["section"], one["row"], one["field"]) for one in refused.value.extra["findings"]]
    assert ("shifts", 0, "hours") in found
    assert ("members", 0, "person") in found
    told = body()
    told["units"][4]["up"] = TEAM_A
    with pytest.raises(InvalidRoster) as refused:
        rosters.add(desk, cast.admin, "测试", told, now)
    assert "值班链成环" in refused.value.extra["findings"][0]["text"]
    with pytest.raises(InvalidInput, match="起名"):
        rosters.add(desk, cast.admin, " ", body(), now)
    assert rosters.listed(desk, cast.admin, now) == []
    with pytest.raises(NotPermitted):
        rosters.add(desk, cast.dispatcher, "测试", body(), now)


def test_a_stored_roster_that_cannot_be_read_says_so() -> None:
    with pytest.raises(InvalidRoster, match="无法读取"):
        plan_from({"units": "?"})
    with pytest.raises(InvalidRoster):
        plan_from([{"units": []}])
