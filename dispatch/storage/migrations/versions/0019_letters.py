"""A notice that is a letter has a document that goes with its text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the column up."""
    op.add_column("outbox", sa.Column("html", sa.Text, nullable=True))


def downgrade() -> None:
    """Take it down."""
    op.drop_column("outbox", "html")
