"""Roads, travel times, depots, recommendations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_TRAVEL = (("travel_s", sa.Double), ("travel_kind", sa.Text), ("travel_due_at", TIME))


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    _roads()
    _recommendations()
    _depots()


def _roads() -> None:
    op.create_table(
        "road_graphs",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("imported_at", TIME, nullable=False),
        sa.Column("nodes", ID, nullable=False),
        sa.Column("arcs", ID, nullable=False),
        sa.Column("west", sa.Double, nullable=False),
        sa.Column("south", sa.Double, nullable=False),
        sa.Column("east", sa.Double, nullable=False),
        sa.Column("north", sa.Double, nullable=False),
        sa.Column("travel", JSON, nullable=False),
        sa.Column("npz", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "isochrones",
        sa.Column("graph_id", ID, sa.ForeignKey("road_graphs.id"), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("minutes", sa.Double, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("wkb", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("graph_id", "place", "minutes"),
    )


def _recommendations() -> None:
    for name, kind in _TRAVEL:
        op.add_column("clocks", sa.Column(name, kind, nullable=True))
    op.create_index("ix_clocks_travel", "clocks", ["travel_due_at"], **_only("travel_due_at IS NOT NULL"))
    op.create_table(
        "recommendations",
        sa.Column("id", ID, primary_key=True),
        sa.Column("ticket_id", ID, sa.ForeignKey("tickets.id"), nullable=False),
        sa.Column("assigned_at", TIME, nullable=False),
        sa.Column("team_id", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("told", JSON, nullable=False),
        sa.Column("zone_id", sa.Text, nullable=True),
        sa.Column("branch", sa.Text, nullable=True),
        sa.Column("estimate_s", sa.Double, nullable=True),
        sa.Column("estimate_kind", sa.Text, nullable=True),
        sa.Column("is_under_way", sa.Boolean, nullable=False),
        sa.Column("observed_s", sa.Double, nullable=True),
        sa.UniqueConstraint("ticket_id", "assigned_at"),
    )
    op.create_index("ix_recommendations_under_way", "recommendations", ["id"], **_only("is_under_way"))
    op.create_index("ix_recommendations_observed", "recommendations", ["made_at"], **_only("observed_s IS NOT NULL"))


def _depots() -> None:
    op.create_table(
        "depots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("is_sample", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("depots")
    op.drop_table("recommendations")
    op.drop_index("ix_clocks_travel", "clocks")
    for name, _kind in _TRAVEL:
        op.drop_column("clocks", name)
    op.drop_table("isochrones")
    op.drop_table("road_graphs")
