"""Passwords of people: chosen by a link that works once, changed, reset. There are no default ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.signin import check_password
from dispatch.services import attempts, passwords, sessions, setup
from dispatch.services.desk import Desk
from dispatch.services.setup import TOKEN_BYTES, token_hash
from dispatch.storage import accounts
from dispatch.storage.accounts import Account, Session
from dispatch.storage.db import Tx

LINK_LIVES = timedelta(hours=24)


class LinkSpent(NotFound):
    """A link that was used, has expired, was replaced by a newer one, or never was."""

    code = "link-spent"

    def __init__(self) -> None:
        super().__init__("链接无效、已使用或已过期, 请管理员生成一个新的链接")


@dataclass(frozen=True, slots=True)
class Welcome:
    """Whom a link is for; None for the first administrator, who is yet to choose a login."""

    login: str | None
    name: str | None


# ---------------------------------------------------------------- links


def first_admin_link(desk: Desk, now: datetime) -> str | None:
    """Return a new link for the first administrator, voiding an older one; None where there is an administrator."""
    with desk.store.write() as tx:
        accounts.drop_links(tx, None)
        return None if accounts.has_admin(tx) else new_link(tx, None, now)


def password_link(desk: Desk, actor: Actor, login: str, now: datetime) -> str:
    """Return a new link by which a user chooses a password, voiding an older one.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for an integration, which has tokens instead.
    """
    with desk.store.write() as tx:
        user_id = _person(tx, login).actor.user_id
        accounts.drop_links(tx, user_id)
        tx.audit(now, actor, "password-link", login)
        return new_link(tx, user_id, now)


def reset(desk: Desk, actor: Actor, login: str, now: datetime, *, drop_factors: bool = False) -> str:
    """Take the password of a user away, end all sessions, and return a link to choose another.

    Args:
        desk: The process's desk.
        actor: Who resets.
        login: Whose password.
        now: The server's time.
        drop_factors: Remove one-time codes and passkeys as well: the telephone is lost.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for an integration.
    """
    with desk.store.write() as tx:
        user_id = _person(tx, login).actor.user_id
        accounts.put_password(tx, user_id, "", now)
        if drop_factors:
            accounts.put_totp(tx, user_id, None, None)
            accounts.drop_passkeys(tx, user_id)
        accounts.end_sessions(tx, user_id, now)
        accounts.drop_links(tx, user_id)
        tx.audit(now, actor, "reset-password", login, drop_factors=drop_factors)
        return new_link(tx, user_id, now)


def new_link(tx: Tx, user_id: int | None, now: datetime) -> str:
    """Return a link to choose a password, inside a transaction; None: for the first administrator, whoever that is."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    accounts.forget_links(tx, now)
    accounts.add_link(tx, _link_hash(token), user_id, now, now + LINK_LIVES)
    return token


def _link_hash(token: str) -> str:
    return token_hash(f"link:{token}")


def welcome(desk: Desk, token: str, now: datetime) -> Welcome:
    """Return whom a link is for; looking at it does not use it up.

    Raises:
        LinkSpent: if it works no more.
    """
    with desk.store.read() as tx:
        return _welcomed(tx, token, now)[1]


def _welcomed(tx: Tx, token: str, now: datetime) -> tuple[Account | None, Welcome]:
    link = accounts.link(tx, _link_hash(token), now)
    account = accounts.account_of(tx, link.user_id) if link is not None and link.user_id is not None else None
    is_first = link is not None and link.user_id is None and not accounts.has_admin(tx)
    if account is None and not is_first:
        raise LinkSpent
    return account, Welcome(account.login, account.actor.name) if account else Welcome(None, None)


def choose_password(
    desk: Desk, token: str, *, password: str, address: str, now: datetime, login: str = "", name: str = ""
) -> str:
    """Use a link up, for a first administrator to be made or for its user, and return the token of a new session.

    Raises:
        LinkSpent: if it works no more; of two at once, one gets it.
        InvalidInput: for a password, login or name that will not do; the link still works then.
        Conflict: if the login of the first administrator is taken.
    """
    check_password(password, login=welcome(desk, token, now).login or login)
    password_hash = passwords.hash_password(password)
    with desk.store.write() as tx:
        account, _ = _welcomed(tx, token, now)
        if account is None:
            setup.add_user(tx, SYSTEM, login=login, name=name, role=Role.ADMIN, team_id=None, now=now)
            account = _person(tx, login)
        if not accounts.use_link(tx, _link_hash(token), now):
            raise LinkSpent
        user_id = account.actor.user_id
        accounts.put_password(tx, user_id, password_hash, now)
        accounts.end_sessions(tx, user_id, now)
        tx.audit(now, account.actor, "choose-password", account.login, address=address)
        return sessions.begin(desk, tx, account, address, now)


# ---------------------------------------------------------------- passwords


def set_password(desk: Desk, actor: Actor, *, login: str, password: str, now: datetime) -> None:
    """Give a user a password, and end all sessions that knew another.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for a password that will not do, or an integration, which has tokens instead.
    """
    check_password(password, login=login)
    password_hash = passwords.hash_password(password)
    with desk.store.write() as tx:
        user_id = _person(tx, login).actor.user_id
        accounts.put_password(tx, user_id, password_hash, now)
        accounts.end_sessions(tx, user_id, now)
        tx.audit(now, actor, "set-password", login)


def change_password(desk: Desk, session: Session, *, current: str, new: str, address: str, now: datetime) -> None:
    """Change one's own password; all other sessions end.

    Raises:
        InvalidInput: if `current` is another, or the new one will not do.
        TooManyAttempts: after too many guesses.
    """
    check_password(new, login=session.login)
    confirm(desk, session, current, address, now)
    password_hash = passwords.hash_password(new)
    with desk.store.write() as tx:
        accounts.put_password(tx, session.actor.user_id, password_hash, now)
        accounts.end_sessions(tx, session.actor.user_id, now, but=session.session_id)
        tx.audit(now, session.actor, "change-password", session.login, address=address)


def confirm(desk: Desk, session: Session, password: str, address: str, now: datetime) -> None:
    """Ask who is signed in for the password once more: a browser left open is not its owner.

    Raises:
        InvalidInput: if it is another.
        TooManyAttempts: after too many of them; they count as those of signing in.
    """
    claim = attempts.claim(desk, "login", session.login, address, now)
    with desk.store.read() as tx:
        account = _person(tx, session.login)
    if not passwords.matches(account.password_hash, password):
        raise InvalidInput("密码不正确", field="password")
    with desk.store.write() as tx:
        claim.succeeded(tx, now)


def login_of(desk: Desk, actor: Actor) -> str:
    """Return the login of a user, empty for one who has left meanwhile."""
    with desk.store.read() as tx:
        account = accounts.account_of(tx, actor.user_id)
    return account.login if account else ""


def _person(tx: Tx, login: str) -> Account:
    """Return the account of a person, not of an integration."""
    account = accounts.account(tx, login)
    if account is None:
        raise NotFound(f"没有用户“{login}”", field="login")
    if account.actor.role is Role.INTEGRATION:
        raise InvalidInput("接口用户不登录网页, 请用 create-token 生成令牌", field="login")
    return account
