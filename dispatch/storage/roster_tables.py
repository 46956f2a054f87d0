"""Rosters, and the leave and swaps that people enter on top of them. Times are UTC, days are Shanghai's."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only

STANDS = "cancelled_at IS NULL"


class RosterRow(Base):
    """One roster: a draft as long as `valid_from` is NULL, then published and never changed.

    `body` is what domain/roster_file.py reads; `uncovered_h` are the zone-hours without anybody, as they were accepted.
    """

    __tablename__ = "rosters"
    id: Id = mapped_column(primary_key=True)
    name: Mapped[str]
    body: Mapped[dict[str, Any]]
    is_sample: Mapped[bool]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    valid_from: Mapped[datetime | None]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime | None]
    note: Mapped[str | None]
    uncovered_h: Mapped[float | None]


class LeaveRow(Base):
    """Somebody is away; `cover_id` does the duties meanwhile, if anybody does."""

    __tablename__ = "roster_leaves"
    id: Id = mapped_column(primary_key=True)
    person_id: Mapped[str]
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    reason: Mapped[str]
    cover_id: Mapped[str | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_roster_leaves_end", "end_at", **only(STANDS)),)


class SwapRow(Base):
    """The duty of `owner_id` on `day` goes to `taker_id`, and that of `back_day` the other way."""

    __tablename__ = "roster_swaps"
    id: Id = mapped_column(primary_key=True)
    unit_id: Mapped[str]
    owner_id: Mapped[str]
    day: Mapped[date]
    taker_id: Mapped[str]
    back_day: Mapped[date | None]
    note: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_roster_swaps_day", "day", **only(STANDS)),
        Index("ix_roster_swaps_back", "back_day", **only("cancelled_at IS NULL AND back_day IS NOT NULL")),
    )
