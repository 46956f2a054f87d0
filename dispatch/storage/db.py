"""Transactions. SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE, group commit; PostgreSQL: as it is.

Services open a transaction with `Store.read()` or `Store.write()`; everything else in this room works inside one
and never commits.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

from dispatch.domain.roles import Actor
from dispatch.storage import audit
from dispatch.storage.group import GroupCommit

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=15000",
)


# After one of these nothing more can be done in the transaction: whoever guards against the rest lets them through.
DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error)


def upsert(dialect: str, table: Table) -> Any:
    """Return the dialect's own INSERT, the one that knows ON CONFLICT; keep the statement made of it."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


@dataclass(slots=True)
class Tx:
    """One transaction: its connection, the audit entries to be written at its end, and what to tell after it.

    `next_fire_at` is the earliest new alarm, `has_news` whether open screens must hear of it.
    """

    conn: Connection
    audit_entries: list[audit.Entry] = field(default_factory=list)
    next_fire_at: datetime | None = None
    has_news: bool = False

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.conn.dialect.name

    def together(self) -> AbstractContextManager[object]:
        """Send the statements of the body in one go: on PostgreSQL one round trip. None of them may give an answer."""
        dbapi: Any = self.conn.connection.dbapi_connection
        return nullcontext() if self.dialect == "sqlite" else dbapi.pipeline()

    def audit(self, at: datetime, actor: Actor, action: str, subject: str, **detail: Any) -> None:
        """Note who did or saw what; written at the end of the transaction."""
        self.audit_entries.append(audit.Entry(at, actor.user_id, actor.label, action, subject, detail))

    def wake_at(self, at: datetime | None) -> None:
        """Note that something must happen at `at`, so that a sleeping scheduler can be woken early."""
        if at is not None and (self.next_fire_at is None or at < self.next_fire_at):
            self.next_fire_at = at


class Store:
    """The database of one process.

    Args:
        engine: The engine that Flask-SQLAlchemy made.
        on_commit: Called after a commit with the earliest new alarm, from the committing thread.

    Attributes:
        on_news: Called after a commit that open screens must hear of, from the committing thread.
    """

    def __init__(self, engine: Engine, on_commit: Callable[[datetime], None] | None = None) -> None:
        self.engine = engine
        self.on_commit = on_commit
        self.on_news: Callable[[], None] | None = None
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writing: Callable[[], AbstractContextManager[Connection]] = engine.begin
        if self.is_sqlite:
            _tune_sqlite(engine)
            self._writing = GroupCommit(engine, f"{engine.url.database}.lock").turn

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction that is rolled back; on PostgreSQL each statement sees what is committed by then."""
        with self.engine.connect() as conn:
            yield Tx(conn)

    @contextmanager
    def snapshot(self) -> Iterator[Tx]:
        """Open a transaction whose statements all see one state, and that is rolled back."""
        with self.engine.connect() as conn:
            yield Tx(conn if self.is_sqlite else conn.execution_options(isolation_level="REPEATABLE READ"))

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a transaction that commits at the end of the body, or not at all."""
        with self._writing() as conn:
            tx = Tx(conn)
            yield tx
            audit.append(conn, tx.audit_entries)
        if tx.next_fire_at is not None and self.on_commit is not None:
            self.on_commit(tx.next_fire_at)
        if tx.has_news and self.on_news is not None:
            self.on_news()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out of the body, where they ask for the same; transactions inside are free."""
        if self.is_sqlite:
            with open(f"{self.engine.url.database}.alone", "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        else:
            with self.engine.begin() as conn:
                conn.exec_driver_sql("SELECT pg_advisory_xact_lock(96534)")
                yield

    def connect_apart(self) -> Any:
        """Open a connection of the driver's own, outside of the pool and of all transactions; the caller closes it."""
        dialect = self.engine.dialect
        arguments, options = dialect.create_connect_args(self.engine.url)
        conn: Any = dialect.connect(*arguments, **options)
        if not self.is_sqlite:
            conn.autocommit = True
        return conn

    def be_temporary(self) -> None:
        """Wait for no disk from here on: for an embedded database that nobody keeps. Before its first use."""

        @event.listens_for(self.engine, "connect")
        def _hurry(dbapi: DBAPIConnection, _record: object) -> None:
            cursor = dbapi.cursor()
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def engine_options(url: str, threads: int) -> Mapping[str, Any]:
    """Return the options of the engine: a connection for whoever asks, checked before use on PostgreSQL.

    Args:
        url: Address of the database.
        threads: That answer requests; as many connections are kept open, 16 at most.
    """
    # What bounds the connections are the threads of the process: those of requests, of jobs and of the streams. A bound
    # here as well would have to know them all, and whoever came too late would fail after half a minute.
    options: dict[str, Any] = {"pool_size": min(threads, 16), "max_overflow": -1, "json_serializer": _json}
    options["hide_parameters"] = True  # an error in the log names no caller
    if not url.startswith("sqlite"):
        options["pool_pre_ping"] = True
    return options


# Chinese as it is written: readable in the database, and found there by LIKE.
_json = partial(json.dumps, ensure_ascii=False)


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(dbapi: DBAPIConnection, _record: object) -> None:
        # The driver's own BEGIN comes too late and is not IMMEDIATE: switch it off and begin ourselves.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        is_write = conn.get_execution_options().get("dispatch_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
