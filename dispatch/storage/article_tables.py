"""Answers without a ticket: articles, each with every version that was ever written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class ArticleRow(Base):
    """An article: `version` was written last, `live_version` is what agents read, None before the first is published.

    `remind_at` is when its owner is to be reminded that it is due for review; None where that was done, or is not due.
    """

    __tablename__ = "articles"
    id: Id = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    version: Mapped[int]
    live_version: Mapped[int | None]
    owner_id: Mapped[int]
    review_at: Mapped[datetime]
    remind_at: Mapped[datetime | None]
    answered_count: Mapped[int]
    is_sample: Mapped[bool]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_articles_status", "status", "id"),
        Index("ix_articles_remind", "remind_at", **only("remind_at IS NOT NULL")),
    )


class ArticleVersionRow(Base):
    """What an article said in one version; never changed but for who published it, and when."""

    __tablename__ = "article_versions"
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    keywords: Mapped[list[Any]]
    category: Mapped[str | None]
    review_at: Mapped[datetime]
    written_by: Mapped[int]
    written_at: Mapped[datetime]
    published_by: Mapped[int | None]
    published_at: Mapped[datetime | None]
