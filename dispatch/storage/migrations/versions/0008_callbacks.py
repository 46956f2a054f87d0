"""Call-backs: one for each caller of a finished ticket."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
# Whoever is finished and not closed at this moment waits for a call-back as well.
_FILL = """
INSERT INTO callbacks (ticket_id, round, call_id, phone, state, made_at, due_at, tries, note, reason, settled_at)
SELECT t.id, t.round, max(c.id), c.caller_phone,
       CASE WHEN c.caller_phone IS NULL THEN 'unreached' ELSE 'waiting' END,
       t.moved_at, coalesce(max(k.due_at), t.moved_at), 0, '',
       CASE WHEN c.caller_phone IS NULL THEN 'no_number' END,
       CASE WHEN c.caller_phone IS NULL THEN t.moved_at END
FROM tickets t
JOIN calls c ON c.ticket_id = t.id
LEFT JOIN clocks k ON k.ticket_id = t.id AND k.kind = 'callback' AND k.round = t.round
WHERE t.status = 'done' AND t.is_solved IS NULL
GROUP BY t.id, t.round, t.moved_at, c.caller_phone
"""


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    op.add_column("tickets", sa.Column("rework_of", sa.Text, nullable=True))
    op.create_index("ix_tickets_merged", "tickets", ["merged_into"], **_only("merged_into IS NOT NULL"))
    op.create_index("ix_tickets_rework", "tickets", ["rework_of"], **_only("rework_of IS NOT NULL"))
    op.create_table(
        "callbacks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("call_id", ID, sa.ForeignKey("calls.id"), nullable=False),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("tries", ID, nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("claimed_by", ID, nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.Column("is_solved", sa.Boolean, nullable=True),
        sa.Column("is_satisfied", sa.Boolean, nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("settled_by", sa.Text, nullable=True),
        sa.Column("rework", sa.Text, nullable=True),
        sa.Column("token_sha256", sa.Text, nullable=True, unique=True),
        sa.UniqueConstraint("ticket_id", "round", "call_id"),
    )
    for name, columns, condition, is_unique in (
        ("caller", ["ticket_id", "round", "phone"], "phone IS NOT NULL", True),
        ("waiting", ["due_at", "id"], "state = 'waiting'", False),
        ("phone", ["phone"], "state = 'waiting'", False),
        ("settled", ["settled_at", "id"], "settled_at IS NOT NULL", False),
    ):
        op.create_index(f"ix_callbacks_{name}", "callbacks", columns, unique=is_unique, **_only(condition))
    op.create_table(
        "callback_tries",
        sa.Column("id", ID, primary_key=True),
        sa.Column("callback_id", ID, sa.ForeignKey("callbacks.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_callback_tries_callback_id", "callback_tries", ["callback_id"])
    op.execute(_FILL)


def downgrade() -> None:
    """Take them down."""
    op.drop_table("callback_tries")
    op.drop_table("callbacks")
    op.drop_index("ix_tickets_rework", "tickets")
    op.drop_index("ix_tickets_merged", "tickets")
    op.drop_column("tickets", "rework_of")
