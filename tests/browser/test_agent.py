"""An agent's day: a call rings, is taken, written down and saved, by keyboard alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from dispatch.domain.place import Datum
from dispatch.domain.states import Status, Verb
from dispatch.services import board, place_import
from dispatch.services.desk import Desk
from tests.browser.agent_story import Keyboard, console, platform, saved_number, tickets
from tests.browser.test_every_page import violations
from tests.support.browser import Pages, picture
from tests.support.cast import (
    CALLER_PHONE,
    TEAM_A,
    ZONE_A,
    ZONE_B,
    Cast,
    act,
    cast_of,
    dispatched,
    received,
    spot,
    ticket_at,
)

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
MOST_PRESSES = 12
LIST_OF_CALLS = re.compile(r"/api/v1/cti-calls$")
NASTY = '<script>alert(1)</script><img src=x onerror=alert(2)>\'; DROP TABLE tickets;-- =HYPERLINK("http://x")'


def test_a_burst_from_ring_to_dispatched_by_keyboard_in_twelve_presses(pages: Pages, desk: Desk) -> None:
    received(desk, datetime.now(UTC), category="pressure", description="早上水压低")
    page = console(pages)
    keys = Keyboard(page)
    platform(pages, desk).tell("7731", seat="012")
    expect(page.locator("#waiting .ring")).to_contain_text("130****0001")
    picture(page, "agent-ring")
    keys.press("F2")
    expect(page.locator("#caller_phone")).to_have_value(CALLER_PHONE)
    expect(page.locator("#address")).to_be_focused()
    expect(page.locator("#caller")).to_contain_text("早上水压低")
    keys.type("坡子街 12 号")
    keys.press("Tab")
    keys.type(ZONE_A)
    expect(page.locator("#place-said")).to_contain_text(ZONE_A)
    keys.press("Tab", "1", "y", "n", "3")
    keys.type("路面喷水两米高")
    expect(page.locator("#route")).to_contain_text("天心-03 水管家班组")
    expect(page.locator("#route")).to_contain_text("P1 特急")
    expect(page.locator("#route")).to_contain_text("止水")
    page.wait_for_timeout(300)  # the map has drawn
    picture(page, "agent-script")
    assert len(tickets(desk)) == 1  # shown before anything is saved
    keys.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("到场")
    picture(page, "agent-saved")
    newest = tickets(desk)[0]
    assert saved_number(page) == newest["number"]
    assert (newest["status"], newest["team_id"], newest["level"]) == (Status.DISPATCHED, TEAM_A, "P1")
    assert newest["description"] == "路面喷水两米高"
    assert newest["address"] == "坡子街 12 号 〔定位近似: 天心-03 网格中心〕"
    assert len(keys.presses) <= MOST_PRESSES, keys.presses
    keys.press("F2")  # the next call is one key away
    expect(page.locator("#caller_phone")).to_be_focused()


def test_a_candidate_of_the_address_is_taken_by_key(pages: Pages, desk: Desk, cast: Cast) -> None:
    here, there = (spot(desk, zone, datetime.now(UTC)) for zone in (ZONE_A, ZONE_B))
    table = "kind,name,district,lon,lat\n" + "".join(
        f"estate,金领小区,{district},{at.lon:.6f},{at.lat:.6f}\n"
        for district, at in (("天心区", here), ("岳麓区", there))
    )
    place_import.import_places(
        desk, cast.admin, table.encode(), source="estates.csv", datum=Datum.WGS84, now=datetime.now(UTC)
    )
    page = console(pages)
    page.focus("#address")
    page.keyboard.type("金领小区3栋")
    options = page.get_by_role("listbox", name="地址候选").get_by_role("option")
    expect(options).to_have_count(2)
    expect(page.locator("#address-note")).to_contain_text("两处同名")
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(page.locator("#address")).to_have_value("金领小区3栋")  # Escape closed the list alone
    page.keyboard.type("5")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    first = options.first.inner_text()
    page.keyboard.press("Enter")
    expect(options).to_have_count(0)
    expect(page.locator("#place-said")).to_contain_text("已按地址定位: 金领小区")
    expect(page.locator("#route")).to_contain_text(ZONE_A if "天心区" in first else ZONE_B)
    page.click("text=水费水表")
    page.fill("#description", "读数不对")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    assert tickets(desk)[0]["zone_id"] == (ZONE_A if "天心区" in first else ZONE_B)


def test_two_agents_and_one_call(pages: Pages, desk: Desk) -> None:
    first, second = console(pages), console(pages, "dispatcher")
    platform(pages, desk).tell("7731")
    for page in (first, second):
        expect(page.locator("#waiting button")).to_be_visible()
    # The second one presses before hearing of the first: the claim itself decides.
    held: list[Route] = []
    second.route(LIST_OF_CALLS, lambda route: held.append(route))
    with second.expect_request("**/claim"):
        first.keyboard.press("F2")
        second.keyboard.press("F2")
    second.route(LIST_OF_CALLS, lambda route: route.continue_())  # from now on this one answers
    for route in held:
        route.continue_()
    for page in (first, second):
        expect(page.locator("#waiting .ring .chip")).to_be_visible()
    winners = [page for page in (first, second) if page.locator("#caller_phone").input_value() == CALLER_PHONE]
    assert len(winners) == 1
    loser = second if winners == [first] else first
    expect(loser.locator(".toast.error")).to_contain_text("该来电已由")
    expect(loser.locator("#waiting .ring")).to_contain_text("130****0001")
    expect(loser.locator("#waiting .ring")).to_contain_text("坐席小周" if loser is second else "调度员老吴")


def test_digits_answer_the_script_and_two_of_them_reach_the_end_of_the_list(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    page.focus("#category [role=radio]")
    page.keyboard.press("0")
    page.keyboard.press("7")
    expect(page.locator("#answer")).to_be_focused()
    page.keyboard.type("每月 5 日前缴费, 2 个渠道")  # digits are text here
    expect(page.locator("#category [aria-checked=true]")).to_contain_text("咨询")
    expect(page.locator("#save")).to_contain_text("答复并结束")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("不生成工单")
    assert tickets(desk) == []


def test_a_digit_of_an_input_method_picks_nothing(pages: Pages) -> None:
    page = console(pages)
    page.focus("#category [role=radio]")
    for flags in ("isComposing: true", "keyCode: 229"):
        page.evaluate(f"""() => {{
          const at = document.activeElement;
          at.dispatchEvent(new CompositionEvent("compositionstart", {{ bubbles: true }}));
          at.dispatchEvent(new KeyboardEvent("keydown", {{ key: "1", code: "Digit1", bubbles: true, {flags} }}));
          document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key: "F2", bubbles: true, {flags} }}));
        }}""")
    expect(page.locator("#category [aria-checked=true]")).to_have_count(0)
    page.keyboard.press("1")
    expect(page.locator("#category [aria-checked=true]")).to_contain_text("爆管")


def test_a_call_joins_a_ticket_nearby_by_one_key(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    point = spot(desk, ZONE_A, now)
    numbers = [dispatched(desk, now, caller_phone=None) for _ in range(2)]
    page = console(pages)
    page.fill("#place", f"{point.lon + 0.0005:.6f}, {point.lat:.6f}")
    page.select_option("#datum", "wgs84")
    expect(page.locator("#near .ticket")).to_have_count(2)
    expect(page.locator("#near")).to_contain_text("49 米")
    page.keyboard.press("Alt+2")
    expect(page.locator("#near .is-chosen")).to_have_count(1)
    chosen = page.locator("#near .is-chosen b").inner_text()
    page.fill("#description", "邻居也没水")
    page.keyboard.press("Alt+m")
    expect(page.locator("#said .saved")).to_contain_text(f"已并入 {chosen}")
    assert {ticket["number"] for ticket in tickets(desk)} == set(numbers)
    detail = board.ticket(desk, cast_of(desk).agent, chosen, datetime.now(UTC))
    assert [call["description"] for call in detail["calls"]][-1] == "邻居也没水"


def test_a_call_whose_draft_is_gone_can_be_taken_again_until_it_is_saved(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    platform(pages, desk).tell("7731", caller=None)
    for back in ("F2", "F2"):
        expect(page.locator("#waiting button")).to_contain_text("接起")
        page.keyboard.press(back)
        expect(page.locator("#waiting .ring")).to_contain_text("您在接听")
        expect(page.locator("#waiting button")).to_have_count(0)
        page.click("#drop")
    page.click("#waiting button")
    expect(page.locator("#waiting button")).to_have_count(0)
    # The number was withheld: the one that the caller says is looked up.
    received(desk, datetime.now(UTC), caller_phone="13100000002", description="上周报过一次")
    page.fill("#caller_phone", "131 0000 0002")
    page.press("#caller_phone", "Tab")
    expect(page.locator("#caller")).to_contain_text("上周报过一次")
    page.fill("#address", "坡子街 12 号")
    page.focus("#category [role=radio]")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    expect(page.locator("#waiting .ring")).to_contain_text("您在接听")
    expect(page.locator("#waiting button")).to_have_count(0)


def test_a_ticket_that_ended_meanwhile_does_not_hold_the_call(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    cast = cast_of(desk)
    ended, open_ = dispatched(desk, now, caller_phone=None), dispatched(desk, now, caller_phone=None)
    page = console(pages)
    page.route("**/api/v1/calls", lambda route: end(route), times=1)

    def end(route: Route) -> None:
        act(desk, cast.agent, ended, Verb.CANCEL, datetime.now(UTC), reason="by_caller")  # while it is on its way
        route.continue_()

    page.fill("#place", ZONE_A)
    page.focus("#category [role=radio]")
    page.keyboard.press("6")
    page.click(f"#near .ticket:has-text('{ended}') button")
    expect(page.locator("#said .fault")).to_contain_text("请新建工单")
    expect(page.locator("#near .ticket")).to_have_count(1)
    expect(page.locator("#near .ticket")).to_contain_text(open_)
    expect(page.locator("#save")).to_contain_text("保存并派单")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("派给")
    assert len(tickets(desk)) == 3


def test_what_only_a_new_ticket_has_is_not_sent_with_other_calls(pages: Pages, desk: Desk) -> None:
    now = datetime.now(UTC)
    number = dispatched(desk, now, caller_phone=None)
    point = spot(desk, ZONE_A, now)
    page = console(pages)
    page.fill("#pipe_dn", "300")
    page.fill("#place", f"{point.lon:.6f}, {point.lat:.6f}")
    page.select_option("#datum", "wgs84")
    expect(page.locator("#near .ticket")).to_have_count(1)
    page.keyboard.press("Alt+m")
    expect(page.locator("#said .saved")).to_contain_text(f"已并入 {number}")
    page.click("#category [role=radio]:has-text('报装')")
    page.fill("#appointment_at", "2030-01-01T09:00")
    page.click("#category [role=radio]:has-text('漏水')")
    expect(page.locator("#appointment-box")).to_be_hidden()
    page.fill("#address", "坡子街")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("待调度员定位派单")
    assert [ticket["appointment_at"] for ticket in tickets(desk)] == [None, None]
    page.fill("#pipe_dn", "300")
    page.click("#category [role=radio]:has-text('咨询') >> nth=-1")
    page.fill("#answer", "九点开门")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("不生成工单")


def test_what_is_wrong_is_said_at_its_field(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-category")).to_be_visible()
    page.fill("#caller_phone", "不知道")
    page.focus("#category [role=radio]")
    page.keyboard.press("5")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-caller_phone")).to_contain_text("电话号码")
    expect(page.locator("#caller_phone")).to_be_focused()
    assert page.get_attribute("#caller_phone", "aria-errormessage") == "fault-caller_phone"
    page.fill("#caller_phone", "")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-place")).to_contain_text("位置")
    expect(page.locator("#place")).to_be_focused()
    page.fill("#address", "坡子街")
    page.fill("#pipe_dn", "粗管")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#fault-pipe_dn")).to_be_visible()
    page.fill("#pipe_dn", "300")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("待调度员定位派单")
    assert tickets(desk)[0]["pipe_dn"] == 300


def test_script_sql_and_formulas_are_text_everywhere(pages: Pages, desk: Desk) -> None:
    page = console(pages)
    page.fill("#caller_phone", CALLER_PHONE)
    page.fill("#caller_name", NASTY[:60])
    page.fill("#address", NASTY)
    page.fill("#place", NASTY[:60])
    page.focus("#category [role=radio]")
    page.keyboard.press("4")
    page.fill("#description", NASTY)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said .saved")).to_be_visible()
    newest = tickets(desk)[0]
    assert (newest["address"], newest["description"]) == (NASTY, NASTY)
    page.fill("#caller_phone", CALLER_PHONE)
    page.press("#caller_phone", "Tab")
    expect(page.locator("#caller .ticket")).to_contain_text(NASTY)
    page.keyboard.press("Escape")
    page.fill("#command", NASTY)
    page.press("#command", "Enter")
    expect(page.locator("#found")).to_contain_text(NASTY)
    page.fill("#command", newest["number"])
    page.press("#command", "Enter")
    expect(page.locator("#found")).to_contain_text(NASTY)
    assert page.locator("#main script, #main img[src=x]").count() == 0


def test_the_command_bar_finds_a_ticket_and_begins_a_call(pages: Pages, desk: Desk) -> None:
    number = ticket_at(desk, Status.ACCEPTED, datetime.now(UTC))
    page = console(pages)
    page.focus("#save")
    page.keyboard.press("/")
    expect(page.locator("#command")).to_be_focused()
    page.keyboard.type("坡子街")
    page.keyboard.press("Enter")
    expect(page.locator("#found .result")).to_contain_text(number)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#found h2")).to_be_focused()
    expect(page.locator("#found")).to_contain_text("接单")
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    page.keyboard.press("Tab")
    page.fill("#command", "新来电")
    page.press("#command", "Enter")
    expect(page.locator("#caller_phone")).to_be_focused()
