"""Incidents: one burst, many tickets and callers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Bring the tables up."""
    _incidents()
    _members()


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", ID, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("suggested", JSON, nullable=False),
        sa.Column("area", JSON, nullable=True),
        sa.Column("area_how", JSON, nullable=True),
        sa.Column("affected_users", ID, nullable=True),
        sa.Column("affected_basis", sa.Text, nullable=True),
        sa.Column("isolated_at", TIME, nullable=True),
        sa.Column("restore_expected_at", TIME, nullable=True),
        sa.Column("restored_at", TIME, nullable=True),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
    )
    op.create_index("ix_incidents_alive", "incidents", ["id"], **_only("status IN ('proposed', 'open')"))
    op.create_table(
        "incident_events",
        sa.Column("id", ID, primary_key=True),
        sa.Column("incident_id", ID, sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_incident_events_incident_id", "incident_events", ["incident_id"])


def _members() -> None:
    # In words of SQL: only so may a column with a foreign key be added on SQLite as well.
    kind = "INTEGER" if op.get_context().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE tickets ADD COLUMN incident_id {kind} REFERENCES incidents (id)")
    op.add_column("tickets", sa.Column("is_carried", sa.Boolean, nullable=False, server_default=sa.false()))
    is_lead = "incident_id IS NOT NULL AND NOT is_carried"
    op.create_index("ix_tickets_incident", "tickets", ["incident_id", "id"], **_only("incident_id IS NOT NULL"))
    op.create_index("ix_tickets_lead", "tickets", ["incident_id"], unique=True, **_only(is_lead))
    op.create_index("ix_tickets_carried", "tickets", ["id"], **_only("is_carried AND ended_at IS NULL"))


def downgrade() -> None:
    """Take them down."""
    for name in ("ix_tickets_carried", "ix_tickets_lead", "ix_tickets_incident"):
        op.drop_index(name, "tickets")
    op.drop_column("tickets", "is_carried")
    op.drop_column("tickets", "incident_id")
    op.drop_table("incident_events")
    op.drop_table("incidents")
