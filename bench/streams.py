"""#13: 300 open event streams while calls come in, against the same calls without a stream.

`python -m bench.streams [--rounds 5] [--seconds 15] [--rate 10] [--streams 300] [--database sqlite|postgresql|both]`.
The server is a real one over TCP; the streams are read by a process of their own, so that reading them slows down
neither the callers nor their clock. Rounds with and without streams take turns. A message's lag counts from the answer
to the call, which follows its commit; the note has it from the sending as well. The first message of a call on a stream
counts: the next one tells of a later commit, the estimate of the way. Intake is told as the median of the rounds. A
stream that is not told of a call makes the run fail.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import re
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from bench.intake import Server, fsync_s, install
from bench.report import Report

# 60 % of these may be streams.
THREADS = 640
CLIENTS = 8
_NUMBER = re.compile(rb'"kind":"ticket","number":"([^"]+)"')
# What every stream heard first of each ticket, and when on the monotonic clock: number of the ticket, seconds.
Heard = list[tuple[str, float]]


# ---------------------------------------------------------------- who listens


def listen(port: int, token: str, streams: int, told: Connection) -> None:
    """Open streams, say so, and read until told to stop; then send what was heard. Runs in a process of its own."""
    head = f"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    ready = selectors.DefaultSelector()
    sockets = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(streams)]
    for opened in sockets:
        opened.sendall(head)
        if not opened.recv(65536).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("a stream was refused")
        opened.setblocking(False)
        ready.register(opened, selectors.EVENT_READ, (bytearray(), dict[str, float]()))
    told.send("open")
    while not told.poll():
        for key, _ in ready.select(0.05):
            rest, first = key.data
            for number, at in _read(key.fileobj, rest):  # type: ignore[arg-type]
                first.setdefault(number, at)
    heard = [of_one for key in ready.get_map().values() for of_one in key.data[1].items()]
    for opened in sockets:
        opened.close()
    told.send(heard)


def _read(opened: socket.socket, rest: bytearray) -> Iterator[tuple[str, float]]:
    rest += opened.recv(262_144)
    now, end = time.monotonic(), 0
    for found in _NUMBER.finditer(rest):
        yield found[1].decode(), now
        end = found.end()
    del rest[: max(end, len(rest) - 200)]  # a number may come in two parts


@contextmanager
def listening(server: Server, streams: int, heard: Heard) -> Iterator[None]:
    """Listen while the body runs; fill `heard` after it."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=listen, args=(server.port, server.token, streams, theirs), daemon=True
    )
    process.start()
    if not ours.poll(60):
        raise RuntimeError("the streams do not open")
    ours.recv()
    yield
    time.sleep(2)  # the last call is told as well
    ours.send("stop")
    heard += ours.recv()
    process.join()
    time.sleep(3)  # the server finds out that nobody listens


# ---------------------------------------------------------------- who calls


def call(server: Server, rate: float, seconds: float) -> tuple[list[float], dict[str, tuple[float, float]]]:
    """Register calls at a steady rate; return their latencies, and by ticket when its call was sent and answered.

    A call that must wait for a free client counts from when it should have been sent.
    """
    begin, numbers = time.monotonic(), count()
    latencies: list[float] = []
    calls: dict[str, tuple[float, float]] = {}

    def client() -> None:
        conn = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.token}"}
        while (due := begin + next(numbers) / rate) < begin + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            conn.request("POST", "/api/v1/calls", server.body(), headers)
            told = conn.getresponse().read()
            answered = time.monotonic()
            latencies.append(answered - due)
            calls[_told_number(told)] = due, answered
        conn.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, calls


def _told_number(answer: bytes) -> str:
    found = re.search(rb'"number":\s*"([^"]+)"', answer)
    if found is None:
        raise RuntimeError(f"no ticket: {answer[:200]!r}")
    return found[1].decode()


# ---------------------------------------------------------------- figures


