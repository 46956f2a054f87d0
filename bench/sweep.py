"""#8 and #9: the sweep when nothing is due, at 10⁴ to 10⁶ open tickets, and when a thousand steps are.

`python -m bench.sweep [--open 10000,100000,1000000] [--database sqlite|postgresql|both]`. The peer of #8 is what an
ORM does that looks at every open ticket. The limit of #9 is the bare claim of the same rows: lock what is due, mark
each row, write its event and its notice, commit; no rule, no ladder, no audit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from bench.report import Report, interleaved
from dispatch.app import create_app
from dispatch.domain.settings import Settings
from dispatch.services import bootstrap, escalation
from dispatch.services.desk import Desk
from dispatch.storage.columns import table_of
from dispatch.storage.tables import ClockRow, EventRow, OutboxRow, TicketRow

ROOT = Path(__file__).parents[1]
TICKETS, CLOCKS = table_of(TicketRow), table_of(ClockRow)
EVENTS, OUTBOX = table_of(EventRow), table_of(OutboxRow)
START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CHUNK = 20_000
DUE = 1000


def fill(desk: Desk, first: int, last: int) -> None:
    """Add open P2 tickets with ids from `first` to before `last`, their arrive clock due far in the future."""
    for begin in range(first, last, CHUNK):
        ids = range(begin, min(begin + CHUNK, last))
        with desk.store.write() as tx:
            tx.conn.execute(insert(TICKETS), [_ticket(n) for n in ids])
            tx.conn.execute(insert(CLOCKS), [_clock(n) for n in ids])


def _ticket(n: int) -> dict[str, object]:
    return {
        "id": n, "number": f"GD20261124-{n:07d}", "status": "dispatched", "version": 2, "round": 1, "level": "P2",
        "category": "no_water", "area": "in_circle", "policy_version": "2026-11-01", "received_at": START,
        "moved_at": START, "team_id": "tianxin-03", "branch": "城南", "route_status": "routed", "route_reason": "",
        "address": "", "description": "", "assisting": [], "is_supervised": False, "urge_count": 0,
        "callback_attempts": 0,
    }  # fmt: skip


def _clock(n: int) -> dict[str, object]:
    due_at = START + timedelta(days=30, seconds=n)
    return {
        "ticket_id": n, "kind": "arrive", "round": 1, "start_at": due_at - timedelta(minutes=30), "due_at": due_at,
        "original_due_at": due_at, "paused_s": 0.0, "is_void": False, "next_step": 0,
        "next_fire_at": due_at - timedelta(minutes=15),
    }  # fmt: skip


def orm_scan(desk: Desk, now: datetime) -> int:
    """What a watcher without a partial index does: load every open ticket with the ORM and compare in Python."""
    late = 0
    with Session(desk.store.engine) as session:
        query = select(TicketRow).where(TicketRow.ended_at.is_(None)).execution_options(yield_per=1000)
        for ticket in session.scalars(query):
            late += ticket.received_at + timedelta(days=60) < now
    return late


_DUE = (
    select(CLOCKS.c.id, CLOCKS.c.ticket_id, TICKETS.c.number, TICKETS.c.team_id)
    .join(TICKETS, TICKETS.c.id == CLOCKS.c.ticket_id)
    .where(CLOCKS.c.next_fire_at <= bindparam("now"))
    .with_for_update(skip_locked=True)
)
_MARK = (
    update(CLOCKS)
    .where(CLOCKS.c.id == bindparam("row_id"), CLOCKS.c.next_fire_at == bindparam("seen"))
    .values(next_fire_at=None)
)


def bare_claim(desk: Desk, now: datetime) -> None:
    """The least that a claim of all due rows with event and notice can be, in one transaction."""
    with desk.store.write() as tx:
        due = tx.conn.execute(_DUE, {"now": now}).all()
        tx.conn.execute(_MARK, [{"row_id": row.id, "seen": now} for row in due])
        tx.conn.execute(insert(EVENTS), [_event(row.ticket_id, row.number, now) for row in due])
        tx.conn.execute(insert(OUTBOX), [_notice(row.ticket_id, row.number, row.team_id, now) for row in due])


def _event(ticket_id: int, number: str, now: datetime) -> dict[str, object]:
    return {
        "ticket_id": ticket_id, "at": now, "effective_at": now, "time_source": "server", "kind": "escalate",
        "from_status": "dispatched", "to_status": "dispatched", "actor_id": 0, "text": f"{number} 提醒到场",
    }  # fmt: skip


def _notice(ticket_id: int, number: str, team_id: str, now: datetime) -> dict[str, object]:
    return {
        "ticket_id": ticket_id, "channel": "console", "recipients": [f"crew:{team_id}"], "text": f"{number} 提醒到场",
        "idempotency_key": f"bare:{ticket_id}:{now}", "state": "queued", "attempts": 0, "created_at": now,
        "next_try_at": now,
    }  # fmt: skip


def make_due(desk: Desk, at: datetime) -> None:
    """Set the clocks of the first thousand tickets due for their first step."""
    with desk.store.write() as tx:
        tx.conn.execute(
            update(CLOCKS)
            .where(CLOCKS.c.ticket_id <= DUE)
            .values(
                next_fire_at=at, next_step=0, due_at=at + timedelta(minutes=15), start_at=at - timedelta(minutes=15)
            )
        )


def timed_fire(desk: Desk, fire: Callable[[datetime], object], at: datetime) -> float:
    """Seconds to handle a thousand due clocks."""
    make_due(desk, at)
    begin = time.perf_counter()
    fire(at)
    return time.perf_counter() - begin


def run(report: Report, name: str, desk: Desk, sizes: list[int]) -> None:
    """Measure one database at growing sizes."""
    bootstrap.bring_up(desk, ROOT / "data", START)
    idle: dict[int, float] = {}
    filled = 1
    for size in sizes:
        fill(desk, filled, size + 1)
        filled = size + 1
        if desk.store.is_sqlite is False:
            with desk.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                conn.exec_driver_sql("ANALYZE")
        idle[size] = interleaved({"idle": lambda: escalation.sweep(desk, START)}, rounds=51)["idle"]
        report.note(f"{name}: idle sweep at {size:,} open: {idle[size] * 1e3:.3f} ms")
    begin = time.perf_counter()
    orm_scan(desk, START)
    scan = time.perf_counter() - begin
    small, large = idle[sizes[0]], idle[sizes[-1]]
    report.row(8, f"{name}: idle sweep, {sizes[-1]:,} open / {sizes[0]:,} open", large / small, "<=", 2)
    if desk.store.is_sqlite:
        report.row(8, f"{name}: idle sweep at {sizes[-1]:,} open, ms", large * 1e3, "<=", 1)
    report.row(8, f"{name}: ORM scan of {sizes[-1]:,} (one, {scan:.1f} s) / idle sweep", scan / large, ">=", 1000)
    _escalate(report, name, desk)


def _escalate(report: Report, name: str, desk: Desk) -> None:
    seconds: dict[str, list[float]] = {"sweep": [], "claim": []}
    for n in range(6):
        at = START + timedelta(hours=n)
        seconds["claim"].append(timed_fire(desk, lambda now: bare_claim(desk, now), at))
        # A step fires once for ever: each round is a new round of clocks.
        with desk.store.write() as tx:
            tx.conn.execute(update(CLOCKS).where(CLOCKS.c.ticket_id <= DUE).values(round=n + 2))
        seconds["sweep"].append(timed_fire(desk, lambda now: escalation.sweep(desk, now), at))
    sweep, claim = median(seconds["sweep"][1:]), median(seconds["claim"][1:])
    report.note(f"{name}: {DUE} due: sweep {sweep * 1e3:.0f} ms, bare claim {claim * 1e3:.0f} ms")
    report.row(9, f"{name}: escalate {DUE} due / the bare claim of them", sweep / claim, "<=", 3)


@contextmanager
def desk_on(url: str) -> Iterator[Desk]:
    """A desk on a fresh database."""
    desk: Desk = create_app(Settings(database_url=url)).extensions["desk"]
    try:
        yield desk
    finally:
        desk.store.close()


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", default="10000,100000,1000000")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    sizes = [int(size) for size in options.open.split(",")]
    report = Report("The sweep", "sqlalchemy", "psycopg")
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder, desk_on(f"sqlite:///{folder}/sweep.db") as desk:
            run(report, "SQLite", desk, sizes)
    if options.database != "sqlite":
        from tests.support.pg import PostgresServer

        server = PostgresServer(durable=True)
        server.start()
        try:
            server.create_template("sweep", lambda _url: None)
            with desk_on(server.clone("sweep")) as desk:
                run(report, "PostgreSQL", desk, sizes)
        finally:
            server.stop()
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
