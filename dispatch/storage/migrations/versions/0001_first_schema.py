"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("seq", ID, nullable=True),
        sa.Column("hash", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seq"),
    )
    op.create_index(
        "ix_audit_unsealed",
        "audit",
        ["id"],
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )

    head = op.create_table(
        "audit_head",
        sa.Column("id", ID, nullable=False),
        sa.Column("seq", ID, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "day_numbers",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", ID, nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
        sa.Column("swept", ID, nullable=False),
        sa.Column("max_late_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )
    op.create_table(
        "policies",
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("raw", JSON, nullable=False),
        sa.Column("loaded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index("ix_policies_valid_from", "policies", ["valid_from"])

    op.create_table(
        "replies",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body_sha256", sa.Text, nullable=False),
        sa.Column("reply", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    revisions = op.create_table(
        "revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("revision", ID, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "teams",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("branch", sa.Text, nullable=True),
        sa.Column("stewards", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "zone_sets",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("imported_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_zone_sets_valid_from", "zone_sets", ["valid_from"])

    op.create_table(
        "tickets",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", ID, nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("moved_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("team_id", sa.Text, nullable=True),
        sa.Column("branch", sa.Text, nullable=True),
        sa.Column("steward", sa.Text, nullable=True),
        sa.Column("zone_id", sa.Text, nullable=True),
        sa.Column("zone_set_id", ID, nullable=True),
        sa.Column("route_status", sa.Text, nullable=False),
        sa.Column("route_reason", sa.Text, nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("pipe_dn", ID, nullable=True),
        sa.Column("appointment_at", TIME, nullable=True),
        sa.Column("ruled_team_id", sa.Text, nullable=True),
        sa.Column("assisting", JSON, nullable=False),
        sa.Column("is_supervised", sa.Boolean(), nullable=False),
        sa.Column("urge_count", ID, nullable=False),
        sa.Column("callback_attempts", ID, nullable=False),
        sa.Column("is_solved", sa.Boolean(), nullable=True),
        sa.Column("is_satisfied", sa.Boolean(), nullable=True),
        sa.Column("merged_into", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["policy_version"], ["policies.version"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        "ix_tickets_open",
        "tickets",
        ["team_id", "id"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_tickets_status", "tickets", ["status", "id"])
    op.create_index("ix_tickets_zone", "tickets", ["zone_id", "id"])

    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("team_id", sa.Text, nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
    )
    op.create_table(
        "zones",
        sa.Column("set_id", ID, nullable=False),
        sa.Column("zone_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("branch", sa.Text, nullable=True),
        sa.Column("team_id", sa.Text, nullable=True),
        sa.Column("is_in_circle", sa.Boolean(), nullable=False),
        sa.Column("wkb", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["zone_sets.id"]),
        sa.PrimaryKeyConstraint("set_id", "zone_id"),
    )
    op.create_table(
        "calls",
        sa.Column("id", ID, nullable=False),
        sa.Column("cti_call_id", sa.Text, nullable=True),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("called_at", TIME, nullable=False),
        sa.Column("logged_at", TIME, nullable=False),
        sa.Column("taken_by", ID, nullable=False),
        sa.Column("caller_phone", sa.Text, nullable=True),
        sa.Column("caller_name", sa.Text, nullable=True),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("raw_lon", sa.Double(), nullable=True),
        sa.Column("raw_lat", sa.Double(), nullable=True),
        sa.Column("datum", sa.Text, nullable=True),
        sa.Column("answer", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cti_call_id"),
    )
    op.create_index("ix_calls_caller_phone", "calls", ["caller_phone"])
    op.create_index("ix_calls_ticket_id", "calls", ["ticket_id"])

    op.create_table(
        "clocks",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("start_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("original_due_at", TIME, nullable=False),
        sa.Column("met_at", TIME, nullable=True),
        sa.Column("breached_at", TIME, nullable=True),
        sa.Column("noticed_at", TIME, nullable=True),
        sa.Column("paused_at", TIME, nullable=True),
        sa.Column("resume_at", TIME, nullable=True),
        sa.Column("paused_s", sa.Double(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.Column("next_step", ID, nullable=False),
        sa.Column("next_fire_at", TIME, nullable=True),
        sa.Column("stuck_since", TIME, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket_id", "kind", "round"),
    )
    op.create_index(
        "ix_clocks_stuck",
        "clocks",
        ["stuck_since"],
        sqlite_where=sa.text("stuck_since IS NOT NULL"),
        postgresql_where=sa.text("stuck_since IS NOT NULL"),
    )
    op.create_index(
        "ix_clocks_unfired",
        "clocks",
        ["next_fire_at"],
        sqlite_where=sa.text("next_fire_at IS NOT NULL"),
        postgresql_where=sa.text("next_fire_at IS NOT NULL"),
    )

    op.create_table(
        "escalations",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("clock", sa.Text, nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("step", ID, nullable=False),
        sa.Column("ratio", sa.Double(), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("scheduled_at", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=False),
        sa.Column("late_s", sa.Double(), nullable=False),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("acknowledged_by", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ticket_id", "clock", "round", "step"),
    )
    op.create_index("ix_escalations_ticket_id", "escalations", ["ticket_id"])
    op.create_index(
        "ix_escalations_unanswered",
        "escalations",
        ["id"],
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )

    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("effective_at", TIME, nullable=False),
        sa.Column("time_source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("from_status", sa.Text, nullable=True),
        sa.Column("to_status", sa.Text, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_events_ticket_id", "events", ["ticket_id"])

    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index("ix_outbox_ticket_id", "outbox", ["ticket_id"])
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )

    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.bulk_insert(revisions, [{"id": 1, "revision": 0}])
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE call_terms USING fts5(terms, tokenize='unicode61')")
    else:
        op.execute("CREATE TABLE call_terms (call_id bigint PRIMARY KEY REFERENCES calls, terms text[] NOT NULL)")
        op.execute("CREATE INDEX ix_call_terms ON call_terms USING gin (terms)")


def downgrade() -> None:
    op.drop_table("call_terms")
    op.drop_table("tokens")
    op.drop_table("outbox")
    op.drop_table("events")
    op.drop_table("escalations")
    op.drop_table("clocks")
    op.drop_table("calls")
    op.drop_table("zones")
    op.drop_table("users")
    op.drop_table("tickets")
    op.drop_table("zone_sets")
    op.drop_table("teams")
    op.drop_table("revisions")
    op.drop_table("replies")
    op.drop_table("policies")
    op.drop_table("heartbeats")
    op.drop_table("day_numbers")
    op.drop_table("audit_head")
    op.drop_table("audit")
