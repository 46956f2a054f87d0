"""Cases and customers. Times are UTC, coordinates WGS-84 degrees, lengths metres."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only

# A case that takes calls: of one person or one house there is one at most.
ALIVE = "status <> 'closed'"


class CaseRow(Base):
    """One person or one address over time; `due_at` is its next follow-up, or the end of its watch."""

    __tablename__ = "cases"
    id: Id = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    title: Mapped[str]
    status: Mapped[str]
    version: Mapped[int]
    category: Mapped[str]
    phone: Mapped[str | None]
    address: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    rhythm_days: Mapped[int]
    due_at: Mapped[datetime | None]
    root_cause: Mapped[str | None]
    root_note: Mapped[str | None]
    outcome: Mapped[str | None]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None]

    __table_args__ = (
        Index("ix_cases_alive", "kind", "key", unique=True, **only(ALIVE)),
        Index("ix_cases_due", "due_at", **only("due_at IS NOT NULL")),
    )


class CaseTicketRow(Base):
    """A ticket of a case."""

    __tablename__ = "case_tickets"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[int]
    is_auto: Mapped[bool]

    __table_args__ = (Index("ix_case_tickets_ticket", "ticket_id"),)


class CaseEntryRow(Base):
    """A line of a case's story: what people did for it, and what happened to it."""

    __tablename__ = "case_entries"
    id: Id = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    logged_at: Mapped[datetime]
    actor_id: Mapped[int]
    actor: Mapped[str]
    whom: Mapped[str]
    text: Mapped[str]
    next_step: Mapped[str]


class CustomerRow(Base):
    """Somebody of whom a flag is known; found by the phone, the address, or within a radius of a place."""

    __tablename__ = "customers"
    id: Id = mapped_column(primary_key=True)
    flag: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    address: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    radius_m: Mapped[float | None]
    note: Mapped[str]
    contact: Mapped[str]
    valid_until: Mapped[date | None]
    source: Mapped[str]
    imported_at: Mapped[datetime]
    imported_by: Mapped[int]
    removed_at: Mapped[datetime | None]


class WatchedRow(Base):
    """By what a call is known to be of a case or a customer: a phone, a house in words, a square of the map."""

    __tablename__ = "watched"
    id: Id = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
