"""The same work in django-helpdesk and roundup, in the same run: `make bench-peers`. Exit 1 if one misses its goal.

`python -m bench.peers [--python .venv-peers/bin/python] [--rounds 5] [--requests 300] [--only NAME ...]`.
Their packages live in a venv of their own and run in processes of their own; here are only the clock and the client.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.intake import ROOT, fsync_s, measure, tell
from bench.peers import escalation
from bench.peers.servers import Helpdesk, Ours, Roundup, Target
from bench.report import Report

PACKAGES = ("django-helpdesk", "django", "roundup", "granian")
PARTS = ("intake", "escalation", "postgresql")


@contextmanager
def running(**starts: Callable[[], Target]) -> Iterator[dict[str, Target]]:
    """Start these servers, and end them when done."""
    with ExitStack() as stack:
        servers = {}
        for name, start in starts.items():
            servers[name] = start()
            stack.callback(servers[name].stop)
        yield servers


def run_sqlite(report: Report, python: str, folder: Path, rounds: int, requests: int) -> None:
    """#1, #2 and #4 on the embedded database."""
    with running(
        ours=lambda: Ours(f"sqlite:///{folder}/intake.db"),
        helpdesk=lambda: Helpdesk(python, f"sqlite:///{folder}/helpdesk-intake.db"),
        roundup=lambda: Roundup(python, folder / "roundup"),
    ) as servers:
        eight = measure({**servers}, 8, rounds, requests)
        sixteen = measure({**servers}, 16, rounds, requests)
    tell(report, "8 clients", eight)
    tell(report, "16 clients", sixteen)
    report.note("answers 5xx, tried again: " + ", ".join(f"{name} {it.failures}" for name, it in servers.items()))
    for peer in ("helpdesk", "roundup"):
        report.row(1, f"intake rate / {peer}'s, 8 clients", eight["ours"]["rate"] / eight[peer]["rate"], ">=", 10)
        report.row(2, f"intake p99 / {peer}'s, 16 clients", sixteen["ours"]["p99"] / sixteen[peer]["p99"], "<=", 0.1)
        report.row(4, f"CPU per intake / {peer}'s", eight["ours"]["cpu"] / eight[peer]["cpu"], "<=", 0.333)


def run_postgresql(report: Report, python: str, rounds: int, requests: int) -> None:
    """#3 on a real, durable PostgreSQL."""
    from tests.support.pg import PostgresServer

    database = PostgresServer(durable=True)
    database.start()
    try:
        database.create_template("empty", lambda _url: None)
        with running(
            ours=lambda: Ours(database.clone("empty")), helpdesk=lambda: Helpdesk(python, database.clone("empty"))
        ) as servers:
            seen = measure({**servers}, 8, rounds, requests)
    finally:
        database.stop()
    tell(report, "PostgreSQL, 8 clients", seen)
    report.row(
        3, "intake rate / helpdesk's, PostgreSQL, 8 clients", seen["ours"]["rate"] / seen["helpdesk"]["rate"], ">=", 10
    )


def versions(python: str) -> str:
    """The versions of the peers' packages, as their venv has them."""
    code = f"from importlib.metadata import version as v; print(*(f'{{p}} {{v(p)}}' for p in {PACKAGES}), sep=', ')"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=str(ROOT / ".venv-peers/bin/python"), help="with the peers' packages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    python = options.python
    report = Report("The same work in django-helpdesk and roundup", "granian", "sqlalchemy", "psycopg")
    report.note(f"peers: {versions(python)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.note(f"fsync probe {fsync_s(folder) * 1e3:.2f} ms")
        if "intake" in options.only:
            run_sqlite(report, python, folder, options.rounds, options.requests)
        if "escalation" in options.only:
            escalation.run_timed(report, python, folder)
            escalation.run_contested(report, python, folder)
    if "postgresql" in options.only:
        run_postgresql(report, python, options.rounds, options.requests)
    report.note(f"load at the end {os.getloadavg()[0]:.2f}")
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
