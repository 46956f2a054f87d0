"""What a replay came to, in one JSON form: read back from the database, not from what the replay believes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dispatch.domain import sla
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from dispatch.services.replay import Tally
from dispatch.storage import board, clocks, escalations
from dispatch.storage.db import Tx

_PAGE = 500
CLOCK_STATES = ("met", "breached", "running", "void")


def summarize(desk: Desk, tally: Tally, now: datetime) -> dict[str, Any]:
    """Return counts, places, clocks, escalations and lateness of the tickets of a replay as of `now`.

    A clock is `breached` if its promise was ever broken, whether it was met later or not.
    """
    with desk.store.read() as tx:
        statuses, kinds = _tickets(tx, tally.numbers, now)
        steps, late_s = _steps(tx, tally.numbers)
    outcomes = tally.outcomes
    return {
        "tickets": outcomes["ticket"],
        "attached": outcomes["attached"],
        "answered": outcomes["answered"],
        "repeats": tally.repeats,
        "merges": statuses[Status.MERGED],
        "closed_by_file": tally.closed,
        "statuses": dict(statuses.most_common()),
        "route_status": dict(tally.route_status.most_common()),
        "zones": dict(tally.zones.most_common()),
        "clocks": {kind: {state: kinds[kind][state] for state in CLOCK_STATES} for kind in ClockKind if kind in kinds},
        "escalations": [
            {"clock": clock, "ratio": ratio, "label": label, "count": count}
            for (clock, ratio, label), count in sorted(steps.items())
        ],
        "lateness_s": {"steps": len(late_s), "max": max(late_s, default=0.0), "p99": _p99(late_s)},
        "sweep_errors": tally.sweep.errors,
    }


def _tickets(tx: Tx, numbers: set[str], now: datetime) -> tuple[Counter[str], dict[ClockKind, Counter[str]]]:
    statuses: Counter[str] = Counter()
    kinds: defaultdict[ClockKind, Counter[str]] = defaultdict(Counter)
    for page in _ticket_pages(tx, now):
        own = {row["id"]: row for row in page if row["number"] in numbers}
        statuses.update(row["status"] for row in own.values())
        for values in clocks.of_tickets(tx, list(own)).values():
            for clock in values:
                kinds[clock.kind][_state(clock, now)] += 1
    return statuses, dict(kinds)


def _ticket_pages(tx: Tx, now: datetime) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while page := board.page(tx, board.Filter(), after, _PAGE, now):
        yield page
        after = page[-1]["id"]


def _state(clock: Clock, now: datetime) -> str:
    if clock.breached_at is not None or sla.is_breached(clock, now):
        return "breached"
    if clock.is_void:
        return "void"
    return "running" if clock.met_at is None else "met"


def _steps(tx: Tx, numbers: set[str]) -> tuple[Counter[tuple[str, float, str]], list[float]]:
    steps: Counter[tuple[str, float, str]] = Counter()
    late_s, after = [], 0
    while page := escalations.page(tx, after, _PAGE, is_unanswered=False, team_id=None):
        after = page[-1]["id"]
        for row in page:
            if row["number"] in numbers:
                steps[row["clock"], row["ratio"], row["label"]] += 1
                late_s.append(row["late_s"])
    return steps, late_s


def _p99(values: list[float]) -> float:
    """Return the nearest-rank 99th percentile, 0 of nothing."""
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)] if values else 0.0
