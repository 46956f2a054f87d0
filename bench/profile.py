"""Where the time of one intake goes: `python -m bench.profile [--database sqlite|postgresql|both]`. It explains #1–#4.

The real endpoint, and then the bare one that it is held against, are called in this process by one client: first as
they are, for the time and the CPU of a request, then under cProfile; the shares are of the time in the request. The
profiler makes small functions look dearer than they are: read the order, not the digits.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from flask import Flask

from bench.bare import bare_app
from bench.intake import THREADS, a_call, fsync_s, install
from bench.report import Report
from dispatch.app import create_app
from dispatch.domain.settings import Settings

REQUESTS = 300
# Of an entry of pstats: the time in the function itself, and with all that it calls.
OWN, ALL = 2, 3
# (what, file, function, OWN or ALL); what a database or an application does not have is left out.
PARTS = (
    ("request as a whole", "flask/app.py", "full_dispatch_request", ALL),
    ("  reading and checking the body", "schema_adapters/pydantic.py", "validate_input", ALL),
    ("  intake: the transaction and all in it", "services/intake.py", "register", ALL),
    ("    SQL through SQLAlchemy Core", "sqlalchemy/engine/base.py", "_execute_clauseelement", ALL),
    ("      of it SQLite itself", "~", "<method 'execute' of 'sqlite3.Cursor' objects>", ALL),
    ("      of it psycopg and the server", "psycopg/cursor.py", "execute", ALL),
    ("    several statements in one go", "psycopg/_pipeline.py", "__exit__", ALL),
    ("    asking whether the connection lives", "sqlalchemy/engine/default.py", "_do_ping_w_event", ALL),
    ("    commit", "~", "<method 'commit' of 'sqlite3.Connection' objects>", ALL),
    ("    commit", "psycopg/connection.py", "commit", ALL),
    ("    waiting for the server, in all of these", "psycopg/connection.py", "wait", OWN),
    ("    routing with its reason", "domain/zone_index.py", "route", ALL),
    ("    starting clocks", "domain/ticket.py", "first_clocks", ALL),
    ("    deciding the dispatch", "domain/ticket.py", "decide", ALL),
    ("    search terms", "domain/search.py", "index_terms", ALL),
    ("    the answer", "services/present.py", "ticket", ALL),
    ("  JSON, all of it", "json/__init__.py", "dumps", ALL),
)


@contextmanager
def databases(kind: str) -> Iterator[tuple[str, str]]:
    """Two empty databases, as durable as in production."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/real.db", f"sqlite:///{folder}/bare.db"
        return
    from tests.support.pg import PostgresServer

    server = PostgresServer(durable=True)
    server.start()
    try:
        server.create_template("empty", lambda _url: None)
        yield server.clone("empty"), server.clone("empty")
    finally:
        server.stop()


def poster(app: Flask, token: str) -> Callable[[str], None]:
    """Return what posts the calls of one round."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def post(name: str) -> None:
        for n in range(REQUESTS):
            answer = client.post("/api/v1/calls", json=a_call(f"{name}-{n}"), headers=headers)
            if answer.status_code != 201:
                raise RuntimeError(answer.text)

    return post


def measure(report: Report, title: str, post: Callable[[str], None]) -> None:
    """Print the time and the CPU of a request, and the shares of its parts."""
    post("warm")
    wall, cpu = time.perf_counter(), time.thread_time()
    post("timed")
    wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
    profile = cProfile.Profile()
    profile.enable()
    post("profiled")
    profile.disable()
    report.note(
        f"{title}: {wall / REQUESTS * 1e3:.2f} ms a request, of it CPU {cpu / REQUESTS * 1e3:.2f} ms; profiled:"
    )
    show(pstats.Stats(profile))


def show(stats: pstats.Stats) -> None:
    """Print each part with its share, its time and how often a request enters it."""
    entries = stats.stats  # type: ignore[attr-defined]
    whole = 0.0
    for what, file, function, of in PARTS:
        found = [entry for (path, _, name), entry in entries.items() if name == function and path.endswith(file)]
        seconds, count = sum(entry[of] for entry in found), sum(entry[1] for entry in found)
        whole = whole or seconds
        if count:
            print(f"{what:<44} {seconds / whole:6.1%} {seconds / REQUESTS * 1e3:7.3f} ms {count / REQUESTS:6.1f} ×")


def main() -> None:
    """Profile what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    asked = parser.parse_args().database
    report = Report("Where the time of one intake goes", "flask", "sqlalchemy", "psycopg")
    with tempfile.TemporaryDirectory() as folder:
        report.note(f"fsync probe {fsync_s(Path(folder)) * 1e3:.2f} ms, load {os.getloadavg()[0]:.1f}")
    for kind in ("sqlite", "postgresql") if asked == "both" else (asked,):
        with databases(kind) as (real, bare):
            token = install(real)
            measure(report, f"{kind} real", poster(create_app(Settings(database_url=real)), token))
            install(bare)
            with patch.dict(os.environ, {"DISPATCH_DATABASE_URL": bare, "DISPATCH_THREADS": str(THREADS)}):
                measure(report, f"{kind} bare", poster(bare_app(), ""))


if __name__ == "__main__":
    main()
