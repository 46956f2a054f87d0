"""What is asked of geocoders on the network, and how they stand. Times are UTC, coordinates WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class SuggestionRow(Base):
    """The question where a ticket's address is, and what came of it: `state` is waiting, leased or an outcome."""

    __tablename__ = "suggestions"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), unique=True)
    text: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    asked_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    note: Mapped[str]
    label: Mapped[str | None]
    level: Mapped[str | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    zone_id: Mapped[str | None]
    confidence: Mapped[float | None]
    source: Mapped[str | None]

    __table_args__ = (Index("ix_suggestions_waiting", "next_try_at", **only("next_try_at IS NOT NULL")),)


class GeocoderRow(Base):
    """How the circuit breaker of a geocoder stood when a process last changed it."""

    __tablename__ = "geocoders"
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    fault: Mapped[str]
    since: Mapped[datetime]
