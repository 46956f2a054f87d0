"""Real processes of the project, to be killed; a caller who never gives up; and a count of what became of it all.

Used by tests/processes and by bench/faults.py. Every process runs in a group of its own, which ends with the site
that started it, or with the thread that did.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Table, func, insert, select

from dispatch.domain.place import Wgs84Point
from dispatch.domain.times import shanghai_day
from dispatch.services import sealing, setup
from dispatch.services.desk import Desk
from dispatch.services.numbering import number_text
from dispatch.storage import audit, calls, clocks, escalations, health, outbox, tickets
from tests.support.cast import ZONE_A, call, cast_of, spot

ROOT = Path(__file__).parents[2]
# Generous: a busy machine starts a process in ten seconds, an idle one in one.
WITHIN_S = 30.0
R = TypeVar("R", bound="Running")
_TIED = ["setpriv", "--pdeathsig=KILL"] if shutil.which("setpriv") else []


def utc_now() -> datetime:
    return datetime.now(UTC)


def wait_for(is_so: Callable[[], object], what: str, within_s: float = WITHIN_S, every_s: float = 0.02) -> None:
    """Return as soon as `is_so()`; fail with `what` when it never comes."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---------------------------------------------------------------- processes


class Running:
    """One `python run.py ...` and its children."""

    def __init__(self, log: Path, environ: Mapping[str, str], *arguments: str) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_TIED, sys.executable, str(ROOT / "run.py"), *arguments],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def members(self) -> list[int]:
        """The living processes of the group."""
        return [pid for pid, group in _living() if group == self.pid]

    def children(self) -> list[int]:
        """The living members but the first."""
        return [pid for pid in self.members() if pid != self.pid]

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, is_so: Callable[[], object], what: str) -> None:
        """Wait while it lives."""

        def settled() -> bool:
            return bool(is_so()) or self._process.poll() is not None

        try:
            wait_for(settled, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-3000:]}") from None
        if not is_so():
            raise AssertionError(f"it ended before {what}:\n{self.log()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when all are dead and their locks and ports free."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        wait_for(lambda: not self.members(), "the killed group is gone")

    def stop(self, within_s: float = WITHIN_S) -> int:
        """SIGTERM to the first process, as an init system does; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_s)


def _living() -> Iterator[tuple[int, int]]:
    """Pid and group of every process that is no zombie."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state not in "ZX":
                    yield int(entry.name), int(group)


class Web(Running):
    """`python run.py`: web and scheduler."""

    def __init__(self, log: Path, environ: Mapping[str, str]) -> None:
        super().__init__(log, environ)
        self.port = int(environ["DISPATCH_PORT"])

    def wait_until_up(self) -> Self:
        self.wait_for(lambda: self.health() is not None, "the web answers")
        return self

    def health(self) -> int | None:
        """The status of /healthz, or None where nobody answers."""
        return http_status(self.port, "/healthz")


def http_status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Site:
    """One installation: a furnished database, a port, and every process started on it."""

    def __init__(self, desk: Desk, folder: Path, **environ: str) -> None:
        self.desk = desk
        self._folder = folder
        self._environ = {"DISPATCH_DATABASE_URL": desk.settings.database_url, **environ}
        self._started: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._started:
            running.kill()

    @cached_property
    def port(self) -> int:
        """Where the web listens, each time it starts."""
        return free_port()

    def web(self) -> Web:
        """Start web and scheduler."""
        return self._add(Web(self._next_log(), self._environ | {"DISPATCH_PORT": str(self.port)}))

    def scheduler(self) -> Running:
        """Start a scheduler alone."""
        return self._add(Running(self._next_log(), self._environ, "scheduler"))

    def beating(self, count: int) -> bool:
        """Whether so many schedulers have beaten so far."""
        return len(self.shares()) >= count

    def shares(self) -> list[int]:
        """How many steps each scheduler had fired at its last heartbeat."""
        with self.desk.store.read() as tx:
            return [beat["swept"] for beat in health.beats(tx)]

    def _next_log(self) -> Path:
        return self._folder / f"process-{len(self._started)}.log"

    def _add(self, running: R) -> R:
        self._started.append(running)
        return running


# ---------------------------------------------------------------- due steps

# A step of the ladder: ticket, clock, round, number.
Step = tuple[int, str, int, int]


def seed(desk: Desk, count: int, received_at: datetime) -> list[int]:
    """Register one real call now, copy its ticket `count` times as if received at `received_at`; return all the ids.

    The ticket is a P2 inside the circle: 10 minutes to accept (one step), 30 to arrive (five), a day to fix. The
    copies come in one transaction, so that no scheduler sees half of them.
    """
    now = utc_now()
    first = call(desk, cast_of(desk).agent, now, point=spot(desk, ZONE_A, now), description="seed")
    day = shanghai_day(received_at)
    with desk.store.write() as tx:
        (row,) = _rows(tx.conn, tickets.TICKETS, tickets.TICKETS.c.number == first.body["ticket"]["number"])
        last = tickets.reserve_numbers(tx, day, count)
        copy = _shifted(row, received_at - now)
        ids = _insert(tx.conn, tickets.TICKETS, [copy | {"number": number_text(day, last - n)} for n in range(count)])
        for table in (calls.CALLS, clocks.CLOCKS, tickets.EVENTS):
            parts = [
                _shifted(part, received_at - now) for part in _rows(tx.conn, table, table.c.ticket_id == row["id"])
            ]
            _insert(tx.conn, table, [part | {"ticket_id": ticket_id} for ticket_id in ids for part in parts])
        tx.wake_at(min(clock.next_fire_at for clock in clocks.of_ticket(tx, ids[0]) if clock.next_fire_at))
    return [row["id"], *ids]


def _rows(conn: Any, table: Table, where: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(table).where(where)).mappings()]


