"""Every table, once. Times are UTC, coordinates WGS-84 degrees (lon, lat), lengths metres."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id, only

# A clock that can break: neither met nor ended, and not on hold.
RUNNING = "met_at IS NULL AND NOT is_void AND paused_at IS NULL"
# A step at the breach or beyond that nobody has answered.
UNANSWERED = "acknowledged_at IS NULL AND ratio >= 1"
# Tickets whose work another one of the same incident does; and those that lead an incident: one each.
CARRIED = "is_carried AND ended_at IS NULL"
LEADING = "incident_id IS NOT NULL AND NOT is_carried"


class ZoneSet(Base):
    """One published version of the grid map."""

    __tablename__ = "zone_sets"
    id: Id = mapped_column(primary_key=True)
    source: Mapped[str]
    sha256: Mapped[str]
    is_sample: Mapped[bool]
    valid_from: Mapped[datetime] = mapped_column(index=True)
    imported_at: Mapped[datetime]


class ZoneRow(Base):
    """One grid of one version."""

    __tablename__ = "zones"
    set_id: Mapped[int] = mapped_column(ForeignKey("zone_sets.id"), primary_key=True)
    zone_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    branch: Mapped[str | None]
    team_id: Mapped[str | None]
    is_in_circle: Mapped[bool]
    wkb: Mapped[bytes] = mapped_column(LargeBinary)


class TeamRow(Base):
    """A grid team with its stewards in order: [{id, name, rank}]."""

    __tablename__ = "teams"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    branch: Mapped[str | None]
    stewards: Mapped[list[Any]]


class PolicyRow(Base):
    """One version of the service policy; never changed."""

    __tablename__ = "policies"
    version: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[datetime] = mapped_column(index=True)
    raw: Mapped[dict[str, Any]]
    loaded_at: Mapped[datetime]
    author: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str] = mapped_column(server_default="")


class RevisionRow(Base):
    """Counts changes, so that processes keep what they read: 1 policies, grids, teams, rosters, surges, 2 places."""

    __tablename__ = "revisions"
    id: Id = mapped_column(primary_key=True)
    revision: Mapped[int]


class UserRow(Base):
    """A person or an integration."""

    __tablename__ = "users"
    id: Id = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    is_active: Mapped[bool]
    created_at: Mapped[datetime]


class TokenRow(Base):
    """A bearer token, of which only the SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Id = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    sha256: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class TicketRow(Base):
    """The single ticket of a call."""

    __tablename__ = "tickets"
    id: Id = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    version: Mapped[int]
    round: Mapped[int]
    level: Mapped[str]
    category: Mapped[str]
    area: Mapped[str]
    policy_version: Mapped[str] = mapped_column(ForeignKey("policies.version"))
    received_at: Mapped[datetime]
    moved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    team_id: Mapped[str | None]
    branch: Mapped[str | None]
    steward: Mapped[str | None]
    zone_id: Mapped[str | None]
    zone_set_id: Mapped[int | None]
    route_status: Mapped[str]
    route_reason: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    placed_by: Mapped[str | None]
    placed_entry: Mapped[int | None]
    address: Mapped[str]
    description: Mapped[str]
    pipe_dn: Mapped[int | None]
    appointment_at: Mapped[datetime | None]
    ruled_team_id: Mapped[str | None]
    assisting: Mapped[list[Any]]
    is_supervised: Mapped[bool]
    urge_count: Mapped[int]
    callback_attempts: Mapped[int]
    is_solved: Mapped[bool | None]
    is_satisfied: Mapped[bool | None]
    merged_into: Mapped[str | None]
    # By these two the tickets of one problem are found; see domain/cells.py and domain/address_match.py.
    cell: Mapped[int | None]
    place_key: Mapped[str | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))
    is_carried: Mapped[bool] = mapped_column(server_default=false())
    # By which calls about one house are known; which call of its caller or house it was, where that is to be pointed
    # out; the customer flags that hold for it, and who is therefore told as well.
    spot: Mapped[str | None]
    nth_call: Mapped[int | None]
    flags: Mapped[list[Any] | None] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    notify: Mapped[list[Any] | None] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    # How the last 完工 left the place; the ticket whose rest this one is; and whose callers are this one's as well.
    outcome: Mapped[str | None]
    temporary_kind: Mapped[str | None]
    follow_up_of: Mapped[str | None]
    origin_id: Mapped[int | None]
    rework_of: Mapped[str | None]

    __table_args__ = (
        Index("ix_tickets_cell", "cell", "id", **only("ended_at IS NULL")),
        Index("ix_tickets_place_key", "place_key", "id", **only("ended_at IS NULL")),
        Index("ix_tickets_spot", "spot", "received_at", **only("spot IS NOT NULL")),
        Index("ix_tickets_follow_up", "follow_up_of", **only("follow_up_of IS NOT NULL")),
        Index("ix_tickets_origin", "origin_id", **only("origin_id IS NOT NULL")),
        Index("ix_tickets_open", "team_id", "id", **only("ended_at IS NULL")),
        Index("ix_tickets_status", "status", "id"),
        Index("ix_tickets_zone", "zone_id", "id"),
        Index("ix_tickets_received", "received_at"),
        Index("ix_tickets_ended", "ended_at", "status", **only("ended_at IS NOT NULL")),
        Index("ix_tickets_place", "lat", "lon", **only("ended_at IS NULL")),
        Index("ix_tickets_incident", "incident_id", "id", **only("incident_id IS NOT NULL")),
        Index("ix_tickets_lead", "incident_id", unique=True, **only(LEADING)),
        Index("ix_tickets_carried", "id", **only(CARRIED)),
        Index("ix_tickets_merged", "merged_into", **only("merged_into IS NOT NULL")),
        Index("ix_tickets_rework", "rework_of", **only("rework_of IS NOT NULL")),
    )


