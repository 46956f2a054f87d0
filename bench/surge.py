"""#24 and #25: a surge. Digests in place of a flood, nothing lost or doubled, and a board that stays usable.

`python -m bench.surge [--seconds 20] [--database sqlite|postgresql|both]`. An hour of frost is simulated through the
real services on each database: 1,200 calls at 20 a minute and a burst of 200; once more, on a database of its own,
under a policy without digests. Then the real server runs on what is left, still in the surge: boards are asked over
HTTP while calls come in at six times that rate.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.intake import Server
from bench.report import Report
from bench.sweep import desk_on
from dispatch.cli.flood import Silent
from dispatch.domain import policy_file
from dispatch.domain.figures import nearest_rank
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.surge import Move
from dispatch.services import bootstrap, sealing, setup
from dispatch.services.desk import Desk
from dispatch.services.flood import HOUR, Flood, Flooded, Found, check
from dispatch.storage import directory

ROOT = Path(__file__).parents[1]
BOARDS = 10
ASKED_EVERY_S = 2.0
CALLS_PER_S = 2.0
AGENT = Actor(0, "压测坐席", Role.AGENT)


def flood(desk: Desk, start: datetime, *, has_digests: bool) -> tuple[Flooded, Found]:
    """Let the hour happen on an empty database."""
    bootstrap.bring_up(desk, ROOT / "data", start)
    with desk.store.write() as tx:
        if not has_digests:
            raw = policy_file.read_toml((ROOT / "data" / "policy.toml").read_bytes())
            plain = {key: value for key, value in raw.items() if key != "surge"} | {"version": "without surges"}
            directory.add_policy(tx, "without surges", start, plain, start)
        zones = desk.rules(tx, start).zones.zones
    flooded = Flood(
        desk, AGENT, zones, start, Random(96533), {"console": Silent()}, lambda _at, _text: None,
        plan=HOUR, timer=time.perf_counter,
    ).play()  # fmt: skip
    sealing.seal(desk)
    return flooded, check(desk.store, flooded)


def token_of(desk: Desk, login: str, role: Role) -> str:
    """Return the token of a new user."""
    now = datetime.now(UTC)
    setup.create_user(desk, SYSTEM, login=login, name=login, role=role, team_id=None, now=now)
    return setup.create_token(desk, SYSTEM, login=login, label="bench", expires_at=None, now=now)


@contextmanager
def calling(server: Server, seconds: float) -> Iterator[None]:
    """Let calls come in while the body runs."""
    stop = threading.Event()

    def call() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop.wait(1 / CALLS_PER_S):
            server.load(1, 1)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def boards(server: Server, token: str, seconds: float) -> list[float]:
    """Ask for the board from several screens, each every two seconds; return how long each answer took."""
    latencies: list[float] = []

    def screen(n: int) -> None:
        time.sleep(ASKED_EVERY_S * n / BOARDS)
        conn = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begin = time.perf_counter()
            conn.request("GET", "/api/v1/board?limit=100", headers={"Authorization": f"Bearer {token}"})
            answer = conn.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the board answers {answer.status}")
            latencies.append(time.perf_counter() - begin)
            time.sleep(ASKED_EVERY_S)
        conn.close()

    threads = [threading.Thread(target=screen, args=(n,)) for n in range(BOARDS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def run(report: Report, name: str, url: str, plain_url: str, seconds: float) -> None:
    """Measure one database."""
    start = datetime.now(UTC) - timedelta(minutes=len(HOUR.per_minute))
    with desk_on(plain_url) as desk:
        _, plain = flood(desk, start, has_digests=False)
    with desk_on(url) as desk:
        start = datetime.now(UTC) - timedelta(minutes=len(HOUR.per_minute))
        flooded, found = flood(desk, start, has_digests=True)
        agent, boss = token_of(desk, "bench", Role.AGENT), token_of(desk, "boss", Role.SUPERVISOR)
    server = Server("run:server_app", url, agent)
    try:
        boards(server, boss, 1.0)  # warm
        with calling(server, seconds):
            latencies = boards(server, boss, seconds)
    finally:
        server.stop()
    gathered = found.single + found.digests
    report.note(
        f"{name}: {flooded.taken} calls, {found.steps} steps: {gathered} notices ({found.digests} digests for "
        f"{found.gathered} of them) against {plain.single} without digests; {flooded.repeats} calls told twice"
    )
    entered = [move for _, move in flooded.moves].count(Move.ENTER)
    report.row(24, f"{name}: lost, doubled, overdue, against a law", _faults(found), "<=", 0)
    report.row(24, f"{name}: surges begun, beyond one", abs(entered - 1) + abs(found.surges - 1), "<=", 0)
    report.row(24, f"{name}: notices of supervisors with digests / without", _share(found), "<=", 0.2)
    p95 = nearest_rank(latencies, 0.95) * 1e3
    report.row(25, f"{name}: the board over HTTP in the surge, p95 in ms ({len(latencies)})", p95, "<=", 100)


def _faults(found: Found) -> int:
    return found.lost + found.doubled + found.overdue + sum(found.wrong.values())


def _share(found: Found) -> float:
    return found.digests / max(1, found.gathered)


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("A surge", "sqlalchemy", "psycopg")
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            run(report, "SQLite", f"sqlite:///{folder}/surge.db", f"sqlite:///{folder}/plain.db", options.seconds)
    if options.database != "sqlite":
        from tests.support.pg import PostgresServer

        server = PostgresServer(durable=True)
        server.start()
        try:
            server.create_template("surge", lambda _url: None)
            run(report, "PostgreSQL", server.clone("surge"), server.clone("surge"), options.seconds)
        finally:
            server.stop()
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
