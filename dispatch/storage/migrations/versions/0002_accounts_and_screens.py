"""Sign-in and screens: accounts, calls of the telephone platform, requests, photos, positions, ratings, outages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _accounts()
    _screens()
    _boards()
    op.create_index("ix_tickets_place", "tickets", ["lat", "lon"], **_only("ended_at IS NULL"))


def _boards() -> None:
    op.add_column("clocks", sa.Column("rescue_at", TIME, nullable=True))
    _fill_rescue_at(op.get_bind())
    running = "met_at IS NULL AND NOT is_void AND paused_at IS NULL"
    op.create_index("ix_clocks_running", "clocks", ["due_at", "id"], **_only(running))
    op.create_index("ix_clocks_rescue", "clocks", ["rescue_at", "ticket_id", "due_at"], **_only(running))
    op.create_index("ix_tickets_received", "tickets", ["received_at"])
    op.create_index("ix_tickets_ended", "tickets", ["ended_at", "status"], **_only("ended_at IS NOT NULL"))
    # Who ends a ticket answers what it asks; those that ended before are answered now.
    op.execute(
        "UPDATE escalations SET acknowledged_by = '', acknowledged_at ="
        " (SELECT t.ended_at FROM tickets t WHERE t.id = escalations.ticket_id)"
        " WHERE acknowledged_at IS NULL AND ticket_id IN (SELECT id FROM tickets WHERE ended_at IS NOT NULL)"
    )
    unanswered = "acknowledged_at IS NULL AND ratio >= 1"
    op.create_index("ix_escalations_breached", "escalations", ["ticket_id"], **_only(unanswered))


def _fill_rescue_at(conn: sa.Connection) -> None:
    """Four fifths of what each running clock had, its pauses left out; ended ones need none."""
    columns = [sa.Column(name, TIME) for name in ("start_at", "due_at", "met_at", "rescue_at")]
    more = (sa.Column("id", ID), sa.Column("paused_s", sa.Float), sa.Column("is_void", sa.Boolean))
    clocks = sa.Table("clocks", sa.MetaData(), *columns, *more)
    running = sa.select(clocks).where(clocks.c.met_at.is_(None), ~clocks.c.is_void)
    for row in conn.execute(running).all():
        budget = row.due_at - row.start_at - timedelta(seconds=row.paused_s)
        conn.execute(clocks.update().where(clocks.c.id == row.id).values(rescue_at=row.due_at - budget * 0.2))


def _accounts() -> None:
    op.create_table(
        "credentials",
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("totp_secret", sa.Text, nullable=True),
        sa.Column("totp_used_step", ID, nullable=True),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("credential_id", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", ID, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("credential_id"),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("is_full", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "links",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attempts_bucket", "attempts", ["bucket", "at"])


def _screens() -> None:
    op.create_table(
        "signals",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signals_at", "signals", ["at"])
    op.create_table(
        "cti_calls",
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("caller_phone", sa.Text, nullable=True),
        sa.Column("line", sa.Text, nullable=True),
        sa.Column("seat", sa.Text, nullable=True),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("rung_at", TIME, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("hung_up_at", TIME, nullable=True),
        sa.Column("claimed_by", ID, sa.ForeignKey("users.id"), nullable=True),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("call_id"),
    )
    op.create_index("ix_cti_calls_open", "cti_calls", ["heard_at"], **_only("hung_up_at IS NULL"))
    op.create_table(
        "requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("asked_by", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("decided_by", ID, sa.ForeignKey("users.id"), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("is_granted", sa.Boolean, nullable=True),
        sa.Column("answer", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_requests_open", "requests", ["id"], **_only("decided_at IS NULL"))
    op.create_index("ix_requests_ticket_id", "requests", ["ticket_id"])
    op.create_table(
        "photos",
        sa.Column("id", ID, nullable=False),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("time_source", sa.Text, nullable=False),
        sa.Column("stored_at", TIME, nullable=False),
        sa.Column("stored_by", ID, nullable=False),
        sa.Column("width", ID, nullable=False),
        sa.Column("height", ID, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.Column("thumbnail", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index("ix_photos_ticket_id", "photos", ["ticket_id"])
    op.create_table(
        "positions",
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("accuracy_m", sa.Double, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "push_subscriptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", sa.Text, nullable=False),
        sa.Column("auth", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint"),
    )
    op.create_index("ix_push_subscriptions_user_id", "push_subscriptions", ["user_id"])
    op.create_table(
        "ratings",
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("round", ID, nullable=False),
        sa.Column("stars", ID, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "round"),
    )
    op.create_table(
        "outages",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("is_planned", sa.Boolean, nullable=False),
        sa.Column("zone_ids", JSON, nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("restored_at", TIME, nullable=True),
        sa.Column("published_by", ID, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("published_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outages_open", "outages", ["ends_at"], **_only("restored_at IS NULL"))


def downgrade() -> None:
    op.drop_index("ix_tickets_place", "tickets")
    op.drop_index("ix_escalations_breached", "escalations")
    op.drop_index("ix_tickets_ended", "tickets")
    op.drop_index("ix_tickets_received", "tickets")
    op.drop_index("ix_clocks_rescue", "clocks")
    op.drop_index("ix_clocks_running", "clocks")
    op.drop_column("clocks", "rescue_at")
    op.drop_table("outages")
    op.drop_table("ratings")
    op.drop_table("push_subscriptions")
    op.drop_table("positions")
    op.drop_table("photos")
    op.drop_table("requests")
    op.drop_table("cti_calls")
    op.drop_table("signals")
    op.drop_table("attempts")
    op.drop_table("links")
    op.drop_table("sessions")
    op.drop_table("passkeys")
    op.drop_table("credentials")
