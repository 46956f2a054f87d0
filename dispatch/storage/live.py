"""What open screens must hear of: the newest rows of `events` and `signals`, each exactly once.

On SQLite ids come in the order of commits. On PostgreSQL a transaction that began early may commit late, below ids that
have been read: the numbers that a look does not find are kept as missing and asked for again, until no transaction is
left that could bring them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, delete, func, insert, or_, select, text

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.screen_tables import SignalRow
from dispatch.storage.tables import EventRow, TicketRow

# The topic of a ticket that went to another team; its key names the team that lost it, and the ticket.
GONE = "gone"
EVENTS, SIGNALS, TICKETS = table_of(EventRow), table_of(SignalRow), table_of(TicketRow)
# Rows of one look; more are left to the next.
AT_MOST = 500
# So many ids below the newest are looked through for missing ones when a process begins to read.
_LOOK_BACK = 1_000
# A number is drawn a moment before its transaction may be seen to run: only after so long is it surely among those that
# run, unless it is over.
_KEPT_S = 5.0

# Every transaction below `oldest` is over, every one from `next` on had not begun.
RUNNING = text(
    "SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_snapshot_xmax(s)::text::bigint AS next,"
    " extract(epoch FROM clock_timestamp())::float8 AS at FROM pg_current_snapshot() s"
)
_INSERT_SIGNAL = insert(SIGNALS).inline()


@cache
def _columns(table: Table) -> Select[Any]:
    """Return what a look needs of a row."""
    return select(*(table.c[name] for name in ("id", "ticket_id", "topic", "key") if name in table.c))


@cache
def _behind(table: Table) -> Select[Any]:
    return _columns(table).where(table.c.id > bindparam("after")).order_by(table.c.id).limit(bindparam("most"))


@dataclass(slots=True)
class _Missing:
    """A number that was not found: since when (s), and the first transaction that cannot bring it any more."""

    since: float
    until: int

    def may_come(self, running: Row[Any]) -> bool:
        """Tell, after a look that did not find it, whether a later one may."""
        if running.at - self.since >= _KEPT_S:
            return bool(running.oldest < self.until)
        self.until = running.next
        return True


@dataclass(slots=True)
class Tail:
    """How far a table has been read.

    Attributes:
        table: EVENTS or SIGNALS.
        high: The highest id that was seen.
        missing: Ids below it that may still come; none on SQLite.
    """

    table: Table
    high: int = 0
    missing: dict[int, _Missing] = field(default_factory=dict)

    @property
    def mark(self) -> int:
        """All up to here was seen, or will never be there."""
        return min(self.missing) - 1 if self.missing else self.high

    def begin(self, tx: Tx) -> None:
        """Start behind the newest row; what is on its way at this moment is still news."""
        newest = _newest(tx, self.table)
        self.high = newest if tx.dialect == "sqlite" else max(0, newest - _LOOK_BACK)
        self.missing = {}
        while self.more(tx):
            pass

    def more(self, tx: Tx) -> Sequence[Row[Any]]:
        """Return rows that were not returned before, in order of id, AT_MOST of them."""
        if tx.dialect == "sqlite":
            rows = behind(tx, self.table, self.high, AT_MOST)
            self.high = rows[-1].id if rows else self.high
            return rows
        ids = self.table.c.id
        # Before the rows: a transaction that ends between the two statements is missed by neither.
        running = tx.conn.execute(RUNNING).one()
        unseen = or_(ids > self.high, ids.in_(list(self.missing))) if self.missing else ids > self.high
        rows = tx.conn.execute(_columns(self.table).where(unseen).order_by(ids).limit(AT_MOST)).all()
        self._note({row.id for row in rows}, running)
        return rows

    def _note(self, found: set[int], running: Row[Any]) -> None:
        top = max(found, default=self.high)
        late = {number: _Missing(running.at, running.next) for number in range(self.high + 1, top)}
        unfound = {number: one for number, one in (self.missing | late).items() if number not in found}
        self.missing = {number: one for number, one in unfound.items() if one.may_come(running)}
        self.high = max(self.high, top)


def behind(tx: Tx, table: Table, after: int, most: int) -> Sequence[Row[Any]]:
    """Return the rows with an id above `after`, in order of id."""
    return tx.conn.execute(_behind(table), {"after": after, "most": most}).all()


def _newest(tx: Tx, table: Table) -> int:
    return int(tx.conn.execute(select(func.max(table.c.id))).scalar() or 0)


def newest(tx: Tx) -> tuple[int, int]:
    """Return the highest ids of events and signals."""
    return _newest(tx, EVENTS), _newest(tx, SIGNALS)


def oldest_signal(tx: Tx) -> int:
    """Return the lowest id of the signals that are kept; 0 where there are none."""
    return int(tx.conn.execute(select(func.min(SIGNALS.c.id))).scalar() or 0)


def tickets(tx: Tx, ids: Iterable[int], numbers: Iterable[str]) -> list[dict[str, Any]]:
    """Return the rows of tickets by id or number, in order of id."""
    wanted = or_(TICKETS.c.id.in_(list(ids)), TICKETS.c.number.in_(list(numbers)))
    return [dict(row) for row in tx.conn.execute(select(TICKETS).where(wanted).order_by(TICKETS.c.id)).mappings()]


def gone(team_id: str, number: str, now: datetime) -> dict[str, Any]:
    """Return the signal that a team has lost a ticket."""
    return {"at": now, "topic": GONE, "key": f"{team_id} {number}"}


def add_signals(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append signals (`at`, `topic`, `key`)."""
    tx.has_news = True
    tx.conn.execute(_INSERT_SIGNAL, list(rows))


def forget_signals(tx: Tx, before: datetime) -> None:
    """Drop old signals but the newest, from which SQLite counts on."""
    newest_ = select(func.max(SIGNALS.c.id)).scalar_subquery()
    tx.conn.execute(delete(SIGNALS).where(SIGNALS.c.at < before, SIGNALS.c.id < newest_))
