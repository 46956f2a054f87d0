"""Who may sign in, and with what: passwords, sessions, links that work once, and counted attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, insert, or_, select, update

from dispatch.domain.roles import Actor, Role
from dispatch.storage.account_tables import AttemptRow, CredentialRow, LinkRow, PasskeyRow, SessionRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import UserRow

USERS, CREDENTIALS, PASSKEYS = table_of(UserRow), table_of(CredentialRow), table_of(PasskeyRow)
SESSIONS, LINKS, ATTEMPTS = table_of(SessionRow), table_of(LinkRow), table_of(AttemptRow)

_HAS_PASSKEY = exists().where(PASSKEYS.c.user_id == USERS.c.id)
_ACCOUNT = select(
    USERS.c.id,
    USERS.c.login,
    USERS.c.name,
    USERS.c.role,
    USERS.c.team_id,
    CREDENTIALS.c.password_hash,
    CREDENTIALS.c.totp_secret,
    CREDENTIALS.c.totp_used_step,
    _HAS_PASSKEY.label("has_passkey"),
).outerjoin_from(USERS, CREDENTIALS, CREDENTIALS.c.user_id == USERS.c.id)
_SESSION = (
    select(
        SESSIONS.c.id,
        SESSIONS.c.is_full,
        SESSIONS.c.created_at,
        SESSIONS.c.seen_at,
        USERS.c.id.label("user_id"),
        USERS.c.login,
        USERS.c.name,
        USERS.c.role,
        USERS.c.team_id,
    )
    .join(USERS, SESSIONS.c.user_id == USERS.c.id)
    .where(SESSIONS.c.ended_at.is_(None), USERS.c.is_active)
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user who has not left, with what he can sign in by.

    Attributes:
        actor: The user.
        login: The name to sign in by.
        password_hash: None before a password was chosen, empty once it was taken away.
        totp_secret: None where one-time codes are off.
        totp_used_step: The last step whose code was taken.
        has_passkey: Whether there is any.
    """

    actor: Actor
    login: str
    password_hash: str | None
    totp_secret: str | None
    totp_used_step: int | None
    has_passkey: bool

    @property
    def has_factor(self) -> bool:
        """Whether the password alone is not enough."""
        return self.totp_secret is not None or self.has_passkey


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    session_id: int
    actor: Actor
    login: str
    is_full: bool
    created_at: datetime
    seen_at: datetime


def account(tx: Tx, login: str) -> Account | None:
    """Return an account by login, or None where there is none or its user has left."""
    row = tx.conn.execute(_ACCOUNT.where(USERS.c.login == login, USERS.c.is_active)).first()
    return _account(row) if row else None


def account_of(tx: Tx, user_id: int) -> Account | None:
    """Return an account by the id of its user."""
    row = tx.conn.execute(_ACCOUNT.where(USERS.c.id == user_id, USERS.c.is_active)).first()
    return _account(row) if row else None


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    actor = Actor(row.id, row.name, Role(row.role), row.team_id)
    return Account(actor, row.login, row.password_hash, row.totp_secret, row.totp_used_step, row.has_passkey)


def has_admin(tx: Tx) -> bool:
    """Tell whether anybody administers the installation."""
    found = select(USERS.c.id).where(USERS.c.role == Role.ADMIN, USERS.c.is_active).limit(1)
    return tx.conn.execute(found).first() is not None


def put_password(tx: Tx, user_id: int, password_hash: str, now: datetime) -> None:
    """Write a password down, in place of an older one."""
    put = upsert(tx.dialect, CREDENTIALS).values(user_id=user_id, password_hash=password_hash, changed_at=now)
    changed = {"password_hash": password_hash, "changed_at": now}
    tx.conn.execute(put.on_conflict_do_update(index_elements=["user_id"], set_=changed))


def put_totp(tx: Tx, user_id: int, secret: str | None, step: int | None) -> None:
    """Switch one-time codes on, from the step after `step`, or off."""
    changed = {"totp_secret": secret, "totp_used_step": step}
    tx.conn.execute(update(CREDENTIALS).where(CREDENTIALS.c.user_id == user_id).values(**changed))


def use_step(tx: Tx, user_id: int, step: int) -> bool:
    """Take the code of a step, and tell whether it was still to be had: no step is taken twice, nor an older one."""
    is_newer = or_(CREDENTIALS.c.totp_used_step.is_(None), CREDENTIALS.c.totp_used_step < step)
    used = update(CREDENTIALS).where(CREDENTIALS.c.user_id == user_id, is_newer).values(totp_used_step=step)
    return tx.conn.execute(used).rowcount == 1


def passkeys(tx: Tx, user_id: int) -> list[dict[str, Any]]:
    """Return the passkeys of a user, oldest first."""
    found = select(PASSKEYS).where(PASSKEYS.c.user_id == user_id).order_by(PASSKEYS.c.id)
    return [dict(row) for row in tx.conn.execute(found).mappings()]


