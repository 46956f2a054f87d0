"""Outage notices from draft to restored, and the calls they answered."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
# What was published at once, by one person, was so from its first day.
_FILL = """
UPDATE outages SET status = CASE WHEN restored_at IS NULL THEN 'published' ELSE 'restored' END,
touched_ids = zone_ids, first_ends_at = ends_at, created_by = published_by, created_at = published_at
"""
_LATER: tuple[tuple[str, Any], ...] = (
    ("touched_ids", JSON),
    ("first_ends_at", TIME),
    ("created_by", ID),
    ("created_at", TIME),
)
_NEW: tuple[tuple[str, Any], ...] = (
    ("area", sa.LargeBinary), ("late_return_h", ID), ("approved_by", ID), ("approved_at", TIME),
    ("short_reason", sa.Text), ("closed_reason", sa.Text), ("alarm_at", TIME),
)  # fmt: skip


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.drop_index("ix_outages_open", "outages")
    with op.batch_alter_table("outages") as batch:
        batch.add_column(sa.Column("status", sa.Text, nullable=False, server_default="published"))
        batch.add_column(sa.Column("version", ID, nullable=False, server_default="1"))
        batch.add_column(sa.Column("estates", JSON, nullable=False, server_default="[]"))
        batch.add_column(sa.Column("extensions", JSON, nullable=False, server_default="[]"))
        batch.add_column(sa.Column("alarms", ID, nullable=False, server_default="0"))
        for name, kind in (*_LATER, *_NEW):
            batch.add_column(sa.Column(name, kind, nullable=True))
    op.execute(_FILL)
    with op.batch_alter_table("outages") as batch:
        for name, kind in _LATER:
            batch.alter_column(name, existing_type=kind, nullable=False)
        for name in ("status", "version", "estates", "extensions", "alarms"):
            batch.alter_column(name, server_default=None)
        batch.alter_column("published_by", existing_type=ID, nullable=True)
        batch.alter_column("published_at", existing_type=TIME, nullable=True)
    op.create_index("ix_outages_open", "outages", ["ends_at"], **_only("status = 'published'"))
    op.create_index("ix_outages_alarm", "outages", ["alarm_at"], **_only("alarm_at IS NOT NULL"))
    _versions()
    # Plain SQL: both databases add such a column at once, and alembic would write the whole table anew on SQLite.
    integer = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE calls ADD COLUMN outage_id {integer} REFERENCES outages (id)")
    op.create_index("ix_calls_outage", "calls", ["outage_id"], **_only("outage_id IS NOT NULL"))


def _versions() -> None:
    op.create_table(
        "outage_versions",
        sa.Column("outage_id", ID, sa.ForeignKey("outages.id"), nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("shown", JSON, nullable=False),
        sa.PrimaryKeyConstraint("outage_id", "version"),
    )


def downgrade() -> None:
    op.drop_index("ix_calls_outage", "calls")
    with op.batch_alter_table("calls") as batch:
        batch.drop_column("outage_id")
    op.drop_table("outage_versions")
    op.drop_index("ix_outages_alarm", "outages")
    op.drop_index("ix_outages_open", "outages")
    op.execute("DELETE FROM outages WHERE published_at IS NULL")
    with op.batch_alter_table("outages") as batch:
        for name in ("status", "version", "estates", "extensions", "alarms"):
            batch.drop_column(name)
        for name, _kind in (*_LATER, *_NEW):
            batch.drop_column(name)
        batch.alter_column("published_by", existing_type=ID, nullable=False)
        batch.alter_column("published_at", existing_type=TIME, nullable=False)
    op.create_index("ix_outages_open", "outages", ["ends_at"], **_only("restored_at IS NULL"))
