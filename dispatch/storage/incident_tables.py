"""The tables of incidents: one burst, many tickets and callers. A ticket tells itself which one it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only

_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class IncidentRow(Base):
    """One incident; its lead is the ticket of it that is not carried. `suggested` are ticket ids of a proposal."""

    __tablename__ = "incidents"
    id: Id = mapped_column(primary_key=True)
    status: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    category: Mapped[str]
    reason: Mapped[str]
    suggested: Mapped[list[Any]]
    area: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    area_how: Mapped[dict[str, Any] | None] = mapped_column(_JSON)
    affected_users: Mapped[int | None]
    affected_basis: Mapped[str | None]
    isolated_at: Mapped[datetime | None]
    restore_expected_at: Mapped[datetime | None]
    restored_at: Mapped[datetime | None]
    created_by: Mapped[int]
    created_at: Mapped[datetime]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_incidents_alive", "id", **only("status IN ('proposed', 'open')")),)


class IncidentEventRow(Base):
    """What happened to an incident, in words."""

    __tablename__ = "incident_events"
    id: Id = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    actor_id: Mapped[int]
    text: Mapped[str]
