"""Addresses: what is imported, and what confirmed tickets teach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _suggestions()


def _suggestions() -> None:
    op.create_table(
        "suggestions",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", ID, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=True),
        sa.Column("level", sa.Text, nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("zone_id", sa.Text, nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("source", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket_id"),
    )
    waiting = sa.text("next_try_at IS NOT NULL")
    op.create_index(
        "ix_suggestions_waiting", "suggestions", ["next_try_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "geocoders",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("fault", sa.Text, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("geocoders")
    op.drop_table("suggestions")
