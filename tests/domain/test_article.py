"""Articles: what must be true of one, what may be done to it, and which fits a question."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.article import (
    DEED_LABELS,
    EDGES,
    STATE_LABELS,
    Deed,
    IllegalDeed,
    NewArticle,
    State,
    Words,
    check_article,
    decide,
    is_due,
    rank,
)
from dispatch.domain.errors import InvalidInput
from dispatch.domain.search import index_terms, query_terms

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def article(**changes: Any) -> NewArticle:
    told: dict[str, Any] = {"title": "水费怎么交", "body": "可在网上交。", "review_at": NOW + DAY, "keywords": ["缴费"]}
    return NewArticle(**{**told, **changes})


def test_a_good_one_is_good() -> None:
    check_article(article(category="billing", body="第一段\n\n- 一项"), {"billing"}, NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "a\0"}, "title"),
        ({"title": "水" * 81}, "title"),
        ({"body": ""}, "body"),
        ({"body": "水" * 2001}, "body"),
        ({"keywords": ["水"] * 21}, "keywords"),
        ({"keywords": [" "]}, "keywords"),
        ({"keywords": ["水" * 31]}, "keywords"),
        ({"keywords": ["\x1b"]}, "keywords"),
        ({"category": "moon"}, "category"),
        ({"review_at": NOW}, "review_at"),
        ({"review_at": NOW + 2000 * DAY}, "review_at"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_article(article(**changes), {"billing"}, NOW)
    assert refused.value.field == field


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("deed", Deed)
def test_every_edge(state: State, deed: Deed) -> None:
    if (state, deed) in EDGES:
        assert decide(state, deed, is_newer=True) is EDGES[state, deed]
    else:
        with pytest.raises(IllegalDeed, match=f"“{STATE_LABELS[state]}”, 不能{DEED_LABELS[deed]}"):
            decide(state, deed, is_newer=True)


def test_what_is_published_is_not_published_again() -> None:
    with pytest.raises(IllegalDeed, match="已经发布"):
        decide(State.PUBLISHED, Deed.PUBLISH)
    assert decide(State.WITHDRAWN, Deed.PUBLISH) is State.PUBLISHED


def test_only_what_agents_read_is_due() -> None:
    assert is_due(State.PUBLISHED, NOW, NOW)
    assert not is_due(State.PUBLISHED, NOW + DAY, NOW)
    assert not is_due(State.WITHDRAWN, NOW, NOW)


def words(title: str, body: str) -> Words:
    return Words(frozenset(index_terms(title)), frozenset(index_terms(body)))


def test_the_title_counts_more_than_the_text_and_the_rare_word_more_than_the_common_one() -> None:
    found = {
        1: words("怎么办理过户", "带身份证, 缴清水费。"),
        2: words("水费怎么交", "网上缴费。"),
        3: words("水压低怎么办", "先看阀门。"),
    }
    fits = rank(query_terms("水费怎么交"), found, 10)
    assert [fit.article_id for fit in fits] == [2, 1, 3]
    assert fits[0].reason == "标题和关键词含 水费, 费怎, 怎么, 么交"
    assert fits[1].reason == "标题和关键词含 怎么; 正文含 水费"
    assert fits[0].score > 2 * fits[1].score


def test_of_equals_the_older_one_is_first_and_what_has_no_word_is_left_out() -> None:
    found = {5: words("水表", ""), 4: words("水表", ""), 3: words("阀门", "")}
    assert [fit.article_id for fit in rank(["水表", "月亮"], found, 3)] == [4, 5]
