"""The page of the policy, in Chromium: a limit is changed, read in words, tried on the past, refused, and published."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from dispatch.domain.states import Verb
from dispatch.services import policies
from dispatch.services.desk import Desk
from tests.support.browser import Pages
from tests.support.cast import Cast, act, dispatched
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
ACK = '[data-place="levels.P2.limits[0].within"]'


def test_a_limit_is_changed_read_tried_and_published(pages: Pages, desk: Desk, cast: Cast) -> None:
    early = utc_now() - timedelta(minutes=20)  # the arrival is not due yet
    act(desk, cast.crew_a, dispatched(desk, early), Verb.ACCEPT, early + timedelta(minutes=11))
    page = pages.signed_in("admin")
    page.goto("/policies")
    expect(page.locator("#versions tbody tr")).to_have_count(1)
    expect(page.locator("#preview li").first).to_contain_text("P1 爆管, 城区: 5 分钟接单, 30 分钟到场")
    expect(page.locator("#preview")).to_contain_text("2027 年放假安排未知")
    page.get_by_text("等级和时限").click()
    page.locator("summary", has_text="P2 紧急").click()
    # A fix before the arrival is refused, and the problem leads to its field.
    fix = page.locator('[data-place="levels.P2.limits[3].within"]')
    fix.fill("20 min")
    problem = page.locator("#problems button").first
    expect(problem).to_contain_text("完工 (20 min) 早于到场 (30 min)")
    problem.click()
    expect(fix).to_be_focused()
    fix.fill("24 h")
    page.fill(ACK, "12 min")
    expect(page.locator("#problems")).to_contain_text("没有问题")
    expect(page.locator("#preview .is-new").first).to_contain_text("12 分钟接单")
    page.click("#try")
    expect(page.locator("#past .result")).to_have_text("超时 0 次, 而不是 1 次 (1 张工单)")
    page.click("#publish button")
    expect(page.locator("#fault")).to_have_text("请写明修改原因")
    # The other sections too, by fields and as text.
    page.get_by_text("大流量模式").click()
    page.fill('[data-place="surge.enter_calls"]', "180")
    expect(page.locator("#preview")).to_contain_text("10 分钟内 180 个来电进入")
    page.locator("summary", has_text="全文 (JSON)").click()
    whole = page.locator("#whole")
    expect(whole).to_have_value(re.compile("爆管"))
    text = whole.input_value()
    for wrong, why in (("{", "不是有效的 JSON"), ("{}", "ladders: 政策文件的 ladders 缺失")):
        whole.fill(wrong)
        page.get_by_role("button", name="采用").click()
        expect(page.locator("#whole-fault")).to_contain_text(why)
    flood = {"label": "内涝", "level": "P2", "questions": []}
    told = json.loads(text)
    told["categories"]["flood"] = flood
    whole.fill(json.dumps(told, ensure_ascii=False))
    page.get_by_role("button", name="采用").click()
    expect(page.locator("#preview .is-new", has_text="P2 内涝").first).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("12 分钟接单")
    page.fill("#reason", "接单口径统一为 12 分钟")
    page.click("#publish button")
    expect(page.locator(".toast").last).to_contain_text("已发布")
    expect(page.locator("#versions tbody tr")).to_have_count(2)
    expect(page.locator("#versions tbody tr").first).to_contain_text("接单口径统一为 12 分钟")
    newest, _ = policies.versions(desk, cast.admin, utc_now())["items"]
    assert (newest["reason"], newest["is_current"]) == ("接单口径统一为 12 分钟", True)
    kept = policies.version(desk, cast.admin, newest["version"], utc_now())["policy"]
    assert (kept["surge"]["enter_calls"], kept["categories"]["flood"]) == (180, flood)
