"""Articles of the knowledge base (知识库): what must be true of one, what may be done to it, which fits a question."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput

MAX_TITLE, MAX_BODY, MAX_KEYWORD, MAX_KEYWORDS = 80, 2000, 30, 20
# What nobody looks at for longer has not been looked at.
LONGEST_REVIEW = timedelta(days=3 * 365)


class State(StrEnum):
    """Whether agents read it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {State.DRAFT: "草稿", State.PUBLISHED: "已发布", State.WITHDRAWN: "已撤下"}


class Deed(StrEnum):
    """What can be done to an article, besides writing another version."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    REVIEW = "review"


DEED_LABELS = {Deed.PUBLISH: "发布", Deed.WITHDRAW: "撤下", Deed.REVIEW: "复审"}
# From where it may be done, and where it leads.
EDGES: dict[tuple[State, Deed], State] = {
    (State.DRAFT, Deed.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Deed.PUBLISH): State.PUBLISHED,
    (State.WITHDRAWN, Deed.PUBLISH): State.PUBLISHED,
    (State.PUBLISHED, Deed.WITHDRAW): State.WITHDRAWN,
    (State.PUBLISHED, Deed.REVIEW): State.PUBLISHED,
}


class IllegalDeed(DispatchError):
    """It does not fit the article as it stands."""

    code = "illegal-article-step"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An article as somebody writes it.

    Attributes:
        title: The question, or what it is about.
        body: The answer, plain text: blank lines between paragraphs, `- ` begins an item, `**so**` is strong.
        keywords: Other words that callers use for it.
        category: Id of the category that a ticket of such a question would have, or None.
        review_at: When somebody must look whether it still holds, aware.
    """

    title: str
    body: str
    review_at: datetime
    keywords: Sequence[str] = ()
    category: str | None = None


def check_article(told: NewArticle, categories: Collection[str], now: datetime) -> None:
    """Check an article before it is kept.

    Args:
        told: The article.
        categories: Ids of the categories that there are.
        now: The moment.

    Raises:
        InvalidInput: with the field at fault.
    """
    for name, longest in (("title", MAX_TITLE), ("body", MAX_BODY)):
        text = getattr(told, name)
        check_text(text, name)
        if not text.strip():
            raise InvalidInput("请填写, 不能为空", field=name)
        if len(text) > longest:
            raise InvalidInput(f"最多 {longest} 个字, 现有 {len(text)} 个", field=name)
    if len(told.keywords) > MAX_KEYWORDS:
        raise InvalidInput(f"关键词最多 {MAX_KEYWORDS} 个", field="keywords")
    for word in told.keywords:
        check_text(word, "keywords")
        if not word.strip() or len(word) > MAX_KEYWORD:
            raise InvalidInput(f"每个关键词 1–{MAX_KEYWORD} 个字", field="keywords")
    if told.category is not None and told.category not in categories:
        raise InvalidInput(f"未知的诉求类别“{told.category[:40]}”", field="category")
    check_review(told.review_at, now)


def check_review(review_at: datetime, now: datetime) -> None:
    """Raise InvalidInput for a review that has passed, or that nobody will live to see."""
    if review_at <= now:
        raise InvalidInput("复审日期须晚于今天", field="review_at")
    if review_at - now > LONGEST_REVIEW:
        raise InvalidInput("复审日期最晚在三年之内", field="review_at")


def decide(state: State, deed: Deed, *, is_newer: bool = False) -> State:
    """Return where a deed leads.

    Args:
        state: Where the article stands.
        deed: What is wanted.
        is_newer: Whether a version was written since the one that agents read.

    Raises:
        IllegalDeed: if it does not fit.
    """
    target = EDGES.get((state, deed))
    if target is None:
        raise IllegalDeed(f"文章现在是“{STATE_LABELS[state]}”, 不能{DEED_LABELS[deed]}")
    if state is State.PUBLISHED and deed is Deed.PUBLISH and not is_newer:
        raise IllegalDeed("这一版已经发布")
    return target


def is_due(state: State, review_at: datetime, now: datetime) -> bool:
    """Tell whether agents read something that should have been looked at by now."""
    return state is State.PUBLISHED and review_at <= now


# ---------------------------------------------------------------- which one fits

# A word in the title or among the keywords says more than one in the text.
_HEAD, _BODY = 3.0, 1.0


@dataclass(frozen=True, slots=True)
class Words:
    """The terms of an article, as domain/search.py makes them: of title and keywords, and of the text."""

    head: frozenset[str]
    body: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well an article fits a question, and by which words."""

    article_id: int
    score: float
    in_head: tuple[str, ...]
    in_body: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Why, in words."""
        parts = [("标题和关键词", self.in_head), ("正文", self.in_body)]
        return "; ".join(f"{where}含 {', '.join(words)}" for where, words in parts if words)


def rank(terms: Sequence[str], found: Mapping[int, Words], count: int) -> list[Fit]:
    """Return the articles that have any of `terms`, the best first.

    Each term counts the more the fewer articles have it (log of all by those that do, plus one), three times in title
    and keywords. Of two that fit as well, the older one comes first.

    Args:
        terms: The terms of the question.
        found: The articles that have one of them at least.
        count: How many articles there are.
    """
    rarity = {
        term: math.log(1 + count / having)
        for term in terms
        if (having := sum(term in words.head or term in words.body for words in found.values()))
    }
    fits = []
    for article_id, words in found.items():
        in_head = tuple(term for term in rarity if term in words.head)
        in_body = tuple(term for term in rarity if term in words.body and term not in words.head)
        score = _HEAD * sum(rarity[term] for term in in_head) + _BODY * sum(rarity[term] for term in in_body)
        if score:
            fits.append(Fit(article_id, round(score, 3), in_head, in_body))
    return sorted(fits, key=lambda fit: (-fit.score, fit.article_id))
