"""A crew's day on its phone, in a real Chromium, with signal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from dispatch.domain.photo import Stage
from dispatch.domain.place import Datum, to_gcj02
from dispatch.domain.states import Status, Verb
from dispatch.services import asking, board, customers, photos
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from tests.browser.test_every_page import violations
from tests.support import pictures
from tests.support.browser import Pages, picture
from tests.support.cast import CALLER_PHONE, ZONE_A, Cast, act, dispatched, spot, ticket_at
from tests.support.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]

PHONE = {"width": 390, "height": 844}


def utc_now() -> datetime:
    return datetime.now(UTC)


def phone(pages: Pages, login: str = "crew.a", away_deg: float = 0.0005, **options: Any) -> Page:
    """A phone of a crew, signed in, near the place of its work (`away_deg` north of it)."""
    place = spot(pages.site.desk, ZONE_A, utc_now())
    here = {"longitude": place.lon, "latitude": place.lat + away_deg, "accuracy": 12}
    told = {**PHONE, "geolocation": here, "permissions": ["geolocation"], **options}
    return pages.signed_in(login, **told)


def press(page: Page, verb: str) -> None:
    """Press the one large button, which must offer `verb`."""
    page.locator(f"#big[data-verb={verb}]").click()


def statuses(desk: Desk, cast: Cast, number: str) -> list[str]:
    timeline = board.ticket(desk, cast.dispatcher, number, utc_now())["timeline"]
    return [event["kind"] for event in timeline]


def shoot(page: Page, stage: str) -> None:
    page.set_input_files(
        f"#photo-{stage}", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg(3000, 2000)}
    )


def test_a_crew_sees_whom_to_take_care_of_and_how_often_they_called(pages: Pages, desk: Desk, cast: Cast) -> None:
    customers.import_customers(
        desk, cast.supervisor, "标记,名称,电话\n居家透析,样例用户,13000000001\n".encode(),
        source="重点用户.csv", datum=Datum.WGS84, now=utc_now(),
    )  # fmt: skip
    for n in range(1, 4):
        dispatched(desk, utc_now() - timedelta(minutes=4 - n), category="pressure", cti_call_id=f"care-{n}")
    page = phone(pages)
    expect(page.locator(".job")).to_contain_text("⚑ 居家透析")
    page.locator("#others button, #others a").last.click()
    expect(page.locator(".job")).to_contain_text("30 天内第 3 次来电")


def test_a_crews_day(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now(), category="burst", description="路面冒水")
    other = dispatched(desk, utc_now(), category="pressure", address="芙蓉中路 88 号", cti_call_id="2")
    page = phone(pages)
    expect(page).to_have_url(re.compile("/crew$"))
    expect(page.locator(".job .address")).to_have_text("天心区坡子街 12 号")
    expect(page.locator(".job")).to_contain_text("爆管")
    expect(page.locator("#others")).to_contain_text("芙蓉中路 88 号")
    assert page.evaluate("document.getElementById('big').offsetHeight") >= 64
    expect(page.locator("html")).to_have_attribute("data-ringing", "2")
    picture(page, "crew-new")

    press(page, "accept")
    press(page, "depart")
    press(page, "arrive")
    shoot(page, "before")
    press(page, "work")
    expect(page.locator("#do-isolate")).to_be_visible()
    picture(page, "crew-working")
    page.click("#do-isolate")
    shoot(page, "after")
    press(page, "done")
    expect(page.locator(".job .address")).to_have_text("芙蓉中路 88 号")
    wait_for(lambda: "done" in statuses(desk, cast, number), "the last step is there")
    expect(page.locator("#waiting")).to_have_text("全部已上传")

    kinds = statuses(desk, cast, number)
    assert kinds[kinds.index("accept") :] == [
        "accept", "depart", "arrive", "photo", "work", "isolate", "photo", "done",
    ]  # fmt: skip
    timeline = board.ticket(desk, cast.agent, number, utc_now())["timeline"]
    assert any("距报修点 55 m (精度 12 m)" in event["text"] for event in timeline)
    kept = photos.of_ticket(desk, cast.agent, number)
    assert [(photo["stage"], photo["width"]) for photo in kept] == [("before", 2048), ("after", 2048)]
    assert board.ticket(desk, cast.agent, other, utc_now())["status"] == "dispatched"


def test_a_crew_sees_the_photos_of_a_job(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.WORKING, utc_now())
    upload = Upload(uuid="p-1", stage=Stage.BEFORE, taken_at=None, data=pictures.jpeg())
    kept = photos.add(desk, cast.lead_a, number, upload, utc_now())
    page = phone(pages)
    page.click("#gallery")
    expect(page.locator(".picture")).to_contain_text("处置前")
    expect(page.locator(".picture")).to_have_attribute("href", kept["url"])
    page.wait_for_function("() => document.querySelector('.picture img').naturalWidth === 320")


def test_far_from_the_place_somebody_says_why(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, utc_now())
    page = phone(pages, away_deg=0.01)
    press(page, "arrive")
    expect(page.locator(".ask")).to_contain_text("精度 12 m")
    page.click("#form-ok")
    expect(page.locator(".ask")).to_be_visible()  # it needs a word
    page.fill("#note", "阀门在路口")
    page.click("#form-ok")
    expect(page.locator("#big")).to_have_attribute("data-verb", "work")
    wait_for(lambda: "阀门在路口" in last_line(desk, cast, number), "the reason is in the timeline")


def test_a_phone_that_does_not_know_where_it_is_says_why_and_arrives(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, utc_now())
    page = phone(pages, permissions=[])
    press(page, "arrive")
    expect(page.locator(".ask")).to_contain_text("手机没有报出位置")
    page.click("#form-ok")
    expect(page.locator(".ask")).to_be_visible()  # it needs a word
    page.fill("#note", "地下室没有信号")
    page.click("#form-ok")
    expect(page.locator("#big")).to_have_attribute("data-verb", "work")
    wait_for(lambda: last_line(desk, cast, number).endswith("到场: 未定位; 地下室没有信号"), "it has arrived")


def test_a_double_tap_is_one_step(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    big = page.locator("#big")
    expect(big).to_have_attribute("data-verb", "accept")
    box = big.bounding_box()  # the next step takes the same place
    assert box is not None
    big.dblclick()
    expect(big).to_have_attribute("data-verb", "depart")
    page.mouse.click(box["x"] + 9, box["y"] + 9)  # a finger does not wait until it is ready
    expect(page.locator("#waiting")).to_have_text("全部已上传")
    assert statuses(desk, cast, number)[-1] == "accept"
    assert statuses(desk, cast, number).count("accept") == 1
    press(page, "depart")
    expect(big).to_have_attribute("data-verb", "arrive")


def test_a_photo_that_cannot_be_read_is_told_and_can_be_taken_again(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.ON_SITE, utc_now())
    page = phone(pages)
    page.evaluate("""() => {
      const read = Blob.prototype.arrayBuffer;
      Blob.prototype.arrayBuffer = () => {
        Blob.prototype.arrayBuffer = read;
        return Promise.reject(new DOMException("gone", "NotReadableError"));
      };
    }""")
    small = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": pictures.jpeg(320, 240)}
    page.set_input_files("#photo-before", small)  # type: ignore[arg-type]
    expect(page.locator(".toast.error")).to_contain_text("照片没有读出")
    assert page.evaluate("document.querySelector('#photo-before').files.length") == 0
    page.set_input_files("#photo-before", small)  # type: ignore[arg-type]
    wait_for(lambda: len(photos.of_ticket(desk, cast.agent, number)) == 1, "the second is there")


def last_line(desk: Desk, cast: Cast, number: str) -> str:
    return str(board.ticket(desk, cast.agent, number, utc_now())["timeline"][-1]["text"])


def test_the_caller_is_called_back_and_that_is_written_down(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.EN_ROUTE, utc_now())
    page = phone(pages)
    call = page.locator("#call")
    expect(call).to_have_text("回拨 130****0001")
    assert CALLER_PHONE not in page.content()
    call.click()
    expect(call).to_have_attribute("href", f"tel:{CALLER_PHONE}")
    entry = board.audited(desk, cast.auditor, subject=number, after=0, limit=1)["items"][0]
    assert (entry["action"], entry["detail"]) == ("reveal", {"reason": "回拨"})
    kept = page.evaluate("async () => JSON.stringify(await (await import('/static/crew/db.js')).kept('jobs'))")
    assert number in kept
    assert CALLER_PHONE not in kept


def test_the_way_is_told_in_gcj02(pages: Pages, desk: Desk, cast: Cast) -> None:
    ticket_at(desk, Status.ACCEPTED, utc_now(), address="坡子街 12 号")
    page = phone(pages)
    place = to_gcj02(spot(desk, ZONE_A, utc_now()))
    way = parse_qs(urlsplit(page.locator("#way").get_attribute("href") or "").query)
    assert way["coordinate"] == ["gaode"]
    lon, lat, name = way["to"][0].split(",")
    assert (float(lon), float(lat)) == pytest.approx((place.lon, place.lat), abs=1e-5)
    assert name == "坡子街 12 号"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    expect(page.locator("#toasts")).to_contain_text("地址已复制")
    assert page.evaluate("navigator.clipboard.readText()") == "坡子街 12 号"


def test_a_crew_returns_a_ticket_or_asks_for_time(pages: Pages, desk: Desk, cast: Cast) -> None:
    held = ticket_at(desk, Status.WORKING, utc_now(), cti_call_id="1")
    page = phone(pages)
    page.click("#do-ask_hold")
    page.select_option("#reason", "wait_material")
    page.fill("#note", "缺一个 DN100 抱箍")
    page.click("#form-ok")
    expect(page.locator(".job")).to_contain_text("申请挂起: 等待审批")
    expect(page.locator("#do-ask_hold")).to_have_count(0)
    page.click("#do-ask_extend")
    page.select_option("#reason", "water_window")
    page.fill("#note", "今夜 22 点停水")
    page.fill("#until", "2027-01-01T08:00")
    page.click("#form-ok")
    expect(page.locator(".job")).to_contain_text("申请延期: 等待审批")
    expect(page.locator("#waiting")).to_have_text("全部已上传")
    asked = asking.requests(desk, cast.dispatcher, number=held, is_open=True, after=0, limit=9)["items"]
    assert {(one["verb"], one["note"]) for one in asked} == {
        ("hold", "缺一个 DN100 抱箍"),
        ("extend", "今夜 22 点停水"),
    }
    assert {one["until"] for one in asked if one["verb"] == "extend"} == {"2027-01-01T00:00:00+00:00"}
    back = dispatched(desk, utc_now(), category="burst", cti_call_id="2")
    page.click(f"#job-{back}")
    page.click("#do-return")
    page.select_option("#reason", "not_ours")
    page.click("#form-ok")
    expect(page.locator(".job")).to_have_attribute("aria-label", held)
    wait_for(lambda: board.ticket(desk, cast.agent, back, utc_now())["status"] == "returned", "it went back")


def test_a_new_job_rings_until_it_is_accepted_or_silenced(pages: Pages, desk: Desk, cast: Cast) -> None:
    page = phone(pages)
    html = page.locator("html")
    expect(page.locator("#job")).to_have_text("现在没有工单。新工单会在这里响铃。")
    dispatched(desk, utc_now(), address="一号")
    expect(html).to_have_attribute("data-ringing", "1")  # by the stream: nobody reloads
    expect(html).to_have_attribute("data-rung", "1")
    page.click("#silence")
    expect(html).to_have_attribute("data-ringing", "0")
    dispatched(desk, utc_now(), category="burst", address="二号", cti_call_id="2")
    expect(html).to_have_attribute("data-rung", "2")
    page.locator("#others button").click()
    press(page, "accept")
    expect(html).to_have_attribute("data-ringing", "0")
    page.reload()
    expect(html).to_have_attribute("data-ringing", "0")


def test_what_people_wrote_is_text(pages: Pages, desk: Desk, cast: Cast) -> None:
    nasty = "<img src=x onerror=alert(1)><script>alert(1)</script>'); DROP TABLE tickets;--"
    ticket_at(desk, Status.WORKING, utc_now(), description=nasty, address=nasty)
    page = phone(pages)
    expect(page.locator(".job .address")).to_have_text(nasty)
    expect(page.locator(".job .description")).to_have_text(nasty)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_with_work_on_it_is_for_everybody(pages: Pages, desk: Desk, cast: Cast, language: str) -> None:
    burst = ticket_at(desk, Status.WORKING, utc_now(), category="burst", cti_call_id="1")
    dispatched(desk, utc_now() - timedelta(hours=1), address="书院路 3 号", cti_call_id="2")
    page = phone(pages, language=language)
    page.click(f"#job-{burst}")
    pages.watch.allow("net::ERR")
    page.context.set_offline(True)
    page.click("#do-isolate")
    shoot(page, "after")
    press(page, "done")
    expect(page.locator("#waiting summary")).to_contain_text("3")
    page.click("#waiting summary")
    page.click("#do-ask_extend")
    assert violations(page) == []
    if language == "zh":
        page.locator(".ask").get_by_role("button", name="取消").click()
        picture(page, "crew-offline")
    narrow = phone(pages, width=320, height=640, language=language)
    expect(narrow.locator(".job")).to_be_visible()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320


def test_news_leaves_alone_what_somebody_is_writing(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = ticket_at(desk, Status.WORKING, utc_now())
    page = phone(pages)
    page.click("#do-ask_extend")
    page.locator("#note").press_sequentially("要等")
    act(desk, cast.agent, number, Verb.URGE, utc_now())
    dispatched(desk, utc_now(), category="pressure", cti_call_id="2")
    expect(page.locator("#others")).to_contain_text("水压不足")
    page.keyboard.type("停水窗口")
    expect(page.locator("#note")).to_have_value("要等停水窗口")


def test_two_tabs_send_once(pages: Pages, desk: Desk, cast: Cast) -> None:
    number = dispatched(desk, utc_now())
    page = phone(pages)
    other = page.context.new_page()
    other.goto("/crew")
    sent: list[str] = []
    page.context.on("request", lambda request: sent.append(request.url) if request.url.endswith("/accept") else None)
    press(page, "accept")
    for tab in (page, other):
        expect(tab.locator("#big")).to_have_attribute("data-verb", "depart")
        expect(tab.locator("#waiting")).to_have_text("全部已上传")
    assert len(sent) == 1
    assert last_line(desk, cast, number).endswith("接单")


def test_nobody_leaves_by_accident(pages: Pages, desk: Desk, cast: Cast) -> None:
    dispatched(desk, utc_now())
    page = phone(pages)
    expect(page.locator("#big")).to_be_visible()
    pages.watch.allow("net::ERR")
    page.context.set_offline(True)
    expect(page.locator("#age")).to_contain_text("未连接", timeout=20_000)
    page.click("form[action='/signout'] button")
    expect(page.locator("#toasts")).to_contain_text("没有信号时不能退出")
    page.context.set_offline(False)
    expect(page.locator("#age")).not_to_contain_text("未连接", timeout=30_000)
    page.click("form[action='/signout'] button")
    page.wait_for_url("**/signin")
    kept = page.evaluate("async () => (await caches.match('/crew')) ?? null")
    assert kept is None


def test_chromium_would_install_it(pages: Pages, desk: Desk, cast: Cast) -> None:
    page = phone(pages)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    devtools = page.context.new_cdp_session(page)
    manifest = devtools.send("Page.getAppManifest")
    assert (manifest["errors"], manifest["url"]) == ([], f"{pages.address}/crew/manifest.webmanifest")
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # The test's own context counts as a private window, where nothing is installed.
    assert [error["errorId"] for error in errors] in ([], ["in-incognito"])
