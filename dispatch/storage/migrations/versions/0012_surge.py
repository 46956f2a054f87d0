"""Surges: when they began and ended, and what held in them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    _surges()
    _widenings()
    _digests()
    op.create_index("ix_calls_logged_at", "calls", ["logged_at"])
    op.add_column("clocks", sa.Column("widening_id", ID, nullable=True))


def _surges() -> None:
    op.create_table(
        "surges",
        sa.Column("id", ID, primary_key=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("entered_at", TIME, nullable=False),
        sa.Column("entered_how", sa.Text, nullable=False),
        sa.Column("entered_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("left_at", TIME, nullable=True),
        sa.Column("left_how", sa.Text, nullable=True),
        sa.Column("left_by", sa.Text, nullable=True),
        sa.Column("left_reason", sa.Text, nullable=True),
        sa.Column("calm_since", TIME, nullable=True),
        sa.Column("broadcast", sa.Text, nullable=False),
        sa.Column("public_text", sa.Text, nullable=False),
        sa.Column("digest_to", JSON, nullable=False),
        sa.Column("at_once", JSON, nullable=False),
        sa.Column("digest_every_s", sa.Double, nullable=False),
        sa.Column("digest_at", TIME, nullable=False),
        sa.Column("digests", ID, nullable=False),
    )
    op.create_index("ix_surges_open", "surges", ["is_open"], unique=True, **_only("is_open"))


def _widenings() -> None:
    op.create_table(
        "surge_widenings",
        sa.Column("id", ID, primary_key=True),
        sa.Column("surge_id", ID, sa.ForeignKey("surges.id"), nullable=False, index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("levels", JSON, nullable=False),
        sa.Column("clocks", JSON, nullable=False),
        sa.Column("factor", sa.Double, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("is_for_running", sa.Boolean, nullable=False),
        sa.Column("proposed_by_id", ID, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("after", ID, nullable=True),
        sa.Column("widened", ID, nullable=False),
    )
    op.create_index("ix_surge_widenings_to_do", "surge_widenings", ["id"], **_only("after IS NOT NULL"))


def _digests() -> None:
    op.create_table(
        "digest_items",
        sa.Column("id", ID, primary_key=True),
        sa.Column("surge_id", ID, sa.ForeignKey("surges.id"), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("step", ID, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("ratio", sa.Double, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("digest", ID, nullable=True),
        sa.UniqueConstraint("ticket_id", "clock", "round", "step", "recipient"),
    )
    op.create_index("ix_digest_items_waiting", "digest_items", ["surge_id"], **_only("digest IS NULL"))


def downgrade() -> None:
    """Take them down."""
    op.drop_column("clocks", "widening_id")
    op.drop_index("ix_calls_logged_at", "calls")
    op.drop_table("digest_items")
    op.drop_table("surge_widenings")
    op.drop_table("surges")
