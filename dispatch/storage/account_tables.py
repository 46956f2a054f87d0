"""The tables of signing in. Secrets are kept as hashes where a hash will do. Times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.storage.columns import Base, Id


class CredentialRow(Base):
    """The password of a user (argon2), and the secret of the one-time codes once they are switched on."""

    __tablename__ = "credentials"
    user_id: Id = mapped_column(ForeignKey("users.id"), primary_key=True)
    password_hash: Mapped[str]
    changed_at: Mapped[datetime]
    totp_secret: Mapped[str | None]
    totp_used_step: Mapped[int | None]


class PasskeyRow(Base):
    """A passkey of a user: its public key, and the counter that a copied one gives away."""

    __tablename__ = "passkeys"
    id: Id = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    credential_id: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    label: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SessionRow(Base):
    """A browser that is signed in; `is_full` once every factor that the account needs was given."""

    __tablename__ = "sessions"
    id: Id = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    is_full: Mapped[bool]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str]


class LinkRow(Base):
    """What works once: a link for the first administrator (no user yet), for a password; the challenge of a passkey."""

    __tablename__ = "links"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AttemptRow(Base):
    """One try that is counted against a limit; `bucket` says of what and by whom, such as `signin:login:agent`."""

    __tablename__ = "attempts"
    id: Id = mapped_column(primary_key=True)
    bucket: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_attempts_bucket", "bucket", "at"),)
