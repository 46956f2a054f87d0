"""The rules of signing in: how long to wait after failures, which passwords will do, how long a session lives."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput, NotAuthenticated
from dispatch.domain.roles import Role

# However busy a browser is, a day later it signs in again.
LONGEST = timedelta(hours=24)
# A session in use is written down at most so often.
TOUCH_EVERY = timedelta(minutes=1)

# Failures of an account are forgotten after an hour of quiet; until then each doubles the wait, up to a quarter.
ACCOUNT_WINDOW = timedelta(hours=1)
_FREE_FAILURES = 4
_LONGEST_WAIT_S = 15 * 60
# Of one address: a call centre behind one router mistypes less than this.
ADDRESS_WINDOW = timedelta(minutes=15)
_ADDRESS_FAILURES = 50

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 128
_FEWEST_CHARACTERS = 5
# What is tried first, here and elsewhere: by their lower case.
_COMMON = frozenset({
    "1234567890", "0123456789", "0987654321", "9876543210", "1234554321", "1111122222", "12345678910", "123456789a",
    "a123456789", "1q2w3e4r5t", "q1w2e3r4t5", "1qaz2wsx3edc", "qwertyuiop", "asdfghjkl;", "password12", "password123",
    "password1234", "passw0rd123", "p@ssw0rd123", "iloveyou123", "woaini1314", "woaini1314520", "5201314520",
    "wangyuyang", "zhang123456", "admin12345", "admin123456", "administrator", "qwer123456", "abc1234567",
    "abcd123456", "changsha96533", "96533dispatch",
})  # fmt: skip


class WrongCredentials(NotAuthenticated):
    """No such login, or another password: the two look the same on purpose."""

    code = "wrong-credentials"


class TooManyAttempts(DispatchError):
    """Too many failures; `extra["retry_after_s"]` says how long to wait."""

    code = "too-many-attempts"
    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"尝试次数过多, 请在 {wait_text(wait_s)}后再试", retry_after_s=wait_s)
        self.wait_s = wait_s


class Standing(StrEnum):
    """How far somebody is whose password was right."""

    FULL = "full"
    VERIFY = "verify"
    ENROL = "enrol"


def standing(role: Role, *, has_factor: bool, admin_needs_one: bool) -> Standing:
    """Return what is asked after the password: a factor where there is one, and of some administrators to make one."""
    if has_factor:
        return Standing.VERIFY
    return Standing.ENROL if role is Role.ADMIN and admin_needs_one else Standing.FULL


def is_alive(created_at: datetime, seen_at: datetime, idle_s: int, now: datetime) -> bool:
    """Tell whether a session still holds: used within `idle_s` seconds, and begun within a day."""
    return now - seen_at < timedelta(seconds=idle_s) and now - created_at < LONGEST


def account_wait_s(failures: Sequence[datetime], now: datetime) -> int:
    """Return how many seconds an account must wait, after `failures` in order of time; 0 for none."""
    recent = [at for at in failures if now - at < ACCOUNT_WINDOW]
    if len(recent) <= _FREE_FAILURES:
        return 0
    pause = min(2 ** len(recent), _LONGEST_WAIT_S)
    return _seconds_until(recent[-1] + timedelta(seconds=pause), now)


def address_wait_s(failures: Sequence[datetime], now: datetime) -> int:
    """Return how many seconds an address must wait, after `failures` in order of time; 0 for none."""
    recent = [at for at in failures if now - at < ADDRESS_WINDOW]
    if len(recent) < _ADDRESS_FAILURES:
        return 0
    return _seconds_until(recent[-_ADDRESS_FAILURES] + ADDRESS_WINDOW, now)


def _seconds_until(moment: datetime, now: datetime) -> int:
    """Return whole seconds, rounded up: who waits so long does not come too early."""
    return max(0, -((now - moment) // timedelta(seconds=1)))


def wait_text(seconds: int) -> str:
    """Write a wait for people: `40 秒`, `3 分钟`."""
    return f"{seconds} 秒" if seconds < 120 else f"{-(-seconds // 60)} 分钟"


def normal(password: str) -> str:
    """Return a password as it is hashed: the same however a keyboard composes its characters."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, login: str) -> None:
    """Raise InvalidInput, with the fix, for a password that would soon be guessed."""
    check_text(password, "password")
    rules = [
        (len(password) >= SHORTEST_PASSWORD, f"密码至少 {SHORTEST_PASSWORD} 个字符; 几个词连在一起既好记又难猜"),
        (len(password) <= LONGEST_PASSWORD, f"密码最多 {LONGEST_PASSWORD} 个字符"),
        (not login or login.lower() not in password.lower(), "密码不能包含登录名, 请换一个"),
        (password.lower() not in _COMMON, "这个密码太常见, 请换一个"),
        (len(set(password)) >= _FEWEST_CHARACTERS, f"密码至少含 {_FEWEST_CHARACTERS} 个不同的字符"),
    ]
    for holds, fault in rules:
        if not holds:
            raise InvalidInput(fault, field="password")
