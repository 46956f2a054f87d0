"""One-time codes (TOTP, RFC 6238) as a second factor: switched on by a code, never taken twice."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp

from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.roles import Role
from dispatch.domain.signin import Standing, WrongCredentials
from dispatch.services import attempts, sessions
from dispatch.services.accounts import confirm
from dispatch.services.desk import Desk
from dispatch.storage import accounts
from dispatch.storage.accounts import Account, Session
from dispatch.storage.db import Tx

_ISSUER = "96533 供水调度"
_STEP_S = 30
# Clocks of telephones are off by some seconds, and people type slowly.
_STEPS_OFF = 1


class MustKeepFactor(NotPermitted):
    """The last factor of an administrator who needs one."""

    code = "must-keep-factor"


def new_secret() -> str:
    """Return a secret for an authenticator, base32."""
    return pyotp.random_base32()


def uri(secret: str, login: str) -> str:
    """Return what an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)


def is_on(desk: Desk, session: Session) -> bool:
    """Tell whether the account has one-time codes."""
    with desk.store.read() as tx:
        return account_of(tx, session).totp_secret is not None


def switch_on(
    desk: Desk, session: Session, *, secret: str, code: str, password: str, address: str, now: datetime
) -> str | None:
    """Switch one-time codes on once the authenticator shows a right one; return the new token of a session made full.

    Raises:
        InvalidInput: for a wrong password or code.
        TooManyAttempts: after too many wrong passwords.
        NotPermitted: while the factor that the account has was not given.
    """
    check_may_enrol(desk, session)
    confirm(desk, session, password, address, now)
    step = _step_of(secret, code, now)
    if step is None:
        raise InvalidInput("验证码不正确, 请核对手机时间后重试", field="code")
    with desk.store.write() as tx:
        accounts.put_totp(tx, session.actor.user_id, secret, step)
        tx.audit(now, session.actor, "totp-on", session.login)
        return None if session.is_full else sessions.fill(tx, session, "totp", now)


def switch_off(desk: Desk, session: Session, *, password: str, address: str, now: datetime) -> None:
    """Switch one-time codes off.

    Raises:
        InvalidInput: for a wrong password.
        TooManyAttempts: after too many of them.
        MustKeepFactor: if the account needs a factor and has no other.
    """
    confirm(desk, session, password, address, now)
    with desk.store.write() as tx:
        account = account_of(tx, session)
        check_may_drop(desk, account, is_last=not account.has_passkey)
        accounts.put_totp(tx, session.actor.user_id, None, None)
        tx.audit(now, session.actor, "totp-off", session.login)


def verify(desk: Desk, session: Session, *, code: str, address: str, now: datetime) -> str:
    """Take a code as the second factor and return the new token of the session, now full.

    Raises:
        WrongCredentials: for a wrong code, or one that was taken before.
        TooManyAttempts: after too many of them.
    """
    claim = attempts.claim(desk, "code", session.login, address, now)
    with desk.store.write() as tx:
        secret = account_of(tx, session).totp_secret
        step = _step_of(secret, code, now) if secret else None
        if step is not None and accounts.use_step(tx, session.actor.user_id, step):
            claim.succeeded(tx, now)
            return sessions.fill(tx, session, "totp", now)
        tx.audit(now, session.actor, "second-factor-refused", session.login, factor="totp", address=address)
    raise WrongCredentials("验证码不正确或已使用过, 请等待下一个验证码", field="code")


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step whose code this is, of those around `now`, or None."""
    codes, current = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_S
    typed = "".join(code.split()).encode("utf-8", "replace")
    steps = range(current - _STEPS_OFF, current + _STEPS_OFF + 1)
    return next((step for step in steps if hmac.compare_digest(codes.generate_otp(step).encode(), typed)), None)


# ---------------------------------------------------------------- what one-time codes share with passkeys


def account_of(tx: Tx, session: Session) -> Account:
    """Return the account of a session.

    Raises:
        WrongCredentials: if its user has left meanwhile.
    """
    account = accounts.account_of(tx, session.actor.user_id)
    if account is None:
        raise WrongCredentials("账号已停用")
    return account


def check_may_enrol(desk: Desk, session: Session) -> None:
    """Raise NotPermitted for a session that lacks the factor its account has: a new one would be a way around it."""
    if sessions.standing_of(desk, session) is Standing.VERIFY:
        raise NotPermitted("请先完成第二步验证")


def check_may_drop(desk: Desk, account: Account, *, is_last: bool) -> None:
    """Raise MustKeepFactor where the last factor is one that the account needs."""
    if is_last and desk.settings.admin_second_factor and account.actor.role is Role.ADMIN:
        raise MustKeepFactor("管理员必须保留一种第二步验证: 请先添加另一种")
