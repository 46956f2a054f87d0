"""The table of what single people were told. Times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class MessageRow(Base):
    """What one person was told, and why him; of a step of the ladder the how-many-th to be told he was.

    `key` is the idempotency key of its notice, before the name of the way.
    """

    __tablename__ = "messages"
    id: Id = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    text: Mapped[str]
    why: Mapped[str]
    key: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    clock: Mapped[str | None]
    round: Mapped[int | None]
    step: Mapped[int | None]
    nth: Mapped[int | None]
    token_sha256: Mapped[str | None] = mapped_column(unique=True)

    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        UniqueConstraint("ticket_id", "clock", "round", "step", "nth"),
        Index("ix_messages_user", "user_id", "id"),
    )
