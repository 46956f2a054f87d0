"""Rosters, leave and swaps."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    op.create_table(
        "rosters",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("is_sample", sa.Boolean, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("valid_from", TIME, nullable=True),
        sa.Column("published_by", sa.Text, nullable=True),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("uncovered_h", sa.Double, nullable=True),
    )
    _changes()


def _changes() -> None:
    op.create_table(
        "roster_leaves",
        sa.Column("id", ID, primary_key=True),
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("start_at", TIME, nullable=False),
        sa.Column("end_at", TIME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cover_id", sa.Text, nullable=True),
        *_made(),
    )
    op.create_index("ix_roster_leaves_end", "roster_leaves", ["end_at"], **_only("cancelled_at IS NULL"))
    op.create_table(
        "roster_swaps",
        sa.Column("id", ID, primary_key=True),
        sa.Column("unit_id", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("taker_id", sa.Text, nullable=False),
        sa.Column("back_day", sa.Date, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        *_made(),
    )
    op.create_index("ix_roster_swaps_day", "roster_swaps", ["day"], **_only("cancelled_at IS NULL"))
    back = _only("cancelled_at IS NULL AND back_day IS NOT NULL")
    op.create_index("ix_roster_swaps_back", "roster_swaps", ["back_day"], **back)


def _made() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("cancelled_by", sa.Text, nullable=True),
        sa.Column("cancelled_at", TIME, nullable=True),
    )


def downgrade() -> None:
    """Take them down."""
    for table in ("roster_swaps", "roster_leaves", "rosters"):
        op.drop_table(table)
