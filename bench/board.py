"""#11: the board's whole answer at 10⁶ ended and 2·10⁴ open tickets.

`python -m bench.board [--ended 1000000] [--open 20000] [--database sqlite|postgresql|both]`. The limit is the bare
query over the partial index: the tickets of the page by their next breach with their clocks, no counters, lamp, words.
The peer counts by a GROUP BY over all tickets and their clocks, as a board without such an index must.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from bench.report import Report, interleaved
from bench.sweep import desk_on
from dispatch.domain.roles import Actor, Role
from dispatch.services import bootstrap, queue
from dispatch.services.desk import Desk
from dispatch.storage import queue as questions
from dispatch.storage.board import Filter
from dispatch.storage.columns import table_of
from dispatch.storage.tables import RUNNING, ClockRow, EscalationRow, TicketRow

ROOT = Path(__file__).parents[1]
TICKETS, CLOCKS, ESCALATIONS = table_of(TicketRow), table_of(ClockRow), table_of(EscalationRow)
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
BLOCK = 20_000
PAGE = 100
BOSS = Actor(1, "值班长", Role.SUPERVISOR)
_COPIED = ", ".join(column.name for column in TICKETS.c if column.name not in ("id", "number"))
_CLOCKS_COPIED = ", ".join(column.name for column in CLOCKS.c if column.name not in ("id", "ticket_id"))


def fill(desk: Desk, ended: int, open_: int) -> None:
    """Add `ended` closed tickets over two hundred days, and `open_` ones of which each twentieth is overdue."""
    with desk.store.write() as tx:
        for begin in range(0, open_, BLOCK):
            ids = range(begin + 1, min(begin + BLOCK, open_) + 1)
            tx.conn.execute(insert(TICKETS), [_ticket(n, is_open=True) for n in ids])
            tx.conn.execute(insert(CLOCKS), [clock for n in ids for clock in _clocks(n, is_open=True)])
            tx.conn.execute(insert(ESCALATIONS), [_escalation(n) for n in ids if n % 20 == 0])
        first = open_ + 1
        block = range(first, first + min(BLOCK, ended))
        tx.conn.execute(insert(TICKETS), [_ticket(n, is_open=False) for n in block])
        tx.conn.execute(insert(CLOCKS), [clock for n in block for clock in _clocks(n, is_open=False)])
    for step in range(BLOCK, ended, BLOCK):
        _copy(desk, first, step)
    with desk.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE" if desk.store.is_sqlite else "VACUUM ANALYZE")


def _copy(desk: Desk, first: int, step: int) -> None:
    """Copy the first block of ended tickets and its clocks; the database does it faster than any client."""
    told = {"first": first, "last": first + BLOCK - 1, "step": step}
    tickets = (
        f"INSERT INTO tickets (id, number, {_COPIED}) SELECT id + :step, 'E' || (id + :step), {_COPIED} FROM tickets"
    )
    clocks = f"INSERT INTO clocks (ticket_id, {_CLOCKS_COPIED}) SELECT ticket_id + :step, {_CLOCKS_COPIED} FROM clocks"
    with desk.store.write() as tx:
        tx.conn.execute(text(f"{tickets} WHERE id BETWEEN :first AND :last"), told)
        tx.conn.execute(text(f"{clocks} WHERE ticket_id BETWEEN :first AND :last"), told)


def _ticket(n: int, *, is_open: bool) -> dict[str, object]:
    received_at = NOW - timedelta(minutes=n % 1000 if is_open else 20_000 + n % 280_000)
    return {
        "id": n, "number": f"GD{n:09d}", "status": ("dispatched", "accepted", "working", "done")[n % 4] if is_open
        else "closed", "version": 2, "round": 1, "level": "P2", "category": "no_water", "area": "in_circle",
        "policy_version": "2026-11-01", "received_at": received_at, "moved_at": received_at,
        "ended_at": None if is_open else received_at + timedelta(hours=20), "team_id": f"tianxin-{n % 15 + 1:02d}",
        "branch": "城南", "zone_id": f"天心-{n % 15 + 1:02d}", "route_status": "routed", "route_reason": "",
        "lon": 112.97, "lat": 28.19, "address": "天心区坡子街 12 号", "description": "整栋楼都停水了", "assisting": [],
        "is_supervised": False, "urge_count": 0, "callback_attempts": 0,
    }  # fmt: skip


def _clocks(n: int, *, is_open: bool) -> list[dict[str, object]]:
    """Three promises; of each twentieth open ticket one is overdue, of another one 80 % are used."""
    start_at = NOW - timedelta(minutes=n % 1000)
    spans = {"ack": 2000 + n % 500, "arrive": 3000 + n % 900, "fix": 6000 + n % 2000}
    if is_open and n % 20 in (0, 1):
        spans["ack"] = n % 1000 if n % 20 == 0 else round((n % 1000) * 1.2) + 1
    return [
        {
            "ticket_id": n, "kind": kind, "round": 1, "start_at": start_at, "paused_s": 0.0, "is_void": False,
            "due_at": start_at + timedelta(minutes=minutes), "original_due_at": start_at + timedelta(minutes=minutes),
            "rescue_at": start_at + timedelta(minutes=minutes * 0.8), "next_step": 0,
            "met_at": None if is_open else start_at,
        }
        for kind, minutes in spans.items()
    ]  # fmt: skip


def _escalation(n: int) -> dict[str, object]:
    return {
        "ticket_id": n, "clock": "ack", "round": 1, "step": 0, "ratio": 1.0, "label": "接单超时", "recipients": [],
        "scheduled_at": NOW, "fired_at": NOW, "late_s": 0.0,
    }  # fmt: skip


def bare(desk: Desk) -> int:
    """The tickets of a page by their next breach and the clocks of these: two statements over the partial index."""
    with desk.store.read() as tx:
        query = (
            f"SELECT t.* FROM clocks c JOIN tickets t ON t.id = c.ticket_id WHERE {_of('c')} ORDER BY c.due_at LIMIT :n"
        )
        rows = tx.conn.execute(text(query), {"n": PAGE}).all()
        ids = ", ".join(str(row.id) for row in rows)
        return len(tx.conn.exec_driver_sql(f"SELECT * FROM clocks WHERE ticket_id IN ({ids})").all())


def _of(alias: str) -> str:
    names = ("met_at", "is_void", "paused_at")
    return " ".join(f"{alias}.{word}" if word in names else word for word in RUNNING.split())


def asked(desk: Desk) -> int:
    """All that the board asks the database, the forms of the tickets left out."""
    with desk.store.read() as tx:
        wanted = Filter()
        rows = questions.unassigned(tx, wanted, PAGE, NOW) + questions.running(tx, wanted, 0, PAGE + 1, NOW)
        rows += questions.rescuable(tx, wanted, queue.RESCUABLE, NOW)
        return len(rows) + questions.counts(tx, wanted, NOW, NOW)["open"]


_GROUP_BY = text("""
    SELECT t.status, count(*), sum(CASE WHEN c.due_at < :now THEN 1 ELSE 0 END)
    FROM tickets t LEFT JOIN clocks c ON c.ticket_id = t.id AND c.met_at IS NULL GROUP BY t.status""")


def group_by(desk: Desk) -> int:
    """Count states and what is overdue over all tickets."""
    with desk.store.read() as tx:
        return len(tx.conn.execute(_GROUP_BY, {"now": NOW.replace(tzinfo=None) if desk.store.is_sqlite else NOW}).all())


def run(report: Report, name: str, desk: Desk, ended: int, open_: int) -> None:
    """Measure one database."""
    bootstrap.bring_up(desk, ROOT / "data", NOW)
    fill(desk, ended, open_)

    def board(limit: int, wanted: Filter) -> dict[str, object]:
        return queue.board(desk, BOSS, wanted, after=0, limit=limit, now=NOW)

    everything = Filter()
    seconds = interleaved(
        {
            "board": lambda: board(PAGE, everything),
            "questions": lambda: asked(desk),
            "counters": lambda: board(0, everything),
            "branch": lambda: board(PAGE, Filter(branch="城南")),
            "bare": lambda: bare(desk),
            "teams": lambda: queue.teams(desk, BOSS, NOW),
        },
        rounds=21,
    )
    peer = interleaved({"group by": lambda: group_by(desk)}, rounds=5)["group by"]
    told = ", ".join(f"{what} {value * 1e3:.1f} ms" for what, value in {**seconds, "GROUP BY": peer}.items())
    report.note(f"{name}: {ended:,} ended, {open_:,} open: {told}")
    report.row(
        11, f"{name}: its questions / the bare query of the page", seconds["questions"] / seconds["bare"], "<=", 3
    )
    report.row(11, f"{name}: the whole board / the bare query of the page", seconds["board"] / seconds["bare"], "<=", 3)
    report.row(11, f"{name}: full GROUP BY / its counters", peer / seconds["counters"], ">=", 50)


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ended", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=20_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("The board", "sqlalchemy", "psycopg")
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder, desk_on(f"sqlite:///{folder}/board.db") as desk:
            run(report, "SQLite", desk, options.ended, options.open)
    if options.database != "sqlite":
        from tests.support.pg import PostgresServer

        server = PostgresServer(durable=True)
        server.start()
        try:
            server.create_template("board", lambda _url: None)
            with desk_on(server.clone("board")) as desk:
                run(report, "PostgreSQL", desk, options.ended, options.open)
        finally:
            server.stop()
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
