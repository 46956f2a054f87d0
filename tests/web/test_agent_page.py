"""The frame of the agent's console: for whom it is, and that it knows the policy's script in both languages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dispatch.domain import policy_file
from dispatch.web import catalogue
from tests.support.store import DATA
from tests.web.conftest import In

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def told(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="page">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])["data"]


@on_sqlite
def test_the_page_is_for_those_who_take_calls(in_: In) -> None:
    assert in_("agent").client.get("/agent").status_code == 200
    assert in_("dispatcher").client.get("/agent").status_code == 200
    assert in_("crew.a").client.get("/agent").status_code == 403


@on_sqlite
def test_it_is_told_the_categories_in_the_order_of_the_policy(in_: In) -> None:
    data = told(in_("agent").client.get("/agent").text)
    assert [category["id"] for category in data["categories"]][:2] == ["burst", "hydrant"]
    assert "{grid}" in data["place_note"]


@on_sqlite
def test_what_goes_into_a_ticket_is_chinese_whatever_the_page_speaks(in_: In) -> None:
    browser = in_("agent")
    browser.client.set_cookie("language", "en")
    assert "网格中心" in told(browser.client.get("/agent").text)["place_note"]


def test_the_questions_of_the_policy_are_in_the_catalogue() -> None:
    policy = policy_file.parse(policy_file.read_toml((DATA / "policy.toml").read_bytes()))
    asked = [question for category in policy.categories.values() for question in category.questions]
    words = catalogue.sections()
    assert {question.id: question.text for question in asked} == {
        id_: chinese for id_, (chinese, _) in words["question"].items()
    }
    assert {code for question in asked for code in question.choices} == set(words["choice"])


def test_every_category_that_opens_a_ticket_asks_three_questions() -> None:
    policy = policy_file.parse(policy_file.read_toml((DATA / "policy.toml").read_bytes()))
    asked = {category.id: len(category.questions) for category in policy.categories.values() if category.level}
    assert set(asked.values()) == {3}, asked
    for category in ("burst", "leak"):
        ids = [question.id for question in policy.category(category).questions]
        assert ids == ["traffic_affected", "water_off", "strength"]