def p99(values: list[float]) -> float:
    """The value that 99 of 100 do not exceed."""
    return statistics.quantiles(values, n=100)[98]


def of_rounds(figure: Callable[[list[float]], float], rounds: list[list[float]]) -> float:
    """The median over the rounds of one figure of each."""
    return statistics.median(map(figure, rounds))


@dataclass
class Figures:
    """What was seen, in seconds: latencies by round, lags of all rounds, and the server's share of a CPU."""

    alone: list[list[float]] = field(default_factory=list)
    beside: list[list[float]] = field(default_factory=list)
    since_sent: list[float] = field(default_factory=list)
    since_answered: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def add_lags(self, heard: Heard, calls: dict[str, tuple[float, float]], streams: int) -> None:
        """Count from each call to each of its messages."""
        found = [(at, *calls[number]) for number, at in heard if number in calls]
        if len(found) < len(calls) * streams:
            raise RuntimeError(f"of {len(calls) * streams} messages {len(found)} came")
        self.since_sent += [at - sent for at, sent, _ in found]
        self.since_answered += [max(0.0, at - answered) for at, _, answered in found]


def measure(server: Server, options: argparse.Namespace) -> Figures:
    """Take turns with and without streams."""
    seen = Figures()
    call(server, options.rate, 3)
    for _ in range(options.rounds):
        seen.alone.append(call(server, options.rate, options.seconds)[0])
        heard: Heard = []
        with listening(server, options.streams, heard):
            cpu = server.cpu_s()
            latencies, calls = call(server, options.rate, options.seconds)
            seen.busy.append((server.cpu_s() - cpu) / options.seconds)
        seen.beside.append(latencies)
        seen.add_lags(heard, calls, options.streams)
    return seen


def run(report: Report, name: str, url: str, options: argparse.Namespace) -> None:
    """Measure one database and print its figures."""
    server = Server("run:server_app", url, install(url), THREADS)
    try:
        seen = measure(server, options)
    finally:
        server.stop()
    middle = statistics.median
    alone, beside = of_rounds(p99, seen.alone), of_rounds(p99, seen.beside)
    report.note(
        f"{name}: {options.streams} streams, {options.rate:g} calls/s: intake p50 "
        f"{of_rounds(middle, seen.alone) * 1e3:.1f} → {of_rounds(middle, seen.beside) * 1e3:.1f} ms, "
        f"p99 {alone * 1e3:.1f} → {beside * 1e3:.1f} ms; {middle(seen.busy):.0%} of a CPU; "
        f"{len(seen.since_sent)} messages"
    )
    for what, values in (("answer", seen.since_answered), ("sending", seen.since_sent)):
        report.note(
            f"lag from the {what}: p50 {middle(values) * 1e3:.0f}, p99 {p99(values) * 1e3:.0f}, "
            f"max {max(values) * 1e3:.0f} ms"
        )
    report.row(13, f"lag p99 (s) of {options.streams} streams, {name}", p99(seen.since_answered), "<=", 1)
    report.row(13, f"intake p99 with streams / without, {name}", beside / alone, "<=", 2)


def run_postgresql(report: Report, measure_on: Callable[[str], None]) -> None:
    """Measure on a real, durable PostgreSQL, in which all threads find a connection."""
    from tests.support.pg import PostgresServer

    server = PostgresServer(durable=True)
    server.start()
    try:
        server.create_template("empty", lambda _url: None)
        measure_on(server.clone("empty"))
    finally:
        server.stop()


def main() -> int:
    """Run what the command line asks for; 1 if a figure missed its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rate", type=float, default=10, help="calls a second")
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    report = Report("Open event streams while calls come in", "flask", "sqlalchemy", "granian", "psycopg")
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            report.note(f"fsync probe {fsync_s(Path(folder)) * 1e3:.2f} ms")
            run(report, "SQLite", f"sqlite:///{folder}/streams.db", options)
    if options.database != "sqlite":
        run_postgresql(report, lambda url: run(report, "PostgreSQL", url, options))
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
