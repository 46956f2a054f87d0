"""Call-backs: a row for each caller of a finished round of work, and each try to reach one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class CallbackRow(Base):
    """One caller to be called back about one round of a ticket; see domain/callback.py.

    `next_try_at` is when the caller may be rung next, `claimed_until` when a claim lapses, `rework` the number of the
    ticket under which somebody comes again; of the link only the SHA-256 of its token is kept.
    """

    __tablename__ = "callbacks"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    round: Mapped[int]
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"))
    phone: Mapped[str | None]
    state: Mapped[str]
    made_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int]
    next_try_at: Mapped[datetime | None]
    claimed_by: Mapped[int | None]
    claimed_until: Mapped[datetime | None]
    is_solved: Mapped[bool | None]
    is_satisfied: Mapped[bool | None]
    reason: Mapped[str | None]
    note: Mapped[str]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    rework: Mapped[str | None]
    token_sha256: Mapped[str | None] = mapped_column(unique=True)

    __table_args__ = (
        # The second lock behind the ticket's: nobody is rung twice for one round of one ticket.
        UniqueConstraint("ticket_id", "round", "call_id"),
        Index("ix_callbacks_caller", "ticket_id", "round", "phone", unique=True, **only("phone IS NOT NULL")),
        Index("ix_callbacks_waiting", "due_at", "id", **only("state = 'waiting'")),
        Index("ix_callbacks_phone", "phone", **only("state = 'waiting'")),
        Index("ix_callbacks_settled", "settled_at", "id", **only("settled_at IS NOT NULL")),
    )


class CallbackTryRow(Base):
    """One try: somebody rang, or the caller answered by the link."""

    __tablename__ = "callback_tries"
    id: Id = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id"), index=True)
    at: Mapped[datetime]
    user_id: Mapped[int]
    by: Mapped[str]
    state: Mapped[str]
    note: Mapped[str]
