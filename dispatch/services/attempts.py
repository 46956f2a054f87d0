"""Failures counted in the database: every process sees them, and no restart forgets them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.domain import signin
from dispatch.services.desk import Desk
from dispatch.storage import accounts
from dispatch.storage.db import Tx

_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that counts as a failure until it is taken back."""

    bucket: str
    address_attempt: int

    def succeeded(self, tx: Tx, now: datetime) -> None:
        """Clear the count of the account, and take this attempt off its address."""
        accounts.drop_attempts(tx, self.bucket)
        accounts.drop_attempt(tx, self.address_attempt)
        accounts.forget_attempts(tx, now - _FORGOTTEN_AFTER)


def claim(desk: Desk, kind: str, who: str, address: str, now: datetime) -> Claim:
    """Count an attempt before it is looked at, so that many at once are not looked at for one.

    Args:
        desk: The process's desk.
        kind: What is tried, such as `login` or `code`.
        who: Whose account; what people type there may be a password, so only its fingerprint is kept.
        address: Where it comes from.
        now: The server's time.

    Raises:
        TooManyAttempts: while the account or the address has to wait; such an attempt does not count.
    """
    bucket, at_address = f"signin:{kind}:{fingerprint(who)}", f"signin:address:{address}"
    with desk.store.write() as tx:
        accounts.line_up(tx, bucket)
        accounts.line_up(tx, at_address)
        wait_s = max(
            signin.account_wait_s(accounts.attempts(tx, bucket, now - signin.ACCOUNT_WINDOW), now),
            signin.address_wait_s(accounts.attempts(tx, at_address, now - signin.ADDRESS_WINDOW), now),
        )
        if wait_s:
            raise signin.TooManyAttempts(wait_s)
        accounts.add_attempt(tx, bucket, now)
        return Claim(bucket, accounts.add_attempt(tx, at_address, now))


def fingerprint(text: str) -> str:
    """Return a short mark of a text that does not show it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