def add_passkey(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Insert a passkey and tell whether it is a new one."""
    put = upsert(tx.dialect, PASSKEYS).values(**values).on_conflict_do_nothing(index_elements=["credential_id"])
    return tx.conn.execute(put.returning(PASSKEYS.c.id)).scalar() is not None


def use_passkey(tx: Tx, passkey_id: int, sign_count: int, now: datetime) -> None:
    """Note the use of a passkey, and its counter."""
    used = update(PASSKEYS).where(PASSKEYS.c.id == passkey_id)
    tx.conn.execute(used.values(sign_count=sign_count, used_at=now))


def drop_passkeys(tx: Tx, user_id: int, passkey_id: int | None = None) -> int:
    """Remove one passkey of a user, or all; return how many."""
    dropped = delete(PASSKEYS).where(PASSKEYS.c.user_id == user_id)
    if passkey_id is not None:
        dropped = dropped.where(PASSKEYS.c.id == passkey_id)
    return int(tx.conn.execute(dropped).rowcount)


# ---------------------------------------------------------------- sessions


def add_session(tx: Tx, values: Mapping[str, Any]) -> None:
    """Insert a session."""
    tx.conn.execute(insert(SESSIONS).values(**values))


def session(tx: Tx, sha256: str) -> Session | None:
    """Return the session of a token unless it was ended or its user has left; how old it is, is not asked."""
    row = tx.conn.execute(_SESSION.where(SESSIONS.c.sha256 == sha256)).first()
    if row is None:
        return None
    actor = Actor(row.user_id, row.name, Role(row.role), row.team_id)
    return Session(row.id, actor, row.login, row.is_full, row.created_at, row.seen_at)


def touch_session(tx: Tx, session_id: int, now: datetime) -> None:
    """Note that a session is in use."""
    tx.conn.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(seen_at=now))


def fill_session(tx: Tx, session_id: int, sha256: str) -> None:
    """Make a session full, under a new token."""
    tx.conn.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(is_full=True, sha256=sha256))


def end_session(tx: Tx, session_id: int, now: datetime) -> None:
    """End one session."""
    tx.conn.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(ended_at=now))


def end_sessions(tx: Tx, user_id: int, now: datetime, *, but: int | None = None) -> int:
    """End the sessions of a user, all but one if it is given; return how many."""
    ended = update(SESSIONS).where(SESSIONS.c.user_id == user_id, SESSIONS.c.ended_at.is_(None))
    if but is not None:
        ended = ended.where(SESSIONS.c.id != but)
    return int(tx.conn.execute(ended.values(ended_at=now)).rowcount)


def open_sessions(tx: Tx, user_id: int, since: datetime, seen_since: datetime) -> list[dict[str, Any]]:
    """Return the sessions of a user begun after `since` and used after `seen_since`, the last used first."""
    columns = (SESSIONS.c.id, SESSIONS.c.created_at, SESSIONS.c.seen_at, SESSIONS.c.address)
    found = (
        select(*columns)
        .where(SESSIONS.c.user_id == user_id, SESSIONS.c.ended_at.is_(None), SESSIONS.c.is_full)
        .where(SESSIONS.c.created_at > since, SESSIONS.c.seen_at > seen_since)
        .order_by(SESSIONS.c.seen_at.desc(), SESSIONS.c.id.desc())
    )
    return [dict(row) for row in tx.conn.execute(found).mappings()]


# ---------------------------------------------------------------- what works once


def add_link(tx: Tx, sha256: str, user_id: int | None, now: datetime, expires_at: datetime) -> None:
    """Insert something that works once, until `expires_at`."""
    tx.conn.execute(
        insert(LINKS).values(sha256=sha256, user_id=user_id, created_at=now, expires_at=expires_at, used_at=None)
    )


def _still_good(sha256: str, now: datetime) -> ColumnElement[bool]:
    return and_(LINKS.c.sha256 == sha256, LINKS.c.used_at.is_(None), LINKS.c.expires_at > now)


def link(tx: Tx, sha256: str, now: datetime) -> Row[*tuple[Any, ...]] | None:
    """Return a link that may still be used, or None."""
    return tx.conn.execute(select(LINKS).where(_still_good(sha256, now))).first()


def use_link(tx: Tx, sha256: str, now: datetime) -> bool:
    """Use a link up and tell whether it was still good; of two at once, one gets it."""
    used = update(LINKS).where(_still_good(sha256, now)).values(used_at=now)
    return tx.conn.execute(used).rowcount == 1


def drop_links(tx: Tx, user_id: int | None) -> None:
    """Void what still works once for a user (None: for the first administrator)."""
    tx.conn.execute(delete(LINKS).where(LINKS.c.user_id.is_not_distinct_from(user_id)))


def forget_links(tx: Tx, now: datetime) -> None:
    """Forget what has expired."""
    tx.conn.execute(delete(LINKS).where(LINKS.c.expires_at < now))


# ---------------------------------------------------------------- attempts


def line_up(tx: Tx, bucket: str) -> None:
    """Let those who count against one bucket wait for each other; on SQLite every writer does."""
    if tx.dialect == "postgresql":
        tx.conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(bucket, 0))))


def attempts(tx: Tx, bucket: str, since: datetime) -> list[datetime]:
    """Return the times of the attempts after `since`, oldest first."""
    found = select(ATTEMPTS.c.at).where(ATTEMPTS.c.bucket == bucket, ATTEMPTS.c.at > since)
    return list(tx.conn.execute(found.order_by(ATTEMPTS.c.at)).scalars())


def add_attempt(tx: Tx, bucket: str, now: datetime) -> int:
    """Count an attempt and return its id."""
    added = insert(ATTEMPTS).values(bucket=bucket, at=now).returning(ATTEMPTS.c.id)
    return cast(int, tx.conn.execute(added).scalar_one())


def drop_attempt(tx: Tx, attempt_id: int) -> None:
    """Take one attempt back."""
    tx.conn.execute(delete(ATTEMPTS).where(ATTEMPTS.c.id == attempt_id))


def drop_attempts(tx: Tx, bucket: str) -> None:
    """Forget what was counted against a bucket."""
    tx.conn.execute(delete(ATTEMPTS).where(ATTEMPTS.c.bucket == bucket))


def forget_attempts(tx: Tx, before: datetime) -> None:
    """Forget all attempts that no rule looks at any more."""
    tx.conn.execute(delete(ATTEMPTS).where(ATTEMPTS.c.at < before))
