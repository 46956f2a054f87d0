"""What single people were told, when a step of the ladder goes on to the next of them, and their quiet hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Bring the tables up."""
    op.create_table(
        "messages",
        sa.Column("id", ID, primary_key=True),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=True),
        sa.Column("clock", sa.Text, nullable=True),
        *(sa.Column(name, ID, nullable=True) for name in ("round", "step", "nth")),
        sa.Column("token_sha256", sa.Text, nullable=True, unique=True),
        sa.UniqueConstraint("user_id", "key"),
        sa.UniqueConstraint("ticket_id", "clock", "round", "step", "nth"),
    )
    op.create_index("ix_messages_user", "messages", ["user_id", "id"])
    op.create_table(
        "quiet_hours",
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("start_min", ID, nullable=False),
        sa.Column("end_min", ID, nullable=False),
    )
    op.add_column("escalations", sa.Column("answer_s", sa.Double(), nullable=True))
    op.add_column("escalations", sa.Column("ask_at", TIME, nullable=True))
    is_asked = sa.text("ask_at IS NOT NULL")
    op.create_index("ix_escalations_ask", "escalations", ["ask_at"], sqlite_where=is_asked, postgresql_where=is_asked)


def downgrade() -> None:
    """Take them down."""
    op.drop_index("ix_escalations_ask", "escalations")
    op.drop_column("escalations", "ask_at")
    op.drop_column("escalations", "answer_s")
    op.drop_table("quiet_hours")
    op.drop_table("messages")
