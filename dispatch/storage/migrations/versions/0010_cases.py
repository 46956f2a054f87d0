"""Cases, and what is known of customers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OF_TICKET = (("spot", sa.Text), ("nth_call", ID), ("flags", JSON), ("notify", JSON))


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    for name, kind in _OF_TICKET:
        op.add_column("tickets", sa.Column(name, kind, nullable=True))
    op.create_index("ix_tickets_spot", "tickets", ["spot", "received_at"], **_only("spot IS NOT NULL"))
    _cases()
    _customers()


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=True),
        sa.Column("lat", sa.Double, nullable=True),
        sa.Column("owner_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("rhythm_days", ID, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("root_cause", sa.Text, nullable=True),
        sa.Column("root_note", sa.Text, nullable=True),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("opened_by", ID, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", ID, nullable=True),
    )
    op.create_index("ix_cases_alive", "cases", ["kind", "key"], unique=True, **_only("status <> 'closed'"))
    op.create_index("ix_cases_due", "cases", ["due_at"], **_only("due_at IS NOT NULL"))
    op.create_table(
        "case_tickets",
        sa.Column("case_id", ID, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("linked_at", TIME, nullable=False),
        sa.Column("linked_by", ID, nullable=False),
        sa.Column("is_auto", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "ticket_id"),
    )
    op.create_index("ix_case_tickets_ticket", "case_tickets", ["ticket_id"])
    op.create_table(
        "case_entries",
        sa.Column("id", ID, primary_key=True),
        sa.Column("case_id", ID, sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("logged_at", TIME, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("whom", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
    )
    op.create_index("ix_case_entries_case_id", "case_entries", ["case_id"])


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("flag", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=True),
        sa.Column("lat", sa.Double, nullable=True),
        sa.Column("radius_m", sa.Double, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("valid_until", sa.Date, nullable=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("imported_at", TIME, nullable=False),
        sa.Column("imported_by", ID, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
    )
    op.create_table(
        "watched",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", ID, sa.ForeignKey("cases.id"), nullable=True),
        sa.Column("customer_id", ID, sa.ForeignKey("customers.id"), nullable=True),
    )
    for name in ("key", "case_id", "customer_id"):
        op.create_index(f"ix_watched_{name}", "watched", [name])


def downgrade() -> None:
    """Take them down."""
    for table in ("watched", "customers", "case_entries", "case_tickets", "cases"):
        op.drop_table(table)
    op.drop_index("ix_tickets_spot", "tickets")
    for name, _kind in reversed(_OF_TICKET):
        op.drop_column("tickets", name)
