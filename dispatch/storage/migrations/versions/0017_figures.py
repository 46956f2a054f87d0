"""Figures: the packed facts of each day, and how far they are true."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the tables up."""
    op.create_table(
        "figures_days",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("facts", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "figures_mark",
        sa.Column("id", ID, primary_key=True),
        *(
            sa.Column(name, ID, nullable=False)
            for name in ("format", "event_id", "call_id", "seen_event", "seen_call", "seen_until")
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    """Take them down."""
    op.drop_table("figures_mark")
    op.drop_table("figures_days")
