"""By which ways one is told: seen and chosen on the page of one's own account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from dispatch.domain.roles import SYSTEM
from dispatch.services import contacts
from dispatch.services.desk import Desk
from tests.web.conftest import Browser

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_where_there_is_no_way_there_is_no_choice(browser: Browser) -> None:
    browser.sign_in("crew.a")
    assert 'id="h-ways"' not in browser.client.get("/account").text


def test_a_choice_is_shown_kept_and_cannot_close_the_floor(browser: Browser, desk: Desk, now: datetime) -> None:
    served = browser.client.application.extensions["desk"]
    served.settings = replace(served.settings, sms_gateway="aliyun", smtp_host="127.0.0.1")
    contacts.put(desk, SYSTEM, "crew.a", phone="13000000002", email="jia@example.cn", wecom_id="", now=now)
    browser.sign_in("crew.a")
    page = browser.client.get("/account").text
    assert "13000000002" in page
    assert "jia@example.cn" in page
    assert page.count('class="chip">紧急工单始终走这里') == 1
    assert page.count(" checked>") == 2
    answer = browser.submit("/account/ways", way="email")
    assert answer.location == "/account?done=ways"
    page = browser.client.get(answer.location).text
    assert "✓ 通知方式已保存" in page
    assert page.count(" checked>") == 1
    assert [one.is_on for one in contacts.choices(served, "crew.a")] == [False, True]


def test_quiet_hours_are_shown_kept_and_refused_by_name(browser: Browser, desk: Desk, now: datetime) -> None:
    served = browser.client.application.extensions["desk"]
    served.settings = replace(served.settings, sms_gateway="aliyun")
    browser.sign_in("crew.a")
    assert browser.submit("/account/ways", quiet_from="22:00", quiet_until="07:00").status_code == 303
    page = browser.client.get("/account").text
    assert 'name="quiet_from" value="22:00"' in page
    assert 'name="quiet_until" value="07:00"' in page
    assert "免打扰时段请填开始和结束" in browser.submit("/account/ways", quiet_from="22:00").text
    assert contacts.quiet(desk, "crew.a") is not None
    browser.submit("/account/ways")
    assert contacts.quiet(desk, "crew.a") is None
