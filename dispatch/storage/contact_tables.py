"""The tables of reaching people: where, by which ways they want it, and what became of what was sent. Times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class ContactRow(Base):
    """Where a user is reached."""

    __tablename__ = "contacts"
    user_id: Id = mapped_column(ForeignKey("users.id"), primary_key=True)
    phone: Mapped[str | None]
    email: Mapped[str | None]
    wecom_id: Mapped[str | None]
    changed_at: Mapped[datetime]


class WayChoiceRow(Base):
    """A way that a user switched off, or on again."""

    __tablename__ = "way_choices"
    user_id: Id = mapped_column(ForeignKey("users.id"), primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool]


class QuietRow(Base):
    """The hours in which a user wants to hear of emergencies alone, in minutes of the day in Shanghai."""

    __tablename__ = "quiet_hours"
    user_id: Id = mapped_column(ForeignKey("users.id"), primary_key=True)
    start_min: Mapped[int]
    end_min: Mapped[int]


class SendingRow(Base):
    """A notice that a gateway took: its number there, its parts, and the receipt once there is one.

    `ask_at`: when the gateway is asked for the receipt next; None once it is known or no longer asked for.
    """

    __tablename__ = "sendings"
    outbox_id: Id = mapped_column(ForeignKey("outbox.id"), primary_key=True)
    channel: Mapped[str]
    address: Mapped[str]
    reference: Mapped[str]
    parts: Mapped[int]
    accepted_at: Mapped[datetime]
    state: Mapped[str]
    detail: Mapped[str]
    asked: Mapped[int]
    ask_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_sendings_month", "channel", "accepted_at"),
        Index("ix_sendings_ask", "ask_at", **only("ask_at IS NOT NULL")),
    )
