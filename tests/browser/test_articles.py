"""Answers without a ticket: an agent finds one while she types, or makes a ticket of it; a supervisor writes one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from dispatch.domain.article import NewArticle
from dispatch.services import articles
from dispatch.services.desk import Desk
from dispatch.storage.calls import CALLS
from tests.browser.agent_story import Keyboard, console, tickets
from tests.browser.test_every_page import faults
from tests.support.browser import Pages, picture
from tests.support.cast import Cast

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
INQUIRY = "07"


def write(desk: Desk, cast: Cast, title: str, body: str, category: str | None = None, *keywords: str) -> int:
    now = datetime.now(UTC)
    new = NewArticle(title=title, body=body, keywords=keywords, category=category, review_at=now + timedelta(days=9))
    kept = articles.create(desk, cast.supervisor, new, {"title": title}, now, is_sample=True)
    articles.publish(desk, cast.supervisor, kept["id"], 1, now)
    return int(kept["id"])


def test_a_question_is_answered_by_an_article_or_becomes_a_ticket(pages: Pages, desk: Desk, cast: Cast) -> None:
    write(desk, cast, "水费怎么交", "可以**网上交**, 也可以到营业厅交。", None, "缴费")
    frozen = write(desk, cast, "水表冻住了怎么办", "先关表前阀, 再用温水化开。", "repair", "结冰")
    page = console(pages)
    keys = Keyboard(page)
    keys.press("Alt+k")
    expect(page.locator("#article-q")).to_be_focused()
    keys.type("水表结冰怎么化开")
    expect(page.locator("#article-list button").first).to_contain_text("水表冻住了")
    picture(page, "agent-answers")
    keys.press("Enter")
    expect(page.locator("#answer")).to_have_value("先关表前阀, 再用温水化开。")
    expect(page.locator("#article-said")).to_contain_text("水表冻住了怎么办")
    assert faults(page, "#articles-box") == []
    keys.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("已登记答复")
    with desk.store.read() as tx:
        kept = tx.conn.execute(CALLS.select()).mappings().one()
    assert (kept["outcome"], kept["article_id"], kept["article_version"]) == ("answered", frozen, 1)

    keys.press("F2")
    page.fill("#caller_phone", "13000000002")
    page.fill("#address", "坡子街 12 号")
    page.fill("#description", "水表结冰")  # nothing in the field of the search: the description is looked for
    keys.press("Alt+k")
    expect(page.locator("#article-list button").first).to_contain_text("水表冻住了")
    keys.press("ArrowDown", "Enter")
    expect(page.locator("#answer")).to_be_focused()
    keys.press("Alt+t")
    expect(page.locator("#description")).to_have_value("水表结冰\n已答复: 先关表前阀, 再用温水化开。")
    expect(page.locator("#category [aria-checked=true]")).to_contain_text("报修")
    expect(page.locator("#answer-box")).to_be_hidden()
    expect(page.locator("#address")).to_have_value("坡子街 12 号")
    keys.press("Control+Enter")
    expect(page.locator("#said .saved")).to_contain_text("已保存")
    assert [(one["category"], one["description"]) for one in tickets(desk)] == [
        ("repair", "水表结冰\n已答复: 先关表前阀, 再用温水化开。")
    ]


def test_a_supervisor_writes_publishes_and_withdraws(pages: Pages, desk: Desk, cast: Cast) -> None:
    write(desk, cast, "水费怎么交", "第一段\n\n- 网上\n- 营业厅\n\n<script>alert(1)</script>")
    page = pages.signed_in("supervisor")
    page.goto("/articles")
    page.locator("#list button").click()
    expect(page.locator("#article > .text .items li")).to_have_count(2)
    expect(page.locator("#article > .text")).to_contain_text("<script>alert(1)</script>")
    page.click("#new")
    page.click("#save")
    expect(page.locator("#f-title")).to_be_focused()
    assert faults(page) == []
    page.fill("#f-title", "水表冻住了怎么办")
    page.fill("#f-body", "先关表前阀。")
    page.fill("#f-keywords", "结冰，冰冻")
    expect(page.locator("#fault-title")).to_be_hidden()
    page.click("#save-publish")
    expect(page.locator("#title")).to_have_text("水表冻住了怎么办")
    expect(page.locator("#list li")).to_have_count(2)
    picture(page, "supervisor-article")
    page.fill("#q", "结冰")
    expect(page.locator("#list li")).to_have_count(1)
    expect(page.locator("#list")).to_contain_text("标题和关键词含 结冰")
    page.click("#do-edit")
    page.fill("#f-body", "先关表前阀, 再用温水。")
    page.click("#save")
    expect(page.locator("#article")).to_contain_text("有未发布的第 2 版")
    page.click("#do-withdraw")
    page.fill("#again", "过时")
    page.keyboard.press("Enter")
    expect(page.locator("#article .chip").first).to_have_text(re.compile("已撤下"))
    assert faults(page) == []
