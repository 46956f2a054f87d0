"""Addresses: what is imported, and what confirmed tickets teach."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.add_column("tickets", sa.Column("placed_by", sa.Text, nullable=True))
    op.add_column("tickets", sa.Column("placed_entry", ID, nullable=True))
    _imported()
    _learned()
    _suggestions()
    op.execute("INSERT INTO revisions (id, revision) VALUES (2, 0)")


def _imported() -> None:
    op.create_table(
        "places",
        sa.Column("id", ID, primary_key=True),
        *map(_text, ("kind", "name", "district", "street", "community")),
        sa.Column("aliases", JSON, nullable=False),
        sa.Column("lon", sa.Double, nullable=True),
        sa.Column("lat", sa.Double, nullable=True),
        sa.Column("radius_m", sa.Double, nullable=True),
        sa.Column("zone_id", sa.Text, nullable=True),
        *map(_text, ("target", "source")),
        sa.Column("imported_at", TIME, nullable=False),
        sa.Column("imported_by", ID, nullable=False),
        sa.UniqueConstraint("kind", "name", "district", "street"),
    )


def _learned() -> None:
    op.create_table(
        "learned_places",
        sa.Column("id", ID, primary_key=True),
        *map(_text, ("key", "name", "sound", "district")),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("count", ID, nullable=False),
        _text("last_ticket"),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
    )
    for column in ("key", "name", "sound"):
        op.create_index(f"ix_learned_places_{column}", "learned_places", [column])


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
    op.execute("DELETE FROM revisions WHERE id = 2")
    op.drop_table("learned_places")
    op.drop_table("places")
    op.drop_column("tickets", "placed_entry")
    op.drop_column("tickets", "placed_by")
