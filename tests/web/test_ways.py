"""By which ways one is told: seen and chosen on the page of one's own account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text

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


def test_a_test_goes_to_oneself_and_its_result_is_shown(browser: Browser, desk: Desk, now: datetime) -> None:
    served = browser.client.application.extensions["desk"]
    served.settings = replace(served.settings, sms_gateway="aliyun", smtp_host="127.0.0.1")
    contacts.put(desk, SYSTEM, "crew.a", phone="13000000002", email="", wecom_id="", now=now)
    browser.sign_in("crew.a")
    page = browser.client.get("/account").text
    assert page.count('form="ways-test"') == 1  # no address, no button
    answer = browser.submit("/account/ways/test", test="sms")
    assert answer.status_code == 303
    page = browser.client.get(answer.location).text
    assert "发测试, 短信: <b>待发</b>" in page
    with desk.store.read() as tx:
        (row,) = tx.conn.execute(text("SELECT channel, recipients, text FROM outbox WHERE ticket_id IS NULL")).all()
    assert (row.channel, "13000000002" in str(row.recipients)) == ("sms", True)
    assert "测试通知, 由水管家甲发出" in row.text
    with desk.store.write() as tx:
        tx.conn.execute(text("UPDATE outbox SET state = 'failed', error = '签名错误' WHERE ticket_id IS NULL"))
    page = browser.client.get(answer.location).text
    assert "<b>未发出</b> (签名错误)" in page
    browser.sign_in("crew.b")
    assert "<b>" not in browser.client.get(answer.location).text  # nobody sees another's


def test_a_test_that_cannot_go_is_refused_in_words(browser: Browser, desk: Desk, now: datetime) -> None:
    served = browser.client.application.extensions["desk"]
    served.settings = replace(served.settings, sms_gateway="aliyun")
    browser.sign_in("crew.a")
    assert "没有登记短信可用的联系方式" in browser.submit("/account/ways/test", test="sms").text
    assert "邮件没有开启" in browser.submit("/account/ways/test", test="email").text
    assert "没有通知方式“pigeon”, 可用: sms, wecom, email" in browser.submit("/account/ways/test", test="pigeon").text
    assert browser.client.get("/account?test=sms&at=never").status_code == 200


def test_tests_are_counted_those_that_went_nowhere_are_not(browser: Browser, desk: Desk, now: datetime) -> None:
    served = browser.client.application.extensions["desk"]
    served.settings = replace(served.settings, sms_gateway="aliyun")
    browser.sign_in("crew.a")
    for _ in range(4):
        assert browser.submit("/account/ways/test", test="sms").status_code == 422
    contacts.put(desk, SYSTEM, "crew.a", phone="13000000002", email="", wecom_id="", now=now)
    answers = []
    for seconds in range(4):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            answers.append(browser.submit("/account/ways/test", test="sms"))
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429]
    assert "操作过于频繁" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
