"""Browsers that are signed in: a random token in their cookie, its hash in a row here."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import signin
from dispatch.domain.roles import SYSTEM
from dispatch.domain.signin import Standing, WrongCredentials
from dispatch.services import attempts, passwords
from dispatch.services.desk import Desk
from dispatch.services.setup import LOGIN, TOKEN_BYTES, token_hash
from dispatch.storage import accounts
from dispatch.storage.accounts import Account, Session
from dispatch.storage.db import Tx


def sign_in(desk: Desk, *, login: str, password: str, address: str, now: datetime) -> str:
    """Return the token of a new session; whether it is full, its account's factors say.

    Raises:
        WrongCredentials: for an unknown login as for a wrong password.
        TooManyAttempts: after too many of them.
    """
    claim = attempts.claim(desk, "login", login, address, now)
    account = None
    if LOGIN.fullmatch(login):  # what is no login may be no text for the database either
        with desk.store.read() as tx:
            account = accounts.account(tx, login)
    if not passwords.matches(account.password_hash if account else None, password) or account is None:
        _refuse(desk, login if account else "?", address, now, mark=attempts.fingerprint(login))
        raise WrongCredentials("登录名或密码不正确")
    with desk.store.write() as tx:
        claim.succeeded(tx, now)
        return begin(desk, tx, account, address, now)


def _refuse(desk: Desk, subject: str, address: str, now: datetime, **detail: Any) -> None:
    with desk.store.write() as tx:
        tx.audit(now, SYSTEM, "sign-in-refused", subject, address=address, **detail)


def begin(desk: Desk, tx: Tx, account: Account, address: str, now: datetime) -> str:
    """Add a session for an account whose password is known to be right, and return its token."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    is_full = standing(desk, account) is Standing.FULL
    values = {"sha256": token_hash(token), "user_id": account.actor.user_id, "is_full": is_full, "address": address}
    accounts.add_session(tx, {**values, "created_at": now, "seen_at": now})
    tx.audit(now, account.actor, "sign-in", account.login, address=address, is_full=is_full)
    return token


def standing(desk: Desk, account: Account) -> Standing:
    """Return what a session of the account needs before it may do anything else."""
    needs_one = desk.settings.admin_second_factor
    return signin.standing(account.actor.role, has_factor=account.has_factor, admin_needs_one=needs_one)


def standing_of(desk: Desk, session: Session) -> Standing:
    """Return what a session still lacks."""
    if session.is_full:
        return Standing.FULL
    with desk.store.read() as tx:
        account = accounts.account_of(tx, session.actor.user_id)
    # Its user has left meanwhile, or has got what was lacking: there is nothing to do but to sign in again.
    lacking = standing(desk, account) if account else Standing.VERIFY
    return Standing.VERIFY if lacking is Standing.FULL else lacking


def look(desk: Desk, token: str, now: datetime) -> Session | None:
    """Return the session of a token, or None where it is unknown, ended or too old."""
    with desk.store.read() as tx:
        found = accounts.session(tx, token_hash(token))
    if found is None or not signin.is_alive(found.created_at, found.seen_at, desk.settings.session_idle_s, now):
        return None
    return found


def use(desk: Desk, session: Session, now: datetime) -> Session:
    """Note that somebody uses a session, so that it goes on; once a minute is enough."""
    if now - session.seen_at < signin.TOUCH_EVERY:
        return session
    with desk.store.write() as tx:
        accounts.touch_session(tx, session.session_id, now)
    return replace(session, seen_at=now)


def fill(tx: Tx, session: Session, factor: str, now: datetime) -> str:
    """Make a session full after its factor was given, and return its new token: the old one was worth less."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    accounts.fill_session(tx, session.session_id, token_hash(token))
    tx.audit(now, session.actor, "second-factor", session.login, factor=factor)
    return token


def sign_out(desk: Desk, session: Session, now: datetime) -> None:
    """End a session."""
    with desk.store.write() as tx:
        accounts.end_session(tx, session.session_id, now)
        tx.audit(now, session.actor, "sign-out", session.login)


def sign_out_others(desk: Desk, session: Session, now: datetime) -> int:
    """End all other sessions of the same user and return how many."""
    with desk.store.write() as tx:
        ended = accounts.end_sessions(tx, session.actor.user_id, now, but=session.session_id)
        tx.audit(now, session.actor, "sign-out-others", session.login, sessions=ended)
    return ended


def own(desk: Desk, session: Session, now: datetime) -> list[dict[str, Any]]:
    """Return the living sessions of the same user, the last used first."""
    idle = timedelta(seconds=desk.settings.session_idle_s)
    with desk.store.read() as tx:
        found = accounts.open_sessions(tx, session.actor.user_id, now - signin.LONGEST, now - idle)
    return [row | {"is_this": row["id"] == session.session_id} for row in found]