class CallRow(Base):
    """One call: it became a ticket, joined one, or was answered. The raw pair is kept as it came."""

    __tablename__ = "calls"
    id: Id = mapped_column(primary_key=True)
    cti_call_id: Mapped[str | None] = mapped_column(unique=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    outcome: Mapped[str]
    called_at: Mapped[datetime]
    logged_at: Mapped[datetime] = mapped_column(index=True)
    taken_by: Mapped[int]
    caller_phone: Mapped[str | None] = mapped_column(index=True)
    caller_name: Mapped[str | None]
    category: Mapped[str]
    description: Mapped[str]
    address: Mapped[str]
    answers: Mapped[dict[str, Any]]
    raw_lon: Mapped[float | None]
    raw_lat: Mapped[float | None]
    datum: Mapped[str | None]
    answer: Mapped[str | None]
    outage_id: Mapped[int | None] = mapped_column(ForeignKey("outages.id"))
    # The article that it was answered by, as it stood then.
    article_id: Mapped[int | None]
    article_version: Mapped[int | None]

    __table_args__ = (
        Index("ix_calls_outage", "outage_id", **only("outage_id IS NOT NULL")),
        Index("ix_calls_answered", "logged_at", "article_id", **only("outcome = 'answered'")),
    )


class ClockRow(Base):
    """One promise of one round; see domain/sla.py. `stuck_since`: when a step was due that could not be fired.

    `rescue_at` follows from the others; it is kept so that the boards need not look at every running clock.
    """

    __tablename__ = "clocks"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    kind: Mapped[str]
    round: Mapped[int]
    start_at: Mapped[datetime]
    due_at: Mapped[datetime]
    original_due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    resume_at: Mapped[datetime | None]
    paused_s: Mapped[float]
    is_void: Mapped[bool]
    next_step: Mapped[int]
    next_fire_at: Mapped[datetime | None]
    stuck_since: Mapped[datetime | None]
    travel_s: Mapped[float | None]
    travel_kind: Mapped[str | None]
    travel_due_at: Mapped[datetime | None]
    rescue_at: Mapped[datetime | None]
    widening_id: Mapped[int | None]
    pause_moved_s: Mapped[float | None]
    ladder_from: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        UniqueConstraint("ticket_id", "kind", "round"),
        # The sweep's only question, whatever the number of tickets: which rows are due?
        Index("ix_clocks_stuck", "stuck_since", **only("stuck_since IS NOT NULL")),
        Index("ix_clocks_unfired", "next_fire_at", **only("next_fire_at IS NOT NULL")),
        # And the estimates of travel: which are to be made anew?
        Index("ix_clocks_travel", "travel_due_at", **only("travel_due_at IS NOT NULL")),
        # The boards' questions: what breaks first, and what is in danger or broken already?
        Index("ix_clocks_running", "due_at", "id", **only(RUNNING)),
        Index("ix_clocks_rescue", "rescue_at", "ticket_id", "due_at", **only(RUNNING)),
    )


