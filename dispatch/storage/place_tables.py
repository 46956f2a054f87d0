"""The tables of addresses: what staff import, and what confirmed tickets teach. Coordinates are WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class PlaceRow(Base):
    """An estate, road, landmark, address, account number or alias that staff imported; empty is what nobody told."""

    __tablename__ = "places"
    id: Id = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    district: Mapped[str]
    street: Mapped[str]
    community: Mapped[str]
    aliases: Mapped[list[Any]]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    radius_m: Mapped[float | None]
    zone_id: Mapped[str | None]
    target: Mapped[str]
    source: Mapped[str]
    imported_at: Mapped[datetime]
    imported_by: Mapped[int]

    __table_args__ = (UniqueConstraint("kind", "name", "district", "street"),)


class LearnedRow(Base):
    """An address with the place where people pinned it and crews found it; `key` reaches to the house, not the room."""

    __tablename__ = "learned_places"
    id: Id = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(index=True)
    sound: Mapped[str] = mapped_column(index=True)
    district: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    count: Mapped[int]
    last_ticket: Mapped[str]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
