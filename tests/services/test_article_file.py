"""Articles from files and back, on both databases: nothing is doubled, nothing wrong is taken, nothing good is lost."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.article import State
from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.roles import SYSTEM
from dispatch.services import article_file, articles
from dispatch.services.desk import Desk
from tests.support.cast import Cast
from tests.support.store import DATA

CSV = """标题,正文,关键词,类别,复审日期,状态
水费怎么交,在网上交。,缴费; 付款,billing,2027-06-01,已发布
草稿,还没写完,,,,
"""


def take(desk: Desk, data: str | dict[str, Any], now: datetime, **more: Any) -> article_file.Imported:
    raw = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return article_file.import_articles(desk, SYSTEM, raw.encode(), now, **more)


def listed(desk: Desk, cast: Cast, now: datetime) -> list[dict[str, Any]]:
    found = articles.listed(desk, cast.admin, status=None, is_due=False, after=0, limit=50, now=now)["items"]
    return list(reversed(found))


def test_a_table_is_taken_once_and_changes_make_versions(desk: Desk, cast: Cast, now: datetime) -> None:
    done = take(desk, CSV, now, owner="supervisor")
    assert (done.added, done.changed, done.unchanged, done.refused) == (2, 0, 0, [])
    pay, draft = listed(desk, cast, now)
    assert (pay["status"], pay["keywords"], pay["category"]) == ("published", ["缴费", "付款"], "billing")
    assert (pay["owner_login"], pay["review_at"], pay["is_sample"]) == (
        "supervisor",
        "2027-05-31T16:00:00+00:00",
        False,
    )
    assert (draft["status"], draft["category"], draft["review_at"]) == ("draft", None, "2027-05-22T16:00:00+00:00")
    again = take(desk, CSV.replace("还没写完", "写完了"), now)
    assert (again.added, again.changed, again.unchanged) == (0, 1, 1)
    all_ = take(desk, CSV.replace("还没写完", "写完了"), now, is_published=True)
    assert (all_.unchanged, [one["status"] for one in listed(desk, cast, now)]) == (2, ["published"] * 2)
    assert [one["version"] for one in listed(desk, cast, now)] == [1, 2]


def test_what_is_wrong_with_one_holds_up_no_other(desk: Desk, cast: Cast, now: datetime) -> None:
    done = take(
        desk,
        {
            "is_sample": True,
            "articles": [
                {"title": "", "body": "x"},
                {"title": "甲", "body": "x", "review_at": "明年"},
                {"title": "乙", "body": "x", "category": "moon"},
                {"title": "丙", "body": ["x"]},
                {"title": "丁", "body": "x", "keywords": [1]},
                {"title": "戊", "body": "x", "keywords": ["好", " "]},
            ],
        },
        now,
    )
    assert (done.added, [row for row, _ in done.refused]) == (1, [1, 2, 3, 4, 5])
    assert [reason.rpartition("(")[2] for _, reason in done.refused] == [
        "title)", "review_at)", "category)", "body)", "keywords)",
    ]  # fmt: skip
    assert [(one["title"], one["is_sample"], one["keywords"]) for one in listed(desk, cast, now)] == [
        ("戊", True, ["好"])
    ]


@pytest.mark.parametrize("data", ["{", '{"articles": 1}', '{"articles": [1]}', "a,b\n1,2\n", "{" * 9 + "[" * 100_000])
def test_what_is_no_such_file_is_refused_whole(desk: Desk, now: datetime, data: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        take(desk, data, now)
    assert refused.value.field == "file"


def test_it_goes_out_as_it_comes_in(desk: Desk, cast: Cast, now: datetime) -> None:
    take(desk, CSV, now)
    pay = listed(desk, cast, now)[0]
    later = take(desk, CSV.replace("在网上交。", '"到柜台, 或""网上""\n两行"').replace("已发布", ""), now)
    assert later.changed == 1
    found = article_file.exported(desk, cast.admin, now)
    assert [(one["title"], one["body"]) for one in found] == [("水费怎么交", "在网上交。"), ("草稿", "还没写完")]
    assert found[0]["review_at"] == "2027-06-01"
    articles.withdraw(desk, cast.admin, pay["id"], "过时", now)
    texts = article_file.exported(desk, cast.admin, now)
    assert [one["status"] for one in texts] == ["withdrawn", "draft"]
    for text in (article_file.as_json(texts), article_file.as_csv(texts)):
        assert take(desk, text, now).unchanged == 2
    with pytest.raises(NotPermitted):
        article_file.exported(desk, cast.agent, now)
    with pytest.raises(NotPermitted):
        article_file.import_articles(desk, cast.dispatcher, CSV.encode(), now)


def test_the_samples_are_good_and_say_that_they_are_samples(desk: Desk, cast: Cast, now: datetime) -> None:
    data = (DATA / "articles.json").read_text("utf-8")
    done = take(desk, data, now, is_published=True)
    assert (done.added, done.refused) == (12, [])
    assert {(one["status"], one["is_sample"]) for one in listed(desk, cast, now)} == {(State.PUBLISHED, True)}
    assert now + timedelta(days=179) < datetime.fromisoformat(listed(desk, cast, now)[0]["review_at"])
