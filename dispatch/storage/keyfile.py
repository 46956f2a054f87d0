"""The key of an embedded installation: a file beside its database, so that a copy of the database signs no cookies."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_BYTES = 32


def key_beside(database: Path) -> str:
    """Return the key of a database file, made on first use; of several processes that make one, all get the same."""
    path = database.with_name(f"{database.name}.key")
    with suppress(FileNotFoundError):
        return path.read_text("ascii")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link appears whole, and only where there is none: whoever comes second reads what the first one wrote.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text("ascii")
