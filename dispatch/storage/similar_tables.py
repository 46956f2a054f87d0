"""What people said of two tickets: not the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base


class NotSameRow(Base):
    """Two tickets that somebody found to be of two problems; the lower id first.

    The ids are no foreign keys: such a key waits for whoever has the ticket locked, and a call must not.
    """

    __tablename__ = "not_same"
    low_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    high_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    said_by: Mapped[int]
    said_at: Mapped[datetime]

    __table_args__ = (Index("ix_not_same_high", "high_id"),)
