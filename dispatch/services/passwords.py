"""Passwords as argon2 hashes. A right one, a wrong one and one of nobody take the same work."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from dispatch.domain.signin import normal

# OWASP's choice for argon2id. Each hash holds its 19 MiB while it is made: a few at a time, whoever knocks.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    with _TURNS:
        return HASHER.hash(_bytes(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one of the hash; without a hash it works as long and is wrong."""
    with _TURNS:
        try:
            HASHER.verify(password_hash or _nobody(), _bytes(password))
        except VerificationError:
            return False
        return bool(password_hash)


def _bytes(password: str) -> bytes:
    return normal(password).encode("utf-8", "replace")


@cache
def _nobody() -> str:
    return HASHER.hash("nobody's password")
