"""Answers without a ticket, and temporary fixes with their follow-up."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OF_TICKETS = (("outcome", sa.Text), ("temporary_kind", sa.Text), ("follow_up_of", sa.Text), ("origin_id", ID))
_OF_CALLS = ("article_id", "article_version")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    _articles()
    for name in _OF_CALLS:
        op.add_column("calls", sa.Column(name, ID, nullable=True))
    op.create_index("ix_calls_answered", "calls", ["logged_at", "article_id"], **_only("outcome = 'answered'"))
    for name, kind in _OF_TICKETS:
        op.add_column("tickets", sa.Column(name, kind, nullable=True))
    for name, column in (("ix_tickets_follow_up", "follow_up_of"), ("ix_tickets_origin", "origin_id")):
        op.create_index(name, "tickets", [column], **_only(f"{column} IS NOT NULL"))


def _articles() -> None:
    op.create_table(
        "articles",
        sa.Column("id", ID, primary_key=True),
        sa.Column("title", sa.Text, nullable=False, unique=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("live_version", ID, nullable=True),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("review_at", TIME, nullable=False),
        sa.Column("remind_at", TIME, nullable=True),
        sa.Column("answered_count", ID, nullable=False),
        sa.Column("is_sample", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_index("ix_articles_status", "articles", ["status", "id"])
    op.create_index("ix_articles_remind", "articles", ["remind_at"], **_only("remind_at IS NOT NULL"))
    op.create_table(
        "article_versions",
        sa.Column("article_id", ID, sa.ForeignKey("articles.id"), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("category", sa.Text, nullable=True),
        sa.Column("review_at", TIME, nullable=False),
        sa.Column("written_by", ID, nullable=False),
        sa.Column("written_at", TIME, nullable=False),
        sa.Column("published_by", ID, nullable=True),
        sa.Column("published_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("article_id", "version"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE article_terms USING fts5(head, body, tokenize='unicode61')")
    else:
        op.execute(
            "CREATE TABLE article_terms"
            " (article_id bigint PRIMARY KEY REFERENCES articles, head text[] NOT NULL, body text[] NOT NULL)"
        )
        op.execute("CREATE INDEX ix_article_terms ON article_terms USING gin ((head || body))")


def downgrade() -> None:
    """Take them down."""
    for name in ("ix_tickets_follow_up", "ix_tickets_origin"):
        op.drop_index(name, "tickets")
    for name, _kind in reversed(_OF_TICKETS):
        op.drop_column("tickets", name)
    op.drop_index("ix_calls_answered", "calls")
    for name in _OF_CALLS:
        op.drop_column("calls", name)
    op.drop_table("article_terms")
    op.drop_table("article_versions")
    op.drop_table("articles")
