"""Where people are reached, by which ways, and what became of what was sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the tables up."""
    op.create_table(
        "contacts",
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("email", sa.Text, nullable=True),
        sa.Column("wecom_id", sa.Text, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_table(
        "way_choices",
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False),
    )
    _sendings()
    op.add_column("outbox", sa.Column("tried_at", TIME, nullable=True))


def _sendings() -> None:
    op.create_table(
        "sendings",
        sa.Column("outbox_id", ID, sa.ForeignKey("outbox.id"), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("parts", ID, nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("asked", ID, nullable=False),
        sa.Column("ask_at", TIME, nullable=True),
    )
    op.create_index("ix_sendings_month", "sendings", ["channel", "accepted_at"])
    is_asked = sa.text("ask_at IS NOT NULL")
    op.create_index("ix_sendings_ask", "sendings", ["ask_at"], sqlite_where=is_asked, postgresql_where=is_asked)


def downgrade() -> None:
    """Take them down."""
    op.drop_column("outbox", "tried_at")
    op.drop_table("sendings")
    op.drop_table("way_choices")
    op.drop_table("contacts")
