"""What agents said of two calls: not the same; and by what the open tickets near a call are found."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
OPEN: dict[str, Any] = {"sqlite_where": sa.text("ended_at IS NULL"), "postgresql_where": sa.text("ended_at IS NULL")}
# Cut off, not rounded; no degree is below zero here.
_CELLS_SQLITE = """
UPDATE tickets SET cell = CAST(lat / 0.004 AS INTEGER) * 1000000 + CAST(lon / 0.004 AS INTEGER)
WHERE lon IS NOT NULL AND ended_at IS NULL"""
_CELLS_PG = """
UPDATE tickets SET cell = floor(lat / 0.004)::bigint * 1000000 + floor(lon / 0.004)::bigint
WHERE lon IS NOT NULL AND ended_at IS NULL"""


def upgrade() -> None:
    """Bring the tables up."""
    op.add_column("tickets", sa.Column("cell", ID, nullable=True))
    op.add_column("tickets", sa.Column("place_key", sa.Text, nullable=True))
    # The key of an address is made when a call comes in: what is open by now is found by its point and its caller.
    op.execute(_CELLS_SQLITE if op.get_bind().dialect.name == "sqlite" else _CELLS_PG)
    op.create_index("ix_tickets_cell", "tickets", ["cell", "id"], **OPEN)
    op.create_index("ix_tickets_place_key", "tickets", ["place_key", "id"], **OPEN)
    op.create_table(
        "not_same",
        sa.Column("low_id", ID, primary_key=True, autoincrement=False),
        sa.Column("high_id", ID, primary_key=True, autoincrement=False),
        sa.Column("said_by", ID, nullable=False),
        sa.Column("said_at", TIME, nullable=False),
    )
    op.create_index("ix_not_same_high", "not_same", ["high_id"])


def downgrade() -> None:
    """Take them down."""
    op.drop_table("not_same")
    op.drop_index("ix_tickets_place_key", "tickets")
    op.drop_index("ix_tickets_cell", "tickets")
    op.drop_column("tickets", "place_key")
    op.drop_column("tickets", "cell")
