"""What the figures keep: the facts of each day, packed, and how far the tickets' history has been read for them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class FiguresDayRow(Base):
    """The facts of the tickets received, and of the calls made, on a Shanghai day; see domain/facts.py."""

    __tablename__ = "figures_days"
    day: Mapped[date] = mapped_column(primary_key=True)
    facts: Mapped[bytes] = mapped_column(LargeBinary)


class FiguresMarkRow(Base):
    """How far the days are true: whatever an event or call above these ids has changed is not in them yet.

    The `seen_*` are the newest ids of an earlier look: once all transactions of then are over (`seen_until`, on
    PostgreSQL), nothing below them can still come.
    """

    __tablename__ = "figures_mark"
    id: Id = mapped_column(primary_key=True)
    format: Mapped[int]
    event_id: Mapped[int]
    call_id: Mapped[int]
    seen_event: Mapped[int]
    seen_call: Mapped[int]
    seen_until: Mapped[int]
    seen_at: Mapped[datetime | None]
