"""The tables that the screens add to a ticket's own. Times are UTC, coordinates WGS-84 degrees, lengths metres."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only


class SignalRow(Base):
    """Something that open screens must hear of and that is no line of a ticket's timeline; `key` says which."""

    __tablename__ = "signals"
    id: Id = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    topic: Mapped[str]
    key: Mapped[str]


class CtiCallRow(Base):
    """A call as the telephone platform tells it; each event fills its own column, so their order does not matter."""

    __tablename__ = "cti_calls"
    call_id: Mapped[str] = mapped_column(primary_key=True)
    caller_phone: Mapped[str | None]
    line: Mapped[str | None]
    seat: Mapped[str | None]
    heard_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    hung_up_at: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_cti_calls_open", "heard_at", **only("hung_up_at IS NULL")),)


class RequestRow(Base):
    """A hold or an extension that a crew asks for, until somebody who may decides."""

    __tablename__ = "requests"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    verb: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str]
    until: Mapped[datetime]
    asked_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    is_granted: Mapped[bool | None]
    answer: Mapped[str | None]

    __table_args__ = (Index("ix_requests_open", "id", **only("decided_at IS NULL")),)


class PhotoRow(Base):
    """A photo of a ticket, written again as JPEG without its metadata; `uuid` is the phone's name for it."""

    __tablename__ = "photos"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    uuid: Mapped[str] = mapped_column(unique=True)
    stage: Mapped[str]
    taken_at: Mapped[datetime]
    time_source: Mapped[str]
    stored_at: Mapped[datetime]
    stored_by: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str]
    jpeg: Mapped[bytes] = mapped_column(LargeBinary)
    thumbnail: Mapped[bytes] = mapped_column(LargeBinary)


class PositionRow(Base):
    """Where a crew member on shift was last; only the last one is kept."""

    __tablename__ = "positions"
    user_id: Id = mapped_column(ForeignKey("users.id"), primary_key=True)
    lon: Mapped[float]
    lat: Mapped[float]
    accuracy_m: Mapped[float | None]
    at: Mapped[datetime]


class PushRow(Base):
    """A browser that wants Web Push: where to send, and the keys to encrypt for it."""

    __tablename__ = "push_subscriptions"
    id: Id = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    endpoint: Mapped[str] = mapped_column(unique=True)
    p256dh: Mapped[str]
    auth: Mapped[str]
    created_at: Mapped[datetime]


class RatingRow(Base):
    """What the caller thinks of a round of work: 1 to 5 stars."""

    __tablename__ = "ratings"
    ticket_id: Id = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    stars: Mapped[int]
    words: Mapped[str]
    at: Mapped[datetime]
