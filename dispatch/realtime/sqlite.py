"""SQLite tells nobody, but counts: `PRAGMA data_version` of a connection moves with each commit of any other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

EVERY_S = 0.05


class DataVersion:
    """Looks at the counter every 50 ms; a look takes some microseconds and no lock.

    Args:
        connect: Opens a connection of the watch's own; nothing is ever written through it.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._conn = connect()
        self._seen = -1

    def wait(self, most_s: float) -> bool:
        """Return after a commit, or after `most_s`; tell whether there was one."""
        deadline = time.monotonic() + most_s
        while True:
            (version,) = self._conn.execute("PRAGMA data_version").fetchone()
            if version != self._seen:
                self._seen = version
                return True
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            time.sleep(min(EVERY_S, left_s))

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()
