"""Surges, the wider clocks that were agreed in them, and what their digests hold. Times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class SurgeRow(Base):
    """One surge.

    `is_held`: a person said so, and no threshold changes it; of the newest row it counts after the end too.
    `digest_to`, `at_once` and `digest_every_s` are the policy's on the day; `digest_at` is when the next one goes out.
    """

    __tablename__ = "surges"
    id: Id = mapped_column(primary_key=True)
    is_open: Mapped[bool]
    is_held: Mapped[bool]
    version: Mapped[int]
    entered_at: Mapped[datetime]
    entered_how: Mapped[str]
    entered_by: Mapped[str]
    reason: Mapped[str]
    figures: Mapped[dict[str, Any]]
    left_at: Mapped[datetime | None]
    left_how: Mapped[str | None]
    left_by: Mapped[str | None]
    left_reason: Mapped[str | None]
    calm_since: Mapped[datetime | None]
    broadcast: Mapped[str]
    public_text: Mapped[str]
    digest_to: Mapped[list[Any]]
    at_once: Mapped[list[Any]]
    digest_every_s: Mapped[float]
    digest_at: Mapped[datetime]
    digests: Mapped[int]

    # At most one is open, however many schedulers look.
    __table_args__ = (Index("ix_surges_open", "is_open", unique=True, **only("is_open")),)


class WideningRow(Base):
    """Clocks that are to be wider in a surge: proposed by one, approved or refused by another.

    `after` is how far the running tickets are done, NULL where there is nothing (more) to do to them.
    """

    __tablename__ = "surge_widenings"
    id: Id = mapped_column(primary_key=True)
    surge_id: Mapped[int] = mapped_column(ForeignKey("surges.id"), index=True)
    state: Mapped[str]
    levels: Mapped[list[Any]]
    clocks: Mapped[list[Any]]
    factor: Mapped[float]
    word: Mapped[str]
    is_for_running: Mapped[bool]
    proposed_by_id: Mapped[int]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str]
    after: Mapped[int | None]
    widened: Mapped[int]

    __table_args__ = (Index("ix_surge_widenings_to_do", "id", **only("after IS NOT NULL")),)


class DigestItemRow(Base):
    """A step of the ladder whose notice to `recipient` goes into a digest: its number, NULL as long as it waits."""

    __tablename__ = "digest_items"
    id: Id = mapped_column(primary_key=True)
    surge_id: Mapped[int] = mapped_column(ForeignKey("surges.id"))
    recipient: Mapped[str]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    clock: Mapped[str]
    round: Mapped[int]
    step: Mapped[int]
    number: Mapped[str]
    level: Mapped[str]
    ratio: Mapped[float]
    label: Mapped[str]
    at: Mapped[datetime]
    digest: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("ticket_id", "clock", "round", "step", "recipient"),
        Index("ix_digest_items_waiting", "surge_id", **only("digest IS NULL")),
    )
