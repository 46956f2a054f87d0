"""Tables about who can be there in time. Times are UTC, coordinates WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class RecommendationRow(Base):
    """Who could have gone when a ticket went to a team: candidates, exclusions and the reason, as they were told."""

    __tablename__ = "recommendations"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    assigned_at: Mapped[datetime]
    team_id: Mapped[str]
    made_at: Mapped[datetime]
    told: Mapped[dict[str, Any]]

    __table_args__ = (UniqueConstraint("ticket_id", "assigned_at"),)


class DepotRow(Base):
    """Where crews set out from when they are at no work."""

    __tablename__ = "depots"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    is_sample: Mapped[bool]
