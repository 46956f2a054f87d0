"""Drafts of grid maps, what their publishing still has to move, and codes that lead to a grid without a map."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class ZoneDraftRow(Base):
    """A grid map at work; `version` counts its edits, and `warnings` are those of the file that it came from."""

    __tablename__ = "zone_drafts"
    id: Id = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    base_set_id: Mapped[int | None] = mapped_column(ForeignKey("zone_sets.id"))
    zones: Mapped[int]
    problems: Mapped[int]
    warnings: Mapped[list[Any]]
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DraftZoneRow(Base):
    """One grid of a draft."""

    __tablename__ = "draft_zones"
    draft_id: Mapped[int] = mapped_column(ForeignKey("zone_drafts.id"), primary_key=True)
    zone_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    branch: Mapped[str | None]
    team_id: Mapped[str | None]
    is_in_circle: Mapped[bool]
    wkb: Mapped[bytes] = mapped_column(LargeBinary)


class DraftStepRow(Base):
    """How to take an edit back: the grids that it made, and those that were there before, as they were."""

    __tablename__ = "draft_steps"
    draft_id: Mapped[int] = mapped_column(ForeignKey("zone_drafts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str]
    made: Mapped[list[Any]]
    before: Mapped[list[Any]]


class ZoneMoveRow(Base):
    """Open tickets that go over to a new version once it is valid; `after` is the last one that was looked at."""

    __tablename__ = "zone_moves"
    set_id: Mapped[int] = mapped_column(ForeignKey("zone_sets.id"), primary_key=True)
    due_at: Mapped[datetime]
    ordered_by: Mapped[str]
    after: Mapped[int]
    moved: Mapped[int]
    refused: Mapped[int]
    done_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_zone_moves_waiting", "due_at", **only("done_at IS NULL")),)


class ZoneCodeRow(Base):
    """A 街道 or one of its 社区 (empty for the whole 街道) that belongs to a grid, by name within its parent."""

    __tablename__ = "zone_codes"
    district: Mapped[str] = mapped_column(primary_key=True)
    street: Mapped[str] = mapped_column(primary_key=True)
    community: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str | None]
    zone_id: Mapped[str]
