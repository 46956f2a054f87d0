"""Road graphs and what is reached on them. Times are UTC, coordinates WGS-84 degrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class RoadGraphRow(Base):
    """One version of the road graph; the newest holds. `travel` is what it was made with, `npz` its arrays."""

    __tablename__ = "road_graphs"
    id: Id = mapped_column(primary_key=True)
    source: Mapped[str]
    sha256: Mapped[str]
    imported_at: Mapped[datetime]
    nodes: Mapped[int]
    arcs: Mapped[int]
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    travel: Mapped[dict[str, Any]]
    npz: Mapped[bytes] = mapped_column(LargeBinary)


class IsochroneRow(Base):
    """What is reached from a place within some minutes, found once for each graph; `wkb` is NULL off the roads."""

    __tablename__ = "isochrones"
    graph_id: Mapped[int] = mapped_column(ForeignKey("road_graphs.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    minutes: Mapped[float] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    wkb: Mapped[bytes | None] = mapped_column(LargeBinary)
