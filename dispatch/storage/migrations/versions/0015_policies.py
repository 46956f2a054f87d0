"""Policies say who wrote them and why; clocks are measured in calendars and may change their ladder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the columns up."""
    op.add_column("clocks", sa.Column("pause_moved_s", sa.Double(), nullable=True))
    op.add_column("clocks", sa.Column("ladder_from", ID, nullable=False, server_default="0"))
    op.add_column("policies", sa.Column("author", sa.Text(), nullable=False, server_default=""))
    op.add_column("policies", sa.Column("reason", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("policies", "reason")
    op.drop_column("policies", "author")
    op.drop_column("clocks", "ladder_from")
    op.drop_column("clocks", "pause_moved_s")
