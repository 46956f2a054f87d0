"""PostgreSQL: LISTEN on one side, NOTIFY on the other, both on connections of their own.

NOTIFY inside a transaction would take a lock that all notifying transactions share until they are durable. So a process
that has committed says so afterwards, from another connection, and at most 20 times a second; should it die in between,
a look every second finds what it did not tell.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

CHANNEL = "dispatch_news"
# A look is taken so often even if nobody told anything.
NET_S = 1.0
_AT_MOST_EVERY_S = 0.05
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0


class Listener:
    """Waits for what others tell; a lost connection is opened again, and looks go on meanwhile.

    Args:
        connect: Opens an autocommit connection of the listener's own.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._conn: Any = None
        self._pause_s = _FIRST_PAUSE_S
        self._retry_at = 0.0

    def wait(self, most_s: float) -> bool:
        """Return after a notice, or after `most_s` or a second; it is always time to look."""
        wait_s = min(most_s, NET_S)
        try:
            if self._conn is None:
                self._listen(wait_s)  # what was told meanwhile was not heard
            else:
                any(self._conn.notifies(timeout=wait_s, stop_after=1))
        except psycopg.Error:
            self._lose()
        return True

    def _listen(self, wait_s: float) -> None:
        if time.monotonic() < self._retry_at:
            time.sleep(wait_s)
            return
        self._conn = self._connect()
        self._conn.execute(f"LISTEN {CHANNEL}")
        self._pause_s = _FIRST_PAUSE_S

    def _lose(self) -> None:
        self.close()
        self._retry_at = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)

    def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            self._conn.close()
        self._conn = None


class Notifier:
    """Tells other processes that this one has committed something; its thread begins with the first.

    Args:
        connect: Opens an autocommit connection of the notifier's own.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._conn: Any = None
        self._has_news = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def tell(self) -> None:
        """Have it told soon; called after each commit, and never waits for the database."""
        self._has_news.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._is_stopped:
                    self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
                    self._thread.start()

    def stop(self) -> None:
        """Tell no more."""
        with self._starting:
            self._is_stopped = True
            self._has_news.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_stopped:
            self._has_news.wait()
            self._has_news.clear()
            try:
                self._notify()
                time.sleep(_AT_MOST_EVERY_S)
            except psycopg.Error:
                self._close()  # the others look every second anyway
                time.sleep(_FIRST_PAUSE_S)
        self._close()

    def _notify(self) -> None:
        if self._conn is None:
            self._conn = self._connect()
            # Losing a notice in a crash costs a second; waiting for the disk would cost more, every time.
            self._conn.execute("SET synchronous_commit = off")
        self._conn.execute(f"NOTIFY {CHANNEL}")

    def _close(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn = None
