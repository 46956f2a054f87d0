"""Routes of the knowledge base: answers without a ticket."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.article import MAX_BODY, MAX_KEYWORD, MAX_KEYWORDS, MAX_TITLE, NewArticle, State
from dispatch.domain.roles import Permission
from dispatch.services import answering, articles
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text, Time, Version
from dispatch.web.api.requests import Body, KeyIn, PageIn
from dispatch.web.api.responses import Time as TimeOut
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class ArticleIn(Body):
    """An article as somebody writes it."""

    title: Text = Field(min_length=1, max_length=MAX_TITLE)
    body: Text = Field(
        min_length=1, max_length=MAX_BODY, description="plain text; `- ` begins an item, `**so**` is strong"
    )
    keywords: list[Annotated[Text, Field(min_length=1, max_length=MAX_KEYWORD)]] = Field(
        default_factory=list, max_length=MAX_KEYWORDS
    )
    category: Text | None = Field(None, min_length=1, max_length=60, description="of a ticket of such a question")
    review_at: Time = Field(description="when somebody must look whether it still holds")
    owner: Text | None = Field(None, max_length=60, description="login of who is reminded of that; left out: no change")

    def article(self) -> NewArticle:
        """Return the article of the domain."""
        names = ("title", "body", "keywords", "category", "review_at")
        return NewArticle(**{name: getattr(self, name) for name in names})


class ArticleEditIn(ArticleIn):
    """Another version of it."""

    version: Version = Field(description="the newest version that was seen")


class ArticlePublishIn(Body):
    """Which version is to be read."""

    version: Version = Field(description="the newest version that was seen")


class ArticleWithdrawIn(Body):
    """Why nobody is to read it any more."""

    note: Text = Field(min_length=1, max_length=300)


class ArticleReviewIn(Body):
    """It still holds; when to look again."""

    review_at: Time


class ArticleIdIn(BaseModel):
    """An article, by the id in the path."""

    article_id: Position


class ArticlesIn(PageIn):
    """Filters of the list."""

    status: Annotated[State, Field(strict=False)] | None = None
    is_due: bool = Field(False, description="only those whose review is due")


class ArticleSearchIn(BaseModel):
    """What is typed."""

    q: Text = Field("", max_length=200)
    limit: int = Field(6, ge=1, le=20)

    model_config = ConfigDict(extra="forbid")


class AnsweredIn(BaseModel):
    """A period of logging, at most a year."""

    from_: Time = Field(alias="from")
    to: Time

    model_config = ConfigDict(extra="forbid")


class Article(BaseModel):
    """An article."""

    id: int
    title: str
    body: str
    keywords: list[str]
    category: str | None
    category_label: str | None
    status: str = Field(description="draft, published or withdrawn")
    status_label: str
    version: int = Field(description="the version that is shown here")
    live_version: int | None = Field(description="the version that agents read, or read last")
    is_newer: bool = Field(description="this version is not the one that agents read")
    owner: str | None
    owner_login: str | None
    review_at: str
    is_due: bool = Field(description="its review is due")
    answered_count: int = Field(description="calls that it has answered")
    is_sample: bool
    written_at: str
    published_at: TimeOut


class ArticleVersion(BaseModel):
    """What it said in one version."""

    version: int
    title: str
    body: str
    keywords: list[str]
    category: str | None
    writer: str | None
    written_at: str
    published_at: TimeOut


class ArticleDetail(Article):
    """An article with its versions, newest first; empty for who writes none."""

    versions: list[ArticleVersion]


class Articles(BaseModel):
    """A page of articles, and how many there are in each status."""

    items: list[Article]
    next: int | None
    counts: dict[str, int]


class FoundArticle(Article):
    """An article that fits, and why."""

    score: float
    reason: str = Field(description="which words it has, and where")


class FoundArticles(BaseModel):
    """Articles that fit, the best first."""

    items: list[FoundArticle]


class AnsweredBy(BaseModel):
    """How many calls an article has answered."""

    article_id: int
    title: str
    answered: int


class AnsweredCalls(BaseModel):
    """Calls answered without a ticket."""

    from_: str = Field(alias="from")
    to: str
    calls: int = Field(description="all calls of the period")
    answered: int = Field(description="those that were answered without a ticket")
    by_article: int = Field(description="those of them with an article")
    items: list[AnsweredBy]


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("articles", __name__, url_prefix="/api/v1", tag="articles")
    _reading(api, desk)
    _writing(api, desk)
    _deeds(api, desk)
    return api


def _reading(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/articles")
    @needs(api, Permission.READ)
    @api.input(ArticlesIn, location="query", arg_name="query")
    @api.output(Articles)
    @api.doc(summary="知识库文章", description="Who writes none sees published ones alone.")
    def list_articles(query: ArticlesIn) -> dict[str, Any]:
        return articles.listed(
            desk, actor(), status=query.status, is_due=query.is_due, after=query.after, limit=query.limit, now=utc_now()
        )

    @api.get("/articles/search")
    @needs(api, Permission.READ)
    @api.input(ArticleSearchIn, location="query", arg_name="query")
    @api.output(FoundArticles)
    @api.doc(summary="边输入边查知识库", description="Without a word: those that have answered most calls.")
    def search_articles(query: ArticleSearchIn) -> dict[str, Any]:
        return answering.search(desk, actor(), query.q, query.limit, utc_now())

    @api.get("/articles/figures")
    @needs(api, Permission.READ)
    @api.input(AnsweredIn, location="query", arg_name="query")
    @api.output(AnsweredCalls)
    @api.doc(summary="不生成工单的答复: 多少来电, 由哪些文章")
    def get_answered(query: AnsweredIn) -> dict[str, Any]:
        return answering.figures(desk, actor(), query.from_, query.to)

    @api.get("/articles/<article_id>")
    @needs(api, Permission.READ)
    @api.input(ArticleIdIn, location="path", arg_name="path")
    @api.output(ArticleDetail)
    @api.doc(summary="一篇文章, 连同各版本")
    def get_article(article_id: str, path: ArticleIdIn) -> dict[str, Any]:
        return articles.one(desk, actor(), path.article_id, utc_now())


def _writing(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/articles")
    @needs(api, Permission.ARTICLE)
    @api.input(KeyIn, location="headers", arg_name="key")
    @api.input(ArticleIn, arg_name="body")
    @api.output(ArticleDetail, 201)
    @api.doc(summary="新写一篇 (草稿)")
    def add_article(key: KeyIn, body: ArticleIn) -> dict[str, Any]:
        told = body.model_dump(mode="json")
        return articles.create(desk, actor(), body.article(), told, utc_now(), key.idempotency_key, owner=body.owner)

    @api.post("/articles/<article_id>/edit")
    @needs(api, Permission.ARTICLE)
    @api.input(ArticleIdIn, location="path", arg_name="path")
    @api.input(ArticleEditIn, arg_name="body")
    @api.output(ArticleDetail)
    @api.doc(summary="写新的一版", description="Agents read the version before until this one is published.")
    def edit_article(article_id: str, path: ArticleIdIn, body: ArticleEditIn) -> dict[str, Any]:
        return articles.edit(desk, actor(), path.article_id, body.article(), body.version, utc_now(), owner=body.owner)


def _deeds(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/articles/<article_id>/publish")
    @needs(api, Permission.ARTICLE)
    @api.input(ArticleIdIn, location="path", arg_name="path")
    @api.input(ArticlePublishIn, arg_name="body")
    @api.output(ArticleDetail)
    @api.doc(summary="发布最新一版")
    def publish_article(article_id: str, path: ArticleIdIn, body: ArticlePublishIn) -> dict[str, Any]:
        return articles.publish(desk, actor(), path.article_id, body.version, utc_now())

    @api.post("/articles/<article_id>/withdraw")
    @needs(api, Permission.ARTICLE)
    @api.input(ArticleIdIn, location="path", arg_name="path")
    @api.input(ArticleWithdrawIn, arg_name="body")
    @api.output(ArticleDetail)
    @api.doc(summary="撤下文章")
    def withdraw_article(article_id: str, path: ArticleIdIn, body: ArticleWithdrawIn) -> dict[str, Any]:
        return articles.withdraw(desk, actor(), path.article_id, body.note, utc_now())

    @api.post("/articles/<article_id>/review")
    @needs(api, Permission.ARTICLE)
    @api.input(ArticleIdIn, location="path", arg_name="path")
    @api.input(ArticleReviewIn, arg_name="body")
    @api.output(ArticleDetail)
    @api.doc(summary="复审: 内容仍然有效")
    def review_article(article_id: str, path: ArticleIdIn, body: ArticleReviewIn) -> dict[str, Any]:
        return articles.review(desk, actor(), path.article_id, body.review_at, utc_now())
