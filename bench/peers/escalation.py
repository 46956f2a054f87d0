"""#8, #9 and #12: our sweep against `escalate_tickets`, the command that django-helpdesk wants run by cron."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

from sqlalchemy import func, select, update

from bench.peers.servers import Worker
from bench.report import Report
from bench.sweep import CLOCKS, DUE, EVENTS, ROOT, START, desk_on, fill, make_due, timed_fire
from dispatch.services import bootstrap, escalation
from dispatch.services.desk import Desk

OPEN = 2000
CONTESTED = 500
IDLE_TURNS = 21
DUE_TURNS = 3


def run_timed(report: Report, python: str, folder: Path) -> None:
    """#8 and #9: both have the same number of open tickets; they take turns."""
    peer_url = f"sqlite:///{folder}/helpdesk-sweep.db"
    with desk_on(f"sqlite:///{folder}/sweep.db") as desk, Worker(python, peer_url) as worker:
        bootstrap.bring_up(desk, ROOT / "data", START)
        fill(desk, 1, OPEN + 1)
        worker.ask("install")
        worker.ask("fill", OPEN)
        ours, theirs = _turns(lambda _: _idle(desk), lambda: worker.ask("escalate"), IDLE_TURNS)
        report.note(f"{OPEN:,} open, none due: sweep {ours * 1e3:.3f} ms, escalate_tickets {theirs * 1e3:.1f} ms")
        report.row(8, "idle sweep / idle escalate_tickets", ours / theirs, "<=", 1)

        def escalate() -> float:
            worker.ask("make_due", DUE)
            seconds: float = worker.ask("escalate")
            return seconds

        ours, theirs = _turns(lambda n: _fire(desk, n), escalate, DUE_TURNS)
        report.note(f"{DUE:,} due: sweep {ours * 1e3:.0f} ms, escalate_tickets {theirs * 1e3:,.0f} ms")
        report.row(9, f"escalate_tickets / sweep, {DUE:,} due", theirs / ours, ">=", 30)


def _turns(ours: Callable[[int], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Median seconds of both, in turn."""
    seconds = [(ours(n), theirs()) for n in range(rounds)]
    return median(mine for mine, _ in seconds), median(other for _, other in seconds)


def _idle(desk: Desk) -> float:
    begin = time.perf_counter()
    escalation.sweep(desk, START)
    return time.perf_counter() - begin


def _fire(desk: Desk, n: int) -> float:
    # A step fires once for ever: each turn is a new round of clocks.
    with desk.store.write() as tx:
        tx.conn.execute(update(CLOCKS).where(CLOCKS.c.ticket_id <= DUE).values(round=n + 1))
    return timed_fire(desk, lambda now: escalation.sweep(desk, now), START + timedelta(hours=n))


def run_contested(report: Report, python: str, folder: Path) -> None:
    """#12: two at once, each in a process of its own, over the same due tickets."""
    peer_url = f"sqlite:///{folder}/helpdesk-contested.db"
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(python, peer_url)) for _ in range(2)]
        workers[0].ask("install")
        workers[0].ask("fill", CONTESTED)
        workers[0].ask("make_due", CONTESTED)
        for worker in workers:
            worker.tell("escalate")
        for worker in workers:
            worker.answer()
        once, twice = (workers[0].ask("escalated", times) for times in (1, 2))
    report.note(f"two escalate_tickets at once, {CONTESTED} due: {once} escalated once, {twice} twice")
    events = _two_sweeps(f"sqlite:///{folder}/contested.db")
    report.note(f"two sweeps at once, {CONTESTED} due: {len(events)} escalated, {sum(events)} times")
    report.row(12, "tickets escalated twice or never by two sweeps", _wrong(events), "<=", 0)


def _two_sweeps(url: str) -> list[int]:
    """How often each ticket was escalated."""
    with desk_on(url) as desk:
        bootstrap.bring_up(desk, ROOT / "data", START)
        fill(desk, 1, CONTESTED + 1)
        make_due(desk, START)
        context = get_context("spawn")
        gate = context.Barrier(2)
        sweepers = [context.Process(target=_sweep, args=(url, gate)) for _ in range(2)]
        for sweeper in sweepers:
            sweeper.start()
        for sweeper in sweepers:
            sweeper.join()
        with desk.store.read() as tx:
            told = select(func.count()).where(EVENTS.c.kind == "escalate").group_by(EVENTS.c.ticket_id)
            return list(tx.conn.execute(told).scalars())


def _sweep(url: str, gate: Barrier) -> None:
    with desk_on(url) as desk:
        gate.wait(60)
        escalation.sweep(desk, START)


def _wrong(events: list[int]) -> int:
    return CONTESTED - sum(times == 1 for times in events)
