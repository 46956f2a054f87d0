"""Passwords of people: set, changed, reset; and the links by which they are chosen."""

from __future__ import annotations

from datetime import datetime

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Role
from dispatch.domain.signin import check_password
from dispatch.services import passwords
from dispatch.services.desk import Desk
from dispatch.storage import accounts
from dispatch.storage.accounts import Account
from dispatch.storage.db import Tx


def set_password(desk: Desk, actor: Actor, *, login: str, password: str, now: datetime) -> None:
    """Give a user a password, and end all sessions that knew another.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for a password that will not do, or an integration, which has tokens instead.
    """
    check_password(password, login=login)
    password_hash = passwords.hash_password(password)
    with desk.store.write() as tx:
        account = person(tx, login)
        accounts.put_password(tx, account.actor.user_id, password_hash, now)
        accounts.end_sessions(tx, account.actor.user_id, now)
        tx.audit(now, actor, "set-password", login)


def person(tx: Tx, login: str) -> Account:
    """Return the account of a person.

    Raises:
        NotFound: if there is no such login.
        InvalidInput: for an integration.
    """
    account = accounts.account(tx, login)
    if account is None:
        raise NotFound(f"没有用户“{login}”", field="login")
    if account.actor.role is Role.INTEGRATION:
        raise InvalidInput("接口用户不登录网页, 请用 create-token 生成令牌", field="login")
    return account


def login_of(desk: Desk, actor: Actor) -> str:
    """Return the login of a user, empty for one who has left meanwhile."""
    with desk.store.read() as tx:
        account = accounts.account_of(tx, actor.user_id)
    return account.login if account else ""
