"""The web's edge that reads the clock; tests put another one here."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time of the server."""
    return datetime.now(UTC)
