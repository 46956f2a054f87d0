"""Group commit for SQLite: writers take turns, first come first served, and those who wait share one commit.

SQLite has one writer at a time, and each commit waits for the disk. Its own busy wait polls with growing pauses and
lets late comers pass (with 16 writers the slowest of a hundred waits 0.7 s; in a line, 20 ms). So writers stand in a
line here, `flock` takes turns with other processes, and a writer behind whom others wait leaves the transaction open
for them: each works in a savepoint of its own, the last one commits for all, and nobody returns before that commit.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import OperationalError

from sqlalchemy import Connection, Engine

# Nobody waits for more than so many others: what is gained by longer groups is nothing to what they wait.
MOST = 32


class Line:
    """A lock whose waiters come in order."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_held = False

    def enter(self) -> None:
        """Wait for one's turn."""
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        gate.acquire()

    def is_wanted(self) -> bool:
        """Whether somebody stands behind."""
        with self._mutex:
            return bool(self._waiting)

    def leave(self) -> None:
        """Give the turn to the next one."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False


class _Group:
    """Those who share one commit."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.members = 0
        self.is_over = threading.Event()
        self.error: BaseException | None = None

    def is_alive(self) -> bool:
        """SQLite ends a transaction by itself when the disk is full or fails; then nothing of it is there."""
        dbapi = self.conn.connection.dbapi_connection
        return dbapi is not None and bool(dbapi.in_transaction)


class GroupCommit:
    """The writers of one process on one SQLite file.

    Args:
        engine: An engine whose connections begin IMMEDIATE under the option `dispatch_write`.
        path: The file whose `flock` takes turns with other processes.
    """

    def __init__(self, engine: Engine, path: str) -> None:
        self._engine = engine
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._line = Line()
        self._group: _Group | None = None

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Give the body a connection with a savepoint; return when what it wrote is durable, or undo it and raise."""
        self._line.enter()
        try:
            group = self._group = self._group or self._open()
        except BaseException:
            self._line.leave()
            raise
        group.members += 1
        try:
            group.conn.exec_driver_sql("SAVEPOINT member")
            try:
                yield group.conn
            except BaseException:
                if group.is_alive():
                    group.conn.exec_driver_sql("ROLLBACK TO member")
                raise
        finally:
            self._step_aside(group)
        group.is_over.wait()
        if group.error is not None:
            raise group.error

    def _open(self) -> _Group:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            conn = self._engine.connect().execution_options(dispatch_write=True)
            conn.begin()
        except BaseException:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            raise
        return _Group(conn)

    def _step_aside(self, group: _Group) -> None:
        """Leave the open transaction to the next in line, or end it for all."""
        if group.is_alive() and group.members < MOST and self._line.is_wanted():
            self._line.leave()
            return
        try:
            self._end(group)
        except BaseException as error:  # each member raises it
            group.error = error
        finally:
            self._group = None
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            group.is_over.set()
            self._line.leave()

    def _end(self, group: _Group) -> None:
        with group.conn:
            if not group.is_alive():
                raise OperationalError("the transaction was ended by SQLite; nothing of it is written")
            try:
                group.conn.commit()
            except BaseException:
                group.conn.invalidate()  # never back to the pool with its transaction, and SQLite's lock, still open
                raise
