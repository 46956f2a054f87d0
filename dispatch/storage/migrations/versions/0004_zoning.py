"""Drafts of grids, and what their publishing still has to move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "zone_drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("base_set_id", ID, sa.ForeignKey("zone_sets.id"), nullable=True),
        sa.Column("zones", ID, nullable=False),
        sa.Column("problems", ID, nullable=False),
        sa.Column("warnings", JSON, nullable=False),
        sa.Column("created_by", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "draft_zones",
        sa.Column("draft_id", ID, sa.ForeignKey("zone_drafts.id"), nullable=False),
        sa.Column("zone_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("branch", sa.Text, nullable=True),
        sa.Column("team_id", sa.Text, nullable=True),
        sa.Column("is_in_circle", sa.Boolean, nullable=False),
        sa.Column("wkb", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("draft_id", "zone_id"),
    )
    op.create_table(
        "draft_steps",
        sa.Column("draft_id", ID, sa.ForeignKey("zone_drafts.id"), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("op", sa.Text, nullable=False),
        sa.Column("made", JSON, nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.PrimaryKeyConstraint("draft_id", "version"),
    )
    op.create_table(
        "zone_moves",
        sa.Column("set_id", ID, sa.ForeignKey("zone_sets.id"), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("after", ID, nullable=False),
        sa.Column("moved", ID, nullable=False),
        sa.Column("refused", ID, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("set_id"),
    )
    waiting = sa.text("done_at IS NULL")
    op.create_index("ix_zone_moves_waiting", "zone_moves", ["due_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "zone_codes",
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("street", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=True),
        sa.Column("zone_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("district", "street", "community"),
    )


def downgrade() -> None:
    op.drop_table("zone_codes")
    op.drop_table("zone_moves")
    op.drop_table("draft_steps")
    op.drop_table("draft_zones")
    op.drop_table("zone_drafts")