def _shifted(row: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
    """A row without its id, and all its times moved."""
    return {name: value + by if isinstance(value, datetime) else value for name, value in row.items() if name != "id"}


def _insert(conn: Any, table: Table, rows: list[dict[str, Any]]) -> list[int]:
    made = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return [int(i) for i in conn.execute(made, rows).scalars()]


def due_steps(desk: Desk, ticket_ids: Iterable[int], at: datetime) -> set[Step]:
    """What must have fired by `at`, worked out from the clocks and the policy alone."""
    with desk.store.read() as tx:
        policy = desk.rules(tx, at).policy
        found = clocks.of_tickets(tx, list(ticket_ids))
    return {
        (ticket_id, clock.kind.value, clock.round, n)
        for ticket_id, of_ticket in found.items()
        for clock in of_ticket
        for n, step in enumerate(policy.steps("P2", clock.kind))
        if clock.at_ratio(step.ratio) <= at
    }


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of the due steps, in escalations, timeline, notices and audit together."""

    escalations: int
    doubled: int
    missing: int
    early: int

    @property
    def is_exact(self) -> bool:
        return not (self.doubled or self.missing or self.early)


def fired(desk: Desk, due: set[Step]) -> Fired:
    """Hold the four tables that tell of a step against what was due."""
    ladder, told = escalations.ESCALATIONS.c, {f"{':'.join(map(str, step))}:console" for step in due}
    with desk.store.snapshot() as tx:
        steps = list(map(tuple, tx.conn.execute(select(ladder.ticket_id, ladder.clock, ladder.round, ladder.step))))
        keys = list(tx.conn.execute(select(outbox.OUTBOX.c.idempotency_key)).scalars())
        event, entry = tickets.EVENTS.c, audit.AUDIT.c
        timeline = tx.conn.execute(select(event.ticket_id, event.text).where(event.kind == "escalate"))
        lines = [(ticket_id, text.partition(";")[0]) for ticket_id, text in timeline]
        audited = tx.conn.execute(select(entry.subject, entry.detail).where(entry.action == "escalate"))
        entries = [(subject, detail["text"].partition(";")[0]) for subject, detail in audited]
    texts = (lines, entries)
    return Fired(
        escalations=len(steps),
        doubled=sum(map(_doubles, (steps, keys, *texts))),
        missing=len(due - set(steps))
        + len(told - set(keys))
        + sum(max(0, len(due) - len(r)) for r in (lines, entries)),
        early=len(set(steps) - due),
    )


def _doubles(rows: Sequence[Hashable]) -> int:
    return len(rows) - len(set(rows))


def escalation_count(desk: Desk) -> int:
    with desk.store.read() as tx:
        return int(tx.conn.execute(select(func.count()).select_from(escalations.ESCALATIONS)).scalar_one())


def flaws(desk: Desk) -> dict[str, int]:
    """Every kind of row that must not be, with the place where the audit chain breaks; empty where all is well."""
    sealing.seal(desk)
    with desk.store.snapshot() as tx:
        found = {name: count for name, count in health.orphans(tx).items() if count}
        broken = audit.broken_at(tx.conn)
    return found if broken is None else {**found, "audit chain broken at": broken}


def unsealed(desk: Desk) -> bool:
    """Whether some of the audit is not in its chain yet."""
    with desk.store.read() as tx:
        return audit.unsealed_since(tx.conn) is not None


# ---------------------------------------------------------------- calls under load


@dataclass(slots=True)
class Load:
    """Clients that register calls one after another and ask again, with the same ids, until each is acknowledged.

    Attributes:
        port: Of the web server.
        token: Bearer token of an agent.
        place: Where the callers are.
        clients: How many call at once.
        acknowledged: Ticket numbers by CTI call id, one for each acknowledgement: a repeated call has several.
        answers: How often each HTTP status came; None counts broken connections.
    """

    port: int
    token: str
    place: Wgs84Point
    clients: int = 4
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[int | None] = field(default_factory=Counter)
    _is_patient: bool = True
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self, *, is_patient: bool = True) -> Iterator[Self]:
        """Call for as long as the body runs; then wait for the last acknowledgements, or hang up."""
        self._is_patient = is_patient
        threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            deadline = time.monotonic() + WITHIN_S
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            raise AssertionError(f"a call was never acknowledged; answers: {dict(self.answers)}")

    def wait_for_more(self, calls_: int) -> None:
        """Wait until so many more calls are acknowledged."""
        target = len(self.acknowledged) + calls_
        try:
            wait_for(lambda: len(self.acknowledged) >= target, f"{calls_} more calls are acknowledged")
        except AssertionError as error:
            raise AssertionError(f"{error}; answers: {dict(self.answers)}") from None

    def _client(self, number: int) -> None:
        made = 0
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self._stopping.is_set():
            made += 1
            cti_call_id = f"load-{number}-{made}"
            body = self._body(cti_call_id)
            # Telephone systems repeat themselves: every fourth call comes twice.
            for _ in range(2 if made % 4 == 0 else 1):
                self._insist(connection, cti_call_id, body)
        connection.close()

    def _body(self, cti_call_id: str) -> bytes:
        told = {
            "called_at": utc_now().isoformat(),
            "category": "no_water",
            "description": cti_call_id,
            "cti_call_id": cti_call_id,
            "location": {"lon": self.place.lon, "lat": self.place.lat, "datum": "wgs84"},
        }
        return json.dumps(told).encode()

    def _insist(self, connection: http.client.HTTPConnection, cti_call_id: str, body: bytes) -> None:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and (self._is_patient or not self._stopping.is_set()):
            status, answer = self._post(connection, cti_call_id, body)
            with self._lock:
                self.answers[status] += 1
                if status in (200, 201):
                    self.acknowledged.setdefault(cti_call_id, []).append(json.loads(answer)["ticket"]["number"])
                    return
            time.sleep(0.02)  # nobody there, or too early: ask again
        if self._is_patient:
            raise AssertionError(f"{cti_call_id} was never acknowledged")

    def _post(self, connection: http.client.HTTPConnection, key: str, body: bytes) -> tuple[int | None, bytes]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", "/api/v1/calls", body, headers)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None, b""


def load_on(site: Site, clients: int = 4) -> Load:
    """A load of calls on a site, from one spot in a grid."""
    now = utc_now()
    token = setup.create_token(
        site.desk, cast_of(site.desk).admin, login="agent", label="load", expires_at=None, now=now
    )
    return Load(site.port, token, spot(site.desk, ZONE_A, now), clients)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the calls that were acknowledged."""

    acknowledged: int
    lost: int
    duplicates: int


def kept(desk: Desk, load: Load) -> Kept:
    """Look every acknowledged call up: it is there under its number, once, and was never answered differently."""
    call_, ticket = calls.CALLS.c, tickets.TICKETS.c
    with desk.store.read() as tx:
        joined = select(call_.cti_call_id, ticket.number).join(tickets.TICKETS, ticket.id == call_.ticket_id)
        stored = list(map(tuple, tx.conn.execute(joined.where(call_.cti_call_id.is_not(None)))))
        told = select(ticket.description).where(ticket.description.like("load-%"))
        described = list(tx.conn.execute(told).scalars())
        numbers = list(tx.conn.execute(select(ticket.number)).scalars())
    found = dict(stored)
    said = {cti_call_id: set(answers) for cti_call_id, answers in load.acknowledged.items()}
    return Kept(
        acknowledged=len(said),
        lost=sum(found.get(cti_call_id) not in answers for cti_call_id, answers in said.items()),
        duplicates=_doubles(stored) + _doubles(described) + _doubles(numbers) + sum(len(a) - 1 for a in said.values()),
    )
