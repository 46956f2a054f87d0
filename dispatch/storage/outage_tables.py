"""Notices that water is off, and every version of each. Times are UTC, coordinates WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class OutageRow(Base):
    """A notice from its draft on.

    `zone_ids` are the grids that are off whole, `touched_ids` all that it covers any of; `area` is what was drawn, as
    WKB; `estates` are places in words: [{text, name, district, label, lon, lat, radius_m}], `extensions` the ends it
    had: [{at, ends_from, ends_to}]. `alarm_at` is when to ask next whether water will be back in time, `alarms` how
    many have rung for this end.
    """

    __tablename__ = "outages"
    id: Id = mapped_column(primary_key=True)
    status: Mapped[str]
    version: Mapped[int]
    title: Mapped[str]
    place: Mapped[str]
    is_planned: Mapped[bool]
    zone_ids: Mapped[list[Any]]
    touched_ids: Mapped[list[Any]]
    area: Mapped[bytes | None] = mapped_column(LargeBinary)
    estates: Mapped[list[Any]]
    late_return_h: Mapped[int | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    first_ends_at: Mapped[datetime]
    extensions: Mapped[list[Any]]
    restored_at: Mapped[datetime | None]
    created_by: Mapped[int]
    created_at: Mapped[datetime]
    approved_by: Mapped[int | None]
    approved_at: Mapped[datetime | None]
    short_reason: Mapped[str | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    published_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None]
    alarm_at: Mapped[datetime | None]
    alarms: Mapped[int]

    __table_args__ = (
        Index("ix_outages_open", "ends_at", **only("status = 'published'")),
        Index("ix_outages_alarm", "alarm_at", **only("alarm_at IS NOT NULL")),
    )


class OutageVersionRow(Base):
    """What somebody did to a notice, and how it stood then; never changed."""

    __tablename__ = "outage_versions"
    outage_id: Id = mapped_column(ForeignKey("outages.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    verb: Mapped[str]
    text: Mapped[str]
    shown: Mapped[dict[str, Any]]
