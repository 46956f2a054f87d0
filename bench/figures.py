"""#30: the figures at 10⁶ tickets over a year, and that those of 10⁵ random tickets agree with a naive recount.

`python -m bench.figures [--tickets 1000000] [--database sqlite|postgresql|both]`. The limits are absolute: an answer
of a month in 300 ms, of a year in 2 s, to whoever asks the service; the days were summed up as the scheduler does it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text

from bench.report import Report, interleaved
from bench.sweep import ROOT, START, desk_on
from dispatch.domain.figures import By, count
from dispatch.domain.roles import Actor, Role
from dispatch.services import bootstrap, figures, measures, summing
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.storage.figures import CALLBACKS, CALLS, CLOCKS, EVENTS, STEPS, TICKETS
from tests.support.history import history, recount

BOSS = Actor(1, "值班长", Role.SUPERVISOR)
DAYS, RECOUNTED = 360, 100_000
BEGIN = START - timedelta(days=DAYS)


def fill(desk: Desk, tickets: int) -> None:
    """Write a block of random tickets, and copy it as often as is needed, each copy some days later."""
    block = min(RECOUNTED, tickets)
    made = history(random.Random(30), block, BEGIN, DAYS * block // tickets)
    made.write(desk)
    for n in range(1, tickets // block):
        _copy(desk, block, n, DAYS * block // tickets)
    with desk.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE" if desk.store.is_sqlite else "VACUUM ANALYZE")


def _copy(desk: Desk, block: int, n: int, days: int) -> None:
    """Copy the first block: its ids go up by as many as there are, its times by `days`."""
    step = n * 2 * block
    with desk.store.write() as tx:
        for table in (TICKETS, CLOCKS, EVENTS, CALLS, CALLBACKS, STEPS):
            key = "id" if table in (TICKETS, CALLS) else "ticket_id"
            names = [column.name for column in table.c if column.name != "id" or key == "id"]
            chosen = [_moved(desk, name, str(table.c[name].type), step, n * days) for name in names]
            tx.conn.execute(
                text(
                    f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(chosen)} FROM {table.name}"
                    f" WHERE {key} <= {2 * block}"
                )
            )


def _moved(desk: Desk, name: str, type_: str, step: int, days: int) -> str:
    if name in ("id", "ticket_id", "call_id"):
        return f"{name} + {step}"
    if name in ("number", "rework_of"):
        return f"'C{step}-' || {name}"
    if name in ("phone", "caller_phone"):
        return f"{name} || '{step}'"
    if name.endswith("_at") or name == "at":
        if desk.store.is_sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', {name}, '+{days} days') || '000'"
        return f"{name} + interval '{days} days'"
    return name


def agree(desk: Desk) -> int:
    """Return in how many groups the figures of the first block differ from the naive recount."""
    made = history(random.Random(30), RECOUNTED, BEGIN, DAYS)
    wanted = {by: recount(made, by, BEGIN, START, START) for by in (By.ZONE, By.HOUR)}
    with desk.store.snapshot() as tx:
        facts = figures.load(tx, BOSS, Asked(start=BEGIN, end=START))
    differing = 0
    for by, groups in wanted.items():
        counted = count(facts, by, START)
        differing += len({*counted} ^ {*groups})
        for key, group in counted.items():
            kept = {kind.value: (one.judged, one.on_time) for kind, one in group.clocks.items()}
            middle = {kind.value: one.median_min and round(one.median_min, 6) for kind, one in group.clocks.items()}
            of = {one.value: value.of for one, value in group.measures.items()}
            naive = groups[key]
            differing += kept != {kind: naive[kind][:2] for kind in kept}
            differing += middle != {kind: naive[kind][2] and round(naive[kind][2], 6) for kind in kept}
            differing += of != {name: naive[name][1] for name in of}
    return differing


def sum_up(desk: Desk) -> tuple[int, float]:
    """Sum up all days, as the scheduler does without its rests; return how many tickets and calls, and the seconds."""
    began = time.perf_counter()
    at = START
    total = 0
    for n in range(3):
        total += summing.carry_on(desk, lambda n=n: at + n * summing.SETTLED_AFTER, lambda: False)  # type: ignore[misc]
    return total, time.perf_counter() - began


def run(report: Report, name: str, desk: Desk, *, tickets: int) -> None:
    """Measure one database."""
    bootstrap.bring_up(desk, ROOT / "data", START)
    fill(desk, tickets)
    read, seconds = sum_up(desk)
    report.note(f"{name}: {tickets:,} tickets: {read:,} tickets and calls summed up in {seconds:.0f} s")
    month = Asked(start=START - timedelta(days=30), end=START)
    year = replace(month, start=BEGIN)
    took = interleaved(
        {
            "a month by grid": lambda: figures.on_time(desk, BOSS, month, START),
            "a month's measures, two periods": lambda: measures.compared(desk, BOSS, month, None, START),
            "a year by grid": lambda: figures.on_time(desk, BOSS, year, START),
            "a year by steward": lambda: figures.on_time(desk, BOSS, replace(year, by=By.STEWARD), START),
            "a year of one level by hour": lambda: figures.on_time(
                desk, BOSS, replace(year, by=By.HOUR, only={"level": "P2"}), START
            ),
        },
        rounds=5,
    )
    for what, value in took.items():
        report.row(30, f"{name}: {what}, s", value, "<=", 0.3 if what.startswith("a month") else 2)


def check(report: Report, name: str, desk: Desk) -> None:
    """Hold the figures of one block against the naive recount."""
    bootstrap.bring_up(desk, ROOT / "data", START)
    history(random.Random(30), RECOUNTED, BEGIN, DAYS).write(desk)
    sum_up(desk)
    report.row(30, f"{name}: groups that differ from a naive recount of {RECOUNTED:,}", agree(desk), "<=", 0)


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("The figures", "sqlalchemy", "psycopg", "numpy")
    parts: tuple[Callable[[Report, str, Desk], None], ...] = (check, partial(run, tickets=options.tickets))
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            for n, work in enumerate(parts):
                with desk_on(f"sqlite:///{Path(folder)}/figures{n}.db") as desk:
                    work(report, "SQLite", desk)
    if options.database != "sqlite":
        from tests.support.pg import PostgresServer

        server = PostgresServer(durable=True)
        server.start()
        try:
            server.create_template("figures", lambda _url: None)
            for work in parts:
                with desk_on(server.clone("figures")) as desk:
                    work(report, "PostgreSQL", desk)
        finally:
            server.stop()
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
