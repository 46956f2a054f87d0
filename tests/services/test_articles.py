"""The knowledge base on both databases: versions, who reads what, search, counts, reminders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from dispatch.domain.article import IllegalDeed, NewArticle, State
from dispatch.domain.call import NewCall
from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotFound, NotPermitted, StaleVersion
from dispatch.domain.roles import Actor
from dispatch.services import answering, articles, board, live
from dispatch.services.desk import Desk
from dispatch.services.setup import Conflict
from dispatch.storage import articles as rows
from dispatch.storage import live as signals
from dispatch.storage.calls import CALLS
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, call, new_call
from tests.support.store import in_parallel, open_desk

DAY = timedelta(days=1)
PAY = ("水费怎么交", "可以在网上交, 也可以到营业厅交。**费率**以当地公布为准。", ["缴费", "付款"])
FREEZE = ("水表冻住了怎么办", "先关表前阀。\n\n- 用温水慢慢化开\n- 不要用火烤", ["冰冻", "结冰"])


def told(now: datetime, title: str = PAY[0], body: str = PAY[1], keywords: Any = PAY[2], **changes: Any) -> NewArticle:
    return replace(NewArticle(title=title, body=body, keywords=keywords, review_at=now + 90 * DAY), **changes)


def write(desk: Desk, actor: Actor, new: NewArticle, now: datetime, **more: Any) -> dict[str, Any]:
    return articles.create(desk, actor, new, {"article": repr(new)}, now, **more)


def published(desk: Desk, cast: Cast, now: datetime, *parts: Any, **changes: Any) -> int:
    kept = write(desk, cast.supervisor, told(now, *parts, **changes), now)
    articles.publish(desk, cast.supervisor, kept["id"], 1, now)
    return int(kept["id"])


def found(desk: Desk, cast: Cast, now: datetime, text: str) -> list[int]:
    return [item["id"] for item in answering.search(desk, cast.agent, text, 6, now)["items"]]


def seen(desk: Desk, actor: Actor, now: datetime, **changes: Any) -> list[int]:
    wanted: dict[str, Any] = {"status": None, "is_due": False, "after": 0, "limit": 9, **changes}
    return [item["id"] for item in articles.listed(desk, actor, **wanted, now=now)["items"]]


def test_a_version_is_written_published_and_replaced(desk: Desk, cast: Cast, now: datetime) -> None:
    kept = write(desk, cast.supervisor, told(now), now, owner="dispatcher")
    assert (kept["status"], kept["version"], kept["live_version"], kept["owner_login"]) == (
        "draft",
        1,
        None,
        "dispatcher",
    )
    assert found(desk, cast, now, "水费") == []
    with pytest.raises(NotFound):
        articles.one(desk, cast.agent, kept["id"], now)
    live_one = articles.publish(desk, cast.supervisor, kept["id"], 1, now)
    assert (live_one["status"], live_one["is_newer"], live_one["review_at"]) == (
        "published", False, (now + 90 * DAY).isoformat(),
    )  # fmt: skip
    later = articles.edit(
        desk,
        cast.admin,
        kept["id"],
        told(now, "水费怎么缴", "只收现金。", ["现金"], review_at=now + 9 * DAY),
        1,
        now + DAY,
    )
    assert (later["title"], later["version"], later["live_version"], later["is_newer"]) == ("水费怎么缴", 2, 1, True)
    read = articles.one(desk, cast.agent, kept["id"], now)
    assert (read["title"], read["version"], read["versions"]) == (PAY[0], 1, [])
    assert found(desk, cast, now, "现金") == []
    articles.publish(desk, cast.admin, kept["id"], 2, now + DAY)
    assert (found(desk, cast, now, "现金"), found(desk, cast, now, "营业厅")) == ([kept["id"]], [])
    whole = articles.one(desk, cast.admin, kept["id"], now)
    assert [(one["version"], one["writer"]) for one in whole["versions"]] == [(2, "管理员"), (1, "值班长陈工")]
    assert (whole["review_at"], whole["published_at"]) == ((now + 9 * DAY).isoformat(), (now + DAY).isoformat())
    audited = board.audited(desk, cast.auditor, subject=f"article {kept['id']}", after=0, limit=9)["items"]
    assert [entry["action"] for entry in audited] == ["article-publish", "article-write"] * 2
    with desk.store.read() as tx:
        assert {row.topic for row in signals.behind(tx, signals.SIGNALS, 0, 9)} == {"article"}
    assert "article" in live.TOPICS


def test_withdrawn_it_is_not_found_and_may_come_back(desk: Desk, cast: Cast, now: datetime) -> None:
    id_ = published(desk, cast, now)
    with pytest.raises(InvalidInput):
        articles.withdraw(desk, cast.supervisor, id_, " ", now)
    assert articles.withdraw(desk, cast.supervisor, id_, "过时", now)["status"] == "withdrawn"
    assert (found(desk, cast, now, "水费"), seen(desk, cast.agent, now), seen(desk, cast.admin, now)) == ([], [], [id_])
    with pytest.raises(NotFound):
        articles.one(desk, cast.dispatcher, id_, now)
    with pytest.raises(IllegalDeed):
        articles.withdraw(desk, cast.supervisor, id_, "过时", now)
    again = articles.edit(desk, cast.supervisor, id_, told(now, review_at=now + 5 * DAY), 1, now)
    assert again["review_at"] == (now + 5 * DAY).isoformat()
    articles.publish(desk, cast.supervisor, id_, 2, now)
    assert found(desk, cast, now, "水费") == [id_]


def deeds(desk: Desk, actor: Actor, article_id: int, now: datetime) -> list[Callable[[], object]]:
    """Everything that writes, the first one a new article."""
    return [
        lambda: write(desk, actor, told(now, "另一篇"), now),
        lambda: articles.edit(desk, actor, article_id, told(now), 1, now),
        lambda: articles.publish(desk, actor, article_id, 1, now),
        lambda: articles.withdraw(desk, actor, article_id, "x", now),
        lambda: articles.review(desk, actor, article_id, now + DAY, now),
    ]


def test_who_may_not_and_what_is_not(desk: Desk, cast: Cast, now: datetime) -> None:
    id_ = published(desk, cast, now)
    for actor in (cast.agent, cast.dispatcher, cast.crew_a, cast.auditor, cast.integration):
        for refused in deeds(desk, actor, id_, now):
            with pytest.raises(NotPermitted):
                refused()
    for missing in deeds(desk, cast.admin, 404, now)[1:]:
        with pytest.raises(NotFound):
            missing()
    with pytest.raises(NotFound):
        articles.one(desk, cast.admin, 404, now)
    with pytest.raises(InvalidInput, match="没有用户"):
        write(desk, cast.admin, told(now, "另一篇"), now, owner="nobody")


def test_two_of_one_title_are_one_too_many(desk: Desk, cast: Cast, now: datetime) -> None:
    published(desk, cast, now)
    with pytest.raises(Conflict):
        write(desk, cast.admin, told(now), now)
    other = write(desk, cast.admin, told(now, "另一篇"), now)
    with pytest.raises(Conflict):
        articles.edit(desk, cast.admin, other["id"], told(now), 1, now)
    jobs = [lambda n=n: write(desk, cast.admin, told(now, "同名", f"第 {n} 个"), now) for n in range(4)]
    assert sorted(type(one).__name__ for one in in_parallel(jobs)) == ["Conflict"] * 3 + ["dict"]


def test_who_saw_an_older_version_writes_over_nobody(desk: Desk, cast: Cast, now: datetime) -> None:
    id_ = published(desk, cast, now)
    jobs = [
        lambda who=who: articles.edit(desk, who, id_, told(now, body=who.name), 1, now)
        for who in (cast.admin, cast.supervisor)
    ]
    assert sorted(type(one).__name__ for one in in_parallel(jobs)) == ["StaleVersion", "dict"]
    with pytest.raises(StaleVersion):
        articles.publish(desk, cast.admin, id_, 1, now)


def test_a_repeated_key_writes_once(desk: Desk, cast: Cast, now: datetime) -> None:
    first = write(desk, cast.admin, told(now), now, key="k")
    assert write(desk, cast.admin, told(now), now, key="k") == first
    with pytest.raises(IdempotencyMismatch):
        write(desk, cast.admin, told(now, "另一篇"), now, key="k")


def test_what_fits_comes_first_and_says_why(desk: Desk, cast: Cast, now: datetime) -> None:
    pay, freeze = published(desk, cast, now), published(desk, cast, now, *FREEZE)
    assert found(desk, cast, now, "水表结冰怎么办") == [freeze, pay]  # 怎么 is in both titles
    best = answering.search(desk, cast.agent, "费", 6, now)["items"][0]
    assert (best["id"], best["reason"]) == (pay, "标题和关键词含 费")
    assert found(desk, cast, now, "月球") == []
    assert found(desk, cast, now, "?!") == [pay, freeze]  # no word: the most used ones
    assert found(desk, cast, now, '" OR head: *') == []


def test_the_list_is_paged_and_narrowed(desk: Desk, cast: Cast, now: datetime) -> None:
    pay, draft = published(desk, cast, now), write(desk, cast.admin, told(now, "草稿"), now)["id"]
    freeze = published(desk, cast, now, *FREEZE, review_at=now + DAY)
    page = articles.listed(desk, cast.admin, status=None, is_due=False, after=0, limit=2, now=now)
    assert ([item["id"] for item in page["items"]], page["next"]) == ([freeze, draft], draft)
    assert page["counts"] == {"draft": 1, "published": 2, "withdrawn": 0}
    assert seen(desk, cast.admin, now, after=draft) == [pay]
    assert seen(desk, cast.admin, now, status=State.DRAFT) == [draft]
    assert seen(desk, cast.agent, now) == [freeze, pay]
    assert seen(desk, cast.agent, now + 2 * DAY, is_due=True) == [freeze]
    assert articles.listed(desk, cast.agent, status=None, is_due=False, after=0, limit=2, now=now)["counts"] == {
        "published": 2
    }


# ---------------------------------------------------------------- answered by


def answer(desk: Desk, cast: Cast, now: datetime, article_id: int | None, **more: Any) -> dict[str, Any]:
    changes = {"category": "inquiry", "answer": "请在网上交", "article_id": article_id, **more}
    return call(desk, cast.agent, now, **changes).body


def test_an_answer_is_counted_with_its_version(desk: Desk, cast: Cast, now: datetime) -> None:
    pay, freeze = published(desk, cast, now), published(desk, cast, now, *FREEZE)
    answer(desk, cast, now, pay)
    articles.edit(desk, cast.admin, pay, told(now, body="改了"), 1, now)
    articles.publish(desk, cast.admin, pay, 2, now)
    answer(desk, cast, now, pay, article_version=1)  # the agent had it open
    answer(desk, cast, now, freeze)
    articles.withdraw(desk, cast.admin, freeze, "过时", now)
    answer(desk, cast, now, freeze)  # read out while it was withdrawn
    answer(desk, cast, now, None)
    call(desk, cast.agent, now)
    with desk.store.read() as tx:
        kept = tx.conn.execute(CALLS.select().order_by(CALLS.c.id)).mappings().all()
    assert [(one["article_id"], one["article_version"]) for one in kept] == [
        (pay, 1), (pay, 1), (freeze, 1), (freeze, 1), (None, None), (None, None),
    ]  # fmt: skip
    assert articles.one(desk, cast.admin, pay, now)["answered_count"] == 2
    told_ = answering.figures(desk, cast.supervisor, now - DAY, now + DAY)
    assert (told_["calls"], told_["answered"], told_["by_article"]) == (6, 5, 4)
    assert [(item["article_id"], item["answered"]) for item in told_["items"]] == [(pay, 2), (freeze, 2)]
    assert answering.figures(desk, cast.supervisor, now + DAY, now + 2 * DAY)["answered"] == 0
    for start, end in ((now, now), (now - 400 * DAY, now)):
        with pytest.raises(InvalidInput):
            answering.figures(desk, cast.supervisor, start, end)


def test_only_what_agents_read_answers(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = write(desk, cast.admin, told(now), now)["id"]
    pay = published(desk, cast, now, "另一篇")
    for article_id, version, field in (
        (draft, None, "article_id"),
        (404, None, "article_id"),
        (pay, 2, "article_version"),
    ):
        with pytest.raises(InvalidInput) as refused:
            answer(desk, cast, now, article_id, article_version=version)
        assert refused.value.field == field
    articles.edit(desk, cast.admin, pay, told(now, "另一篇", "新"), 1, now)
    with pytest.raises(InvalidInput, match="没有发布过第 2 版"):
        answer(desk, cast, now, pay, article_version=2)
    with pytest.raises(InvalidInput, match="article_id"):
        call(desk, cast.agent, now, article_id=pay)
    assert articles.one(desk, cast.admin, pay, now)["answered_count"] == 0
    assert NewCall(called_at=now, category="x").article_id is new_call(now).article_id is None


# ---------------------------------------------------------------- review


def notices(desk: Desk) -> list[tuple[list[str], str]]:
    with desk.store.read() as tx:
        return [(row.recipients, row.text) for row in tx.conn.execute(OUTBOX.select().order_by(OUTBOX.c.id))]


def test_the_owner_is_reminded_once_however_many_look(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    id_ = published(desk, cast, now, review_at=now + DAY)
    published(desk, cast, now, *FREEZE)
    assert answering.remind(desk, now) == 0
    desks = [open_desk(url) for _ in range(3)]
    told_ = in_parallel([partial(answering.remind, other, now + DAY) for other in desks])
    assert sorted(told_, key=str) == [0, 0, 1]
    assert answering.remind(desk, now + 2 * DAY) == 0
    assert [to for to, _ in notices(desk)] == [["user:supervisor"]]
    assert "“水费怎么交”已到复审日期 2026-11-25" in notices(desk)[0][1]
    assert articles.one(desk, cast.agent, id_, now + DAY)["is_due"]
    reviewed = articles.review(desk, cast.supervisor, id_, now + 30 * DAY, now + DAY)
    assert not reviewed["is_due"]
    assert answering.remind(desk, now + 31 * DAY) == 1
    for other in desks:
        other.store.close()


def test_where_the_owner_is_gone_somebody_else_is_told(desk: Desk, cast: Cast, now: datetime) -> None:
    id_ = published(desk, cast, now, review_at=now + DAY)
    with desk.store.write() as tx:
        rows.change(tx, id_, owner_id=0)
    answering.remind(desk, now + DAY)
    assert [to for to, _ in notices(desk)] == [["hotline_director"]]
    with pytest.raises(InvalidInput):
        articles.review(desk, cast.supervisor, id_, now, now)


def test_what_another_process_holds_is_left_to_it(
    desk: Desk, cast: Cast, now: datetime, dialect: str, url: str
) -> None:
    published(desk, cast, now, review_at=now + DAY)
    if dialect == "sqlite":  # there one writes at a time
        return
    other = open_desk(url)
    with other.store.write() as tx:
        assert len(rows.due(tx, now + DAY, 9)) == 1
        assert answering.remind(desk, now + DAY) == 0
    assert answering.remind(desk, now + DAY) == 1
    other.store.close()
