"""#1–#4: durable intake through the real endpoint, against bare Flask with the same inserts on the same server.

`python -m bench.intake [--rounds 5] [--requests 400] [--database sqlite|postgresql|both]`. Both servers run at once;
they are loaded in turn, so a busy moment of the machine hits both alike. The notices of the calls are delivered to a
console that nobody reads, as in the real thing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from bench.report import Report
from dispatch.app import create_app
from dispatch.domain.roles import SYSTEM, Role
from dispatch.domain.settings import Settings
from dispatch.services import bootstrap, setup

ROOT = Path(__file__).parents[1]
THREADS = 64
_SERVE = """
import sys
from bench.server import serve
serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
"""


def a_call(cti_call_id: str) -> dict[str, object]:
    """The call that every intake here is measured with."""
    return {
        "called_at": datetime.now(UTC).isoformat(),
        "category": "leak",
        "description": "水表漏水, 急, 请尽快派人到现场处理",
        "caller_phone": "13800000000",
        "cti_call_id": cti_call_id,
        "location": {"lon": 112.98, "lat": 28.19, "datum": "gcj02"},
        "answers": {"strength": "jet"},
        "address": "东茅街三栋",
    }


class Server:
    """One application under granian in a process of its own."""

    def __init__(self, target: str, url: str, token: str, threads: int = THREADS) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        environ = {
            **os.environ,
            "DISPATCH_DATABASE_URL": url,
            "DISPATCH_SECRET_KEY": "k" * 32,
            "DISPATCH_THREADS": str(threads),
            "DISPATCH_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-c", _SERVE, target, str(self.port), str(threads)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
        self.token = token
        self._ids = count()
        try:
            self._wait()
        except RuntimeError:
            self.stop()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the server does not come up")

    def cpu_s(self) -> float:
        """CPU seconds of the server's process tree."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ticks = 0
        for pid in (str(self.process.pid), *children):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def body(self) -> bytes:
        """One call; each has its own CTI id."""
        return json.dumps(a_call(f"bench-{self.port}-{next(self._ids)}")).encode()

    def load(self, clients: int, requests: int) -> tuple[float, list[float]]:
        """Post `requests` calls from `clients` keep-alive connections; return seconds and latencies."""
        latencies: list[float] = []
        left = count()
        errors: list[str] = []

        def client() -> None:
            conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
            while next(left) < requests and not errors:
                body = self.body()
                begin = time.perf_counter()
                conn.request("POST", "/api/v1/calls", body, headers)
                answer = conn.getresponse()
                text = answer.read()
                latencies.append(time.perf_counter() - begin)
                if answer.status != 201:
                    errors.append(f"{answer.status} {text[:200]!r}")
            conn.close()

        threads = [threading.Thread(target=client) for _ in range(clients)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        if errors:
            raise RuntimeError(errors[0])
        return seconds, latencies

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        self.process.wait(10)


def install(url: str) -> str:
    """Make the database and return the token of an agent."""
    desk = create_app(Settings(database_url=url)).extensions["desk"]
    now = datetime.now(UTC)
    bootstrap.bring_up(desk, ROOT / "data", now)
    setup.create_user(desk, SYSTEM, login="bench", name="压测坐席", role=Role.AGENT, team_id=None, now=now)
    token = setup.create_token(desk, SYSTEM, login="bench", label="bench", expires_at=None, now=now)
    desk.store.close()
    return token


@contextmanager
def both(urls: tuple[str, str]) -> Iterator[dict[str, Server]]:
    """Run the real application and the bare one, each on its own database."""
    servers = {}
    try:
        for name, target, url in (("real", "run:server_app", urls[0]), ("bare", "bench.bare:bare_app", urls[1])):
            servers[name] = Server(target, url, install(url))
        yield servers
    finally:
        for server in servers.values():
            server.stop()


def measure(servers: dict[str, Server], clients: int, rounds: int, requests: int) -> dict[str, dict[str, float]]:
    """Load both in turn; return medians over the rounds of rate (1/s), p99 (s) and CPU (s) per call."""
    seen: dict[str, dict[str, list[float]]] = {name: {"rate": [], "p99": [], "cpu": []} for name in servers}
    for server in servers.values():
        server.load(clients, requests // 2)
    for _ in range(rounds):
        for name, server in servers.items():
            cpu = server.cpu_s()
            seconds, latencies = server.load(clients, requests)
            seen[name]["cpu"].append((server.cpu_s() - cpu) / requests)
            seen[name]["rate"].append(requests / seconds)
            seen[name]["p99"].append(statistics.quantiles(latencies, n=100)[98])
    return {name: {key: statistics.median(values) for key, values in of.items()} for name, of in seen.items()}


def fsync_s(folder: Path) -> float:
    """Median seconds of a 4 kB write with fsync in this folder: what durability costs on this disk, now."""
    seconds = []
    with (folder / "probe").open("wb") as probe:
        for _ in range(50):
            begin = time.perf_counter()
            probe.write(b"x" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def run_sqlite(report: Report, rounds: int, requests: int) -> None:
    """#1, #2 and #4 on the embedded database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report.note(f"fsync probe {fsync_s(folder) * 1e3:.2f} ms")
        with both((f"sqlite:///{folder}/real.db", f"sqlite:///{folder}/bare.db")) as servers:
            eight = measure(servers, 8, rounds, requests)
            sixteen = measure(servers, 16, rounds, requests)
    tell(report, "sqlite", eight)
    report.row(1, "intake rate / bare rate, SQLite, 8 clients", ratio(eight, "rate"), ">=", 0.5)
    report.row(2, "intake p99 / bare p99, SQLite, 16 clients", ratio(sixteen, "p99"), "<=", 3)
    report.row(4, "CPU per intake / bare", ratio(eight, "cpu"), "<=", 2)


def run_postgresql(report: Report, rounds: int, requests: int) -> None:
    """#3 on a real, durable PostgreSQL."""
    from tests.support.pg import PostgresServer

    server = PostgresServer(durable=True)
    server.start()
    try:
        server.create_template("empty", lambda _url: None)
        with both((server.clone("empty"), server.clone("empty"))) as servers:
            eight = measure(servers, 8, rounds, requests)
    finally:
        server.stop()
    tell(report, "postgresql", eight)
    report.row(3, "intake rate / bare rate, PostgreSQL, 8 clients", ratio(eight, "rate"), ">=", 0.5)


def ratio(seen: dict[str, dict[str, float]], key: str) -> float:
    """The real application's figure by the bare one's."""
    return seen["real"][key] / seen["bare"][key]


def tell(report: Report, database: str, seen: dict[str, dict[str, Any]]) -> None:
    """Print the figures behind the ratios."""
    for name, of in seen.items():
        report.note(
            f"{database} {name}: {of['rate']:.0f}/s, p99 {of['p99'] * 1e3:.1f} ms, CPU {of['cpu'] * 1e3:.2f} ms"
        )


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("Durable intake through the real endpoint", "flask", "sqlalchemy", "granian", "psycopg")
    if options.database != "postgresql":
        run_sqlite(report, options.rounds, options.requests)
    if options.database != "sqlite":
        run_postgresql(report, options.rounds, options.requests)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