class EscalationRow(Base):
    """One step of the ladder that fired; the unique key is the promise "exactly once".

    `answer_s` is how long who is told has to answer; `ask_at`, when the next one is told: None once somebody answered,
    or nobody is left.
    """

    __tablename__ = "escalations"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    clock: Mapped[str]
    round: Mapped[int]
    step: Mapped[int]
    ratio: Mapped[float]
    label: Mapped[str]
    recipients: Mapped[list[Any]]
    scheduled_at: Mapped[datetime]
    fired_at: Mapped[datetime]
    late_s: Mapped[float]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    answer_s: Mapped[float | None]
    ask_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("ticket_id", "clock", "round", "step"),
        Index("ix_escalations_ask", "ask_at", **only("ask_at IS NOT NULL")),
        Index("ix_escalations_unanswered", "id", **only("acknowledged_at IS NULL")),
        Index("ix_escalations_breached", "ticket_id", **only(UNANSWERED)),
    )


class EventRow(Base):
    """The timeline of a ticket, in words. `at` is the server's time, `effective_at` the one that counts."""

    __tablename__ = "events"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    effective_at: Mapped[datetime]
    time_source: Mapped[str]
    kind: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    actor_id: Mapped[int]
    text: Mapped[str]


class OutboxRow(Base):
    """A notice on its way: queued, leased by a sender, sent, or failed for good; unknown where no answer came back.

    `tried_at`: when the try began whose outcome nobody knows (yet); None where none is open.
    `html`: of a letter, the document that goes with its text.
    """

    __tablename__ = "outbox"
    id: Id = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    channel: Mapped[str]
    recipients: Mapped[list[Any]]
    text: Mapped[str]
    html: Mapped[str | None]
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]

    __table_args__ = (Index("ix_outbox_waiting", "next_try_at", **only("next_try_at IS NOT NULL")),)


class AuditRow(Base):
    """Who did or saw what; appended only, and sealed once: its place and hash in the chain."""

    __tablename__ = "audit"
    id: Id = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    seq: Mapped[int | None] = mapped_column(unique=True)
    hash: Mapped[str | None]

    __table_args__ = (Index("ix_audit_unsealed", "id", **only("seq IS NULL")),)


class AuditHeadRow(Base):
    """Where the chain ends; its row lock lets one sealer work at a time."""

    __tablename__ = "audit_head"
    id: Id = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str]


class ReplyRow(Base):
    """The first answer to an idempotency key, to be given again."""

    __tablename__ = "replies"
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[str]
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    created_at: Mapped[datetime]


class DayNumberRow(Base):
    """The last ticket number given on a Shanghai day."""

    __tablename__ = "day_numbers"
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class HeartbeatRow(Base):
    """A scheduler that lives."""

    __tablename__ = "heartbeats"
    worker: Mapped[str] = mapped_column(String(120), primary_key=True)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    swept: Mapped[int]
    max_late_s: Mapped[float]
