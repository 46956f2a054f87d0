"""Faults: what three schedulers do to 20,000 due steps, what twenty kills do to calls under load, and how late one is.

Usage: python -m bench.faults [--due 20000] [--kills 20] [--database sqlite|postgresql|both]

Real processes, both databases durable as in production. Every count must be 0, and a step that another process set a
moment before is fired within a second of its time; exit code 1 where that is not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from bench.report import Report
from dispatch.services.desk import Desk
from dispatch.storage.escalations import ESCALATIONS
from tests.support.due import due_steps, escalation_count, fired, flaws, seed, unsealed
from tests.support.load import kept, load_on
from tests.support.pg import PostgresServer
from tests.support.processes import Site, utc_now, wait_for
from tests.support.store import BOTH, furnish, open_desk, sqlite_url

SCHEDULERS = 3
# A ticket of this age has five steps behind it, and the sixth ten minutes ahead.
AGE = timedelta(minutes=50)
STEPS_EACH = 5
# Calls that are acknowledged between two kills, at least.
CALLS_BETWEEN = 25
WITHIN_S = 600.0
# Steps set one after the other by a process that is not the scheduler's, each this long before it is due.
ALONE = 50
AHEAD = timedelta(milliseconds=300)


@contextmanager
def installation(database: str, folder: Path) -> Iterator[Site]:
    """A furnished database of its own, and no process yet."""
    server = PostgresServer(durable=True) if database == "postgresql" else None
    if server:
        server.start()
    try:
        url = server.url("postgres") if server else sqlite_url(folder / "dispatch.db")
        furnish(url)
        desk = open_desk(url)
        with Site(desk, folder) as site:
            yield site
        desk.store.close()
    finally:
        if server:
            server.stop()


def run_due(report: Report, site: Site, due_count: int) -> None:
    """Let three schedulers loose on all the steps at once."""
    desk = site.desk
    for _ in range(SCHEDULERS):
        site.scheduler()
    wait_for(lambda: site.beating(SCHEDULERS), "all schedulers beat")
    now = utc_now()
    due = due_steps(desk, seed(desk, due_count // STEPS_EACH, now - AGE), now)
    begin = time.perf_counter()
    wait_for(lambda: escalation_count(desk) >= len(due), "all is fired", WITHIN_S)
    seconds = time.perf_counter() - begin
    # By then each has looked again: whoever would fire a second time has done so.
    wait_for(lambda: sum(site.shares()) >= len(due), "all have told what they did", WITHIN_S)
    found, shares = fired(desk, due), " + ".join(f"{share:,}" for share in site.shares())
    report.note(f"{len(due):,} due, {found.escalations:,} escalations in {seconds:.1f} s, by process {shares}")
    report.row(12, "steps doubled (escalation, timeline, notice, audit)", found.doubled, "<=", 0)
    report.row(12, "steps missing", found.missing, "<=", 0)
    report.row(12, "steps before their time", found.early, "<=", 0)
    tell_flaws(report, desk)


def run_kills(report: Report, site: Site, kills: int) -> None:
    """Kill web and scheduler in turn while calls come in and steps come due."""
    desk, begin = site.desk, time.perf_counter()
    web, scheduler = site.web().wait_until_up(), site.scheduler()
    load, now, due = load_on(site, clients=8), utc_now(), set()
    with load.running():
        for kill in range(kills):
            due |= due_steps(desk, seed(desk, 100, now - AGE), now)
            load.wait_for_more(CALLS_BETWEEN)
            time.sleep(kill % 7 * 0.011)  # each time at another moment
            if kill % 2:
                scheduler.kill()
                scheduler = site.scheduler()
            else:
                web.kill()
                web = site.web().wait_until_up()
        load.wait_for_more(CALLS_BETWEEN)
        wait_for(lambda: escalation_count(desk) >= len(due), "all is fired", WITHIN_S)
    wait_for(lambda: web.health() == 200, "the lamp is green")
    wait_for(lambda: not unsealed(desk), "the audit is sealed")
    calls, steps = kept(desk, load), fired(desk, due)
    report.note(
        f"{kills} × kill -9, {calls.acknowledged:,} calls acknowledged, {load.answers[None]:,} connections refused or"
        f" broken, {len(due):,} steps fired meanwhile; {time.perf_counter() - begin:.1f} s"
    )
    report.row(12, "acknowledged calls lost", calls.lost, "<=", 0)
    report.row(12, "duplicates (CTI ids, tickets, numbers, answers)", calls.duplicates, "<=", 0)
    report.row(12, "answers other than 200 and 201", sum(load.answers.values()) - accepted(load.answers), "<=", 0)
    report.row(12, "steps doubled, missing or early", steps.doubled + steps.missing + steps.early, "<=", 0)
    tell_flaws(report, desk)


def run_alone(report: Report, site: Site, steps: int) -> None:
    """Set one step after the other shortly before it is due, and see how late each is."""
    desk = site.desk
    site.scheduler()
    wait_for(lambda: site.beating(1), "the scheduler beats")
    for n in range(steps):
        seed(desk, 1, utc_now() + AHEAD - timedelta(minutes=10))  # ten minutes to accept, and no other step so early
        wait_for(lambda n=n: escalation_count(desk) > n, "it is fired", every_s=0.005)  # type: ignore[misc]
    with desk.store.read() as tx:
        late = sorted(tx.conn.execute(select(ESCALATIONS.c.late_s)).scalars())
    median = late[steps // 2] * 1e3
    report.note(f"{steps} steps, each set {AHEAD.total_seconds():g} s before it is due: median {median:.0f} ms late")
    report.row(10, "lateness of a step set by another process, most, s", late[-1], "<=", 1)


def accepted(answers: dict[int | None, int]) -> int:
    """Count the answers that a client may get: accepted, repeated, or nobody there."""
    return sum(answers.get(status, 0) for status in (None, 200, 201))


def tell_flaws(report: Report, desk: Desk) -> None:
    """Print the orphans, by name where there are any."""
    found = flaws(desk)
    report.row(12, "orphans and breaks in the audit chain", sum(found.values()), "<=", 0)
    for name, count in found.items():
        report.note(f"{name}: {count}")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, default=20_000, help=f"due steps, a multiple of {STEPS_EACH}")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=[*BOTH, "both"], default="both")
    wanted = parser.parse_args()
    report = Report("Faults", "sqlalchemy", "psycopg", "apscheduler", "granian")
    for database in BOTH if wanted.database == "both" else (wanted.database,):
        for run, size in ((run_due, wanted.due), (run_kills, wanted.kills), (run_alone, ALONE)):
            report.note(f"-- {database}")
            with tempfile.TemporaryDirectory() as folder, installation(database, Path(folder)) as site:
                run(report, site, size)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
