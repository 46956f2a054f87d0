"""A supervisor's day at the board, in a real browser: what comes up, what is done by key, what is told in words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from dispatch.domain.photo import Stage
from dispatch.domain.states import Status, Verb
from dispatch.services import asking, board, photos
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from tests.support.browser import Pages, picture, sign_in
from tests.support.cast import TEAM_A, ZONE_A, ZONE_B, Cast, act, dispatched, received, spot, ticket_at
from tests.support.pictures import jpeg
from tests.support.processes import utc_now, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]

MINUTE = timedelta(minutes=1)
# Where the map stands: it is moved by this alone, or its markers are drawn anew.
SHOWN = """[document.querySelector("#map .leaflet-map-pane").style.transform,
  document.querySelector(".leaflet-marker-pane").innerHTML]"""


def ago(**span: float) -> datetime:
    return utc_now() - timedelta(**span)


def at_the_board(pages: Pages, login: str = "supervisor", **options: Any) -> Page:
    page = pages.signed_in(login, **options)
    page.goto("/board")
    expect(page.locator("#age")).to_have_text(re.compile("实时, 数据 [0-3] 秒前"))
    return page


def row(page: Page, number: str) -> Locator:
    return page.locator(f"[data-ticket='{number}']")


def in_group(page: Page, group: str) -> Locator:
    return page.locator(f"[data-group={group}] [data-ticket]")


def counter(page: Page, name: str) -> Locator:
    return page.locator(f"[data-counter={name}] dd")


def pick(page: Page, number: str) -> None:
    """Go to a ticket by keyboard alone, and open it."""
    expect(row(page, number)).to_be_visible()
    for key in "j" * 30 + "k" * 30:
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.dataset.ticket") == number:
            break
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_have_attribute("data-number", number)


def test_a_ticket_in_danger_comes_up_is_moved_by_key_breaks_and_is_answered(
    pages: Pages, desk: Desk, cast: Cast
) -> None:
    page = at_the_board(pages)
    expect(page.locator("#queue")).to_contain_text("没有在办工单")
    # 80 % of ten minutes are used two seconds from now: nobody says so but the clock.
    number = dispatched(desk, utc_now() - 8 * MINUTE + timedelta(seconds=3))
    expect(in_group(page, "running")).to_have_count(1)
    expect(in_group(page, "rescue")).to_have_count(1, timeout=8_000)
    expect(row(page, number)).to_contain_text("接单 紧急")

    pick(page, number)
    page.keyboard.press("r")
    form = page.get_by_role("form", name="改派给")
    expect(form.get_by_role("radio").first).to_be_focused()
    picture(page, "supervisor-reassign")
    team = form.get_by_role("radio").first.get_attribute("value")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text(f"{number} 已改派")
    assert board.ticket(desk, cast.supervisor, number, utc_now())["team_id"] == team != TEAM_A
    expect(page.locator("#detail")).to_contain_text("值班长陈工 (值班长) 改派")

    # It breaks all the same: the clock runs from 受理. The scheduler of the site fires what is due.
    late = dispatched(desk, ago(minutes=10) + timedelta(seconds=3))
    expect(in_group(page, "rescue")).to_have_count(2)
    expect(row(page, late)).to_contain_text("已升级未确认", timeout=15_000)
    expect(counter(page, "unanswered")).to_have_text("1", timeout=8_000)
    pick(page, late)
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text(f"{late} 的升级已确认")
    expect(row(page, late)).to_contain_text("接单 超时")
    expect(counter(page, "unanswered")).to_have_text("0", timeout=8_000)
    (step,) = board.ticket(desk, cast.supervisor, late, utc_now())["escalations"]
    assert step["acknowledged_by"] == "值班长陈工 (值班长)"


def test_urging_and_supervising_by_key(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("u")
    expect(row(page, number)).to_contain_text("催 1 次")
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="请填写“说明”")).to_be_visible()
    page.keyboard.type("请分公司经理到场 urjk")  # letters in a field are no keys
    page.keyboard.press("Enter")
    expect(row(page, number)).to_contain_text("督办中")
    told = board.ticket(desk, cast.supervisor, number, utc_now())
    assert (told["urge_count"], told["is_supervised"]) == (1, True)
    assert "urjk" in told["timeline"][-1]["text"]


def test_a_ticket_gets_another_level_by_key(pages: Pages, desk: Desk, cast: Cast) -> None:
    """A leak that turns out to be a burst: the clocks of P1 count from 受理."""
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("l")
    expect(page.get_by_label("新等级").locator("option")).to_have_text(["P1 特急", "P3 一般", "P4 服务", "P5 预约"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="请填写“说明”")).to_be_visible()
    page.keyboard.type("现场确认为爆管")
    page.keyboard.press("Enter")
    expect(row(page, number)).to_contain_text("P1")
    told = board.ticket(desk, cast.supervisor, number, utc_now())
    assert told["level"] == "P1"
    assert "现场确认为爆管" in told["timeline"][-1]["text"]
    received = datetime.fromisoformat(told["received_at"])
    (arrive,) = [one for one in told["clocks"] if one["kind"] == "arrive" and one["state"] == "running"]
    assert datetime.fromisoformat(arrive["start_at"]) == received


def test_over_plain_http_everything_can_be_done_as_well(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = pages.visitor()
    page.add_init_script("delete Crypto.prototype.randomUUID")  # there is none without https
    sign_in(page, "supervisor")
    page.goto("/board")
    pick(page, number)
    page.keyboard.press("u")
    expect(row(page, number)).to_contain_text("催 1 次")
    page.keyboard.press("s")
    page.keyboard.type("请到场")
    page.keyboard.press("Enter")
    expect(row(page, number)).to_contain_text("督办中")


def ask(desk: Desk, cast: Cast, number: str) -> dict[str, Any]:
    until = utc_now() + timedelta(hours=3)
    action = Action(verb=Verb.HOLD, reason="wait_material", until=until, note="缺管件")
    return asking.ask(desk, cast.crew_a, number, action, utc_now())


def test_what_a_crew_asks_for_is_granted_and_refused_by_key(pages: Pages, desk: Desk, cast: Cast) -> None:
    first, second = (ticket_at(desk, Status.WORKING, ago(minutes=2)) for _ in range(2))
    page = at_the_board(pages)
    ask(desk, cast, first)
    ask(desk, cast, second)
    expect(counter(page, "requests")).to_have_text("2", timeout=8_000)
    expect(page.locator("#requests")).to_contain_text("水管家甲 申请挂起至")
    pick(page, first)
    page.keyboard.press("g")
    page.keyboard.type("同意")
    page.keyboard.press("Enter")
    expect(page.locator("[data-group=resting]").locator(f"[data-ticket='{first}']")).to_be_visible()
    assert board.ticket(desk, cast.supervisor, first, utc_now())["status"] == "on_hold"
    pick(page, second)
    page.keyboard.press("x")
    page.keyboard.type("库里有货")
    page.keyboard.press("Enter")
    expect(counter(page, "requests")).to_have_text("0", timeout=8_000)
    assert "驳回挂起申请: 库里有货" in board.ticket(desk, cast.crew_a, second, utc_now())["timeline"][-1]["text"]


def test_more_time_is_given_for_a_coded_reason(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.WORKING, ago(minutes=2))
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("e")
    form = page.get_by_role("form", name="延期")
    expect(form.locator("option").first).to_have_text("等待材料")
    form.locator("select").select_option("bad_weather")
    form.locator("[type=datetime-local]").fill("2099-01-01T08:00")
    form.get_by_label("说明").fill("暴雨红色预警")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("延期")
    told = board.ticket(desk, cast.supervisor, number, utc_now())["timeline"][-1]["text"]
    assert told.endswith("延期: 恶劣天气, 完工时限改为 2099-01-01 08:00; 暴雨红色预警")


def test_a_ticket_is_dragged_onto_a_team(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    onto = page.locator("#teams tr[data-team]").filter(has_not=page.locator(f"[data-team='{TEAM_A}']")).nth(1)
    team = onto.get_attribute("data-team")
    row(page, number).drag_to(onto)
    form = page.get_by_role("form", name="改派给")
    expect(form).to_be_visible()
    assert team != TEAM_A
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(f"{number}")
    assert board.ticket(desk, cast.supervisor, number, utc_now())["team_id"] == team
    row(page, number).drag_to(page.locator(f"#teams tr[data-team='{team}']"))  # it is there already: nothing to ask
    expect(form).to_have_count(0)


def test_a_ticket_without_a_place_is_pinned_and_goes_to_its_grid(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = received(desk, ago(minutes=1), category="billing", point=None, address="坡子街某处")
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("r")
    form = page.get_by_role("form", name="派给")
    form.get_by_role("button", name="确认").click()
    expect(form.get_by_role("alert")).to_have_text("请选择班组")
    here = spot(desk, ZONE_B, utc_now())
    form.get_by_label("位置").fill(f"{here.lon:.6f},{here.lat:.6f}")
    expect(form.locator("#pin-said")).to_contain_text(ZONE_B)
    expect(page.locator("#map .map-pin")).to_have_count(1)
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(form.get_by_label("位置")).not_to_have_value(f"{here.lon:.6f},{here.lat:.6f}")
    form.get_by_label("位置").fill(f"{here.lon:.6f},{here.lat:.6f}")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text(number)
    seen = board.ticket(desk, cast.supervisor, number, utc_now())
    assert (seen["zone_id"], seen["status"]) == (ZONE_B, "dispatched")
    expect(page.locator("#map .map-pin")).to_have_count(0)


def test_news_take_nothing_from_who_is_typing(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("s")
    note = page.get_by_label("说明")
    note.evaluate(
        "(input) => { window.note = input; input.addEventListener('blur', () => { window.blurred = true; }); }"
    )
    act(desk, cast.crew_a, number, Verb.ACCEPT, utc_now())
    expect(page.locator("#detail .timeline")).to_contain_text("接单", timeout=8_000)
    assert note.evaluate("(input) => input === window.note && !window.blurred && document.activeElement === input")
    page.keyboard.press("Escape")
    page.locator("#detail [data-action=urge]").focus()
    act(desk, cast.crew_a, number, Verb.DEPART, utc_now())
    expect(page.locator("#detail .timeline")).to_contain_text("出发", timeout=8_000)
    expect(page.locator("#detail [data-action=urge]")).to_be_focused()


def test_a_ticket_that_cannot_be_opened_is_said(pages: Pages, desk: Desk) -> None:
    shown, other = (dispatched(desk, ago(minutes=n)) for n in (1, 2))
    page = at_the_board(pages)
    pick(page, shown)
    page.route(f"**/api/v1/tickets/{other}", lambda route: route.abort())
    pages.watch.allow("ERR_FAILED")
    row(page, other).click()
    expect(page.locator(".toast.error")).to_contain_text(f"{other} 没有打开: 网络中断")
    expect(row(page, shown)).to_have_attribute("aria-current", "true")
    expect(page.locator("#detail")).to_have_attribute("data-number", shown)


def test_a_list_that_was_slow_brings_no_ended_ticket_back(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    expect(row(page, number)).to_be_visible()
    held: list[Route] = []
    page.route("**/api/v1/board?*limit=100*", lambda route: held.append(route))
    page.keyboard.press("f")
    with page.expect_request("**/api/v1/board?*limit=100*"):
        page.locator("#filter-form select").first.select_option(index=1)
    page.evaluate("0")  # the route has been told as well
    answer = held[0].fetch()
    act(desk, cast.dispatcher, number, Verb.CANCEL, utc_now(), reason="test")
    expect(row(page, number)).to_have_count(0, timeout=8_000)
    held[0].fulfill(response=answer)
    expect(page.locator("#shown")).to_contain_text("显示 0 / 0")


def test_photos_come_into_the_detail_as_they_are_taken(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.ON_SITE, ago(minutes=2))
    page = at_the_board(pages)
    pick(page, number)
    photo = Upload(uuid=str(uuid4()), stage=Stage.BEFORE, taken_at=utc_now(), data=jpeg())
    photos.add(desk, cast.crew_a, number, photo, utc_now())
    shown = page.locator("#detail a.picture")
    expect(shown).to_contain_text("处置前", timeout=8_000)
    assert shown.locator("img").evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0


def test_acting_on_an_old_state_is_told_in_words(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    pick(page, number)
    page.keyboard.press("s")
    page.keyboard.type("请尽快")
    act(desk, cast.crew_a, number, Verb.ACCEPT, utc_now())
    expect(row(page, number)).to_contain_text("接单", timeout=8_000)
    page.keyboard.press("Enter")
    alert = page.locator(".toast.error")
    expect(alert).to_contain_text(f"{number} 刚被他人更新, 现为“接单”; 没有做任何改动")
    assert not board.ticket(desk, cast.supervisor, number, utc_now())["is_supervised"]
    expect(page.get_by_role("form", name="督办")).to_be_visible()  # what was typed is kept
    expect(page.locator("#detail dl.facts")).to_contain_text("接单 ·")
    page.keyboard.press("Enter")  # having seen it
    expect(row(page, number)).to_contain_text("督办中")


def test_filters_narrow_the_queue_and_stay_after_a_reload(pages: Pages, desk: Desk) -> None:
    here, there = dispatched(desk, ago(minutes=1), ZONE_A), dispatched(desk, ago(minutes=1), ZONE_B, category="burst")
    page = at_the_board(pages)
    expect(page.locator("[data-ticket]")).to_have_count(2)
    page.keyboard.press("f")
    page.get_by_label("级别").select_option("P1")
    expect(page.locator("[data-ticket]")).to_have_count(1)
    expect(row(page, there)).to_be_visible()
    expect(counter(page, "open")).to_have_text("1")
    dispatched(desk, ago(minutes=1), ZONE_A)  # told live, and not within the filter
    burst = dispatched(desk, ago(minutes=1), ZONE_A, category="burst")
    expect(row(page, burst)).to_be_visible()
    expect(page.locator("[data-ticket]")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-ticket]")).to_have_count(2)
    page.keyboard.press("f")
    page.get_by_role("button", name="清除").click()
    expect(page.locator("[data-ticket]")).to_have_count(4)
    expect(row(page, here)).to_be_visible()


def test_the_focus_stays_while_rows_move(pages: Pages, desk: Desk, cast: Cast) -> None:
    slow, fast = dispatched(desk, ago(minutes=1), category="billing"), dispatched(desk, ago(minutes=1))
    page = at_the_board(pages)
    row(page, slow).focus()
    received(desk, ago(minutes=1))
    urgent = dispatched(desk, ago(minutes=1), category="burst")
    expect(page.locator("[data-ticket]")).to_have_count(4)
    numbers = page.locator("[data-group=running] [data-ticket]").evaluate_all("rows => rows.map(r => r.dataset.ticket)")
    assert numbers == [urgent, fast, slow]
    assert page.evaluate("document.activeElement.dataset.ticket") == slow


def test_a_hand_on_the_map_holds_it(pages: Pages, desk: Desk, cast: Cast) -> None:
    here, there = dispatched(desk, ago(minutes=1), ZONE_A), dispatched(desk, ago(minutes=1), "岳麓-05")
    page = at_the_board(pages)
    row(page, here).click()
    expect(page.locator(".map-ticket").first).to_contain_text("正常")
    expect(page.locator("#map-lock")).to_be_hidden()
    box = page.locator("#map").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 90, middle[1] - 60, steps=4)
    page.mouse.up()
    expect(page.locator("#map-lock")).to_contain_text("地图已锁定")
    page.wait_for_timeout(600)  # the map glides on
    held = page.evaluate(SHOWN)
    row(page, there).click()
    expect(page.locator("#detail")).to_have_attribute("data-number", there)
    assert page.evaluate(SHOWN) == held
    page.get_by_role("button", name="恢复跟随").click()
    expect(page.locator("#map-lock")).to_be_hidden()
    assert page.evaluate(SHOWN) != held


def test_a_crew_on_shift_is_on_the_map(pages: Pages, desk: Desk, cast: Cast) -> None:
    from dispatch.services import positions

    page = at_the_board(pages)
    positions.put(desk, cast.crew_a, spot(desk, ZONE_A, utc_now()), 8.0, utc_now(), utc_now())
    expect(page.locator(".map-crew")).to_have_text("水管家甲", timeout=8_000)


def test_the_board_for_the_guide(pages: Pages, desk: Desk, cast: Cast) -> None:
    for n, category in enumerate(("no_water", "burst", "leak", "pressure", "billing", "noise")):
        dispatched(desk, ago(minutes=9 - n), (ZONE_A, ZONE_B, "岳麓-05")[n % 3], category=category)
    received(desk, ago(minutes=2))
    ask(desk, cast, ticket_at(desk, Status.WORKING, ago(minutes=5)))
    page = at_the_board(pages)
    wait_for(lambda: page.locator("[data-ticket]").count() == 8, "all tickets are there")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h3").first).to_be_visible()
    picture(page, "supervisor-board")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("批准")
