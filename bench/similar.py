"""Duplicates: how long suggestions take at 2·10⁴ open tickets, and how right they are on the labelled set.

`python -m bench.similar [--open 20000] [--database sqlite|postgresql|both]`. Asked is what the console asks while a
call is written down: anywhere in the city, and where 200 tickets lie on one spot. The set, tests/data/duplicates.toml,
is replayed through the services; a pair is two calls about one problem.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from bench.report import Report
from bench.sweep import desk_on
from dispatch.domain.address_match import place_of
from dispatch.domain.cells import cell_of
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.services import bootstrap, setup, similar
from dispatch.services.desk import Desk
from dispatch.services.similar import Probe
from dispatch.storage.calls import CALLS
from dispatch.storage.tickets import TICKETS

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ASKED = 400
HEAP = 200
SPOT = Wgs84Point(112.985, 28.195)
_TEXTS = (
    "整栋楼都停水了, 什么时候来水",
    "马路中间水管爆了, 水喷得老高",
    "水表井里漏水, 漏了一晚上",
    "水压好小, 热水器打不着",
)
_CATEGORIES = ("no_water", "burst", "leak", "pressure")


def fill(desk: Desk, open_: int) -> None:
    """Add open tickets all over the city, each with its call, and 200 more on one spot."""
    dice = random.Random(96533)
    rows = [_row(n, _somewhere(dice), f"第{n % 997}小区{n % 30 + 1}栋") for n in range(1, open_ - HEAP + 1)]
    rows += [_row(n, SPOT, f"德政园小区{n % 30 + 1}栋") for n in range(open_ - HEAP + 1, open_ + 1)]
    with desk.store.write() as tx:
        tx.conn.execute(insert(TICKETS), rows)
        tx.conn.execute(insert(CALLS), [_call(row) for row in rows])
    with desk.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE" if desk.store.is_sqlite else "VACUUM ANALYZE")


def _somewhere(dice: random.Random) -> Wgs84Point:
    """Most calls come from the middle of a city."""
    return Wgs84Point(dice.gauss(112.98, 0.06), dice.gauss(28.20, 0.05))


def _row(n: int, point: Wgs84Point, address: str) -> dict[str, object]:
    received_at = NOW - timedelta(minutes=n % 1000)
    return {
        "id": n, "number": f"GD{n:09d}", "status": "dispatched", "version": 2, "round": 1, "level": "P2",
        "category": _CATEGORIES[n % 4], "area": "in_circle", "policy_version": "2026-11-01", "received_at": received_at,
        "moved_at": received_at, "team_id": "tianxin-01", "branch": "城南", "zone_id": "天心-01",
        "route_status": "routed", "route_reason": "", "lon": point.lon, "lat": point.lat, "cell": cell_of(point),
        "address": address, "place_key": place_of(address).key, "description": f"{_TEXTS[n % 4]} {n % 50}",
        "assisting": [], "is_supervised": False, "urge_count": 0, "callback_attempts": 0,
    }  # fmt: skip


def _call(row: dict[str, object]) -> dict[str, object]:
    return {
        "ticket_id": row["id"], "outcome": "ticket", "called_at": row["received_at"], "logged_at": row["received_at"],
        "taken_by": 1, "caller_phone": f"1300000{int(str(row['id'])) % 10_000:04d}", "category": row["category"],
        "description": row["description"], "address": row["address"], "answers": {},
    }  # fmt: skip


def probe(n: int, point: Wgs84Point, address: str) -> Probe:
    """One call that is being written down; no two texts are the same."""
    return Probe(
        point=point,
        address=address,
        category=_CATEGORIES[n % 4],
        description=f"{_TEXTS[n % 4]}, 第 {n} 次说",
        caller_phone=f"1300000{n % 10_000:04d}",
        called_at=NOW,
    )


def p95_ms(desk: Desk, probes: list[Probe]) -> tuple[float, float]:
    """Return the 95th percentile of the milliseconds that suggestions take, on the clock and of the processor.

    Each is a transaction of its own, as it is on the console.
    """
    took, busy = [], []
    for one in probes:
        begin, begin_busy = time.perf_counter(), time.thread_time()
        with desk.store.read() as tx:
            similar.shown(tx, desk, similar.find(tx, desk, one, NOW))
        took.append((time.perf_counter() - begin) * 1e3)
        busy.append((time.thread_time() - begin_busy) * 1e3)
    at = round(len(probes) * 0.95) - 1
    return sorted(took)[at], sorted(busy)[at]


def run(report: Report, name: str, desk: Desk, open_: int) -> None:
    """Measure one database."""
    bootstrap.bring_up(desk, ROOT / "data", NOW)
    fill(desk, open_)
    dice = random.Random(1)
    anywhere = [probe(n, _somewhere(dice), f"第{n}小区{n % 30 + 1}栋") for n in range(ASKED)]
    heap = [probe(n, SPOT, f"德政园小区{n % 30 + 1}栋") for n in range(ASKED)]
    p95_ms(desk, anywhere[:20])  # what is made once is made
    for where, probes in (("anywhere", anywhere), (f"where {HEAP} lie on one spot", heap)):
        took, busy = p95_ms(desk, probes)
        report.note(f"{name}: {where}, p95 of the processor {busy:.1f} ms")
        report.row(20, f"{name}: suggestions {where}, p95 ms, {open_:,} open", took, "<=", 20)


def judge(report: Report, name: str, desk: Desk) -> None:
    """Replay the labelled set on an empty database."""
    from tests.support.duplicates import labelled, replay

    bootstrap.bring_up(desk, ROOT / "data", NOW)
    id_ = setup.create_user(desk, SYSTEM, login="bench", name="坐席", role=Role.AGENT, team_id=None, now=NOW)
    agent = Actor(id_, "坐席", Role.AGENT)
    outcome = replay(desk, agent, NOW)
    report.note(
        f"{name}: {len(labelled())} labelled calls, {len(outcome.same)} pairs are one problem, "
        f"{len(outcome.suggested)} suggested, {len(outcome.suggested - outcome.same)} wrongly"
    )
    report.row(21, f"{name}: precision of the suggested pairs", outcome.precision, ">=", 0.95)
    report.row(21, f"{name}: recall", outcome.recall, ">=", 0.85)


@contextmanager
def desks(database: str) -> Iterator[list[tuple[str, Desk, Desk]]]:
    """Two desks on fresh databases of each kind that is wanted."""
    with ExitStack() as stack:
        found = []
        if database != "postgresql":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            pair = [stack.enter_context(desk_on(f"sqlite:///{folder}/{name}.db")) for name in ("full", "empty")]
            found.append(("SQLite", pair[0], pair[1]))
        if database != "sqlite":
            from tests.support.pg import PostgresServer

            server = PostgresServer(durable=True)
            server.start()
            stack.callback(server.stop)
            server.create_template("similar", lambda _url: None)
            pair = [stack.enter_context(desk_on(server.clone("similar"))) for _ in range(2)]
            found.append(("PostgreSQL", pair[0], pair[1]))
        yield found


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=20_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("Duplicates", "rapidfuzz", "sqlalchemy", "psycopg")
    with desks(options.database) as found:
        for name, full, empty in found:
            run(report, name, full, options.open)
            judge(report, name, empty)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
