"""What a link is good for: its token goes to one person, and only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets

_TOKEN_BYTES = 24


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def sha256_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
