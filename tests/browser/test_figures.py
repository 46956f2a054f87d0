"""The figures and the wallboard in a real browser: shown, gone behind, taken away; nothing about people on a wall."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta

import openpyxl
import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Status
from dispatch.services import article_file, board, escalation
from dispatch.services.desk import Desk
from tests.browser.test_board import ago
from tests.support.browser import Pages, picture
from tests.support.cast import ZONE_A, ZONE_B, Cast, call, dispatched, ticket_at
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_figures_are_shown_and_taken_away(pages: Pages, desk: Desk, cast: Cast) -> None:
    ticket_at(desk, Status.DONE, ago(minutes=3))
    dispatched(desk, ago(minutes=20), ZONE_B)
    when, texts = ago(minutes=2), [{"title": "过户要带什么材料", "body": "身份证明"}]
    told = json.dumps({"articles": texts}).encode()
    article_file.import_articles(desk, cast.supervisor, told, when, is_published=True)
    call(desk, cast.agent, when, category="inquiry", answer="带身份证明", article_id=1)
    page = pages.signed_in("supervisor")
    page.goto("/figures")
    expect(page.locator("#table tbody tr")).to_have_count(2)
    expect(page.locator("#charts svg").first).to_contain_text("100.0 % (1)")
    expect(page.locator("tfoot tr")).to_contain_text("50.0 %")
    expect(page.locator("#answered")).to_contain_text(
        "来电 3 个, 其中 1 个直接答复、不生成工单 (33.3 %); 由知识库文章答复 1 个"
    )
    expect(page.locator("#answered li")).to_have_text(["过户要带什么材料 · 1"])
    expect(page.locator("#trend path.line-now")).to_have_count(2)  # the line and its key
    expect(page.locator("#heat .map-grid.heat-2, #heat .map-grid.heat-3")).to_have_count(2)
    expect(page.locator("#defined")).to_contain_text("按时 ÷ (按时 + 超时)")
    expect(page.locator("#measures")).to_contain_text("来源: 回访记录")
    page.get_by_role("button", name=re.compile(f"列出 {ZONE_B} · 接单超时")).click()
    expect(page.locator("#behind-title")).to_have_text(f"{ZONE_B} · 接单超时 1 张")
    expect(page.locator("#behind tbody tr")).to_have_count(1)
    page.get_by_label("分组").select_option("hour")
    # One hour or two, by when the test runs; together they are the same.
    expect(page.locator("#table tbody th").first).to_have_text(re.compile(r"^\d{1,2}$"))
    expect(page.locator("tfoot tr")).to_contain_text("50.0 %")
    picture(page, "supervisor-figures")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 Excel").click()
    book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
    assert book.sheetnames == ["按时段", "服务指标", "口径"]
    sheet = book.worksheets[0]
    assert "值班长陈工 (值班长)" in str(sheet["A1"].value)
    (entry,) = board.audited(desk, cast.auditor, subject="figures", after=0, limit=5)["items"]
    assert entry["action"] == "export"
    page.get_by_role("link", name="日报").click()
    page.get_by_label("日期").fill(f"{ago() + timedelta(hours=8):%Y-%m-%d}")
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".report")).to_contain_text(re.compile("受理工单 [12]"))
    picture(page, "supervisor-report")
    page.emulate_media(media="print")
    expect(page.locator("#asked")).to_be_hidden()


def test_the_wallboard_says_what_breaks_and_nothing_about_people(pages: Pages, desk: Desk, cast: Cast) -> None:
    address = "天心区坡子街 12 号 3 单元 402"
    for n in range(24):
        dispatched(desk, ago(minutes=n), (ZONE_A, ZONE_B)[n % 2], address=address)
    escalation.sweep(desk, utc_now())
    page = pages.signed_in("supervisor")
    page.goto("/wall")
    expect(page.locator("#rows tr").first).to_contain_text("已升级未确认")
    expect(page.locator("#lamp")).to_contain_text("值守正常")
    sizes = page.locator("#rows td").evaluate_all("cells => cells.map(c => parseFloat(getComputedStyle(c).fontSize))")
    assert min(sizes) >= 24
    text = page.inner_text("body")
    for personal in ("坡子街", "402", "水管家", "李娭毑", "值班长陈工"):
        assert personal not in text
    fits = 'document.querySelector("#rows").getBoundingClientRect().bottom <= innerHeight'
    assert page.evaluate(fits)  # no row is cut off
    picture(page, "supervisor-wall")
    expect(page.locator("#pages")).to_have_text(re.compile(r"^1 / [23] 页$"))
    expect(page.locator("#pages")).to_have_text(re.compile(r"^2 / [23] 页$"), timeout=12_000)
