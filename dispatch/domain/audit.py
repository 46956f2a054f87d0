"""The hash chain of the audit: each entry carries the hash of the one before, so a change anywhere shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "0" * 64


def link(previous: str, entry: Mapping[str, Any]) -> str:
    """Return the hash of `entry` (JSON-able) behind the hash `previous`: SHA-256, hexadecimal."""
    body = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{body}".encode()).hexdigest()


def first_break(rows: Iterable[tuple[int, str, Mapping[str, Any]]], head: tuple[int, str]) -> int | None:
    """Return the sequence number at which the chain breaks, or None where it holds.

    Args:
        rows: (seq, hash, entry) in order of seq from 1.
        head: (seq, hash) that the chain should end with; a cut tail breaks at seq + 1.
    """
    seq, previous = 0, GENESIS
    for number, digest, entry in rows:
        if number != seq + 1 or digest != link(previous, entry):
            return seq + 1
        seq, previous = number, digest
    return None if (seq, previous) == head else seq + 1
