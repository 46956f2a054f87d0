"""Tables about who can be there in time. Times are UTC, coordinates WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class RecommendationRow(Base):
    """Who could have gone when a ticket went to a team: candidates, exclusions and the reason, as they were told.

    `estimate_s` is how long its team was expected to need, before any correction; `observed_s` how long it took.
    """

    __tablename__ = "recommendations"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    assigned_at: Mapped[datetime]
    team_id: Mapped[str]
    made_at: Mapped[datetime]
    told: Mapped[dict[str, Any]]
    zone_id: Mapped[str | None]
    branch: Mapped[str | None]
    estimate_s: Mapped[float | None]
    estimate_kind: Mapped[str | None]
    is_under_way: Mapped[bool]
    observed_s: Mapped[float | None]

    __table_args__ = (
        UniqueConstraint("ticket_id", "assigned_at"),
        Index("ix_recommendations_under_way", "id", **only("is_under_way")),
        Index("ix_recommendations_observed", "made_at", **only("observed_s IS NOT NULL")),
    )


class DepotRow(Base):
    """Where crews set out from when they are at no work."""

    __tablename__ = "depots"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    is_sample: Mapped[bool]
